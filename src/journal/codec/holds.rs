//! Converts legal holds.

use super::liaisons::{
    read_last, read_objects, read_position, read_request_digest, write_last, write_objects,
    write_position,
};
use super::{DecodeError, Decoded, number, pb, required};
use crate::domain::entry::{HoldAction, HoldChange, HoldId, HoldPlaced, HoldSweep, RequestId};
use crate::domain::{PartnerId, Timestamp};

/// The actions, in the order of their numbers on disk.
const ACTS: &[HoldAction] = &[HoldAction::Renewed, HoldAction::Lifted];

pub fn write_placed(placed: &HoldPlaced) -> pb::HoldPlaced {
    pb::HoldPlaced {
        hold: placed.hold.as_bytes().to_vec(),
        request: placed.request.to_string(),
        digest: placed.digest.to_vec(),
        last: placed.last.as_ref().map(write_last),
        reason: placed.reason.to_string(),
        objects: write_objects(&placed.objects),
    }
}

pub fn read_placed(placed: pb::HoldPlaced) -> Decoded<HoldPlaced> {
    Ok(HoldPlaced {
        hold: read_hold(&placed.hold)?,
        request: RequestId::from_stored(&placed.request),
        digest: read_request_digest(placed.digest)?,
        last: placed.last.map(read_last),
        reason: placed.reason.into(),
        objects: read_objects(placed.objects)?,
    })
}

pub fn write_change(change: &HoldChange) -> pb::HoldChange {
    pb::HoldChange { hold: change.hold.as_bytes().to_vec(), act: number(ACTS, &change.action) }
}

pub fn read_change(change: &pb::HoldChange) -> Decoded<HoldChange> {
    Ok(HoldChange { hold: read_hold(&change.hold)?, action: required("act", ACTS, change.act)? })
}

pub fn write_sweep(sweep: &HoldSweep) -> pb::HoldSweep {
    pb::HoldSweep {
        partner: sweep.partner.to_string(),
        hold: sweep.hold.as_bytes().to_vec(),
        ended_ms: sweep.ended.as_millis(),
        versions: sweep.versions.iter().copied().map(write_position).collect(),
        whole: sweep.is_last,
    }
}

pub fn read_sweep(sweep: pb::HoldSweep) -> Decoded<HoldSweep> {
    Ok(HoldSweep {
        partner: PartnerId::from_stored(&sweep.partner),
        hold: read_hold(&sweep.hold)?,
        ended: Timestamp::from_millis(sweep.ended_ms),
        versions: sweep.versions.into_iter().map(read_position).collect(),
        is_last: sweep.whole,
    })
}

fn read_hold(bytes: &[u8]) -> Decoded<HoldId> {
    let bytes = bytes.try_into().map_err(|_| DecodeError::Length("hold"))?;
    Ok(HoldId::from_bytes(bytes))
}
