//! Sightings and feedback, as the index keeps them.

use serde::{Deserialize, Serialize};

use super::codec::record;
use crate::domain::entry::Sighting;
use crate::domain::feedback::Opinion;
use crate::domain::{IndicatorId, PartnerId, Position, Sharing, Timestamp};

/// A sighting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SightingRecord {
    /// Where it was accepted.
    pub position: Position,
    /// Who saw it.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who is told.
    pub sharing: Sharing,
    /// What was seen, how often and when.
    pub sighting: Sighting,
}

record!(SightingRecord, "a sighting");

/// Feedback of one partner on a version: its newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackRecord {
    /// Where it was accepted.
    pub position: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Whose assessment it is about.
    pub of: PartnerId,
    /// The indicator of that assessment.
    pub id: IndicatorId,
    /// How far its author agrees.
    pub opinion: Opinion,
    /// Why.
    pub note: Option<Box<str>>,
    /// Who is told.
    pub sharing: Sharing,
}

record!(FeedbackRecord, "feedback");
