//! Records of campaign contributions, and of the versions that name a campaign.

use serde::{Deserialize, Serialize};

use super::codec::{decode, encode, record};
use super::{EntryVersions, ReleaseState};
use crate::domain::campaign::Contribution;
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;

/// A partner's current contribution to a campaign, for one audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionRecord {
    /// The campaign.
    pub campaign: CampaignId,
    /// Where it was accepted.
    pub position: Position,
    /// Its author.
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

record!(ContributionRecord, "a contribution to a campaign");

impl ContributionRecord {
    /// Whether sharing and content equal those that were sent with this version. Releases and
    /// retractions made later make no difference.
    pub fn has_same_content(&self, sharing: &Sharing, contribution: &Contribution) -> bool {
        self.release_state.sent(&self.sharing) == *sharing && self.contribution == *contribution
    }
}

/// Encodes who could see a contribution. Kept for every contribution, so that the visibility of a
/// campaign is known as of any entry.
pub fn encode_campaign_visibility(author: &PartnerId, sharing: &Sharing) -> Vec<u8> {
    encode(&(author, sharing))
}

/// Decodes a contribution's author and sharing.
pub fn read_campaign_visibility(bytes: &[u8]) -> Result<(PartnerId, Sharing)> {
    decode(bytes, "the visibility of a campaign")
}

/// The versions of an entry that name one campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignVersions {
    /// A hash that identifies their submission without revealing its id.
    pub submission: [u8; 8],
    /// The versions.
    pub entry_versions: EntryVersions,
}

record!(CampaignVersions, "the versions that name a campaign");
