//! Legal holds as accepted.

use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRecord {
    /// When it was placed.
    pub placed: Timestamp,
    /// When it ends, or ended.
    pub until: Timestamp,
    /// The number of copies.
    pub objects: u64,
    /// The stated reason.
    pub reason: Box<str>,
}

impl HoldRecord {
    /// Whether the hold has ended at `now`.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}
