//! The keys of the index.
//!
//! | prefix | key | value |
//! |---|---|---|
//! | `!` | | checkpoint, layout and journal tag ([`super::record::Head`]) |
//! | `a` | author, id, audience digest | an enforcement |
//! | `A` | list, position | key of the enforcement at that position |
//! | `B` | indicator id, key of an assessment | (empty) the assessment names the account by this other name |
//! | `b` | partner, submission, number | idempotency record of a batch |
//! | `C` | `p`, partner | when and why the partner's certificates were revoked |
//! | `C` | `s`, serial number | when and why the certificate was revoked |
//! | `c` | indicator id, author, audience digest | number of sightings reported |
//! | `d` | NUL, time, tip, recipient | (empty) an answer to the tip is due at that time; see [`tips`] |
//! | `d` | partner, box, time, tip, recipient | (empty) the same, per box |
//! | `E` | sequence | the epoch that begins with the entry |
//! | `e` | expiry in milliseconds, sequence | (empty) versions of the entry expire then |
//! | `f` | version, author | feedback on the version |
//! | `g` | group | the group with its memberships |
//! | `h` | group, sequence | (empty) the entry is shared with the group |
//! | `i` | indicator id, author, audience digest | the current assessment |
//! | `J` | sequence, part, author | (time) the access record under `j`, in journal order |
//! | `j` | author, inverted sequence, part | an access record: what a liaison was given of the author |
//! | `k` | partner, request | idempotency record of a request |
//! | `K` | `a`, author | (empty) the author has ever withdrawn an assessment |
//! | `K` | `h`, indicator id, author, audience digest | the lists that hold the indicator |
//! | `K` | `l`, list | a list with its generations |
//! | `K` | `m`, list, generation, indicator id | (empty) a member of the list |
//! | `K` | `n`, author, audience digest, name | the number of the list |
//! | `K` | `p`, partner, submission | (empty) values that the lists of the submission lack are being withdrawn |
//! | `K` | `s`, partner, submission | the lists of the submission |
//! | `K` | `t`, position | the key below of the assessment that the target at the position withdrew |
//! | `K` | `w`, indicator id, author, audience digest | when the author withdrew its assessment |
//! | `L` | partner, hold | a legal hold |
//! | `l` | expiry in milliseconds, sequence | releases of the entry that expire then |
//! | `m` | tip, `e`, sequence | what an entry added to the tip |
//! | `m` | tip, `i`, sequence, first indicator | a chunk of the indicators that the entry added |
//! | `m` | tip, `t`, sequence | the text that the entry added |
//! | `N` | `4` or `6`, prefix length | number of current assessments of networks of this size |
//! | `n` | partner, submission | (empty) the submission is open |
//! | `o` | sequence | the entry's outcome; author, audience and indicators of its versions |
//! | `p` | partner | the partner |
//! | `R` | `h`, partner, hour modulo 169 | what the partner submitted and withdrew in the hour |
//! | `R` | `t`, partner | what the partner has submitted and withdrawn |
//! | `r` | tip, recipient, sequence | (empty) the entry belongs to the recipient's thread |
//! | `s` | indicator id, author, audience digest, slot | a sighting |
//! | `t` | tip | the tip, with the state of each thread |
//! | `T` | `a`, sequence | the tip to which a party's entry belongs |
//! | `T` | `c`, campaign | number of waiting threads in the campaign |
//! | `T` | `m`, campaign, sequence | (empty) the batch named the campaign while threads were waiting |
//! | `T` | `p`, campaign, partner, descending sequence, tip | (empty) the partner sent or received the tip of the campaign |
//! | `T` | `r`, partner, submission | (empty) the submission is closed and waits for its referral |
//! | `T` | `s`, partner, submission | the referral progress of the submission |
//! | `T` | `w`, campaign, tip, recipient | (empty) the thread waits in the campaign |
//! | `u` | partner, submission | the submission's state |
//! | `v` | campaign, author, audience digest | the current contribution to the campaign |
//! | `Vc` | | the last entry that changed the visibility of a campaign |
//! | `Ve` | position | the enforcement that the target at the position withdrew, without content |
//! | `Vl` | position | the released version that this one replaced, and its liaisons |
//! | `Vs` | campaign, position | who could see the campaign through the contribution at that position |
//! | `Vt` | position | key of the contribution at that position |
//! | `w` | partner, box, state, descending sequence, tip, recipient | (empty) a thread in a box, per state and for any state |
//! | `x` | position | a closed version |
//! | `y` | campaign, sequence | the versions of the entry that name the campaign |
//! | `z` | partner, hold, version | a copy kept by a legal hold |
//!
//! Numbers are big-endian, so that keys sort in numeric order. A NUL terminates each text.

