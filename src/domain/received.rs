//! Objects as a reader received them, independent of the call that delivered them.

use super::assessment::Assessment;
use super::campaign::{CampaignId, Contribution};
use super::enforcement::Enforcement;
use super::entry::Position;
use super::indicator::IndicatorId;
use super::sharing::{Audience, Tlp};
use super::time::Timestamp;

/// A version of an assessment, as received.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedAssessment {
    /// Its version.
    pub version: Position,
    /// The author's id, as received.
    pub author: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The id of the indicator.
    pub id: IndicatorId,
    /// The assessment, with its indicator.
    pub assessment: Assessment,
    /// What the reader may do with it.
    pub tlp: Tlp,
    /// The part of its audience that the reader may know. Named but empty for a liaison that it was
    /// released to.
    pub audience: Audience,
}

/// A contribution to a campaign, as received.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedContribution {
    /// Its version.
    pub version: Position,
    /// The author's id, as received.
    pub author: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The campaign.
    pub campaign: CampaignId,
    /// The contribution.
    pub contribution: Contribution,
    /// What the reader may do with it.
    pub tlp: Tlp,
}

/// An enforcement, as received.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedEnforcement {
    /// Its version.
    pub version: Position,
    /// The author's id, as received.
    pub author: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The enforcement.
    pub enforcement: Enforcement,
    /// What the reader may do with it.
    pub tlp: Tlp,
}
