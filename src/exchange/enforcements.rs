//! Taking reports of what was done, and what a reader may see of them.

use super::caller::reader;
use super::campaigns::saw_before;
use super::submit::{item_receipts, refused};
use super::{Caller, Exchange};
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{Body, Enforcements, Outcome, Rejection, RequestId, VoidReason};
use crate::domain::sharing::{Reader, SharingRequest, SharingView};
use crate::domain::submission::ItemReceipt;
use crate::domain::{
    CampaignId, Day, Invalid, PartnerId, Position, Sharing, Timestamp, TipId, may_see,
};
use crate::error::{Error, Kind, Result};
use crate::index::View;
use crate::index::keys::ListedBy;
use crate::index::record::EnforcementRecord;

/// How many enforcements are looked at for one page.
const LOOKED_AT: usize = 10_000;

/// Enforcements as they were sent.
#[derive(Clone, Debug)]
pub struct EnforcementRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who is to be told.
    pub sharing: SharingRequest,
    /// Those that could be read, each with its index.
    pub items: Vec<(u32, Enforcement)>,
    /// Those that could not.
    pub rejected: Vec<Rejection>,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementReceipt {
    /// Its entry.
    pub sequence: u64,
    /// When it was taken.
    pub accepted: Timestamp,
    /// What became of each, by index.
    pub items: Vec<(u32, ItemReceipt)>,
    /// Whether it had been taken before.
    pub replayed: bool,
}

/// An enforcement, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnforcementView {
    /// The enforcement. Its campaign and its tip are blank where they are hidden from the reader.
    pub kept: EnforcementRecord,
    /// The version that it took the place of, where the reader could see that one.
    pub replaces: Option<Position>,
    /// The reader's own part of the sharing.
    pub view: SharingView,
}

/// Which enforcements a reader asks for. Each condition that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct EnforcementQuery {
    /// The campaign that it was done against.
    pub campaign: Option<CampaignId>,
    /// Who says so.
    pub author: Option<PartnerId>,
    /// On this day or later.
    pub from: Option<Day>,
    /// On this day or earlier.
    pub until: Option<Day>,
    /// The tip that caused it.
    pub tip: Option<[u8; 16]>,
    /// Behind this one, in the order of the list.
    pub before: Option<Position>,
    /// At most so many.
    pub most: usize,
}

impl Exchange {
    /// Takes a report of enforcements, once for one key. Each that names what its author does not see,
    /// or claims what another did, is rejected by itself.
    pub async fn report_enforcement(
        &self,
        caller: &Caller,
        request: EnforcementRequest,
    ) -> Result<EnforcementReceipt> {
        if let Some(sequence) = self.keyed_before(caller, &request.request, request.digest)? {
            return self.reported(sequence, true).await;
        }
        let (key, digest) = (request.request.clone(), request.digest);
        let body = Body::Enforcements(self.check_enforcements(caller, request)?);
        let (sequence, replayed) = self.keyed(caller, &key, digest, body).await?;
        self.reported(sequence, replayed).await
    }

    /// Rejects those that are not the caller's to report.
    fn check_enforcements(
        &self,
        caller: &Caller,
        request: EnforcementRequest,
    ) -> Result<Enforcements> {
        let EnforcementRequest { request, digest, sharing, items: sent, mut rejected } = request;
        let view = self.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let sharing = Sharing::resolve(sharing, caller.partner(), view.registry().as_ref())?;
        let mut items = Vec::with_capacity(sent.len());
        for (index, enforcement) in sent {
            match self.refuses_enforcement(&view, &reader, &enforcement)? {
                None => items.push((index, enforcement)),
                Some(invalid) => rejected.push(Rejection { index, invalid }),
            }
        }
        rejected.sort_by_key(|one| one.index);
        Ok(Enforcements { request, digest, sharing, items, rejected })
    }

    /// Why an enforcement is not its author's to report: it names what the author does not see, or what
    /// is another's.
    pub(super) fn refuses_enforcement(
        &self,
        view: &View<'_>,
        author: &Reader,
        enforcement: &Enforcement,
    ) -> Result<Option<Invalid>> {
        if let Some(campaign) = enforcement.campaign
            && !self.sees_campaign(view, author, campaign)?
        {
            return Ok(Some(Invalid::new("campaign", "is not a campaign that you see")));
        }
        if let Some(tip) = enforcement.tip
            && !sees_tip(view, author, tip)?
        {
            return Ok(Some(Invalid::new("tip", "is not a tip of yours")));
        }
        let owners =
            enforcement.check_owners(&author.id, |platform| view.registry().owner(platform));
        Ok(owners.err())
    }

    /// A page of the enforcements that a caller may see, the newest first, and the place to go on behind
    /// where there may be more.
    pub fn enforcements(
        &self,
        caller: &Caller,
        query: &EnforcementQuery,
    ) -> Result<(Vec<EnforcementView>, Option<Position>)> {
        let view = self.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        if let Some(campaign) = query.campaign
            && !self.sees_campaign(&view, &reader, campaign)?
        {
            return Err(super::campaigns::unknown());
        }
        if let Some(tip) = query.tip
            && !sees_tip(&view, &reader, tip)?
        {
            return Err(Error::new(Kind::NotFound, "tip_unknown", "there is no such tip of yours"));
        }
        self.enforcements_for(&view, &reader, query)
    }

