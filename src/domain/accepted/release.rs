//! The releases of an accepted object.

use serde::{Deserialize, Serialize};

use crate::domain::sharing::Release;
use crate::domain::{PartnerId, Sharing};

/// A release in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveRelease {
    /// The liaison, the legal basis and the expiry.
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
    /// The state of an object that the entry at `sequence` creates: the releases sent with it are in force.
    pub fn new(sharing: &Sharing, sequence: u64) -> Self {
        let since = sharing.releases.iter().map(|_| sequence).collect();
        Self { sent: sharing.releases.clone(), since }
    }

    /// The releases in force.
    pub fn in_force(&self, sharing: &Sharing) -> Vec<ActiveRelease> {
        let releases = sharing.releases.iter().cloned().zip(self.since.iter().copied());
        releases.map(|(release, since)| ActiveRelease { release, since }).collect()
    }

    /// Replaces the releases in force.
    pub fn set_in_force(&mut self, sharing: &mut Sharing, active: Vec<ActiveRelease>) {
        (sharing.releases, self.since) =
            active.into_iter().map(|active| (active.release, active.since)).unzip();
    }

    /// The sharing as it was sent.
    pub fn sent(&self, sharing: &Sharing) -> Sharing {
        Sharing { releases: self.sent.clone(), ..sharing.clone() }
    }

    /// The release to a liaison that is in force, and the sequence with which it began.
    pub fn release_to<'a>(
        &self,
        sharing: &'a Sharing,
        liaison: &PartnerId,
    ) -> Option<(&'a Release, u64)> {
        let mut releases = sharing.releases.iter().zip(self.since.iter().copied());
        releases.find(|(release, _)| release.liaison == *liaison)
    }
}
