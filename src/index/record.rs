//! What stands under the keys of the index.
//!
//! The index can always be computed again from the journal, so its layout has one version for all
//! ([`LAYOUT`]): an index of another version is deleted and rebuilt.

use std::time::Duration;

use bytes::{Buf, BufMut};

use super::corrupt;
use crate::domain::cursor::JournalTag;
use crate::domain::entry::{Item, ItemOutcome, VoidReason};
use crate::domain::partner::{Group, Membership, Partner};
use crate::domain::{Assessment, GroupId, IndicatorId, PartnerId, Position, Sharing, Timestamp};
use crate::error::Result;
use crate::journal::stored;

/// The version of everything in this file and in [`super::keys`].
pub const LAYOUT: u8 = 2;

/// How far the index has come, written in the same batch as what it has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// The last entry that is applied as a whole.
    pub sequence: u64,
    /// How many items of the entry behind it are applied.
    pub items: u32,
    /// The tag of the last entry: a journal that was restored and went on differs there.
    pub last: [u8; 4],
    /// The journal that the index is of; all zero before its first entry.
    pub journal: JournalTag,
}

impl Head {
    /// The bytes of the record.
    pub fn encode(self) -> Vec<u8> {
        let mut bytes = vec![LAYOUT];
        bytes.put_u64(self.sequence);
        bytes.put_u32(self.items);
        bytes.put_slice(&self.last);
        bytes.put_slice(&self.journal.0);
        bytes
    }

    /// Reads the record; `None` for an index of another layout.
    pub fn decode(mut bytes: &[u8]) -> Option<Self> {
        if bytes.len() != 21 || bytes.get_u8() != LAYOUT {
            return None;
        }
        let (sequence, items) = (bytes.get_u64(), bytes.get_u32());
        let (mut last, mut journal) = ([0; 4], [0; 4]);
        bytes.copy_to_slice(&mut last);
        bytes.copy_to_slice(&mut journal);
        Some(Self { sequence, items, last, journal: JournalTag(journal) })
    }
}

/// The bytes of a partner who is one since an entry.
pub fn partner(partner: &Partner, since: u64) -> Vec<u8> {
    [&since.to_be_bytes()[..], &stored::partner(partner)].concat()
}

/// A partner from its bytes, and the entry since which it is one.
pub fn read_partner(bytes: &[u8]) -> Result<(Partner, u64)> {
    let (since, partner) = bytes.split_first_chunk().ok_or_else(|| corrupt("a partner"))?;
    Ok((stored::read_partner(partner)?, u64::from_be_bytes(*since)))
}

/// The batch that was taken under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenBatch {
    /// SHA-256 of the batch as it was sent.
    pub digest: [u8; 32],
    /// Its entry.
    pub sequence: u64,
}

impl TakenBatch {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.digest.to_vec();
        bytes.put_u64(self.sequence);
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        if bytes.len() != 40 {
            return Err(corrupt("a batch key"));
        }
        let mut digest = [0; 32];
        bytes.copy_to_slice(&mut digest);
        Ok(Self { digest, sequence: bytes.get_u64() })
    }
}

/// A submission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubmissionState {
    /// How many batches were taken.
    pub batches: u32,
    /// The highest number among them.
    pub highest: u32,
    /// When the last of them was taken.
    pub last: Timestamp,
    /// How it was closed.
    pub closed: Option<Closing>,
}

/// How long after its close a submission still answers for its batches.
pub const RECEIPTS_KEPT: Duration = Duration::from_secs(7 * 86_400);

impl SubmissionState {
    /// Whether it was closed so long ago that its receipts are no longer kept: an old file that is
    /// run again must not bring back what was withdrawn since.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.closed.is_some_and(|closing| now.since(closing.at) > RECEIPTS_KEPT)
    }
}

/// How a submission was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// When.
    pub at: Timestamp,
    /// The number of batches that its author named; `None` when the exchange closed it.
    pub batches: Option<u32>,
}

impl SubmissionState {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(30);
        bytes.put_u32(self.batches);
        bytes.put_u32(self.highest);
        bytes.put_i64(self.last.as_millis());
        if let Some(closing) = self.closed {
            bytes.put_i64(closing.at.as_millis());
            bytes.extend(closing.batches.into_iter().flat_map(u32::to_be_bytes));
        }
        bytes
    }

    /// Reads the record.
    pub fn decode(mut bytes: &[u8]) -> Result<Self> {
        if ![16, 24, 28].contains(&bytes.len()) {
            return Err(corrupt("a submission"));
        }
        let (batches, highest) = (bytes.get_u32(), bytes.get_u32());
        let last = Timestamp::from_millis(bytes.get_i64());
        let closed = bytes.has_remaining().then(|| Closing {
            at: Timestamp::from_millis(bytes.get_i64()),
            batches: bytes.has_remaining().then(|| bytes.get_u32()),
        });
        Ok(Self { batches, highest, last, closed })
    }
}

