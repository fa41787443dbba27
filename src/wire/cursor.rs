//! Cursors as clients see them: 25 opaque bytes, or 37 within an expansion.

use bytes::{Buf, BufMut};

use super::pb;
use crate::domain::cursor::{EpochId, FeedPosition, JournalEpoch, JournalTag};
use crate::domain::{Cursor, Invalid, Position};

/// The first byte of every cursor: the version of the layout.
const LAYOUT: u8 = 2;
const LENGTH: usize = 25;
const LENGTH_EXPANSION: usize = LENGTH + 12;

/// Encodes a cursor.
pub fn write(cursor: Cursor) -> pb::Cursor {
    let mut token = Vec::with_capacity(LENGTH_EXPANSION);
    put(cursor, &mut token);
    pb::Cursor { token: token.into() }
}

/// Appends the bytes of a cursor.
pub(super) fn put(cursor: Cursor, token: &mut Vec<u8>) {
    token.put_u8(LAYOUT);
    token.put_slice(&cursor.journal.journal.0);
    token.put_slice(&cursor.journal.epoch.0);
    for position in [Some(cursor.position.last_read), cursor.position.inside].into_iter().flatten()
    {
        token.put_u64(position.sequence);
        token.put_u32(position.index);
    }
}

/// Decodes a cursor. Checks only the layout: whether it belongs to this exchange is for the caller
/// to check.
pub fn read(cursor: &pb::Cursor) -> Result<Cursor, Invalid> {
    let mut token = cursor.token.as_ref();
    if ![LENGTH, LENGTH_EXPANSION].contains(&token.len()) || token.get_u8() != LAYOUT {
        return Err(Invalid::new("cursor", "was not issued by this exchange"));
    }
    let (mut journal, mut epoch) = ([0; 4], [0; 8]);
    token.copy_to_slice(&mut journal);
    token.copy_to_slice(&mut epoch);
    let journal = JournalEpoch { journal: JournalTag(journal), epoch: EpochId(epoch) };
    let mut position = || Position::new(token.get_u64(), token.get_u32());
    let after = position();
    let inside = (cursor.token.len() == LENGTH_EXPANSION).then(position);
    Ok(Cursor { journal, position: FeedPosition { last_read: after, inside } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_handed_out_and_anything_else_is_refused() {
        let journal = JournalEpoch {
            journal: JournalTag([1, 2, 3, 4]),
            epoch: EpochId([5, 6, 7, 8, 9, 10, 11, 12]),
        };
        for place in [
            FeedPosition::after_item(Position::new(7, 9)),
            FeedPosition::after_entry(u64::MAX),
            FeedPosition::in_expansion(7, Position::new(3, 2)),
        ] {
            let cursor = Cursor { journal, position: place };
            let written = write(cursor);
            assert_eq!(read(&written), Ok(cursor));
            for end in (0..written.token.len()).filter(|end| *end != LENGTH) {
                let cut = pb::Cursor { token: written.token.slice(..end) };
                assert!(read(&cut).is_err(), "{end}");
            }
            let mut other = written.token.to_vec();
            other[0] = 1;
            assert!(read(&pb::Cursor { token: other.into() }).is_err());
            // As it was before cursors named their epoch.
            let mut older = written.token.to_vec();
            older.drain(5..13);
            older[0] = 1;
            assert!(read(&pb::Cursor { token: older.into() }).is_err());
        }
    }
}