pub mod activity;
mod campaigns;
mod enforcements;
mod liaisons;
pub mod lists;
mod registry;
pub mod tips;

pub use self::campaigns::{
    contribution, contribution_at, contributions, contributions_by_time, naming, naming_entry,
    read_contribution_position, read_visibility_position, visibilities, visibility_at,
};
pub use self::enforcements::{
    ListedBy, enforcement, enforcement_at, enforcement_versions, enforcements,
    read_enforcement_position, withdrawn_enforcement,
};
pub use self::liaisons::*;
pub use self::registry::*;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{RequestId, SubmissionId};
use crate::domain::network::PrefixLength;
use crate::domain::{GroupId, IndicatorId, PartnerId, Position, Timestamp};

/// The key of the checkpoint.
pub const HEAD: &[u8] = b"!";
/// The key of the last entry that changed the visibility of a campaign.
pub const CAMPAIGNS_CHANGED: &[u8] = b"Vc";
/// Prefix of expiry times of versions.
pub const ENDS: &[u8] = b"e";
/// Prefix of epochs.
pub const EPOCHS: &[u8] = b"E";
/// Prefix of current assessments.
pub const CURRENT: &[u8] = b"i";
/// Prefix of numbers of networks.
pub const NETWORKS: &[u8] = b"N";
/// Prefix of open submissions.
pub const OPEN: &[u8] = b"n";
/// Prefix of outcomes.
pub const OUTCOMES: &[u8] = b"o";

/// The epoch that begins with an entry.
pub fn epoch(first: u64) -> [u8; 9] {
    let mut key = [b'E'; 9];
    key[1..].copy_from_slice(&first.to_be_bytes());
    key
}

/// The first sequence in the key of an epoch.
pub fn read_epoch(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.strip_prefix(EPOCHS)?.try_into().ok()?))
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

/// Prefix of the current assessments of an indicator.
pub fn assessments(id: IndicatorId) -> [u8; 17] {
    let mut key = [b'i'; 17];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

/// Another name of the account that an assessment is about, from the key of the assessment.
pub fn other_name(name: IndicatorId, assessment: &[u8]) -> Vec<u8> {
    [&other_names(name), &assessment[1..]].concat()
}

/// Prefix of the assessments that name an account by another name.
pub fn other_names(name: IndicatorId) -> Vec<u8> {
    [b"B", name.as_bytes().as_slice()].concat()
}

/// The key of the assessment in the key of another name.
pub fn read_other_name(key: &[u8]) -> Option<Vec<u8>> {
    Some([CURRENT, key.get(17..)?].concat())
}

/// The indicator in the key of an assessment.
pub fn assessment_indicator(key: &[u8]) -> Option<IndicatorId> {
    Some(IndicatorId::from_bytes(*key.get(1..)?.first_chunk()?))
}

/// The author in the key of an assessment.
pub fn assessment_author(key: &[u8]) -> Option<PartnerId> {
    let author = key.get(17..key.len().checked_sub(9)?)?;
    std::str::from_utf8(author).ok().map(PartnerId::from_stored)
}

/// The number of current assessments of networks of one size.
pub fn networks(length: PrefixLength) -> [u8; 3] {
    [b'N', if length.is_ipv6 { b'6' } else { b'4' }, length.bits]
}

/// The size in the key of a number of networks.
pub fn read_networks(key: &[u8]) -> Option<PrefixLength> {
    match key {
        [b'N', family @ (b'4' | b'6'), bits] => {
            Some(PrefixLength { is_ipv6: *family == b'6', bits: *bits })
        }
        _ => None,
    }
}

/// Prefix of an author's current assessments of an indicator.
pub fn assessments_by(id: IndicatorId, author: &PartnerId) -> Vec<u8> {
    let mut key = assessments(id).to_vec();
    text(&mut key, author.as_str());
    key
}

/// The audience in the key of an assessment.
pub fn assessment_audience(key: &[u8]) -> Option<AudienceDigest> {
    Some(AudienceDigest(*key.last_chunk()?))
}

/// Prefix of a partner's batches.
pub fn batches_by(partner: &PartnerId) -> Vec<u8> {
    let mut key = vec![b'b'];
    text(&mut key, partner.as_str());
    key
}

/// An entry shared with a group.
pub fn entry_for(group: &GroupId, sequence: u64) -> Vec<u8> {
    let mut key = entries_for(group);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// Prefix of the entries shared with a group.
pub fn entries_for(group: &GroupId) -> Vec<u8> {
    let mut key = vec![b'h'];
    text(&mut key, group.as_str());
    key
}

/// The sequence at the end of a key.
pub fn read_entry(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.last_chunk()?))
}

