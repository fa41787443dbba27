//! The objects of a message to a liaison.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::purpose::Purpose;
use crate::domain::sharing::SharingView;
use crate::domain::{PartnerId, Position};

/// The most objects in one message or page to a liaison, since one entry records them.
pub const MAX_OBJECTS_PER_ACCESS: usize = 1_000;

/// The objects of one message to a liaison, by author. They are recorded in the access log before the message is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessedObjects {
    /// Versions by author, and by whether the author named the purpose's reference in the basis of a release.
    pub(super) versions: BTreeMap<(PartnerId, bool), BTreeSet<Position>>,
}

impl AccessedObjects {
    /// Adds a version. `view` is the part of its sharing that the liaison may see: its own releases.
    pub fn add(
        &mut self,
        author: &PartnerId,
        version: Position,
        view: &SharingView,
        purpose: &Purpose,
    ) {
        let names_reference =
            view.releases.iter().any(|release| purpose.is_named_in(&release.basis));
        self.versions.entry((author.clone(), names_reference)).or_default().insert(version);
    }

    /// Adds an entry of a tip. A tip has no legal basis, so it names no reference.
    pub fn add_tip_entry(&mut self, author: &PartnerId, sequence: u64) {
        let versions = self.versions.entry((author.clone(), false)).or_default();
        versions.insert(Position::new(sequence, 0));
    }

    /// Adds the objects of another message.
    pub fn append(&mut self, other: AccessedObjects) {
        for (key, versions) in other.versions {
            self.versions.entry(key).or_default().extend(versions);
        }
    }

    /// Whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }
}
