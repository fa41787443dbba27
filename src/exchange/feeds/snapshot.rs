//! Snapshots: everything that is current for a reader.
//!
//! A snapshot is fuzzy but safe: the cursor is taken first, then the index is scanned page by page. Changes during the
//! scan are delivered again by the feed from that cursor. For a liaison, a snapshot contains contributions and
//! enforcements too; other readers list those with separate calls.

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

/// Objects that one page scans. Bounds the time and memory of a page.
pub const SCANNED_PER_PAGE: usize = 512;

/// A snapshot in progress.
#[derive(Debug)]
pub struct Snapshot {
    core: Arc<Core>,
    partner: PartnerId,
    /// Set for a liaison.
    purpose: Option<Purpose>,
    visibility: Arc<Visibility>,
    /// The checkpoint at which the snapshot was opened.
    cursor: Cursor,
    /// What the next page scans; `None` once the snapshot is complete.
    next: Option<NextScan>,
}

/// The part of the index that the next page scans.
#[derive(Debug)]
enum NextScan {
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
    /// Opens a snapshot for a caller. A liaison has to state its purpose.
    pub fn snapshot(&self, caller: &Caller, request: impl Into<FeedRequest>) -> Result<Snapshot> {
        let FeedRequest { filter, purpose } = request.into();
        self.core.check_purpose(caller, purpose.as_ref())?;
        let registry = self.core.registry();
        check_filter(caller, &registry, &filter)?;
        // Taken before the scan, so that the feed delivers every change during the scan.
        let position = FeedPosition::after_entry(self.core.index.checkpoint());
        let visibility =
            Visibility::new(&registry, caller.partner(), filter)?.for_purpose(purpose.as_ref());
        Ok(Snapshot {
            core: Arc::clone(&self.core),
            partner: caller.partner().clone(),
            visibility: Arc::new(visibility),
            purpose,
            cursor: self.core.cursor_at(position),
            next: Some(NextScan::Assessments(AssessmentCursor::default())),
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

    /// Scans up to `limit` objects. Returns those that the reader may see now and that its filter matches; `None` once
    /// the snapshot is complete. Reads from disk.
    pub fn next_page(&mut self, limit: usize) -> Result<Option<Vec<SnapshotPart>>> {
        let Some(next) = self.next.take() else { return Ok(None) };
        self.core.check_suspended(&self.partner)?;
        self.core.check_purpose_holds(&self.partner, self.purpose.as_ref())?;
        let core = Arc::clone(&self.core);
        let view = &core.index.read()?;
        self.visibility = self.visibility.at(view)?;
        let page = match next {
            NextScan::Assessments(after) => self.assessments(view, &after, limit),
            NextScan::Contributions(after) => self.contributions(view, after, limit),
            NextScan::Enforcements(after) => self.enforcements(view, after, limit),
        };
        page.map(Some)
    }

    /// Whether a liaison may still receive an object of a page. The release may have ended since the page was read.
    pub fn may_still_deliver(&mut self, part: &SnapshotPart) -> Result<bool> {
        let core = Arc::clone(&self.core);
        let (view, now) = (core.index.read()?, core.clock.now());
        self.visibility = self.visibility.at(&view)?;
        let may_deliver = |author: &PartnerId, sharing: &Sharing, version| {
            self.visibility.may_deliver(author, sharing, version, now)
        };
        Ok(match part {
            SnapshotPart::Item(item) => {
                let (author, version) = (&item.author, item.record.version);
                let audience = AudienceDigest::of(&item.record.sharing.audience);
                let current = view.current(item.record.id, author, audience)?;
                let current = current.filter(|current| current.version == version);
                current.is_some_and(|current| may_deliver(author, &current.sharing, version))
            }
            SnapshotPart::Campaign(contribution) => {
                view.contribution_at(contribution.record.position)?.is_some_and(|record| {
                    may_deliver(&record.author, &record.sharing, record.position)
                })
            }
            SnapshotPart::Enforcement(enforcement) => {
                view.enforcement_at(enforcement.record.position)?.is_some_and(|record| {
                    may_deliver(&record.author, &record.sharing, record.position)
                })
            }
        })
    }

    fn assessments(
        &mut self,
        view: &View<'_>,
        after: &AssessmentCursor,
        limit: usize,
    ) -> Result<Vec<SnapshotPart>> {
        let (scanned, last) = view.scan_current(after, limit)?;
        // Other readers list contributions and enforcements with separate calls.
        let next =
            self.visibility.is_liaison().then_some(NextScan::Contributions(Position::default()));
        self.next = last.map(NextScan::Assessments).or(next);
        let (position, now) = (self.cursor.position, self.core.clock.now());
        let mut parts = Vec::new();
        for (author, mut current) in scanned {
            let reader = self.visibility.reader();
            let (version, sharing) = (current.version, &current.sharing);
            let meta =
                VersionMeta { author: &author, version, sharing, assessment: &current.assessment };
            if !self.visibility.may_deliver_content(view, meta, now)? {
                continue;
            }
            let sharing_view = sharing.view_for(reader, &author, version);
            self.visibility.redact(view, &author, &mut current.assessment, now)?;
            let item = FeedItem { position, author, record: current, sharing: sharing_view };
            parts.push(SnapshotPart::Item(item));
        }
        Ok(parts)
    }

    fn contributions(
        &mut self,
        view: &View<'_>,
        after: Position,
        limit: usize,
    ) -> Result<Vec<SnapshotPart>> {
        let (scanned, last) = view.scan_contributions(after, limit)?;
        self.next =
            Some(last.map_or(NextScan::Enforcements(Position::default()), NextScan::Contributions));
        let now = self.core.clock.now();
        let visible = scanned.into_iter().filter(|record| {
            self.visibility.may_deliver(&record.author, &record.sharing, record.position, now)
                && self.visibility.filter().matches_campaign(Some(record.campaign))
        });
        let reader_view = ReaderView::new(view, self.visibility.reader(), now);
        Ok(visible.map(|record| SnapshotPart::Campaign(reader_view.contribution(record))).collect())
    }

    fn enforcements(
        &mut self,
        view: &View<'_>,
        after: Position,
        limit: usize,
    ) -> Result<Vec<SnapshotPart>> {
        let (scanned, last) = view.scan_enforcements(after, limit)?;
        self.next = last.map(NextScan::Enforcements);
        let now = self.core.clock.now();
        let reader_view = ReaderView::new(view, self.visibility.reader(), now);
        let mut parts = Vec::new();
        for record in scanned {
            if self.visibility.may_deliver(&record.author, &record.sharing, record.position, now)
                && self.visibility.matches_enforcement(view, record.enforcement.campaign, now)?
            {
                parts.push(SnapshotPart::Enforcement(reader_view.enforcement(record)?));
            }
        }
        Ok(parts)
    }
}
