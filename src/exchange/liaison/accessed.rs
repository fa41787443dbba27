//! The objects of a message to a liaison.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::purpose::Purpose;
use crate::domain::sharing::SharingView;
use crate::domain::{PartnerId, Position};

/// The most objects in one message or page to a liaison, since one entry records them.
pub const MAX_OBJECTS_PER_ACCESS: usize = 1_000;

/// The objects of one message to a liaison, author by author: recorded as accessed before the message is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessedObjects {
    pub(super) by: BTreeMap<(PartnerId, bool), BTreeSet<Position>>,
}

impl AccessedObjects {
    /// Adds a version. `view` is the part of its sharing that the liaison may know: its own releases.
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

    /// Adds a tip or an entry of one. A tip has no basis, so no reference is named in it.
    pub fn add_of_tip(&mut self, author: &PartnerId, sequence: u64) {
        let versions = self.by.entry((author.clone(), false)).or_default();
        versions.insert(Position::new(sequence, 0));
    }

    /// Adds the objects of another message.
    pub fn append(&mut self, other: AccessedObjects) {
        for (of, versions) in other.by {
            self.by.entry(of).or_default().extend(versions);
        }
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.by.is_empty()
    }
}
