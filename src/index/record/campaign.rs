//! What is said of campaigns, and what names them, as the index keeps it.

use serde::{Deserialize, Serialize};

use super::codec::{decode, encode, record};
use super::{EntryVersions, ReleaseState};
use crate::domain::campaign::Contribution;
use crate::domain::{CampaignId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;

/// What a partner says of a campaign to one audience: its newest word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContributionRecord {
    /// Of which campaign.
    pub campaign: CampaignId,
    /// Where it was accepted.
    pub position: Position,
    /// Whose it is.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Where the author's first word to this audience was accepted, and when.
    pub first: (Position, Timestamp),
    /// Whether that one founded the campaign.
    pub founded: bool,
    /// The version that it took the place of.
    pub replaced: Option<Position>,
    /// Who is told, and to which liaisons it is released now.
    pub sharing: Sharing,
    /// What was sent of releases, and since when each is in force.
    pub lane: ReleaseState,
    /// What is said.
    pub contribution: Contribution,
}

record!(ContributionRecord, "what is said of a campaign");

impl ContributionRecord {
    /// Whether another says the same to the same recipients: as it was sent. What was released or retracted
    /// since makes no difference.
    pub fn says(&self, sharing: &Sharing, contribution: &Contribution) -> bool {
        self.lane.sent(&self.sharing) == *sharing && self.contribution == *contribution
    }
}

/// The bytes of who could see a contribution: kept of each, so that it can be said who saw a campaign as
/// of any entry.
pub fn campaign_sight(author: &PartnerId, sharing: &Sharing) -> Vec<u8> {
    encode(&(author, sharing))
}

/// Whose a contribution was, and with whom it was shared.
pub fn read_campaign_sight(bytes: &[u8]) -> Result<(PartnerId, Sharing)> {
    decode(bytes, "the sight of a campaign")
}

/// The versions of a part that name one campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignVersions {
    /// Tells the submissions that they came with apart, and says nothing else.
    pub submission: [u8; 8],
    /// The versions.
    pub brought: EntryVersions,
}

record!(CampaignVersions, "the versions that name a campaign");
