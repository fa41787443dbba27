//! The versions that an entry brought, in its record.

use serde::{Deserialize, Serialize};

use crate::domain::audience::AudienceDigest;
use crate::domain::entry::Target;
use crate::domain::{IndicatorId, PartnerId, Position};

/// The items of an entry that got a version of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryVersions {
    /// Whose they are.
    pub author: PartnerId,
    /// For whom they are.
    pub audience: AudienceDigest,
    /// Each item's index in the entry, and what it is about.
    pub versions: Vec<(u32, IndicatorId)>,
}

impl EntryVersions {
    /// Each of the versions, by the sequence of their entry.
    pub fn targets(&self, sequence: u64) -> impl Iterator<Item = Target> {
        self.versions.iter().map(move |(index, id)| Target {
            id: *id,
            audience: self.audience,
            version: Some(Position::new(sequence, *index)),
        })
    }
}