/// The current assessment of an indicator by one author to one audience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// Who receives it.
    pub sharing: Sharing,
    /// The indicator's id, as it was stored.
    pub id: IndicatorId,
    /// What it says.
    pub assessment: Assessment,
}

/// The part of [`Current`] that two assessments share when they say the same: the sharing and all
/// that is said, but for the spelling, which is the author's business.
pub fn said(sharing: &[u8], item: &Item) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + sharing.len() + 160);
    put_block(&mut bytes, sharing);
    stored::put_assessment(&item.assessment, item.id, &mut bytes);
    bytes
}

/// The bytes of a [`Current`] over what [`said`] gave.
pub fn current(version: Position, accepted: Timestamp, raw: Option<&str>, said: &[u8]) -> Vec<u8> {
    let raw = raw.unwrap_or_default();
    let mut bytes = Vec::with_capacity(24 + raw.len() + said.len());
    bytes.put_u64(version.sequence);
    bytes.put_u32(version.index);
    bytes.put_i64(accepted.as_millis());
    put_block(&mut bytes, raw.as_bytes());
    bytes.put_slice(said);
    bytes
}

/// The parts of a stored [`Current`] that need no decoding.
#[derive(Clone, Copy, Debug)]
pub struct CurrentParts<'a> {
    /// Its version.
    pub version: Position,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// What its author wrote; empty where that is the canonical value.
    pub raw: &'a [u8],
    /// What [`said`] gave.
    pub said: &'a [u8],
}

impl<'a> CurrentParts<'a> {
    /// Takes a record apart.
    pub fn of(mut bytes: &'a [u8]) -> Result<Self> {
        if bytes.len() < 20 {
            return Err(corrupt("an assessment"));
        }
        let version = Position::new(bytes.get_u64(), bytes.get_u32());
        let accepted = Timestamp::from_millis(bytes.get_i64());
        let raw = take_block(&mut bytes, "an assessment")?;
        Ok(Self { version, accepted, raw, said: bytes })
    }

    /// Reads the whole of it.
    pub fn decode(&self) -> Result<Current> {
        let mut said = self.said;
        let sharing = stored::read_sharing(take_block(&mut said, "an assessment")?)?;
        let (id, mut assessment) = stored::read_assessment(said)?;
        if !self.raw.is_empty() {
            let raw = std::str::from_utf8(self.raw).map_err(|_| corrupt("an assessment"))?;
            assessment.raw = Some(raw.into());
        }
        Ok(Current { version: self.version, accepted: self.accepted, sharing, id, assessment })
    }
}

/// Why a version is no longer current.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A newer version of the same author for the same audience.
    Replaced,
}

/// The bytes of a closed version: when and why it ended, and what filters and the rule of sight
/// look at. No content: the value, the note, the references and the spelling are gone.
pub fn closed(by: Position, why: Ended, current: &Current) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    bytes.put_u64(by.sequence);
    bytes.put_u32(by.index);
    bytes.put_u8(match why {
        Ended::Replaced => 1,
    });
    bytes.put_i64(current.accepted.as_millis());
    put_block(&mut bytes, &stored::sharing(&current.sharing));
    let indicator = &current.assessment.indicator;
    let outline = Assessment {
        verdict: current.assessment.verdict,
        confidence: current.assessment.confidence,
        labels: current.assessment.labels.clone(),
        ..Assessment::of(crate::domain::Indicator::from_stored(
            indicator.kind(),
            indicator.platform().cloned(),
            "",
        ))
    };
    stored::put_assessment(&outline, current.id, &mut bytes);
    bytes
}

/// What is kept of a version that is no longer current: what filters and the rule of sight look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedVersion {
    /// Who received it.
    pub sharing: Sharing,
    /// What it said, without its content.
    pub outline: Assessment,
}

/// Reads a closed version.
pub fn read_closed(bytes: &[u8]) -> Result<ClosedVersion> {
    // Behind when and why it ended, and when it was accepted.
    let mut bytes = bytes.get(8 + 4 + 1 + 8..).ok_or_else(|| corrupt("a closed version"))?;
    let sharing = stored::read_sharing(take_block(&mut bytes, "a closed version")?)?;
    let (_, outline) = stored::read_assessment(bytes)?;
    Ok(ClosedVersion { sharing, outline })
}

/// The bytes of what some items of an entry came to.
pub fn outcomes(items: &[ItemOutcome]) -> Vec<u8> {
    let mut bytes = vec![0];
    for item in items {
        match item {
            ItemOutcome::Created => bytes.put_u8(0),
            ItemOutcome::Replaced(old) => put_position(&mut bytes, 1, *old),
            ItemOutcome::Unchanged(current) => put_position(&mut bytes, 2, *current),
        }
    }
    bytes
}

