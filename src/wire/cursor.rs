//! Cursors as the exchange hands them out: 17 opaque bytes.

use bytes::Bytes;

use super::pb;
use crate::domain::cursor::JournalTag;
use crate::domain::{Cursor, Invalid, Position};

/// The first byte of every cursor. Another layout gets another number.
const LAYOUT: u8 = 1;
const LENGTH: usize = 17;

/// Writes a cursor.
pub fn write(cursor: Cursor) -> pb::Cursor {
    let mut token = [0; LENGTH];
    token[0] = LAYOUT;
    token[1..5].copy_from_slice(&cursor.journal.0);
    token[5..13].copy_from_slice(&cursor.after.sequence.to_be_bytes());
    token[13..].copy_from_slice(&cursor.after.index.to_be_bytes());
    pb::Cursor { token: Bytes::copy_from_slice(&token) }
}

/// Reads a cursor that some exchange handed out.
pub fn read(cursor: &pb::Cursor) -> Result<Cursor, Invalid> {
    let malformed = || Invalid::new("cursor", "is not one that this exchange handed out");
    let token: &[u8; LENGTH] = cursor.token.as_ref().try_into().map_err(|_| malformed())?;
    let [LAYOUT, j0, j1, j2, j3, s0, s1, s2, s3, s4, s5, s6, s7, i0, i1, i2, i3] = *token else {
        return Err(malformed());
    };
    let sequence = u64::from_be_bytes([s0, s1, s2, s3, s4, s5, s6, s7]);
    let index = u32::from_be_bytes([i0, i1, i2, i3]);
    Ok(Cursor { journal: JournalTag([j0, j1, j2, j3]), after: Position::new(sequence, index) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_handed_out_and_anything_else_is_refused() {
        let cursor = Cursor { journal: JournalTag([1, 2, 3, 4]), after: Position::new(7, 9) };
        let written = write(cursor);
        assert_eq!(read(&written), Ok(cursor));
        for end in 0..LENGTH {
            let cut = pb::Cursor { token: written.token.slice(..end) };
            assert!(read(&cut).is_err(), "{end}");
        }
        let mut other = written.token.to_vec();
        other[0] = 2;
        assert!(read(&pb::Cursor { token: other.into() }).is_err());
    }
}
