//! Releases as they stand on a version, and those that end at a time.

use serde::{Deserialize, Serialize};

use super::codec::{append, decode_part, record};
use crate::domain::entry::{MOST_LIAISONS, Releasable};
use crate::domain::sharing::Release;
use crate::domain::{PartnerId, Position, Sharing};
use crate::error::Result;

/// The most bytes of a record with the releases of its version: what was sent fits, and a release that
/// would make it larger is refused.
const MOST_BYTES: usize = 8_000;

/// A release that is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRelease {
    /// To whom, on what ground, until when.
    pub release: Release,
    /// The entry that it began with.
    pub since: u64,
}

/// The bytes of the releases of a version: a part of its record.
pub fn releases(all: &[ActiveRelease]) -> Vec<u8> {
    append(all, Vec::new())
}

/// Whether these releases may stand on a version whose record takes so many bytes without any.
pub fn releases_fit(all: &[ActiveRelease], record_bytes: usize) -> bool {
    all.len() <= MOST_LIAISONS && record_bytes + releases(all).len() <= MOST_BYTES
}

/// Reads the releases of a version.
pub fn read_releases(bytes: &[u8]) -> Result<Vec<ActiveRelease>> {
    decode_part(bytes, "the releases of an assessment")
}

/// Releases of one part of an entry that end at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpiringReleases {
    /// Whose objects.
    pub author: PartnerId,
    /// To whom they are released until then.
    pub liaisons: Vec<PartnerId>,
    /// What is released.
    pub objects: Vec<Releasable>,
}

record!(ExpiringReleases, "the end of releases");

/// What the liaisons' lane keeps beside a sharing whose releases are the ones in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseState {
    /// The releases as they were sent.
    pub sent: Vec<Release>,
    /// The entry that each release in force began with.
    pub since: Vec<u64>,
}

impl ReleaseState {
    /// Of something that comes with an entry: what is sent with it is in force from there on.
    pub fn begun(sharing: &Sharing, sequence: u64) -> Self {
        let since = sharing.releases.iter().map(|_| sequence).collect();
        Self { sent: sharing.releases.clone(), since }
    }

    /// The releases in force of a sharing.
    pub fn in_force(&self, sharing: &Sharing) -> Vec<ActiveRelease> {
        let all = sharing.releases.iter().cloned().zip(self.since.iter().copied());
        all.map(|(release, since)| ActiveRelease { release, since }).collect()
    }

    /// Puts other releases in force.
    pub fn put(&mut self, sharing: &mut Sharing, all: Vec<ActiveRelease>) {
        (sharing.releases, self.since) =
            all.into_iter().map(|one| (one.release, one.since)).unzip();
    }

    /// The sharing as it was sent.
    pub fn sent(&self, sharing: &Sharing) -> Sharing {
        Sharing { releases: self.sent.clone(), ..sharing.clone() }
    }

    /// A liaison's release that is in force, and the entry that it began with.
    pub fn release_to<'a>(
        &self,
        sharing: &'a Sharing,
        liaison: &PartnerId,
    ) -> Option<(&'a Release, u64)> {
        let mut all = sharing.releases.iter().zip(self.since.iter().copied());
        all.find(|(release, _)| release.liaison == *liaison)
    }
}

/// A version whose place another took, and the liaisons that it was released to when that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedVersion {
    /// The version.
    pub version: Position,
    /// Who may read it no longer.
    pub liaisons: Vec<PartnerId>,
}

record!(ReplacedVersion, "releases that ended with their version");
