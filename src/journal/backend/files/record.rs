//! The layout of an entry in a segment. Numbers are big-endian.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | CRC-32C over the rest of the record, seeded with the segment's salt |
//! | 4 | length of the entry |
//! | 8 | sequence |
//! | 8 | newest durable sequence when the record was written |
//! | 8 + 16 | time in milliseconds, append id |
//! | … | the entry |

use std::io::{self, Read};

use bytes::{Buf, BufMut};

use super::super::end::Stamped;
use crate::domain::Timestamp;
use crate::domain::entry::AppendId;
use crate::journal::{MAX_ENTRY_BYTES, Stamp};

/// Bytes before the entry.
const HEADER_BYTES: usize = 48;
const CHECKSUM_BYTES: usize = 4;

/// A stored entry with its header.
#[derive(Debug)]
pub struct Record {
    /// Sequence and time.
    pub stamp: Stamp,
    /// The newest durable sequence when the record was written.
    pub durable: u64,
    /// The idempotency key.
    pub id: AppendId,
    /// The encoded entry.
    pub entry: Vec<u8>,
}

impl Record {
    /// Its size in the segment, in bytes.
    pub fn bytes(&self) -> u64 {
        (HEADER_BYTES + self.entry.len()) as u64
    }
}

/// Why no record could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRecord {
    /// The end of the segment.
    End,
    /// The bytes are not a valid record.
    Damaged(&'static str),
}

/// Appends a record without its checksum. Call [`seal`] afterwards.
pub fn put(entry: &Stamped<'_>, durable: u64, bytes: &mut Vec<u8>) {
    bytes.reserve(HEADER_BYTES + entry.bytes.len());
    bytes.put_u32(0);
    // Fits: larger entries were rejected.
    bytes.put_u32(u32::try_from(entry.bytes.len()).unwrap_or(u32::MAX));
    bytes.put_u64(entry.stamp.sequence);
    bytes.put_u64(durable);
    bytes.put_i64(entry.stamp.time.as_millis());
    bytes.put_slice(entry.id.as_bytes());
    bytes.put_slice(entry.bytes);
}

/// Fills in the checksum.
pub fn seal(record: &mut [u8], salt: u32) {
    if let Some((checksum, rest)) = record.split_first_chunk_mut::<CHECKSUM_BYTES>() {
        *checksum = crc32c::crc32c_append(salt, rest).to_be_bytes();
    }
}

/// Reads the next record. `left` is the number of bytes left in the segment.
pub fn read(source: &mut impl Read, left: u64, salt: u32) -> io::Result<Result<Record, NoRecord>> {
    if left == 0 {
        return Ok(Err(NoRecord::End));
    }
    let Some(room) = left.checked_sub(HEADER_BYTES as u64) else {
        return Ok(Err(NoRecord::Damaged("it is truncated")));
    };
    let mut header = [0; HEADER_BYTES];
    source.read_exact(&mut header)?;
    let (checksum, length, mut record) = read_header(&header);
    if length as u64 > room || length > MAX_ENTRY_BYTES {
        return Ok(Err(NoRecord::Damaged("it is truncated, or its length is damaged")));
    }
    record.entry = vec![0; length];
    source.read_exact(&mut record.entry)?;
    if checksum != checksum_of(salt, &header, &record.entry) {
        return Ok(Err(NoRecord::Damaged("its checksum does not match")));
    }
    Ok(Ok(record))
}

/// Whether the bytes start with a valid record that proves that entry `sequence` was durable: a later
/// entry, written after that one was on disk.
pub fn shows_durable(sequence: u64, bytes: &[u8], salt: u32) -> bool {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return false };
    let (checksum, length, record) = read_header(header);
    let proves = record.durable >= sequence && record.durable < record.stamp.sequence;
    let entry = rest.get(..length).filter(|_| proves);
    entry.is_some_and(|entry| checksum == checksum_of(salt, header, entry))
}

fn read_header(mut header: &[u8]) -> (u32, usize, Record) {
    let (checksum, length) = (header.get_u32(), header.get_u32() as usize);
    let (sequence, durable) = (header.get_u64(), header.get_u64());
    let time = Timestamp::from_millis(header.get_i64());
    let mut id = [0; 16];
    header.copy_to_slice(&mut id);
    let stamp = Stamp::new(sequence, time);
    let record = Record { stamp, durable, id: AppendId::from_bytes(id), entry: Vec::new() };
    (checksum, length, record)
}

fn checksum_of(salt: u32, header: &[u8; HEADER_BYTES], entry: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c_append(salt, &header[CHECKSUM_BYTES..]), entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u32 = 0x5a17_5a17;

    fn stamp(sequence: u64) -> Stamp {
        Stamp::new(sequence, Timestamp::from_millis(-5))
    }

    fn bytes(sequence: u64, durable: u64, entry: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let stamp = stamp(sequence);
        let entry = Stamped { stamp, id: AppendId::derive(&[entry]), bytes: entry };
        put(&entry, durable, &mut bytes);
        seal(&mut bytes, SALT);
        bytes
    }

    fn read_all(bytes: &[u8]) -> Result<Record, NoRecord> {
        read(&mut &bytes[..], bytes.len() as u64, SALT).unwrap()
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        for entry in [vec![], b"entry".to_vec(), vec![7; 100_000]] {
            let read = read_all(&bytes(9, 8, &entry)).unwrap();
            assert_eq!((read.stamp, read.durable, &read.entry), (stamp(9), 8, &entry));
            assert_eq!(read.id, AppendId::derive(&[&entry]));
        }
        assert_eq!(read_all(b"").unwrap_err(), NoRecord::End);
    }

    #[test]
    fn every_flipped_bit_and_every_missing_byte_is_found() {
        let whole = bytes(9, 8, b"a longer entry");
        for at in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(matches!(read_all(&flipped), Err(NoRecord::Damaged(_))), "bit {at}");
            assert!(!shows_durable(8, &flipped, SALT), "bit {at}");
        }
        for length in 1..whole.len() {
            assert!(
                matches!(read_all(&whole[..length]), Err(NoRecord::Damaged(_))),
                "{length} bytes"
            );
            assert!(!shows_durable(8, &whole[..length], SALT), "{length} bytes");
        }
    }

    #[test]
    fn a_record_shows_what_was_durable_when_it_was_written_and_nothing_newer() {
        let record = bytes(9, 7, b"entry");
        assert!(shows_durable(7, &record, SALT) && shows_durable(1, &record, SALT));
        assert!(!shows_durable(8, &record, SALT));
    }

    #[test]
    fn what_an_entry_says_passes_for_no_record_where_its_author_does_not_know_the_salt() {
        let forged = bytes(9, 8, b"entry");
        assert!(shows_durable(8, &forged, SALT));
        for salt in [0, 1, SALT + 1] {
            assert!(!shows_durable(8, &forged, salt));
            assert!(read(&mut &forged[..], forged.len() as u64, salt).unwrap().is_err());
        }
    }
}
