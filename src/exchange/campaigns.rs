//! Campaigns: founding them, saying what they are, and who sees them.

mod clusters;
mod known;
mod timeline;

use std::collections::BTreeMap;

pub use self::clusters::{ClusterGraph, Edge, EdgeKind};
pub use self::known::{CampaignCounts, CampaignQuery, CampaignView, EnforcementTotal};
pub use self::timeline::{
    TimelineEvent, TimelineEventKind, TimelinePosition as EventPlace, TipStep,
};
use super::caller::reader;
use super::submit::{item_receipts, refused};
use super::{Caller, Exchange};
use crate::domain::campaign::Contribution;
use crate::domain::entry::{Body, CampaignPut, Outcome, RequestId, VoidReason};
use crate::domain::partner::Role;
use crate::domain::sharing::{Audience, Reader, SharingRequest, SharingView};
use crate::domain::submission::ItemReceipt;
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp, may_see};
use crate::error::{Error, Kind, Result};
use crate::index::View;
use crate::index::record::ContributionRecord;

/// How many contributions are looked at for one page of campaigns.
const LOOKED_AT: usize = 10_000;

/// What is said of a campaign, as it was sent.
#[derive(Clone, Debug)]
pub struct CampaignRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The campaign; `None` founds one.
    pub campaign: Option<CampaignId>,
    /// Who is to be told.
    pub sharing: SharingRequest,
    /// What is said.
    pub contribution: Contribution,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignReceipt {
    /// The campaign.
    pub campaign: CampaignId,
    /// What it came to, with the version that is current now.
    pub receipt: ItemReceipt,
    /// When it was taken.
    pub accepted: Timestamp,
    /// Whether it had been taken before.
    pub replayed: bool,
}

/// What a partner says of a campaign, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContributionView {
    /// What is said.
    pub kept: ContributionRecord,
    /// The version that it took the place of, where the reader could see that one.
    pub replaces: Option<Position>,
    /// The reader's own part of the sharing.
    pub view: SharingView,
}

/// A campaign in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignSummary {
    /// The newest of what the reader may see.
    pub newest: ContributionView,
    /// How many contributions that is of.
    pub contributions: usize,
}

impl Exchange {
    /// Founds a campaign, or says what one is that the caller sees. Once for one key.
    pub async fn put_campaign(
        &self,
        caller: &Caller,
        request: CampaignRequest,
    ) -> Result<CampaignReceipt> {
        if let Some(sequence) = self.keyed_before(caller, &request.request, request.digest)? {
            return self.campaign_taken(sequence, true).await;
        }
        let sharing = self.check_campaign(caller, request.campaign, request.sharing)?;
        let put = CampaignPut {
            request: request.request.clone(),
            digest: request.digest,
            // Drawn for this try alone: whichever is appended first under the key counts.
            campaign: request.campaign.unwrap_or_else(|| CampaignId::from_random(rand::random())),
            founds: request.campaign.is_none(),
            sharing,
            contribution: request.contribution,
        };
        let body = Body::CampaignPut(put);
        let (sequence, replayed) =
            self.keyed(caller, &request.request, request.digest, body).await?;
        self.campaign_taken(sequence, replayed).await
    }

    /// Resolves the sharing of what is said of a campaign. An error where the caller does not see the campaign.
    fn check_campaign(
        &self,
        caller: &Caller,
        campaign: Option<CampaignId>,
        sharing: SharingRequest,
    ) -> Result<Sharing> {
        let view = self.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        if let Some(campaign) = campaign
            && !self.sees_campaign(&view, &reader, campaign)?
        {
            return Err(unknown());
        }
        Ok(Sharing::resolve(sharing, caller.partner(), view.registry().as_ref())?)
    }

