//! Records of access by liaisons, and of legal holds.

use serde::{Deserialize, Serialize};

use super::codec::record;
use crate::domain::entry::AccessedVersions;
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::{PartnerId, Timestamp};

/// Versions of one author that a liaison was given in one message or page, or a part of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecord {
    /// The liaison.
    pub liaison: PartnerId,
    /// When it was given them.
    pub at: Timestamp,
    /// The method.
    pub way: AccessWay,
    /// The stated purpose.
    pub purpose: Purpose,
    /// The versions.
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
    /// Number of copies.
    pub objects: u64,
    /// The stated reason.
    pub reason: Box<str>,
}

record!(HoldRecord, "a hold");

impl HoldRecord {
    /// Whether it has ended at `now`.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}
