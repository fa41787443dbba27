//! The releases of an accepted object.

use serde::{Deserialize, Serialize};

use crate::domain::sharing::Release;
use crate::domain::{PartnerId, Sharing};

/// A release in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRelease {
    /// The liaison, legal basis and expiry.
    pub release: Release,
    /// The sequence with which it began.
    pub since: u64,
}

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
