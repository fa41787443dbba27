//! Keys for liaisons: expiring releases, access records and legal holds.

use super::{positioned, read_position, text};
use crate::domain::entry::HoldId;
use crate::domain::{PartnerId, Position, Timestamp};

/// Prefix of expiry times of releases.
pub const RELEASE_ENDS: &[u8] = b"l";
/// Prefix of access records in journal order.
pub const ACCESSES: &[u8] = b"J";
/// Prefix of holds.
pub const HOLDS: &[u8] = b"L";

/// The releases of an entry that expire at a time. Times before 1970 count as 1970.
pub fn release_ends(at: Timestamp, sequence: u64) -> Vec<u8> {
    super::at_time(RELEASE_ENDS, at, sequence)
}

/// The released version that the version at `at` replaced.
pub fn replaced(at: Position) -> Vec<u8> {
    [b"Vl".as_slice(), &positioned(0, at)[1..]].concat()
}

/// An access record for an author's objects. Newer entries sort first.
pub fn access(author: &PartnerId, sequence: u64, part: u32) -> Vec<u8> {
    let mut key = accesses_to(author);
    key.extend_from_slice(&(!sequence).to_be_bytes());
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// Prefix of the access records for an author's objects.
pub fn accesses_to(author: &PartnerId) -> Vec<u8> {
    let mut key = vec![b'j'];
    text(&mut key, author.as_str());
    key
}

/// The sequence and part in the key of an access record.
pub fn read_access(key: &[u8]) -> Option<(u64, u32)> {
    let at: &[u8; 12] = key.last_chunk()?;
    let sequence = u64::from_be_bytes(at[..8].try_into().ok()?);
    Some((!sequence, u32::from_be_bytes(at[8..].try_into().ok()?)))
}

/// The same access record in journal order.
pub fn access_in_order(sequence: u64, author: &PartnerId, part: u32) -> Vec<u8> {
    let mut key = positioned(b'J', Position::new(sequence, part)).to_vec();
    key.extend_from_slice(author.as_str().as_bytes());
    key
}

/// The sequence, author and part in the key of [`access_in_order`].
pub fn read_access_in_order(key: &[u8]) -> Option<(u64, PartnerId, u32)> {
    let at = read_position(key.get(1..)?)?;
    let author = std::str::from_utf8(key.get(13..)?).ok()?;
    Some((at.sequence, PartnerId::from_stored(author), at.index))
}

/// A hold.
pub fn hold(author: &PartnerId, hold: HoldId) -> Vec<u8> {
    let mut key = holds_of(author);
    key.extend_from_slice(hold.as_bytes());
    key
}

/// Prefix of an author's holds.
pub fn holds_of(author: &PartnerId) -> Vec<u8> {
    let mut key = HOLDS.to_vec();
    text(&mut key, author.as_str());
    key
}

/// The author and id in the key of a hold.
pub fn read_hold(key: &[u8]) -> Option<(PartnerId, HoldId)> {
    let hold = HoldId::from_bytes(*key.last_chunk()?);
    let author = std::str::from_utf8(key.get(1..key.len().checked_sub(17)?)?).ok()?;
    Some((PartnerId::from_stored(author), hold))
}

/// A copy kept by a hold.
pub fn held(author: &PartnerId, hold: HoldId, version: Position) -> Vec<u8> {
    let mut key = held_by(author, hold);
    key.extend_from_slice(&positioned(0, version)[1..]);
    key
}

/// Prefix of the copies kept by a hold.
pub fn held_by(author: &PartnerId, hold: HoldId) -> Vec<u8> {
    let mut key = vec![b'z'];
    text(&mut key, author.as_str());
    key.extend_from_slice(hold.as_bytes());
    key
}

/// The version in the key of a copy.
pub fn read_held(key: &[u8]) -> Option<Position> {
    let at: &[u8; 12] = key.last_chunk()?;
    read_position(at)
}