    /// A page of the campaigns that a caller may see, the one with the newest contribution first, and the
    /// place to go on behind where there may be more.
    pub fn campaigns(
        &self,
        caller: &Caller,
        before: Option<Position>,
        most: usize,
    ) -> Result<(Vec<CampaignSummary>, Option<Position>)> {
        let view = self.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let (mut listed, mut last) = (Vec::<CampaignSummary>::new(), None);
        let mut looked_up: BTreeMap<CampaignId, Option<Position>> = BTreeMap::new();
        for (looked, kept) in view.contributions_back(before).enumerate() {
            if looked >= LOOKED_AT {
                return Ok((listed, last));
            }
            let kept = kept?;
            last = Some(kept.position);
            // A campaign stands in the list once, at the newest contribution that the reader sees.
            if let Some(newest) = looked_up.get(&kept.campaign)
                && *newest != Some(kept.position)
            {
                continue;
            }
            let mut seen = self.contributions_for(&view, &reader, kept.campaign)?;
            let (contributions, newest) = (seen.len(), seen.pop());
            let newest_at = newest.as_ref().map(|newest| newest.kept.position);
            looked_up.insert(kept.campaign, newest_at);
            let newest = newest.filter(|_| newest_at == Some(kept.position));
            let Some(newest) = newest else { continue };
            if listed.len() == most {
                // There is more where the reader sees more: what is hidden makes no page.
                let last = listed.last().map(|listed| listed.newest.kept.position);
                return Ok((listed, last));
            }
            listed.push(CampaignSummary { newest, contributions });
        }
        Ok((listed, None))
    }

    /// What a reader may see of what is said of a campaign, the oldest first.
    pub(super) fn contributions_for(
        &self,
        view: &View<'_>,
        reader: &Reader,
        campaign: CampaignId,
    ) -> Result<Vec<ContributionView>> {
        let now = self.clock.now();
        let mut seen = Vec::new();
        for kept in view.contributions(campaign) {
            let kept = kept?;
            if may_see(reader, &kept.sharing, &kept.author, kept.position, now) {
                seen.push(self.contributed(reader, kept));
            }
        }
        seen.sort_by_key(|one| one.kept.position);
        Ok(seen)
    }

    /// A contribution that a reader may see, with what that reader may know of it.
    pub(super) fn contributed(
        &self,
        reader: &Reader,
        mut kept: ContributionRecord,
    ) -> ContributionView {
        let now = self.clock.now();
        let view = kept.sharing.seen_by(reader, &kept.author, kept.position);
        let saw = |at| saw_before(reader, &kept.sharing, &kept.author, kept.position, at, now);
        let replaces = kept.replaced.filter(|old| saw(*old));
        if !saw(kept.first.0) {
            kept.first = (kept.position, kept.accepted);
            kept.founded = false;
        }
        ContributionView { kept, replaces, view }
    }

    /// Whether a reader sees a campaign now.
    pub(super) fn sees_campaign(
        &self,
        view: &View<'_>,
        reader: &Reader,
        campaign: CampaignId,
    ) -> Result<bool> {
        view.campaign_visible(campaign, reader, self.clock.now())
    }

    async fn campaign_taken(&self, sequence: u64, replayed: bool) -> Result<CampaignReceipt> {
        let logged = self.entry(sequence).await?;
        let Body::CampaignPut(put) = &logged.entry.body else {
            return Err(refused(&VoidReason::Conflicts(sequence)));
        };
        let outcome = self.index.applied_outcome(sequence)?;
        let Outcome::Taken(outcomes) = &*outcome else {
            return Err(Error::internal("receipt", format!("entry {sequence} was not taken")));
        };
        let receipts = item_receipts(sequence, std::iter::once(0), outcomes, &[]);
        let receipt = receipts.into_iter().next().map(|(_, receipt)| receipt);
        let missing = || Error::internal("receipt", format!("entry {sequence} came to nothing"));
        let receipt = receipt.ok_or_else(missing)?;
        Ok(CampaignReceipt {
            campaign: put.campaign,
            receipt,
            accepted: logged.entry.time,
            replayed,
        })
    }
}

/// Whether a reader who sees a version saw what stood in its place before, to the same audience: when the
/// reader came in tells. A release is of one version.
pub(super) fn saw_before(
    reader: &Reader,
    sharing: &Sharing,
    author: &PartnerId,
    version: Position,
    before: Position,
    now: Timestamp,
) -> bool {
    let by_release = reader.role == Role::Liaison && sharing.audience != Audience::Public;
    (before == version || !by_release) && may_see(reader, sharing, author, before, now)
}

/// Whether a partner sees a campaign at a time.
pub(super) fn campaign_visible(
    view: &View<'_>,
    partner: &PartnerId,
    campaign: CampaignId,
    now: Timestamp,
) -> Result<bool> {
    match view.registry().reader(partner) {
        Some(reader) => view.campaign_visible(campaign, &reader, now),
        None => Ok(false),
    }
}

/// The error for a campaign that a caller does not see, and for one that never was.
pub fn unknown() -> Error {
    Error::new(Kind::NotFound, "campaign_unknown", "there is no such campaign")
}
