//! How far a reader has come.

use super::entry::Position;

/// A reader's place in one journal: everything up to and with `after` is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The tag of the journal that the position is in, so that a cursor of another exchange is
    /// refused instead of losing or repeating entries here.
    pub journal: JournalTag,
    /// The last position behind the reader.
    pub after: Position,
}

impl Cursor {
    /// The place behind the whole of an entry.
    pub const fn behind_entry(journal: JournalTag, sequence: u64) -> Self {
        Self { journal, after: Position::new(sequence, u32::MAX) }
    }
}

/// Tells one journal from another: derived from its first entry, so the same on all nodes that
/// read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct JournalTag(pub [u8; 4]);
