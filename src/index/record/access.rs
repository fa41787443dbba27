//! What liaisons were given, and what is kept for courts.

use serde::{Deserialize, Serialize};

use super::codec::record;
use crate::domain::entry::Given;
use crate::domain::purpose::{Purpose, Way};
use crate::domain::{PartnerId, Timestamp};

/// What a liaison was given of one author at once, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAccess {
    /// Which liaison.
    pub liaison: PartnerId,
    /// When.
    pub at: Timestamp,
    /// How.
    pub way: Way,
    /// For what.
    pub purpose: Purpose,
    /// What.
    pub given: Given,
}

record!(KeptAccess, "an access");

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptHold {
    /// When it was placed.
    pub placed: Timestamp,
    /// When it ends, or ended.
    pub until: Timestamp,
    /// How many objects it keeps.
    pub objects: u64,
    /// Why.
    pub reason: Box<str>,
}

record!(KeptHold, "a hold");

impl KeptHold {
    /// Whether it has ended by a time.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}
