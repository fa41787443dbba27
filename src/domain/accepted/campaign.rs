//! Contributions to campaigns as accepted.

use serde::{Deserialize, Serialize};

use super::ReleaseState;
use crate::domain::campaign::Contribution;
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp};

/// A partner's current contribution to a campaign, for one audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionRecord {
    /// The campaign.
    pub campaign: CampaignId,
    /// The position of the version.
    pub position: Position,
    /// The author.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Position and time of the author's first contribution to this audience.
    pub first: (Position, Timestamp),
    /// Whether that first contribution founded the campaign.
    pub founded: bool,
    /// The version that it replaced.
    pub replaced: Option<Position>,
    /// Who receives it, with the releases in force.
    pub sharing: Sharing,
    /// The releases as sent, and when those in force began.
    pub release_state: ReleaseState,
    /// The content.
    pub contribution: Contribution,
}

impl ContributionRecord {
    /// Whether sharing and content equal those that were sent with this version. Later releases and retractions are
    /// ignored.
    pub fn has_same_content(&self, sharing: &Sharing, contribution: &Contribution) -> bool {
        self.release_state.sent(&self.sharing) == *sharing && self.contribution == *contribution
    }
}
