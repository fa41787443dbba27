//! Cursors as the exchange hands them out: 17 opaque bytes, or 29 inside an expansion.

use bytes::{Buf, BufMut};

use super::pb;
use crate::domain::cursor::{JournalTag, Place};
use crate::domain::{Cursor, Invalid, Position};

/// The first byte of every cursor. Another layout gets another number.
const LAYOUT: u8 = 1;
const LENGTH: usize = 17;
const LENGTH_INSIDE: usize = LENGTH + 12;

/// Writes a cursor.
pub fn write(cursor: Cursor) -> pb::Cursor {
    let mut token = Vec::with_capacity(LENGTH_INSIDE);
    put(cursor, &mut token);
    pb::Cursor { token: token.into() }
}

/// Writes the bytes of a cursor behind others.
pub(super) fn put(cursor: Cursor, token: &mut Vec<u8>) {
    token.put_u8(LAYOUT);
    token.put_slice(&cursor.journal.0);
    for position in [Some(cursor.place.after), cursor.place.inside].into_iter().flatten() {
        token.put_u64(position.sequence);
        token.put_u32(position.index);
    }
}

/// Reads a cursor that some exchange handed out.
pub fn read(cursor: &pb::Cursor) -> Result<Cursor, Invalid> {
    let mut token = cursor.token.as_ref();
    if ![LENGTH, LENGTH_INSIDE].contains(&token.len()) || token.get_u8() != LAYOUT {
        return Err(Invalid::new("cursor", "is not one that this exchange handed out"));
    }
    let mut journal = [0; 4];
    token.copy_to_slice(&mut journal);
    let mut position = || Position::new(token.get_u64(), token.get_u32());
    let after = position();
    let inside = (cursor.token.len() == LENGTH_INSIDE).then(position);
    Ok(Cursor { journal: JournalTag(journal), place: Place { after, inside } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_handed_out_and_anything_else_is_refused() {
        let journal = JournalTag([1, 2, 3, 4]);
        for place in [
            Place::behind(Position::new(7, 9)),
            Place::behind_entry(u64::MAX),
            Place::within(7, Position::new(3, 2)),
        ] {
            let cursor = Cursor { journal, place };
            let written = write(cursor);
            assert_eq!(read(&written), Ok(cursor));
            for end in (0..written.token.len()).filter(|end| *end != LENGTH) {
                let cut = pb::Cursor { token: written.token.slice(..end) };
                assert!(read(&cut).is_err(), "{end}");
            }
            let mut other = written.token.to_vec();
            other[0] = 2;
            assert!(read(&pb::Cursor { token: other.into() }).is_err());
        }
    }
}
