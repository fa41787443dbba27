//! What a reader may see of campaigns.

use crate::domain::accepted::ContributionRecord;
use crate::domain::partner::Role;
use crate::domain::sharing::{Audience, SharingView};
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::exchange::visibility::ReaderView;
use crate::index::View;

/// What a partner says of a campaign, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContributionView {
    /// What is said.
    pub record: ContributionRecord,
    /// The version that it took the place of, where the reader could see that one.
    pub replaces: Option<Position>,
    /// The reader's own part of the sharing.
    pub sharing: SharingView,
}

impl ReaderView<'_> {
    /// The contributions to a campaign that the reader may see, oldest first.
    pub fn contributions(&self, campaign: CampaignId) -> Result<Vec<ContributionView>> {
        let mut visible = Vec::new();
        for record in self.view.contributions(campaign) {
            let record = record?;
            if self.may_see(&record.sharing, &record.author, record.position) {
                visible.push(self.contribution(record));
            }
        }
        visible.sort_by_key(|one| one.record.position);
        Ok(visible)
    }

    /// A contribution that the reader may see, without what happened before the reader could see it.
    pub fn contribution(&self, mut kept: ContributionRecord) -> ContributionView {
        let view = kept.sharing.view_for(self.reader, &kept.author, kept.position);
        let saw = |old| self.saw_earlier_version(&kept.sharing, &kept.author, kept.position, old);
        let replaces = kept.replaced.filter(|old| saw(*old));
        if !saw(kept.first.0) {
            kept.first = (kept.position, kept.accepted);
            kept.founded = false;
        }
        ContributionView { record: kept, replaces, sharing: view }
    }

    /// Whether the reader may see a campaign: it may see a contribution to it.
    pub fn sees_campaign(&self, campaign: CampaignId) -> Result<bool> {
        self.view.campaign_visible(campaign, self.reader, self.now)
    }

    /// Whether a reader who may see a version could see an earlier version for the same audience. That
    /// depends on when its membership began. A release covers one version alone.
    pub fn saw_earlier_version(
        &self,
        sharing: &Sharing,
        author: &PartnerId,
        version: Position,
        earlier: Position,
    ) -> bool {
        let by_release = self.reader.role == Role::Liaison && sharing.audience != Audience::Public;
        (earlier == version || !by_release) && self.may_see(sharing, author, earlier)
    }
}

/// Like [`ReaderView::sees_campaign`], for a partner that may have left the exchange.
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
