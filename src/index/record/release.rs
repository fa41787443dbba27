//! Releases: the encoding of those in force, and records of those that expire at a time.

use serde::{Deserialize, Serialize};

use super::codec::{append, decode_part, record};
use crate::domain::accepted::ActiveRelease;
use crate::domain::entry::{MAX_LIAISONS, Releasable};
use crate::domain::{CampaignId, PartnerId, Position, Sharing};
use crate::error::Result;

/// Maximum size of a record with its releases, in bytes. A release that would exceed it is refused. What
/// was sent in one request always fits.
const MAX_RECORD_BYTES: usize = 8_000;

/// Encodes the releases of a version, for embedding in its record.
pub fn releases(all: &[ActiveRelease]) -> Vec<u8> {
    append(all, Vec::new())
}

/// Whether a version can have these releases. `record_bytes` is the size of its record without any.
pub fn releases_fit(all: &[ActiveRelease], record_bytes: usize) -> bool {
    all.len() <= MAX_LIAISONS && record_bytes + releases(all).len() <= MAX_RECORD_BYTES
}

/// Decodes the releases of a version.
pub fn read_releases(bytes: &[u8]) -> Result<Vec<ActiveRelease>> {
    decode_part(bytes, "the releases of an assessment")
}

/// Releases of one entry that expire at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiringReleases {
    /// The author of the objects.
    pub author: PartnerId,
    /// The liaisons whose releases expire.
    pub liaisons: Vec<PartnerId>,
    /// The released objects.
    pub objects: Vec<Releasable>,
}

record!(ExpiringReleases, "the expiry of releases");

/// A replaced version, and the liaisons to which it was released at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedVersion {
    /// The version.
    pub version: Position,
    /// The liaisons that lost access.
    pub liaisons: Vec<PartnerId>,
}

record!(ReplacedVersion, "a replaced version");

/// What access rules and filters ask of an enforcement that its author withdrew. Its content is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawnEnforcement {
    /// The version that ended.
    pub version: Position,
    /// The campaign that it was against.
    pub campaign: Option<CampaignId>,
    /// Who could see it.
    pub sharing: Sharing,
}

record!(WithdrawnEnforcement, "a withdrawn enforcement");
