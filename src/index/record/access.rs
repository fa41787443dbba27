//! What liaisons were given, and what is kept for courts.

use serde::{Deserialize, Serialize};

use super::codec::record;
use crate::domain::entry::AccessedVersions;
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::{PartnerId, Timestamp};

/// What a liaison was given of one author at once, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecord {
    /// Which liaison.
    pub liaison: PartnerId,
    /// When.
    pub at: Timestamp,
    /// How.
    pub way: AccessWay,
    /// For what.
    pub purpose: Purpose,
    /// What.
    pub given: AccessedVersions,
}

record!(AccessRecord, "an access");

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRecord {
    /// When it was placed.
    pub placed: Timestamp,
    /// When it ends, or ended.
    pub until: Timestamp,
    /// How many objects it keeps.
    pub objects: u64,
    /// Why.
    pub reason: Box<str>,
}

record!(HoldRecord, "a hold");

impl HoldRecord {
    /// Whether it has ended by a time.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}
