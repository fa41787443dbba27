//! How far a reader has come.

use super::entry::Position;

/// A reader's place in one journal: everything up to and with it is behind the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The tag of the journal that the place is in, so that a cursor of another exchange is
    /// refused instead of losing or repeating entries here.
    pub journal: JournalTag,
    /// Where in it.
    pub place: Place,
}

/// A place in a journal, in the order in which readers pass them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The last position behind the reader.
    pub after: Position,
    /// How far the reader has come in what the entry of `after` is expanded to: the last version of
    /// it. An expansion tells one reader what it sees by joining a group, or no longer sees by
    /// leaving one.
    pub inside: Option<Position>,
}

impl Place {
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

/// Tells one journal from another: derived from its first entry, so the same on all nodes that
/// read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct JournalTag(pub [u8; 4]);
