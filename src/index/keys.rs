//! The key space of the index, in one place.
//!
//! | prefix | key | value |
//! |---|---|---|
//! | `!` | | checkpoint, layout and journal tag ([`super::record::Head`]) |
//! | `b` | partner, submission, number | digest and sequence of the batch taken under this key |
//! | `g` | group | the group with its memberships |
//! | `i` | indicator id, author, audience digest | the current assessment |
//! | `n` | partner, submission | (empty) the submission is open |
//! | `o` | sequence, first item | what the items from there on came to |
//! | `p` | partner | the partner |
//! | `u` | partner, submission | the submission |
//! | `x` | position | a closed version |
//!
//! Numbers are big-endian, so that keys sort as the numbers do; a NUL ends each text.

use sha2::{Digest, Sha256};

use crate::domain::entry::SubmissionId;
use crate::domain::sharing::Audience;
use crate::domain::{GroupId, IndicatorId, PartnerId, Position};

/// Where the index says how far it has come.
pub const HEAD: &[u8] = b"!";
/// The prefix of groups.
pub const GROUPS: &[u8] = b"g";
/// The prefix of open submissions.
pub const OPEN: &[u8] = b"n";
/// The prefix of partners.
pub const PARTNERS: &[u8] = b"p";
/// The prefix of closed versions.
pub const CLOSED: &[u8] = b"x";

/// The first bytes of a hash over an audience: part of the key of an assessment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudienceDigest([u8; 8]);

impl AudienceDigest {
    /// The digest of an audience.
    pub fn of(audience: &Audience) -> Self {
        let mut hash = Sha256::new();
        match audience {
            Audience::Named { groups, partners } => {
                for group in groups {
                    hash.update([b'g']);
                    hash.update(group.as_str());
                    hash.update([0]);
                }
                for partner in partners {
                    hash.update([b'p']);
                    hash.update(partner.as_str());
                    hash.update([0]);
                }
            }
            Audience::Everyone => hash.update([b'e']),
            Audience::Public => hash.update([b'u']),
        }
        let digest = hash.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(first)
    }
}

/// The current assessment of an indicator by an author to an audience.
pub fn assessment(id: IndicatorId, author: &PartnerId, audience: AudienceDigest) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + 16 + author.as_str().len() + 1 + 8);
    key.push(b'i');
    key.extend_from_slice(id.as_bytes());
    text(&mut key, author.as_str());
    key.extend_from_slice(&audience.0);
    key
}

/// The prefix of all current assessments of an indicator.
pub fn assessments(id: IndicatorId) -> [u8; 17] {
    let mut key = [b'i'; 17];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

/// The author in the key of an assessment.
pub fn assessment_author(key: &[u8]) -> Option<PartnerId> {
    let author = key.get(17..key.len().checked_sub(9)?)?;
    std::str::from_utf8(author).ok().map(PartnerId::from_stored)
}

/// The batch taken under a key.
pub fn batch(partner: &PartnerId, submission: &SubmissionId, number: u32) -> Vec<u8> {
    let mut key = scoped(b'b', partner, submission);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// A submission.
pub fn submission(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    scoped(b'u', partner, submission)
}

/// The mark of an open submission.
pub fn open(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    scoped(b'n', partner, submission)
}

/// The partner and the submission of the mark of an open one.
pub fn read_open(key: &[u8]) -> Option<(PartnerId, SubmissionId)> {
    let mut texts = key.get(1..)?.split(|byte| *byte == 0);
    let partner = std::str::from_utf8(texts.next()?).ok()?;
    let submission = std::str::from_utf8(texts.next()?).ok()?;
    Some((PartnerId::from_stored(partner), SubmissionId::from_stored(submission)))
}

/// What the items of an entry came to, from one item on.
pub fn outcome(sequence: u64, first_item: u32) -> [u8; 13] {
    let mut key = [b'o'; 13];
    key[1..9].copy_from_slice(&sequence.to_be_bytes());
    key[9..].copy_from_slice(&first_item.to_be_bytes());
    key
}

/// The prefix of what all items of an entry came to.
pub fn outcomes(sequence: u64) -> [u8; 9] {
    let mut key = [b'o'; 9];
    key[1..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// A closed version.
pub fn closed(version: Position) -> [u8; 13] {
    let mut key = [b'x'; 13];
    key[1..9].copy_from_slice(&version.sequence.to_be_bytes());
    key[9..].copy_from_slice(&version.index.to_be_bytes());
    key
}

/// The version in the key of a closed one.
pub fn read_closed(key: &[u8]) -> Option<Position> {
    let sequence = u64::from_be_bytes(key.get(1..9)?.try_into().ok()?);
    let index = u32::from_be_bytes(key.get(9..13)?.try_into().ok()?);
    Some(Position::new(sequence, index))
}

/// A partner.
pub fn partner(id: &PartnerId) -> Vec<u8> {
    [PARTNERS, id.as_str().as_bytes()].concat()
}

/// A group.
pub fn group(id: &GroupId) -> Vec<u8> {
    [GROUPS, id.as_str().as_bytes()].concat()
}

fn scoped(prefix: u8, partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    let length = partner.as_str().len() + submission.as_str().len();
    let mut key = Vec::with_capacity(1 + length + 2 + 4);
    key.push(prefix);
    text(&mut key, partner.as_str());
    text(&mut key, submission.as_str());
    key
}

fn text(key: &mut Vec<u8>, text: &str) {
    key.extend_from_slice(text.as_bytes());
    key.push(0);
}
