//! Contributions to campaigns, as a reader may see them.

use crate::domain::accepted::ContributionRecord;
use crate::domain::partner::Role;
use crate::domain::sharing::{Audience, SharingView};
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::exchange::visibility::ReaderView;
use crate::index::View;

/// A contribution to a campaign, as a reader may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContributionView {
    /// The contribution.
    pub record: ContributionRecord,
    /// The version that it replaced, if the reader could see that version.
    pub replaces: Option<Position>,
    /// The part of the sharing that the reader may see.
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
        visible.sort_by_key(|view| view.record.position);
        Ok(visible)
    }

    /// A contribution that the reader may see, without the history from before the reader could see it.
    pub fn contribution(&self, mut record: ContributionRecord) -> ContributionView {
        let sharing = record.sharing.view_for(self.reader, &record.author, record.position);
        let saw = |earlier| {
            self.saw_earlier_version(&record.sharing, &record.author, record.position, earlier)
        };
        let replaces = record.replaced.filter(|earlier| saw(*earlier));
        if !saw(record.first.0) {
            record.first = (record.position, record.accepted);
            record.founded = false;
        }
        ContributionView { record, replaces, sharing }
    }

    /// Whether the reader may see a campaign: it may see at least one contribution.
    pub fn sees_campaign(&self, campaign: CampaignId) -> Result<bool> {
        self.view.campaign_visible(campaign, self.reader, self.now)
    }

    /// Whether a reader that may see a version could also see an earlier version for the same audience. That depends on
    /// when its membership began. A release covers only one version.
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

/// The error for a campaign that the caller does not see, or that does not exist.
pub fn unknown_campaign() -> Error {
    Error::new(Kind::NotFound, "campaign_unknown", "there is no such campaign")
}