/// The expiry time of versions of an entry.
pub fn ends(at: Timestamp, sequence: u64) -> Vec<u8> {
    at_time(ENDS, at, sequence)
}

/// The time and sequence in the key of an expiry, of versions or releases.
pub fn read_ends(key: &[u8]) -> Option<(Timestamp, u64)> {
    let at = u64::from_be_bytes(key.get(1..9)?.try_into().ok()?);
    let at = Timestamp::from_millis(i64::try_from(at).ok()?);
    Some((at, u64::from_be_bytes(key.get(9..)?.try_into().ok()?)))
}

/// The idempotency record of a request.
pub fn request(partner: &PartnerId, request: &RequestId) -> Vec<u8> {
    scoped(b'k', partner, request)
}

/// A sighting of an indicator by an author for an audience. `slot` is its place in the ring of kept
/// sightings.
pub fn sighting(
    id: IndicatorId,
    author: &PartnerId,
    audience: AudienceDigest,
    slot: u8,
) -> Vec<u8> {
    let mut key = sightings(id).to_vec();
    text(&mut key, author.as_str());
    key.extend_from_slice(&audience.0);
    key.push(slot);
    key
}

/// The number of sightings of an indicator that an author reported to an audience.
pub fn sighting_count(id: IndicatorId, author: &PartnerId, audience: AudienceDigest) -> Vec<u8> {
    let mut key = vec![b'c'];
    key.extend_from_slice(id.as_bytes());
    text(&mut key, author.as_str());
    key.extend_from_slice(&audience.0);
    key
}

/// Prefix of the sightings of an indicator.
pub fn sightings(id: IndicatorId) -> [u8; 17] {
    let mut key = [b's'; 17];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

/// A partner's feedback on a version.
pub fn feedback(about: Position, giver: &PartnerId) -> Vec<u8> {
    let mut key = feedback_on(about).to_vec();
    key.extend_from_slice(giver.as_str().as_bytes());
    key
}

/// Prefix of the feedback on a version.
pub fn feedback_on(about: Position) -> [u8; 13] {
    positioned(b'f', about)
}

/// The author in the key of feedback.
pub fn read_feedback(key: &[u8]) -> Option<PartnerId> {
    std::str::from_utf8(key.get(13..)?).ok().map(PartnerId::from_stored)
}

/// Prefix of a submission's batches.
pub fn batches(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    scoped(b'b', partner, submission)
}

/// The idempotency record of a batch.
pub fn batch(partner: &PartnerId, submission: &SubmissionId, number: u32) -> Vec<u8> {
    let mut key = scoped(b'b', partner, submission);
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// A submission.
pub fn submission(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    scoped(b'u', partner, submission)
}

/// The marker of an open submission.
pub fn open(partner: &PartnerId, submission: &SubmissionId) -> Vec<u8> {
    scoped(b'n', partner, submission)
}

/// The partner and submission in the key of an open submission.
pub fn read_open(key: &[u8]) -> Option<(PartnerId, SubmissionId)> {
    let mut texts = key.get(1..)?.split(|byte| *byte == 0);
    let partner = std::str::from_utf8(texts.next()?).ok()?;
    let submission = std::str::from_utf8(texts.next()?).ok()?;
    Some((PartnerId::from_stored(partner), SubmissionId::from_stored(submission)))
}

/// The outcome of an entry.
pub fn outcome(sequence: u64) -> [u8; 9] {
    let mut key = [b'o'; 9];
    key[1..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// A closed version.
pub fn closed(version: Position) -> [u8; 13] {
    positioned(b'x', version)
}

/// Prefix of the closed versions of an entry.
pub fn closed_of(sequence: u64) -> [u8; 9] {
    let mut key = [b'x'; 9];
    key[1..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// The version in the key of a closed version.
pub fn read_closed(key: &[u8]) -> Option<Position> {
    read_position(key.get(1..)?)
}

/// A key for an entry at a time. Times before 1970 count as 1970.
fn at_time(prefix: &[u8], at: Timestamp, sequence: u64) -> Vec<u8> {
    let mut key = prefix.to_vec();
    key.extend_from_slice(&u64::try_from(at.as_millis()).unwrap_or(0).to_be_bytes());
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

fn positioned(prefix: u8, at: Position) -> [u8; 13] {
    let mut key = [prefix; 13];
    key[1..9].copy_from_slice(&at.sequence.to_be_bytes());
    key[9..].copy_from_slice(&at.index.to_be_bytes());
    key
}

fn read_position(bytes: &[u8]) -> Option<Position> {
    let sequence = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    Some(Position::new(sequence, u32::from_be_bytes(bytes.get(8..12)?.try_into().ok()?)))
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
