//! Sightings and feedback as accepted.

use serde::{Deserialize, Serialize};

use crate::domain::entry::Sighting;
use crate::domain::feedback::Opinion;
use crate::domain::{IndicatorId, PartnerId, Position, Sharing, Timestamp};

/// A sighting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightingRecord {
    /// The position in the journal.
    pub position: Position,
    /// Who reported it.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who receives it.
    pub sharing: Sharing,
    /// The indicator, and how often and when it was seen.
    pub sighting: Sighting,
}

/// A partner's newest feedback on a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackRecord {
    /// The position in the journal.
    pub position: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The author of the assessment.
    pub assessment_author: PartnerId,
    /// The indicator of the assessment.
    pub id: IndicatorId,
    /// The opinion.
    pub opinion: Opinion,
    /// The explanation.
    pub note: Option<Box<str>>,
    /// Who receives it.
    pub sharing: Sharing,
}
