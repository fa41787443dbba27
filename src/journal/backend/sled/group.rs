//! The layout of entries in sled: groups, packed into values of at most 8 KB.
//!
//! A group is either several whole entries in one value, or one larger entry in several values, its
//! parts. The key is (sequence of the group's first entry, part), big-endian. A value is:
//!
//! | bytes | content |
//! |---|---|
//! | 1 | layout version |
//! | 4 | CRC-32C over the key and the rest of the value |
//! | 2 | number of parts in the group |
//! | … | a part of the group |
//!
//! A group is a run of entries: length (4), time in milliseconds (8), append id (16), encoded entry.
//!
//! sled stores values of 16 KB and more in separate files, which it never syncs; so values must be
//! smaller. Small entries share a value because each value of a commit costs about 15 µs of CPU.

use bytes::{Buf, BufMut, Bytes};

use super::super::end::Stamped;
use crate::domain::Timestamp;
use crate::domain::entry::AppendId;
use crate::journal::{JournalError, Stamp, damaged};

const LAYOUT: u8 = 1;
/// Maximum bytes of a value.
pub const VALUE_BYTES: usize = 8 * 1024;
const HEADER_BYTES: usize = 7;
const PART_BYTES: usize = VALUE_BYTES - HEADER_BYTES;
const ENTRY_HEADER_BYTES: usize = 28;

/// The key of a value.
pub type Key = [u8; 10];

/// The key of a part. `first` is the first sequence of its group.
pub fn key(first: u64, part: u16) -> Key {
    let mut key = [0; 10];
    key[..8].copy_from_slice(&first.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

/// The group's first sequence and the part number in a key.
pub fn read_key(mut key: &[u8]) -> Result<(u64, u16), JournalError> {
    if key.len() != 10 {
        return Err(JournalError::Storage("a key of the journal has the wrong length".into()));
    }
    Ok((key.get_u64(), key.get_u16()))
}

/// Whether a key belongs to the first part of a group.
pub fn is_first(key: &Key) -> bool {
    key[8..] == [0, 0]
}

/// Packs entries into values, in order.
pub fn pack(entries: &[Stamped<'_>]) -> Vec<(Key, Vec<u8>)> {
    let mut values = Vec::new();
    let (mut first, mut group) = (0, Vec::new());
    for entry in entries {
        let size = ENTRY_HEADER_BYTES + entry.bytes.len();
        if !group.is_empty() && group.len() + size > PART_BYTES {
            put_group(first, &std::mem::take(&mut group), &mut values);
        }
        if group.is_empty() {
            first = entry.stamp.sequence;
        }
        put_entry(entry, &mut group);
    }
    if !group.is_empty() {
        put_group(first, &group, &mut values);
    }
    values
}

fn put_entry(entry: &Stamped<'_>, group: &mut Vec<u8>) {
    // Fits: larger entries were rejected.
    group.put_u32(u32::try_from(entry.bytes.len()).unwrap_or(u32::MAX));
    group.put_i64(entry.stamp.time.as_millis());
    group.put_slice(entry.id.as_bytes());
    group.put_slice(entry.bytes);
}

fn put_group(first: u64, group: &[u8], values: &mut Vec<(Key, Vec<u8>)>) {
    let parts = group.chunks(PART_BYTES);
    let count = u16::try_from(parts.len()).unwrap_or(u16::MAX);
    for (part, number) in parts.zip(0u16..) {
        let key = key(first, number);
        let mut value = Vec::with_capacity(HEADER_BYTES + part.len());
        value.put_u8(LAYOUT);
        value.put_u32(0);
        value.put_u16(count);
        value.put_slice(part);
        let checksum = checksum(&key, &value);
        value[1..5].copy_from_slice(&checksum.to_be_bytes());
        values.push((key, value));
    }
}

/// An entry as stored.
#[derive(Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its sequence and time.
    pub stamp: Stamp,
    /// The idempotency key.
    pub id: AppendId,
    /// The encoded entry.
    pub bytes: Bytes,
}

/// A group that is being assembled from its parts.
#[derive(Debug)]
pub struct Assembly {
    first: u64,
    parts: u16,
    next: u16,
    bytes: Vec<u8>,
}

impl Assembly {
    /// Starts with the first part.
    pub fn begin(first: u64, value: &[u8]) -> Result<Self, JournalError> {
        let (parts, part) = open(first, 0, value)?;
        if parts == 0 {
            return Err(damaged(first, "it has no parts"));
        }
        let mut bytes = Vec::with_capacity(usize::from(parts) * part.len());
        bytes.extend_from_slice(part);
        Ok(Self { first, parts, next: 1, bytes })
    }

    /// Adds the next part.
    pub fn add(&mut self, part: u16, value: &[u8]) -> Result<(), JournalError> {
        if part != self.next || part >= self.parts {
            let reason = format!("part {} is missing, {part} is there", self.next);
            return Err(damaged(self.first, reason));
        }
        let (parts, bytes) = open(self.first, part, value)?;
        if parts != self.parts {
            return Err(damaged(self.first, "its parts belong to different groups"));
        }
        self.bytes.extend_from_slice(bytes);
        self.next += 1;
        Ok(())
    }

    /// Whether all parts were added.
    pub fn is_complete(&self) -> bool {
        self.next == self.parts
    }

    /// The sequence of its first entry.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Decodes the entries of the group.
    pub fn finish(self) -> Result<Vec<StoredEntry>, JournalError> {
        if !self.is_complete() {
            let reason = format!("it has {} of its {} parts", self.next, self.parts);
            return Err(damaged(self.first, reason));
        }
        let (mut rest, mut sequence) = (Bytes::from(self.bytes), self.first);
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let entry = take_entry(&mut rest, sequence);
            entries.push(entry.ok_or_else(|| damaged(sequence, "its group is too short"))?);
            sequence += 1;
        }
        Ok(entries)
    }
}

fn take_entry(rest: &mut Bytes, sequence: u64) -> Option<StoredEntry> {
    let length = rest.try_get_u32().ok()? as usize;
    let time = Timestamp::from_millis(rest.try_get_i64().ok()?);
    let mut id = [0; 16];
    rest.try_copy_to_slice(&mut id).ok()?;
    let bytes = (length <= rest.len()).then(|| rest.split_to(length))?;
    let stamp = Stamp::new(sequence, time);
    Some(StoredEntry { stamp, id: AppendId::from_bytes(id), bytes })
}

/// Checks a value. Returns the number of parts in its group, and its own part.
fn open(first: u64, part: u16, value: &[u8]) -> Result<(u16, &[u8]), JournalError> {
    if value.len() < HEADER_BYTES {
        return Err(damaged(first, format!("part {part} is too short")));
    }
    if value[0] != LAYOUT {
        let reason = format!("part {part} has layout {}, this version reads {LAYOUT}", value[0]);
        return Err(damaged(first, reason));
    }
    if (&value[1..5]).get_u32() != checksum(&key(first, part), value) {
        return Err(damaged(first, format!("the checksum of part {part} does not match")));
    }
    Ok(((&value[5..7]).get_u16(), &value[HEADER_BYTES..]))
}

fn checksum(key: &Key, value: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), &value[5..])
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
