//! Cursors: positions in one journal that this exchange handed out.

use crate::domain::cursor::FeedPosition;
use crate::domain::{Cursor, Invalid};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Core, trimmed};

impl Core {
    /// The place of a cursor that this exchange handed out, and that it can go on from.
    pub(in crate::exchange) fn resume(
        &self,
        cursor: Cursor,
        checkpoint: u64,
    ) -> Result<FeedPosition> {
        self.check_cursor(cursor, checkpoint)?;
        if cursor.position.next_entry() < self.log.oldest() {
            return Err(trimmed());
        }
        Ok(cursor.position)
    }

    /// The cursor of a place in the journal.
    pub(in crate::exchange) fn cursor_at(&self, place: FeedPosition) -> Cursor {
        Cursor { journal: self.index.journal_at(place.after.sequence), position: place }
    }

    /// Whether a cursor's place is in this journal as it stands.
    pub(in crate::exchange) fn stands_here(&self, cursor: Cursor) -> bool {
        cursor.journal == self.index.journal_at(cursor.position.after.sequence)
    }

    /// An error where this exchange cannot have handed a cursor out as its journal stands: it is
    /// another's, of an epoch that ended before it, or ahead.
    pub(in crate::exchange) fn check_cursor(&self, cursor: Cursor, checkpoint: u64) -> Result<()> {
        let here = self.index.journal_at(cursor.position.after.sequence);
        if cursor.journal.journal != here.journal {
            let reason = "is not one that this exchange handed out";
            return Err(Invalid::new("cursor", reason).into());
        }
        if cursor.journal.epoch != here.epoch {
            return Err(another_epoch());
        }
        if cursor.position.after.sequence > checkpoint {
            return Err(Error::new(
                Kind::OutOfRange,
                "cursor_ahead",
                "the cursor is ahead of what the exchange holds: it was restored, or this node \
                 has not caught up",
            ));
        }
        Ok(())
    }
}

/// What a reader is told that was given entries which the journal no longer has.
pub(in crate::exchange) fn another_epoch() -> Error {
    Error::new(
        Kind::OutOfRange,
        "cursor_epoch",
        "the exchange was restored from an older copy and went on otherwise, so that it does not hold \
         what the cursor stands behind: take a snapshot",
    )
}
