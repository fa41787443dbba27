//! The versions that an entry created.

use serde::{Deserialize, Serialize};

use crate::domain::audience::AudienceDigest;
use crate::domain::entry::Target;
use crate::domain::{IndicatorId, PartnerId, Position};

/// The items of an entry that became new versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryVersions {
    /// Their author.
    pub author: PartnerId,
    /// The digest of their audience.
    pub audience: AudienceDigest,
    /// The index of each item in the entry, and its indicator.
    pub versions: Vec<(u32, IndicatorId)>,
}

impl EntryVersions {
    /// The versions as targets. `sequence` is the sequence of their entry.
    pub fn targets(&self, sequence: u64) -> impl Iterator<Item = Target> {
        self.versions.iter().map(move |(index, id)| Target {
            id: *id,
            audience: self.audience,
            version: Some(Position::new(sequence, *index)),
        })
    }
}
