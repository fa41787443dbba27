//! What a reader may see of campaigns.

use crate::domain::partner::Role;
use crate::domain::sharing::{Audience, Reader, SharingView};
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp, may_see};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::Core;
use crate::index::View;
use crate::index::record::ContributionRecord;

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

impl Core {
    /// What a reader may see of what is said of a campaign, the oldest first.
    pub(in crate::exchange) fn contributions_for(
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
    pub(in crate::exchange) fn contributed(
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
    pub(in crate::exchange) fn sees_campaign(
        &self,
        view: &View<'_>,
        reader: &Reader,
        campaign: CampaignId,
    ) -> Result<bool> {
        view.campaign_visible(campaign, reader, self.clock.now())
    }
}

/// Whether a reader who sees a version saw what stood in its place before, to the same audience: when the
/// reader came in tells. A release is of one version.
pub(in crate::exchange) fn saw_before(
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
pub(in crate::exchange) fn campaign_visible(
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
pub fn unknown_campaign() -> Error {
    Error::new(Kind::NotFound, "campaign_unknown", "there is no such campaign")
}
