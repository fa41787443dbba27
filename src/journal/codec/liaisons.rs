//! Converts releases and access records.

use super::endings::{read_target, write_target};
use super::enforcement::read_uuid;
use super::{
    DecodeError, Decoded, number, partner_ids, pb, read_digest, read_rejected, required, strings,
    write_rejected,
};
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::{
    AccessSweep, Accessed, AccessedVersions, LastPart, Releasable, ReleaseAction, ReleaseEnd,
    ReleaseEntry, RequestId,
};
use crate::domain::purpose::{AccessWay, Purpose, PurposeKind};
use crate::domain::{CampaignId, PartnerId, Position, Timestamp};

pub fn write_release(release: &ReleaseEntry) -> pb::ReleaseOfObjects {
    let (retract, basis, until) = match &release.action {
        ReleaseAction::Release { basis, until } => (false, basis.clone(), *until),
        ReleaseAction::Retract => (true, String::new(), None),
    };
    pb::ReleaseOfObjects {
        request: release.request.to_string(),
        digest: release.digest.to_vec(),
        last: release.last.as_ref().map(write_last),
        objects: write_objects(&release.objects),
        liaisons: strings(&release.liaisons),
        retract,
        basis,
        until_ms: until.map(Timestamp::as_millis),
    }
}

pub fn read_release(release: pb::ReleaseOfObjects) -> Decoded<ReleaseEntry> {
    let until = release.until_ms.map(Timestamp::from_millis);
    let act = if release.retract {
        ReleaseAction::Retract
    } else {
        ReleaseAction::Release { basis: release.basis, until }
    };
    Ok(ReleaseEntry {
        request: RequestId::from_stored(&release.request),
        digest: read_request_digest(release.digest)?,
        last: release.last.map(read_last),
        objects: read_objects(release.objects)?,
        liaisons: partner_ids(&release.liaisons),
        action: act,
    })
}

pub fn write_end(end: &ReleaseEnd) -> pb::ReleaseEnd {
    pb::ReleaseEnd {
        partner: end.partner.to_string(),
        ends_ms: end.ends.as_millis(),
        sequence: end.sequence,
        objects: write_objects(&end.objects),
        liaisons: strings(&end.liaisons),
    }
}

pub fn read_end(end: pb::ReleaseEnd) -> Decoded<ReleaseEnd> {
    Ok(ReleaseEnd {
        partner: PartnerId::from_stored(&end.partner),
        ends: Timestamp::from_millis(end.ends_ms),
        sequence: end.sequence,
        objects: read_objects(end.objects)?,
        liaisons: partner_ids(&end.liaisons),
    })
}

pub fn write_accessed(accessed: &Accessed) -> pb::Accessed {
    pb::Accessed {
        way: number(AccessWay::ALL, &accessed.way),
        purpose: Some(write_purpose(&accessed.purpose)),
        given: accessed.accessed.iter().map(write_given).collect(),
    }
}

pub fn read_accessed(accessed: pb::Accessed) -> Decoded<Accessed> {
    let given = accessed.given.into_iter().map(read_given);
    Ok(Accessed {
        way: required("way", AccessWay::ALL, accessed.way)?,
        purpose: read_purpose(accessed.purpose.unwrap_or_default())?,
        accessed: given.collect::<Decoded<_>>()?,
    })
}

pub fn write_access_sweep(sweep: &AccessSweep) -> pb::AccessSweep {
    let records = sweep.records.iter().map(|(sequence, author, part)| pb::AccessRecord {
        sequence: *sequence,
        author: author.to_string(),
        part: *part,
    });
    pb::AccessSweep { records: records.collect() }
}

pub fn read_access_sweep(sweep: pb::AccessSweep) -> AccessSweep {
    let records = sweep.records.into_iter();
    let records = records.map(|one| (one.sequence, PartnerId::from_stored(&one.author), one.part));
    AccessSweep { records: records.collect() }
}

fn write_purpose(purpose: &Purpose) -> pb::Purpose {
    pb::Purpose {
        kind: number(PurposeKind::ALL, &purpose.kind),
        reference: purpose.reference.to_string(),
        jurisdiction: purpose.jurisdiction.to_string(),
        until_ms: purpose.until.as_millis(),
    }
}

