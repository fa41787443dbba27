//! Enforcements, as the index keeps them.

use serde::{Deserialize, Serialize};

use super::ReleaseState;
use super::codec::record;
use crate::domain::enforcement::Enforcement;
use crate::domain::{PartnerId, Position, Sharing, Timestamp};

/// An enforcement: its author's newest word under its id to one audience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnforcementRecord {
    /// Where it was accepted.
    pub position: Position,
    /// Who says so.
    pub author: PartnerId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The version that it took the place of, to the same audience.
    pub replaced: Option<Position>,
    /// Who is told, and to which liaisons it is released now.
    pub sharing: Sharing,
    /// What was sent of releases, and since when each is in force.
    pub lane: ReleaseState,
    /// What was done.
    pub enforcement: Enforcement,
}

record!(EnforcementRecord, "an enforcement");

impl EnforcementRecord {
    /// Whether another says the same to the same recipients: as it was sent. What was released or retracted
    /// since makes no difference.
    pub fn says(&self, sharing: &Sharing, enforcement: &Enforcement) -> bool {
        self.lane.sent(&self.sharing) == *sharing && self.enforcement == *enforcement
    }
}