    /// The same for a reader whose rights were looked up.
    pub(super) fn enforcements_for(
        &self,
        view: &View<'_>,
        reader: &Reader,
        query: &EnforcementQuery,
    ) -> Result<(Vec<EnforcementView>, Option<Position>)> {
        let by = match (query.tip, query.campaign, &query.author) {
            (Some(tip), ..) => ListedBy::Tip(tip),
            (None, Some(campaign), _) => ListedBy::Campaign(campaign),
            (None, None, Some(author)) => ListedBy::Author(author),
            (None, None, None) => ListedBy::All,
        };
        let (mut deeds, mut last) = (Vec::<EnforcementView>::new(), None);
        for (looked, kept) in view.enforcements_back(by, query.before).enumerate() {
            if looked >= LOOKED_AT {
                return Ok((deeds, last));
            }
            let kept = kept?;
            last = Some(kept.position);
            if query.asks_for(&kept) && self.is_newest_seen(view, reader, &kept)? {
                if deeds.len() >= query.most {
                    // There is more where the reader sees more: what is hidden makes no page.
                    let last = deeds.last().map(|deed| deed.kept.position);
                    return Ok((deeds, last));
                }
                deeds.push(self.deed(view, reader, kept)?);
            }
        }
        Ok((deeds, None))
    }

    /// All of them that a reader may see, up to so many, however many are hidden; and whether there are
    /// more.
    pub(super) fn all_enforcements_for(
        &self,
        view: &View<'_>,
        reader: &Reader,
        query: &EnforcementQuery,
    ) -> Result<(Vec<EnforcementView>, bool)> {
        let (mut deeds, mut query) = (Vec::new(), query.clone());
        let most = query.most;
        loop {
            query.most = most - deeds.len();
            let (some, next) = self.enforcements_for(view, reader, &query)?;
            deeds.extend(some);
            match next {
                Some(_) if deeds.len() < most => query.before = next,
                next => return Ok((deeds, next.is_some())),
            }
        }
    }

    /// An enforcement that a reader may see, with what that reader may know of it.
    pub(super) fn deed(
        &self,
        view: &View<'_>,
        reader: &Reader,
        mut kept: EnforcementRecord,
    ) -> Result<EnforcementView> {
        let is_own = reader.id == kept.author;
        if let Some(campaign) = kept.enforcement.campaign
            && !is_own
            && !self.sees_campaign(view, reader, campaign)?
        {
            kept.enforcement.campaign = None;
        }
        if let Some(tip) = kept.enforcement.tip
            && !is_own
            && !sees_tip(view, reader, tip)?
        {
            kept.enforcement.tip = None;
        }
        let part = kept.sharing.seen_by(reader, &kept.author, kept.position);
        let (now, at) = (self.clock.now(), kept.position);
        let saw = |old: &Position| saw_before(reader, &kept.sharing, &kept.author, at, *old, now);
        let replaces = kept.replaced.filter(saw);
        Ok(EnforcementView { kept, replaces, view: part })
    }

    /// Whether a reader sees an enforcement, and no newer word of its author's on the same deed to another
    /// audience: each deed counts once.
    pub(super) fn is_newest_seen(
        &self,
        view: &View<'_>,
        reader: &Reader,
        kept: &EnforcementRecord,
    ) -> Result<bool> {
        let now = self.clock.now();
        let sees =
            |one: &EnforcementRecord| may_see(reader, &one.sharing, &one.author, one.position, now);
        if !sees(kept) {
            return Ok(false);
        }
        for other in view.enforcement_versions(&kept.author, &kept.enforcement.id) {
            let other = other?;
            if other.position > kept.position && sees(&other) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn reported(&self, sequence: u64, replayed: bool) -> Result<EnforcementReceipt> {
        let logged = self.entry(sequence).await?;
        let accepted = logged.entry.time;
        let Body::Enforcements(sent) = &logged.entry.body else {
            return Err(refused(&VoidReason::Conflicts(sequence)));
        };
        let outcome = self.index.applied_outcome(sequence)?;
        let Outcome::Taken(outcomes) = &*outcome else {
            return Err(Error::internal("receipt", format!("entry {sequence} was not taken")));
        };
        let indexes = sent.items.iter().map(|(index, _)| *index);
        let items = item_receipts(sequence, indexes, outcomes, &sent.rejected);
        Ok(EnforcementReceipt { sequence, accepted, items, replayed })
    }
}

/// Whether a tip is a reader's, as its sender or one of its recipients.
fn sees_tip(view: &View<'_>, reader: &Reader, tip: [u8; 16]) -> Result<bool> {
    let tip = view.tip(TipId::from_bytes(tip))?;
    Ok(tip.is_some_and(|tip| tip.concerns(&reader.id)))
}

impl EnforcementQuery {
    fn asks_for(&self, kept: &EnforcementRecord) -> bool {
        let deed = &kept.enforcement;
        let (first, last) = deed.days(kept.accepted);
        self.author.as_ref().is_none_or(|author| *author == kept.author)
            && self.campaign.is_none_or(|campaign| deed.campaign == Some(campaign))
            && self.from.is_none_or(|from| last >= from)
            && self.until.is_none_or(|until| first <= until)
    }
}
