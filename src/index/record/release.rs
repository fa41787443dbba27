//! Records of releases: those in force on a version, and those that expire at a time.

use serde::{Deserialize, Serialize};

use super::codec::{append, decode_part, record};
use crate::domain::entry::{MAX_LIAISONS, Releasable};
use crate::domain::sharing::Release;
use crate::domain::{PartnerId, Position, Sharing};
use crate::error::Result;

/// Maximum size of a record with its releases, in bytes. A release that would exceed it is refused. What
/// was sent in one request always fits.
const MAX_RECORD_BYTES: usize = 8_000;

/// A release in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRelease {
    /// The liaison, legal basis and expiry.
    pub release: Release,
    /// The sequence with which it began.
    pub since: u64,
}

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

/// The release history of an object. Its sharing holds the releases in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseState {
    /// The releases as they were sent.
    pub sent: Vec<Release>,
    /// The sequence with which each release in force began.
    pub since: Vec<u64>,
}

impl ReleaseState {
    /// For an object that an entry creates: the releases sent with it are in force.
    pub fn new(sharing: &Sharing, sequence: u64) -> Self {
        let since = sharing.releases.iter().map(|_| sequence).collect();
        Self { sent: sharing.releases.clone(), since }
    }

    /// The releases in force.
    pub fn in_force(&self, sharing: &Sharing) -> Vec<ActiveRelease> {
        let all = sharing.releases.iter().cloned().zip(self.since.iter().copied());
        all.map(|(release, since)| ActiveRelease { release, since }).collect()
    }

    /// Replaces the releases in force.
    pub fn put(&mut self, sharing: &mut Sharing, all: Vec<ActiveRelease>) {
        (sharing.releases, self.since) =
            all.into_iter().map(|one| (one.release, one.since)).unzip();
    }

    /// The sharing as it was sent.
    pub fn sent(&self, sharing: &Sharing) -> Sharing {
        Sharing { releases: self.sent.clone(), ..sharing.clone() }
    }

    /// A liaison's release in force, and the sequence with which it began.
    pub fn release_to<'a>(
        &self,
        sharing: &'a Sharing,
        liaison: &PartnerId,
    ) -> Option<(&'a Release, u64)> {
        let mut all = sharing.releases.iter().zip(self.since.iter().copied());
        all.find(|(release, _)| release.liaison == *liaison)
    }
}

/// A replaced version, and the liaisons to which it was released at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedVersion {
    /// The version.
    pub version: Position,
    /// The liaisons that lost access.
    pub liaisons: Vec<PartnerId>,
}

record!(ReplacedVersion, "a replaced version");
