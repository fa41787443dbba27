//! Journal entries for campaigns and enforcements.

use super::requests::{Rejection, RequestId};
use crate::domain::audience::AudienceDigest;
use crate::domain::campaign::{CampaignId, Contribution};
use crate::domain::enforcement::{Enforcement, EnforcementId};
use crate::domain::sharing::Sharing;

/// Enforcements reported in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforcements {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who receives them.
    pub sharing: Sharing,
    /// The enforcements, each with its index in the request and the entry.
    pub items: Vec<(u32, Enforcement)>,
    /// Items that could not be parsed.
    pub rejected: Vec<Rejection>,
}

/// Enforcements that their author withdraws. The author is that of the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementWithdrawal {
    /// The enforcements. The current version of each ends when the entry is applied.
    pub targets: Vec<EnforcementTarget>,
}

/// An author's enforcement with an id, for one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementTarget {
    /// The author's id for it.
    pub id: EnforcementId,
    /// Its audience.
    pub audience: AudienceDigest,
}

/// A contribution to a campaign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignPut {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// The campaign. If this founds it, the id was drawn before the append.
    pub campaign: CampaignId,
    /// Whether this founds the campaign.
    pub founds: bool,
    /// Who receives it.
    pub sharing: Sharing,
    /// The contribution.
    pub contribution: Contribution,
}
