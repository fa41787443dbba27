//! What entries came to.

use bytes::{Buf, BufMut};

use super::{Part, corrupt, put_block, put_position, take_block, take_position};
use crate::domain::entry::{ItemOutcome, RegistryRule, VoidReason};
use crate::domain::tip::TipState;
use crate::error::Result;

/// The bytes of what the items of a part came to, and of the versions that it brought.
pub fn outcomes(items: &[ItemOutcome], versions: Option<&Part>) -> Vec<u8> {
    let mut bytes = vec![0];
    put_block(&mut bytes, &items_block(items));
    bytes.extend(versions.map(Part::encode).unwrap_or_default());
    bytes
}

/// The versions that a part brought, if it brought any.
pub fn read_part(mut bytes: &[u8]) -> Result<Option<Part>> {
    // An entry that is void has no parts.
    if bytes.try_get_u8() != Ok(0) {
        return Ok(None);
    }
    take_block(&mut bytes, "an outcome")?;
    if bytes.is_empty() { Ok(None) } else { Part::decode(bytes).map(Some) }
}

fn items_block(items: &[ItemOutcome]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(items.len());
    for item in items {
        let (what, positions) = match *item {
            ItemOutcome::Created => (0, [None, None]),
            ItemOutcome::Replaced(old) => (1, [Some(old), None]),
            ItemOutcome::Unchanged(current) => (2, [Some(current), None]),
            ItemOutcome::Moved { from, over: None } => (3, [Some(from), None]),
            ItemOutcome::Moved { from, over } => (4, [Some(from), over]),
            ItemOutcome::Merged { from, current } => (5, [Some(from), Some(current)]),
            ItemOutcome::Ended(version) => (6, [Some(version), None]),
            ItemOutcome::Nothing => (7, [None, None]),
            ItemOutcome::Released(version) => (18, [Some(version), None]),
            ItemOutcome::Retracted(version) => (19, [Some(version), None]),
            ItemOutcome::Full(version) => (20, [Some(version), None]),
        };
        bytes.put_u8(what);
        for position in positions.into_iter().flatten() {
            put_position(&mut bytes, position);
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
        VoidReason::Registry(rule) => {
            let at = RegistryRule::ALL.iter().position(|one| one == rule);
            (8, at.map_or(0, |at| at as u64))
        }
        VoidReason::VersionGone => (9, 0),
        VoidReason::Suspended => (10, 0),
        VoidReason::HoldGone => (25, 0),
        VoidReason::TipUnknown => (11, 0),
        VoidReason::TipWithdrawn => (12, 0),
        VoidReason::MoveRefused { from, to } => {
            (13, u64::from(from.number()) << 8 | u64::from(to.number()))
        }
        VoidReason::DoneBefore => (14, 0),
    };
    let mut bytes = vec![number];
    bytes.put_u64(value);
    bytes
}

/// Reads what an entry's items came to, or why it is void, onto what was read of it so far.
pub fn read_outcomes(mut bytes: &[u8], items: &mut Vec<ItemOutcome>) -> Result<Option<VoidReason>> {
    let fault = || corrupt("an outcome");
    let head = bytes.try_get_u8().map_err(|_| fault())?;
    if head != 0 {
        return read_void(head, bytes).map(Some);
    }
    let mut bytes = take_block(&mut bytes, "an outcome")?;
    while bytes.has_remaining() {
        let what = bytes.get_u8();
        let mut position = || take_position(&mut bytes, "an outcome");
        items.push(match what {
            0 => ItemOutcome::Created,
            1 => ItemOutcome::Replaced(position()?),
            2 => ItemOutcome::Unchanged(position()?),
            3 => ItemOutcome::Moved { from: position()?, over: None },
            4 => ItemOutcome::Moved { from: position()?, over: Some(position()?) },
            5 => ItemOutcome::Merged { from: position()?, current: position()? },
            6 => ItemOutcome::Ended(position()?),
            7 => ItemOutcome::Nothing,
            18 => ItemOutcome::Released(position()?),
            19 => ItemOutcome::Retracted(position()?),
            20 => ItemOutcome::Full(position()?),
            _ => return Err(fault()),
        });
    }
    Ok(None)
}

fn read_void(head: u8, mut bytes: &[u8]) -> Result<VoidReason> {
    let fault = || corrupt("an outcome");
    let value = bytes.try_get_u64().map_err(|_| fault())?;
    let number = u32::try_from(value).unwrap_or(u32::MAX);
    Ok(match head {
        1 => VoidReason::Repeats(value),
        2 => VoidReason::Conflicts(value),
        3 => VoidReason::SubmissionClosed,
        4 => VoidReason::BatchMissing(number),
        5 => VoidReason::BatchesBeyond(number),
        6 => VoidReason::SubmissionUnknown,
        7 => VoidReason::AudienceGone,
        8 => {
            let rule = usize::try_from(value).ok().and_then(|at| RegistryRule::ALL.get(at));
            VoidReason::Registry(*rule.ok_or_else(fault)?)
        }
        9 => VoidReason::VersionGone,
        10 => VoidReason::Suspended,
        25 => VoidReason::HoldGone,
        11 => VoidReason::TipUnknown,
        12 => VoidReason::TipWithdrawn,
        13 => {
            let [.., from, to] = value.to_be_bytes();
            let state = |number| TipState::of_number(number).ok_or_else(fault);
            VoidReason::MoveRefused { from: state(from)?, to: state(to)? }
        }
        14 => VoidReason::DoneBefore,
        _ => return Err(fault()),
    })
}
