//! The keys of the liaisons' lane: ends of releases, accesses, holds.

use super::{positioned, read_position, text};
use crate::domain::entry::HoldId;
use crate::domain::{PartnerId, Position, Timestamp};

/// The prefix of the times at which releases end.
pub const RELEASE_ENDS: &[u8] = b"l";
/// The prefix of accesses, in their order.
pub const ACCESSES: &[u8] = b"J";
/// The prefix of holds.
pub const HOLDS: &[u8] = b"L";

/// The time at which releases of a part end. Times before the epoch end at once.
pub fn release_ends(at: Timestamp, sequence: u64) -> Vec<u8> {
    super::at_time(RELEASE_ENDS, at, sequence)
}

/// The releases that ended with the version whose place this one took, where there were any.
pub fn lost(at: Position) -> Vec<u8> {
    [b"Vl".as_slice(), &positioned(0, at)[1..]].concat()
}

/// What a liaison was given of an author's by an entry: the newest first.
pub fn access(author: &PartnerId, sequence: u64, part: u32) -> Vec<u8> {
    let mut key = accesses_to(author);
    key.extend_from_slice(&(!sequence).to_be_bytes());
    key.extend_from_slice(&part.to_be_bytes());
    key
}

/// The prefix of what liaisons were given of an author's.
pub fn accesses_to(author: &PartnerId) -> Vec<u8> {
    let mut key = vec![b'j'];
    text(&mut key, author.as_str());
    key
}

/// The entry and the part of the key of an access.
pub fn read_access(key: &[u8]) -> Option<(u64, u32)> {
    let at: &[u8; 12] = key.last_chunk()?;
    let sequence = u64::from_be_bytes(at[..8].try_into().ok()?);
    Some((!sequence, u32::from_be_bytes(at[8..].try_into().ok()?)))
}

/// The same access, in the order of the entries.
pub fn access_in_order(sequence: u64, author: &PartnerId, part: u32) -> Vec<u8> {
    let mut key = positioned(b'J', Position::new(sequence, part)).to_vec();
    key.extend_from_slice(author.as_str().as_bytes());
    key
}

/// The entry, the author and the part of the key of an access in order.
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

/// The prefix of an author's holds.
pub fn holds_of(author: &PartnerId) -> Vec<u8> {
    let mut key = HOLDS.to_vec();
    text(&mut key, author.as_str());
    key
}

/// Whose hold it is, and which.
pub fn read_hold(key: &[u8]) -> Option<(PartnerId, HoldId)> {
    let hold = HoldId::from_bytes(*key.last_chunk()?);
    let author = std::str::from_utf8(key.get(1..key.len().checked_sub(17)?)?).ok()?;
    Some((PartnerId::from_stored(author), hold))
}

/// A copy that a hold keeps.
pub fn held(author: &PartnerId, hold: HoldId, version: Position) -> Vec<u8> {
    let mut key = held_by(author, hold);
    key.extend_from_slice(&positioned(0, version)[1..]);
    key
}

/// The prefix of the copies that a hold keeps.
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
