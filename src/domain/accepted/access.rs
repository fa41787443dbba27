//! Records of the access log.

use serde::{Deserialize, Serialize};

use crate::domain::entry::AccessedVersions;
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::{PartnerId, Timestamp};

/// The versions of one author that a liaison received in one message or page, or a part of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRecord {
    /// The liaison.
    pub liaison: PartnerId,
    /// When it received them.
    pub at: Timestamp,
    /// How it received them.
    pub way: AccessWay,
    /// The stated purpose.
    pub purpose: Purpose,
    /// The versions.
    pub accessed: AccessedVersions,
}
