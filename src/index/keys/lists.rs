//! The keys of lists. They start with `K`.

use super::text;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::SubmissionId;
use crate::domain::list::ListName;
use crate::domain::{IndicatorId, PartnerId, Position};
use crate::index::record::GenerationKey;

/// Prefix of submissions whose lists are being made shorter.
pub const PENDING: &[u8] = b"Kp";
/// Prefix of withdrawals in the order of the journal.
pub const WITHDRAWALS: &[u8] = b"Kt";

/// The number of a list.
pub fn named(author: &PartnerId, audience: AudienceDigest, name: &ListName) -> Vec<u8> {
    let mut key = b"Kn".to_vec();
    text(&mut key, author.as_str());
    key.extend_from_slice(&audience.0);
    key.extend_from_slice(name.as_str().as_bytes());
    key
}

/// A list, by its number.
pub fn list(number: u64) -> Vec<u8> {
    let mut key = b"Kl".to_vec();
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Prefix of the members of a generation of a list.
pub fn members(of: GenerationKey) -> Vec<u8> {
    let mut key = b"Km".to_vec();
    key.extend_from_slice(&of.list.to_be_bytes());
    key.extend_from_slice(&of.number.to_be_bytes());
    key
}

/// A member of a generation of a list.
pub fn member(of: GenerationKey, id: IndicatorId) -> Vec<u8> {
    let mut key = members(of);
    key.extend_from_slice(id.as_bytes());
    key
}

/// The indicator in the key of a member.
pub fn read_member(key: &[u8]) -> Option<IndicatorId> {
    key.last_chunk().map(|bytes| IndicatorId::from_bytes(*bytes))
}

/// The lists that hold an indicator, from the key of its current assessment.
pub fn memberships(assessment: &[u8]) -> Vec<u8> {
    [b"Kh", &assessment[1..]].concat()
}

/// When an assessment was withdrawn, from the key under which it was current.
pub fn withdrawn(assessment: &[u8]) -> Vec<u8> {
    [b"Kw", &assessment[1..]].concat()
}

/// The key of [`withdrawn`], by the target that withdrew it.
pub fn withdrawn_by(target: Position) -> Vec<u8> {
    [WITHDRAWALS, &super::positioned(0, target)[1..]].concat()
}

/// The target in the key of a withdrawal.
pub fn read_withdrawn_by(key: &[u8]) -> Option<Position> {
    super::read_position(key.strip_prefix(WITHDRAWALS)?)
}

/// The marker of an author that ever withdrew an assessment. Without it, its batches look up no [`withdrawn`].
pub fn has_withdrawn(author: &PartnerId) -> Vec<u8> {
    [b"Ka", author.as_str().as_bytes()].concat()
}

/// The lists of a submission.
pub fn of_submission(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    scoped(b"Ks", partner, submission)
}

/// The marker of a submission whose lists are being made shorter.
pub fn pending(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    scoped(PENDING, partner, submission)
}

/// The partner and submission in a marker.
pub fn read_pending(key: &[u8]) -> Option<(PartnerId, SubmissionId)> {
    // A marker has the key of an open submission, behind its own first byte.
    super::read_open(key.get(1..)?)
}

fn scoped(prefix: &[u8], partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    let mut key = prefix.to_vec();
    text(&mut key, partner.as_str());
    text(&mut key, submission.as_str());
    key
}
