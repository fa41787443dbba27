//! What partners say of campaigns and do against them, as the journal holds it.

use super::requests::{Rejection, RequestId};
use crate::domain::campaign::{CampaignId, Contribution};
use crate::domain::enforcement::Enforcement;
use crate::domain::sharing::Sharing;

/// What a partner did, or reports that another did, under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforcements {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who is told.
    pub sharing: Sharing,
    /// What was done, each with its index in the request, and in the entry.
    pub items: Vec<(u32, Enforcement)>,
    /// What could not be read.
    pub rejected: Vec<Rejection>,
}

/// What a partner says of a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignPut {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Which campaign; drawn at random before the append where this founds it.
    pub campaign: CampaignId,
    /// Whether this founds it.
    pub founds: bool,
    /// Who is told.
    pub sharing: Sharing,
    /// What is said.
    pub contribution: Contribution,
}
