//! Converts withdrawals and expiries.

use super::{Decoded, pb, read_digest, read_id};
use crate::domain::entry::{
    ClosedSubmission, Expiry, SubmissionId, Target, Withdrawal, WithdrawalSweep,
};
use crate::domain::{PartnerId, Position, Timestamp};

pub fn write_withdrawal(withdrawal: &Withdrawal) -> pb::Withdrawal {
    let closed = withdrawal.closed.as_ref();
    pb::Withdrawal {
        partner: withdrawal.partner.to_string(),
        targets: withdrawal.targets.iter().map(write_target).collect(),
        closed_submission: closed.map(|one| one.submission.to_string()).unwrap_or_default(),
        close: closed.map_or(0, |one| one.close),
    }
}

pub fn read_withdrawal(withdrawal: pb::Withdrawal) -> Decoded<Withdrawal> {
    let targets = withdrawal.targets.into_iter().map(read_target);
    let partner = PartnerId::from_stored(&withdrawal.partner);
    let closed = (withdrawal.close != 0).then(|| ClosedSubmission {
        submission: SubmissionId::from_stored(&withdrawal.closed_submission),
        close: withdrawal.close,
    });
    Ok(Withdrawal { partner, targets: targets.collect::<Decoded<_>>()?, closed })
}

pub fn write_withdrawal_sweep(sweep: &WithdrawalSweep) -> pb::WithdrawalSweep {
    pb::WithdrawalSweep { targets: sweep.targets.iter().copied().map(write_position).collect() }
}

pub fn read_withdrawal_sweep(sweep: pb::WithdrawalSweep) -> WithdrawalSweep {
    WithdrawalSweep { targets: sweep.targets.into_iter().map(read_position).collect() }
}

pub fn write_target(target: &Target) -> pb::Target {
    pb::Target {
        id: target.id.as_bytes().to_vec(),
        audience: target.audience.0.to_vec(),
        version: target.version.map(write_position),
    }
}

pub fn read_target(target: pb::Target) -> Decoded<Target> {
    Ok(Target {
        id: read_id(target.id)?,
        audience: read_digest(target.audience)?,
        version: target.version.map(read_position),
    })
}

pub fn write_expiry(expiry: &Expiry) -> pb::Expiry {
    let versions = expiry.versions.iter();
    let version = |(index, id): &(u32, _)| pb::ExpiredVersion { index: *index, id: to_bytes(*id) };
    pb::Expiry {
        partner: expiry.partner.to_string(),
        audience: expiry.audience.0.to_vec(),
        ends_ms: expiry.ends.as_millis(),
        sequence: expiry.sequence,
        versions: versions.map(version).collect(),
    }
}

pub fn read_expiry(expiry: pb::Expiry) -> Decoded<Expiry> {
    let versions = expiry.versions.into_iter();
    let version = |one: pb::ExpiredVersion| Ok((one.index, read_id(one.id)?));
    Ok(Expiry {
        partner: PartnerId::from_stored(&expiry.partner),
        audience: read_digest(expiry.audience)?,
        ends: Timestamp::from_millis(expiry.ends_ms),
        sequence: expiry.sequence,
        versions: versions.map(version).collect::<Decoded<_>>()?,
    })
}

fn write_position(position: Position) -> pb::Position {
    pb::Position { sequence: position.sequence, index: position.index }
}

fn read_position(position: pb::Position) -> Position {
    Position::new(position.sequence, position.index)
}

fn to_bytes(id: crate::domain::IndicatorId) -> Vec<u8> {
    id.as_bytes().to_vec()
}