/// The bytes of why an entry has no effect.
pub fn void(reason: &VoidReason) -> Vec<u8> {
    let (number, value) = match reason {
        VoidReason::Repeats(sequence) => (1, *sequence),
        VoidReason::Conflicts(sequence) => (2, *sequence),
        VoidReason::SubmissionClosed => (3, 0),
        VoidReason::BatchMissing(number) => (4, u64::from(*number)),
        VoidReason::BatchesBeyond(number) => (5, u64::from(*number)),
        VoidReason::SubmissionUnknown => (6, 0),
        VoidReason::AudienceGone => (7, 0),
    };
    let mut bytes = vec![number];
    bytes.put_u64(value);
    bytes
}

/// Reads what an entry's items came to, or why it is void, onto what was read of it so far.
pub fn read_outcomes(mut bytes: &[u8], items: &mut Vec<ItemOutcome>) -> Result<Option<VoidReason>> {
    let fault = || corrupt("an outcome");
    if !bytes.has_remaining() {
        return Err(fault());
    }
    let head = bytes.get_u8();
    if head != 0 {
        let value = bytes.try_get_u64().map_err(|_| fault())?;
        let number = u32::try_from(value).unwrap_or(u32::MAX);
        return Ok(Some(match head {
            1 => VoidReason::Repeats(value),
            2 => VoidReason::Conflicts(value),
            3 => VoidReason::SubmissionClosed,
            4 => VoidReason::BatchMissing(number),
            5 => VoidReason::BatchesBeyond(number),
            6 => VoidReason::SubmissionUnknown,
            7 => VoidReason::AudienceGone,
            _ => return Err(fault()),
        }));
    }
    while bytes.has_remaining() {
        let what = bytes.get_u8();
        let mut position = || -> Result<Position> {
            let sequence = bytes.try_get_u64().map_err(|_| fault())?;
            Ok(Position::new(sequence, bytes.try_get_u32().map_err(|_| fault())?))
        };
        items.push(match what {
            0 => ItemOutcome::Created,
            1 => ItemOutcome::Replaced(position()?),
            2 => ItemOutcome::Unchanged(position()?),
            _ => return Err(fault()),
        });
    }
    Ok(None)
}

/// The bytes of a group.
pub fn group(group: &Group) -> Vec<u8> {
    let mut bytes = vec![u8::from(group.history_all)];
    put_block(&mut bytes, group.id.as_str().as_bytes());
    put_block(&mut bytes, group.name.as_bytes());
    for membership in &group.memberships {
        put_block(&mut bytes, membership.partner.as_str().as_bytes());
        bytes.put_u64(membership.from);
        // No membership ends at sequence 0, where no entry is.
        bytes.put_u64(membership.until.unwrap_or(0));
    }
    bytes
}

/// Reads a group.
pub fn read_group(mut bytes: &[u8]) -> Result<Group> {
    let fault = || corrupt("a group");
    let history_all = bytes.try_get_u8().map_err(|_| fault())? != 0;
    let id = GroupId::from_stored(&take_text(&mut bytes)?);
    let name = take_text(&mut bytes)?;
    let mut memberships = Vec::new();
    while bytes.has_remaining() {
        let partner = PartnerId::from_stored(&take_text(&mut bytes)?);
        let from = bytes.try_get_u64().map_err(|_| fault())?;
        let until = bytes.try_get_u64().map_err(|_| fault())?;
        memberships.push(Membership { partner, from, until: Some(until).filter(|u| *u != 0) });
    }
    Ok(Group { id, name, history_all, memberships })
}

fn put_position(bytes: &mut Vec<u8>, what: u8, position: Position) {
    bytes.put_u8(what);
    bytes.put_u64(position.sequence);
    bytes.put_u32(position.index);
}

fn put_block(bytes: &mut Vec<u8>, block: &[u8]) {
    // A block is a part of a value, and a value is at most 8 KB.
    bytes.put_u16(u16::try_from(block.len()).unwrap_or(u16::MAX));
    bytes.put_slice(block);
}

fn take_block<'a>(bytes: &mut &'a [u8], what: &'static str) -> Result<&'a [u8]> {
    let length = usize::from(bytes.try_get_u16().map_err(|_| corrupt(what))?);
    let (block, rest) = bytes.split_at_checked(length).ok_or_else(|| corrupt(what))?;
    *bytes = rest;
    Ok(block)
}

fn take_text(bytes: &mut &[u8]) -> Result<String> {
    let block = take_block(bytes, "a group")?;
    String::from_utf8(block.to_vec()).map_err(|_| corrupt("a group"))
}
