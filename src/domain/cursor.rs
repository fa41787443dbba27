//! Cursors: how far a reader has read.

use serde::{Deserialize, Serialize};

use super::entry::Position;

/// A reader's position in one journal. Everything up to and including it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The journal and the epoch that the position belongs to.
    pub journal: JournalEpoch,
    /// The position.
    pub position: FeedPosition,
}

/// A journal and one of its epochs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct JournalEpoch {
    /// The journal's tag. A cursor from another exchange is refused; otherwise its reader would
    /// lose or repeat entries here.
    pub journal: JournalTag,
    /// The epoch of the last entry read. A journal that was restored from an older copy and then
    /// continued has new epochs from there on. So a cursor from before the restore is refused and
    /// never points into entries that its reader has not seen.
    pub epoch: EpochId,
}

/// A position in a feed, in reading order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedPosition {
    /// The last position read. The index is the last item read of the entry; `u32::MAX` for the whole entry. In a
    /// liaison's feed it counts changes of releases instead of items.
    pub last_read: Position,
    /// The last version read of the expansion of the entry in `after`. The expansion of a group
    /// change lists, for one reader, the versions that become visible to it by joining or invisible
    /// by leaving.
    pub inside: Option<Position>,
}

impl FeedPosition {
    /// The position right after one item of an entry.
    pub const fn after_item(position: Position) -> Self {
        Self { last_read: position, inside: None }
    }

    /// The position right before one item of an entry.
    pub const fn before_item(position: Position) -> Self {
        match position.index.checked_sub(1) {
            Some(before) => Self::after_item(Position::new(position.sequence, before)),
            None => Self::after_entry(position.sequence.saturating_sub(1)),
        }
    }

    /// The position after all items of an entry.
    pub const fn after_entry(sequence: u64) -> Self {
        Self::after_item(Position::new(sequence, u32::MAX))
    }

    /// The position after one version of an entry's expansion. With the lowest possible version:
    /// the start of the expansion.
    pub const fn in_expansion(sequence: u64, version: Position) -> Self {
        Self { last_read: Position::new(sequence, 0), inside: Some(version) }
    }

    /// The entry to read next. It is the same entry while its expansion is unfinished.
    pub fn next_entry(self) -> u64 {
        self.last_read.sequence + u64::from(self.last_read.index == u32::MAX)
    }
}

/// The id of an epoch: the entries that one run of a node appended. Random, so that two runs on
/// copies of one journal differ. All zero for entries before the first epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EpochId(pub [u8; 8]);

/// The epochs of a journal in order. Each spans its first entry up to the entry before the next
/// epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epochs(Vec<(u64, EpochId)>);

impl Epochs {
    /// Adds the epoch that starts with entry `first`. Entries come in order. Idempotent: an entry
    /// that is replayed changes nothing.
    pub fn begin(&mut self, first: u64, epoch: EpochId) {
        if self.0.last().is_none_or(|(newest, _)| *newest < first) {
            self.0.push((first, epoch));
        }
    }

    /// The epoch of an entry; for an entry beyond the head, the newest epoch.
    pub fn at(&self, sequence: u64) -> EpochId {
        let started = self.0.partition_point(|(first, _)| *first <= sequence);
        started.checked_sub(1).map_or(EpochId::default(), |at| self.0[at].1)
    }
}

/// Identifies a journal. Derived from its first entry, so it is the same on all nodes that read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct JournalTag(pub [u8; 4]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_goes_from_its_first_entry_to_the_one_before_the_next() {
        let mut epochs = Epochs::default();
        let (one, two) = (EpochId([1; 8]), EpochId([2; 8]));
        assert_eq!([0, 1, u64::MAX].map(|at| epochs.at(at)), [EpochId::default(); 3]);
        epochs.begin(4, one);
        epochs.begin(9, two);
        epochs.begin(4, one);
        assert_eq!([0, 3].map(|at| epochs.at(at)), [EpochId::default(); 2]);
        assert_eq!([4, 8].map(|at| epochs.at(at)), [one; 2]);
        assert_eq!([9, 10, u64::MAX].map(|at| epochs.at(at)), [two; 3]);
    }
}
