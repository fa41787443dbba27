//! Cursors: positions in one journal that this exchange issued.

use crate::domain::cursor::FeedPosition;
use crate::domain::{Cursor, Invalid};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Core, trimmed};

impl Core {
    /// Waits until this node has applied the entry of a cursor that another node issued. Fails if it takes longer
    /// than `read_after_timeout`. A cursor past the confirmed head of the journal is left to the check of cursors.
    pub(in crate::exchange) async fn catch_up_to(&self, cursor: Cursor) -> Result<()> {
        let sequence = cursor.position.last_read.sequence;
        let Some(status) = self.log.cluster().filter(|_| self.index.checkpoint() < sequence) else {
            return Ok(());
        };
        let asked = self.clock.instant();
        let waited = self.wait_for(cursor.position.last_read).await;
        // An older confirmation says nothing: the node may be cut off since.
        let confirmed = status.borrow().confirmed.filter(|confirmed| confirmed.at >= asked);
        let is_ahead = confirmed.is_some_and(|confirmed| confirmed.head < sequence);
        if is_ahead { Ok(()) } else { waited }
    }

    /// Validates a cursor and returns the position from which a feed continues. Fails if the next entry was trimmed.
    pub(in crate::exchange) fn resume_position(
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

    /// The cursor for a position in the journal.
    pub(in crate::exchange) fn cursor_at(&self, position: FeedPosition) -> Cursor {
        Cursor { journal: self.index.journal_at(position.last_read.sequence), position }
    }

    /// Whether the cursor belongs to this journal and to the epoch that its position now has. False after the
    /// journal was replaced, or restored from a copy that is older than the cursor.
    pub(in crate::exchange) fn is_in_journal(&self, cursor: Cursor) -> bool {
        cursor.journal == self.index.journal_at(cursor.position.last_read.sequence)
    }

    /// Fails if the cursor is from another journal, from another epoch than its position now has, or past the
    /// checkpoint.
    pub(in crate::exchange) fn check_cursor(&self, cursor: Cursor, checkpoint: u64) -> Result<()> {
        let current = self.index.journal_at(cursor.position.last_read.sequence);
        if cursor.journal.journal != current.journal {
            let reason = "was not issued by this exchange";
            return Err(Invalid::new("cursor", reason).into());
        }
        if cursor.journal.epoch != current.epoch {
            return Err(another_epoch());
        }
        if cursor.position.last_read.sequence > checkpoint {
            return Err(Error::new(
                Kind::OutOfRange,
                "cursor_ahead",
                "the cursor is ahead of the journal: the exchange was restored from an older copy, or this node \
                 has not caught up",
            ));
        }
        Ok(())
    }
}

/// The error for a cursor whose entries were lost when the journal was restored.
pub(in crate::exchange) fn another_epoch() -> Error {
    Error::new(
        Kind::OutOfRange,
        "cursor_epoch",
        "the exchange was restored from an older copy and no longer has the entries before this cursor: \
         take a snapshot",
    )
}
