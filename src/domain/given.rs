//! What a reader was given, apart from how it came.

use super::assessment::Assessment;
use super::campaign::{CampaignId, Contribution};
use super::enforcement::Enforcement;
use super::entry::Position;
use super::indicator::IndicatorId;
use super::sharing::Tlp;
use super::time::Timestamp;

/// A version of an assessment as a reader was given it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedAssessment {
    /// Its version.
    pub version: Position,
    /// The id of its author, as it was given.
    pub author: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The id of the indicator that it is about.
    pub id: IndicatorId,
    /// What it says, with what it is about.
    pub said: Assessment,
    /// What its reader may do with it.
    pub tlp: Tlp,
}

/// What is said of a campaign, as a reader was given it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedContribution {
    /// Its version.
    pub version: Position,
    /// The id of its author, as it was given.
    pub author: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Of which campaign.
    pub campaign: CampaignId,
    /// What is said.
    pub said: Contribution,
    /// What its reader may do with it.
    pub tlp: Tlp,
}

/// What was done, as a reader was given it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceivedEnforcement {
    /// Its version.
    pub version: Position,
    /// The id of its author, as it was given.
    pub author: String,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// What was done.
    pub done: Enforcement,
    /// What its reader may do with it.
    pub tlp: Tlp,
}
