//! Objects that are about to leave for a liaison.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::purpose::Purpose;
use crate::domain::sharing::SharingView;
use crate::domain::{PartnerId, Position};

/// The most objects of one message or page to a liaison: what one entry holds.
pub const MAX_OBJECTS_PER_ACCESS: usize = 1_000;

/// The objects of one message to a liaison, author by author: recorded as accessed before the message is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessedObjects {
    pub(super) by: BTreeMap<(PartnerId, bool), BTreeSet<Position>>,
}

impl AccessedObjects {
    /// Adds a version. `view` is what the liaison knows of its sharing: its own releases.
    pub fn add(
        &mut self,
        author: &PartnerId,
        version: Position,
        view: &SharingView,
        purpose: &Purpose,
    ) {
        let named = view.releases.iter().any(|release| purpose.is_named_in(&release.basis));
        self.by.entry((author.clone(), named)).or_default().insert(version);
    }

    /// Adds a tip, or what a party added to one, by its entry. Who sent a tip gave no basis with it, so no
    /// reference is named there.
    pub fn add_of_tip(&mut self, author: &PartnerId, sequence: u64) {
        let versions = self.by.entry((author.clone(), false)).or_default();
        versions.insert(Position::new(sequence, 0));
    }

    /// Adds what is to leave with it.
    pub fn append(&mut self, other: AccessedObjects) {
        for (of, versions) in other.by {
            self.by.entry(of).or_default().extend(versions);
        }
    }

    /// Whether nothing is about to leave.
    pub fn is_empty(&self) -> bool {
        self.by.is_empty()
    }
}
