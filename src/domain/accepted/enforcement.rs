//! Enforcements as accepted.

use serde::{Deserialize, Serialize};

use super::ReleaseState;
use crate::domain::enforcement::Enforcement;
use crate::domain::{PartnerId, Position, Sharing, Timestamp};

/// An author's current enforcement with an id, for one audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnforcementRecord {
    /// The position of the version.
    pub position: Position,
    /// The author.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The version that it replaced, for the same audience.
    pub replaced: Option<Position>,
    /// Who receives it, with the releases in force.
    pub sharing: Sharing,
    /// The releases as sent, and when those in force began.
    pub release_state: ReleaseState,
    /// The content.
    pub enforcement: Enforcement,
}

impl EnforcementRecord {
    /// Whether sharing and content equal those that were sent with this version. Later releases and retractions are
    /// ignored.
    pub fn has_same_content(&self, sharing: &Sharing, enforcement: &Enforcement) -> bool {
        self.release_state.sent(&self.sharing) == *sharing && self.enforcement == *enforcement
    }
}
