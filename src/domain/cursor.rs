//! How far a reader has come.

use serde::{Deserialize, Serialize};

use super::entry::Position;

/// A reader's place in one journal: everything up to and with it is behind the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The journal that the place is in, and its epoch there.
    pub journal: JournalEpoch,
    /// Where in it.
    pub position: FeedPosition,
}

/// A journal, and one epoch of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct JournalEpoch {
    /// The journal's tag, so that a cursor of another exchange is refused instead of losing or
    /// repeating entries here.
    pub journal: JournalTag,
    /// The epoch of the entry that a cursor stands behind. A journal that was put back from an older
    /// copy and went on has other epochs from there, so that a cursor from before is not taken for a
    /// place in entries that its reader was never given.
    pub epoch: EpochId,
}

/// A place in a journal, in the order in which readers pass them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedPosition {
    /// The last position behind the reader.
    pub after: Position,
    /// How far the reader has come in what the entry of `after` is expanded to: the last version of
    /// it. An expansion tells one reader what it sees by joining a group, or no longer sees by
    /// leaving one.
    pub inside: Option<Position>,
}

impl FeedPosition {
    /// The place behind one item of an entry.
    pub const fn behind(position: Position) -> Self {
        Self { after: position, inside: None }
    }

    /// The place right before one item of an entry.
    pub const fn before(position: Position) -> Self {
        match position.index.checked_sub(1) {
            Some(before) => Self::behind(Position::new(position.sequence, before)),
            None => Self::behind_entry(position.sequence.saturating_sub(1)),
        }
    }

    /// The place behind the whole of an entry.
    pub const fn behind_entry(sequence: u64) -> Self {
        Self::behind(Position::new(sequence, u32::MAX))
    }

    /// The place behind a version that an entry is expanded to; with the first position of all, the
    /// place before any.
    pub const fn within(sequence: u64, version: Position) -> Self {
        Self { after: Position::new(sequence, 0), inside: Some(version) }
    }

    /// The entry that a reader goes on with here: one that it is inside of has more for it.
    pub fn next_entry(self) -> u64 {
        self.after.sequence + u64::from(self.after.index == u32::MAX)
    }
}

/// An epoch of a journal: what one run of a node appended to it. Random, so that two runs on copies of
/// one journal differ; all zero before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EpochId(pub [u8; 8]);

/// The epochs of a journal in order, each from its first entry to the one before the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Epochs(Vec<(u64, EpochId)>);

impl Epochs {
    /// Adds the epoch that begins with an entry. The entries come in order; one that comes again, since
    /// it is replayed, changes nothing.
    pub fn begin(&mut self, first: u64, epoch: EpochId) {
        if self.0.last().is_none_or(|(newest, _)| *newest < first) {
            self.0.push((first, epoch));
        }
    }

    /// The epoch of an entry; that of the newest entry where the entry is yet to come.
    pub fn at(&self, sequence: u64) -> EpochId {
        let begun = self.0.partition_point(|(first, _)| *first <= sequence);
        begun.checked_sub(1).map_or(EpochId::default(), |at| self.0[at].1)
    }
}

/// Tells one journal from another: derived from its first entry, so the same on all nodes that
/// read it.
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
