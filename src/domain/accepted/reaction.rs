//! Sightings and feedback as accepted.

use serde::{Deserialize, Serialize};

use crate::domain::entry::Sighting;
use crate::domain::feedback::Opinion;
use crate::domain::{IndicatorId, PartnerId, Position, Sharing, Timestamp};

/// A sighting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightingRecord {
    /// Where it was accepted.
    pub position: Position,
    /// Who reported it.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who receives it.
    pub sharing: Sharing,
    /// What was seen, how often and when.
    pub sighting: Sighting,
}

/// A partner's newest feedback on a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackRecord {
    /// Where it was accepted.
    pub position: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The author of the assessment.
    pub of: PartnerId,
    /// The indicator of the assessment.
    pub id: IndicatorId,
    /// How far it agrees.
    pub opinion: Opinion,
    /// The explanation.
    pub note: Option<Box<str>>,
    /// Who receives it.
    pub sharing: Sharing,
}
