//! How an entry lay in sled: in chunks of at most 8 KB, each with its version and checksum. The key is (sequence, chunk), big-endian. The value is:
//!
//! | bytes | hold |
//! |---|---|
//! | 1 | the layout's version |
//! | 4 | CRC-32C over the key and all that follows |
//! | 2 | how many chunks the entry has |
//! | 8 + 16 | in the first chunk alone: time in milliseconds, append id |
//! | … | the chunk's part of the entry |

use bytes::Buf;

use super::{JournalError, Stamp, damaged};
use crate::domain::Timestamp;
use crate::domain::entry::AppendId;

/// The version of this layout.
const LAYOUT: u8 = 1;
/// The most bytes of an entry that a chunk holds.
const PART_BYTES: usize = 8_000;
const HEADER_BYTES: usize = 7;

/// The key of a chunk.
type Key = [u8; 10];

/// The key of a chunk of an entry.
fn key(sequence: u64, chunk: u16) -> Key {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&sequence.to_be_bytes());
    key[8..].copy_from_slice(&chunk.to_be_bytes());
    key
}

/// The sequence and the chunk of a key.
pub fn read_key(mut key: &[u8]) -> Result<(u64, u16), JournalError> {
    if key.len() != 10 {
        return Err(JournalError::Storage("a key of the journal has the wrong length".into()));
    }
    Ok((key.get_u64(), key.get_u16()))
}

/// An entry that is being put together from its chunks.
#[derive(Debug)]
pub struct Assembly {
    sequence: u64,
    time: Timestamp,
    id: AppendId,
    count: u16,
    next: u16,
    bytes: Vec<u8>,
}

impl Assembly {
    /// Begins with the first chunk of an entry.
    pub fn begin(sequence: u64, value: &[u8]) -> Result<Self, JournalError> {
        let (count, mut rest) = open(sequence, 0, value)?;
        if rest.len() < 24 || count == 0 {
            return Err(damaged(sequence, "its first chunk is too short"));
        }
        let time = Timestamp::from_millis(rest.get_i64());
        let mut id = [0; 16];
        rest.copy_to_slice(&mut id);
        let mut bytes = Vec::with_capacity(usize::from(count) * PART_BYTES);
        bytes.extend_from_slice(rest);
        Ok(Self { sequence, time, id: AppendId::from_bytes(id), count, next: 1, bytes })
    }

    /// Adds the next chunk.
    pub fn add(&mut self, chunk: u16, value: &[u8]) -> Result<(), JournalError> {
        if chunk != self.next || chunk >= self.count {
            let reason = format!("chunk {} is missing, {chunk} is there", self.next);
            return Err(damaged(self.sequence, reason));
        }
        let (count, rest) = open(self.sequence, chunk, value)?;
        if count != self.count {
            return Err(damaged(self.sequence, "its chunks are not of one entry"));
        }
        self.bytes.extend_from_slice(rest);
        self.next += 1;
        Ok(())
    }

    /// Whether every chunk is there.
    pub fn is_complete(&self) -> bool {
        self.next == self.count
    }

    /// The entry's sequence.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The entry's id, where and when it was stored, and its bytes.
    pub fn finish(self) -> Result<(AppendId, Stamp, Vec<u8>), JournalError> {
        if !self.is_complete() {
            let reason = format!("it has {} of its {} chunks", self.next, self.count);
            return Err(damaged(self.sequence, reason));
        }
        let stamp = Stamp { sequence: self.sequence, time: self.time, repeated: false };
        Ok((self.id, stamp, self.bytes))
    }
}

/// Checks a chunk, and gives back how many the entry has and what the chunk holds.
fn open(sequence: u64, chunk: u16, value: &[u8]) -> Result<(u16, &[u8]), JournalError> {
    if value.len() < HEADER_BYTES {
        return Err(damaged(sequence, format!("chunk {chunk} is too short")));
    }
    if value[0] != LAYOUT {
        let reason = format!("chunk {chunk} has layout {}, this version reads {LAYOUT}", value[0]);
        return Err(damaged(sequence, reason));
    }
    let stored = (&value[1..5]).get_u32();
    if stored != checksum(&key(sequence, chunk), value) {
        return Err(damaged(sequence, format!("the checksum of chunk {chunk} does not hold")));
    }
    Ok(((&value[5..7]).get_u16(), &value[HEADER_BYTES..]))
}

fn checksum(key: &Key, value: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), &value[5..])
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
pub mod tests;