fn read_purpose(purpose: pb::Purpose) -> Decoded<Purpose> {
    Ok(Purpose {
        kind: required("purpose", PurposeKind::ALL, purpose.kind)?,
        reference: purpose.reference.into(),
        jurisdiction: purpose.jurisdiction.into(),
        until: Timestamp::from_millis(purpose.until_ms),
    })
}

fn write_given(given: &AccessedVersions) -> pb::Given {
    let mut written = pb::Given {
        author: given.author.to_string(),
        named: given.names_reference,
        sequence_deltas: Vec::with_capacity(given.versions.len()),
        index_deltas: Vec::with_capacity(given.versions.len()),
    };
    let mut before = Position::default();
    for version in &given.versions {
        let same = version.sequence == before.sequence;
        written.sequence_deltas.push(version.sequence.wrapping_sub(before.sequence));
        let from = if same { before.index } else { 0 };
        written.index_deltas.push(version.index.wrapping_sub(from));
        before = *version;
    }
    written
}

fn read_given(given: pb::Given) -> Decoded<AccessedVersions> {
    if given.sequence_deltas.len() != given.index_deltas.len() {
        return Err(DecodeError::Length("index_deltas"));
    }
    let mut before = Position::default();
    let mut versions = Vec::with_capacity(given.sequence_deltas.len());
    for (sequence, index) in given.sequence_deltas.into_iter().zip(given.index_deltas) {
        let from = if sequence == 0 { before.index } else { 0 };
        let sequence = before.sequence.wrapping_add(sequence);
        before = Position::new(sequence, from.wrapping_add(index));
        versions.push(before);
    }
    Ok(AccessedVersions {
        author: PartnerId::from_stored(&given.author),
        names_reference: given.named,
        versions,
    })
}

pub fn write_last(last: &LastPart) -> pb::LastPart {
    pb::LastPart {
        earlier: last.earlier.clone(),
        rejected: write_rejected(&last.rejected),
        left_out: last.left_out,
    }
}

pub fn read_last(last: pb::LastPart) -> LastPart {
    LastPart {
        earlier: last.earlier,
        rejected: read_rejected(last.rejected),
        left_out: last.left_out,
    }
}

pub fn write_objects(objects: &[Releasable]) -> Vec<pb::Releasable> {
    use pb::releasable::Object;
    let write = |object: &Releasable| match object {
        Releasable::Assessment(target) => Object::Assessment(write_target(target)),
        Releasable::Contribution { campaign, audience, version } => {
            Object::Contribution(pb::ReleasedContribution {
                campaign: campaign.as_bytes().to_vec(),
                audience: audience.0.to_vec(),
                version: Some(write_position(*version)),
            })
        }
        Releasable::Enforcement { id, audience, version } => {
            Object::Enforcement(pb::ReleasedEnforcement {
                id: id.to_string(),
                audience: audience.0.to_vec(),
                version: Some(write_position(*version)),
            })
        }
    };
    objects.iter().map(|object| pb::Releasable { object: Some(write(object)) }).collect()
}

pub fn read_objects(objects: Vec<pb::Releasable>) -> Decoded<Vec<Releasable>> {
    use pb::releasable::Object;
    let read = |object: pb::Releasable| match object.object {
        Some(Object::Assessment(target)) => Ok(Releasable::Assessment(read_target(target)?)),
        Some(Object::Contribution(contribution)) => {
            let campaign = read_uuid("campaign", contribution.campaign)?;
            Ok(Releasable::Contribution {
                campaign: CampaignId::from_bytes(campaign.ok_or(DecodeError::Length("campaign"))?),
                audience: read_digest(contribution.audience)?,
                version: read_position(contribution.version.unwrap_or_default()),
            })
        }
        Some(Object::Enforcement(enforcement)) => Ok(Releasable::Enforcement {
            id: EnforcementId::from_stored(&enforcement.id),
            audience: read_digest(enforcement.audience)?,
            version: read_position(enforcement.version.unwrap_or_default()),
        }),
        None => Err(DecodeError::NoBody),
    };
    objects.into_iter().map(read).collect()
}

pub fn write_position(at: Position) -> pb::Position {
    pb::Position { sequence: at.sequence, index: at.index }
}

pub fn read_position(at: pb::Position) -> Position {
    Position::new(at.sequence, at.index)
}

pub fn read_request_digest(bytes: Vec<u8>) -> Decoded<[u8; 32]> {
    bytes.try_into().map_err(|_| DecodeError::Length("digest"))
}
