//! Snapshots: everything that is current for a reader.
//!
//! A snapshot is fuzzy and safe: the cursor is taken first, then the index is scanned page by page. What changes
//! meanwhile comes again in the feed from the cursor. For a liaison a snapshot has contributions and enforcements too;
//! others list those by calls.

use std::sync::Arc;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::purpose::Purpose;
use crate::domain::{Cursor, PartnerId, Position, Sharing};
use crate::error::Result;
use crate::exchange::core::{Caller, Core};
use crate::exchange::feeds::event::FeedItem;
use crate::exchange::feeds::{FeedRequest, Feeds, check_filter};
use crate::exchange::visibility::campaign::ContributionView;
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::exchange::visibility::{ReaderView, VersionMeta, Visibility};
use crate::index::{AssessmentCursor, View};

/// Objects that one page scans.
pub const SCANNED_PER_PAGE: usize = 512;

/// A snapshot that is being taken.
#[derive(Debug)]
pub struct Snapshot {
    core: Arc<Core>,
    partner: PartnerId,
    purpose: Option<Purpose>,
    visibility: Arc<Visibility>,
    cursor: Cursor,
    next: Option<Next>,
}

/// What the next page scans.
#[derive(Debug)]
enum Next {
    /// Assessments, after a key.
    Assessments(AssessmentCursor),
    /// For a liaison: contributions, after a position.
    Contributions(Position),
    /// For a liaison: enforcements, after a position.
    Enforcements(Position),
}

/// One object of a snapshot.
#[derive(Debug)]
pub enum SnapshotPart {
    /// An assessment.
    Item(FeedItem),
    /// A contribution to a campaign.
    Campaign(ContributionView),
    /// An enforcement.
    Enforcement(EnforcementView),
}

impl Feeds {
    /// Opens a snapshot for a caller; for a liaison with its purpose.
    pub fn snapshot(&self, caller: &Caller, wanted: impl Into<FeedRequest>) -> Result<Snapshot> {
        let FeedRequest { filter, purpose } = wanted.into();
        self.core.check_purpose(caller, purpose.as_ref())?;
        check_filter(caller, &filter)?;
        // Taken before the scan, so that the feed misses nothing that comes after it.
        let place = FeedPosition::after_entry(self.core.index.checkpoint());
        let visibility = Visibility::new(&self.core.registry(), caller.partner(), filter)?
            .for_purpose(purpose.as_ref());
        Ok(Snapshot {
            core: Arc::clone(&self.core),
            partner: caller.partner().clone(),
            visibility: Arc::new(visibility),
            purpose,
            cursor: self.core.cursor_at(place),
            next: Some(Next::Assessments(AssessmentCursor::default())),
        })
    }
}

impl Snapshot {
    /// The purpose of a liaison.
    pub fn purpose(&self) -> Option<&Purpose> {
        self.purpose.as_ref()
    }

    /// The cursor to continue from once the snapshot is complete.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Scans the next objects, and returns those that the reader may see now and its filter matches. `None` once the
    /// snapshot is complete. Reads from the disk.
    pub fn next_page(&mut self, most: usize) -> Result<Option<Vec<SnapshotPart>>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        self.core.check_suspended(&self.partner)?;
        self.core.check_purpose_holds(&self.partner, self.purpose.as_ref())?;
        let core = Arc::clone(&self.core);
        let view = &core.index.read()?;
        self.visibility = self.visibility.at(view)?;
        let page = match next {
            Next::Assessments(behind) => self.assessments(view, &behind, most),
            Next::Contributions(behind) => self.contributions(view, behind, most),
            Next::Enforcements(behind) => self.enforcements(view, behind, most),
        };
        page.map(Some)
    }

    /// Whether a liaison may still receive an object of a page: its release may have ended since.
    pub fn may_still_deliver(&mut self, one: &SnapshotPart) -> Result<bool> {
        let core = Arc::clone(&self.core);
        let (view, now) = (core.index.read()?, core.clock.now());
        self.visibility = self.visibility.at(&view)?;
        let has = |author: &PartnerId, sharing: &Sharing, at| {
            self.visibility.may_deliver(author, sharing, at, now)
        };
        Ok(match one {
            SnapshotPart::Item(shown) => {
                let (author, version) = (&shown.author, shown.record.version);
                let audience = AudienceDigest::of(&shown.record.sharing.audience);
                let current = view.current(shown.record.id, author, audience)?;
                let current = current.filter(|current| current.version == version);
                current.is_some_and(|current| has(author, &current.sharing, version))
            }
            SnapshotPart::Campaign(said) => view
                .contribution_at(said.record.position)?
                .is_some_and(|kept| has(&kept.author, &kept.sharing, kept.position)),
            SnapshotPart::Enforcement(deed) => view
                .enforcement_at(deed.record.position)?
                .is_some_and(|kept| has(&kept.author, &kept.sharing, kept.position)),
        })
    }

    fn assessments(
        &mut self,
        view: &View<'_>,
        behind: &AssessmentCursor,
        most: usize,
    ) -> Result<Vec<SnapshotPart>> {
        let (found, last) = view.scan_current(behind, most)?;
        // Other readers list contributions and enforcements by calls.
        let rest = self.visibility.is_liaison().then_some(Next::Contributions(Position::default()));
        self.next = last.map(Next::Assessments).or(rest);
        let (place, now) = (self.cursor.position, self.core.clock.now());
        let mut shown = Vec::new();
        for (author, mut current) in found {
            let reader = self.visibility.reader();
            let (version, sharing) = (current.version, &current.sharing);
            let outline =
                VersionMeta { author: &author, version, sharing, assessment: &current.assessment };
            if !self.visibility.may_deliver_content(view, outline, now)? {
                continue;
            }
            let part = sharing.view_for(reader, &author, version);
            self.visibility.redact(view, &author, &mut current.assessment, now)?;
            shown.push(SnapshotPart::Item(FeedItem { place, author, record: current, view: part }));
        }
        Ok(shown)
    }

    fn contributions(
        &mut self,
        view: &View<'_>,
        behind: Position,
        most: usize,
    ) -> Result<Vec<SnapshotPart>> {
        let (found, last) = view.scan_contributions(behind, most)?;
        self.next = Some(last.map_or(Next::Enforcements(Position::default()), Next::Contributions));
        let now = self.core.clock.now();
        let given = found.into_iter().filter(|kept| {
            self.visibility.may_deliver(&kept.author, &kept.sharing, kept.position, now)
                && self.visibility.filter().matches_campaign(Some(kept.campaign))
        });
        let seen = ReaderView::new(view, self.visibility.reader(), now);
        Ok(given.map(|kept| SnapshotPart::Campaign(seen.contribution(kept))).collect())
    }

    fn enforcements(
        &mut self,
        view: &View<'_>,
        behind: Position,
        most: usize,
    ) -> Result<Vec<SnapshotPart>> {
        let (found, last) = view.scan_enforcements(behind, most)?;
        self.next = last.map(Next::Enforcements);
        let now = self.core.clock.now();
        let mut done = Vec::new();
        for kept in found {
            if self.visibility.may_deliver(&kept.author, &kept.sharing, kept.position, now)
                && self.visibility.matches_enforcement(view, &kept.enforcement, now)?
            {
                done.push(SnapshotPart::Enforcement(
                    ReaderView::new(view, self.visibility.reader(), now).enforcement(kept)?,
                ));
            }
        }
        Ok(done)
    }
}
