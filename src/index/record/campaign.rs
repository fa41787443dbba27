//! Who may see a campaign, and the versions that name it.

use serde::{Deserialize, Serialize};

use super::EntryVersions;
use super::codec::{decode, encode, record};
use crate::domain::{PartnerId, Sharing};
use crate::error::Result;

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
