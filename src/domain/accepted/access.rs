//! Logged accesses of liaisons.

use serde::{Deserialize, Serialize};

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
