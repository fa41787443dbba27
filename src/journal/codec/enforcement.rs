//! Converts enforcements.

use super::reactions::read_request_digest;
use super::sharing::{read_sharing, write_sharing};
use super::{
    DecodeError, Decoded, boxed, number, optional, pb, read_digest, read_rejected, required,
    write_rejected,
};
use crate::domain::enforcement::{
    AssetKind, Enforcement, EnforcementCount, EnforcementId, EnforcementMethod, EnforcementSource,
};
use crate::domain::entry::{EnforcementTarget, EnforcementWithdrawal, Enforcements, RequestId};
use crate::domain::{CampaignId, Day, Platform};

pub fn write(enforcements: &Enforcements) -> pb::Enforcements {
    let items = enforcements.items.iter();
    pb::Enforcements {
        request: enforcements.request.to_string(),
        digest: enforcements.digest.to_vec(),
        sharing: Some(write_sharing(&enforcements.sharing)),
        items: items.map(|(index, one)| write_enforcement(*index, one)).collect(),
        rejected: write_rejected(&enforcements.rejected),
    }
}

pub fn read(enforcements: pb::Enforcements) -> Decoded<Enforcements> {
    let items = enforcements.items.into_iter().map(read_enforcement);
    Ok(Enforcements {
        request: RequestId::from_stored(&enforcements.request),
        digest: read_request_digest(enforcements.digest)?,
        sharing: read_sharing(enforcements.sharing.unwrap_or_default())?,
        items: items.collect::<Decoded<_>>()?,
        rejected: read_rejected(enforcements.rejected),
    })
}

pub fn write_withdrawal(withdrawal: &EnforcementWithdrawal) -> pb::EnforcementWithdrawal {
    let targets = withdrawal.targets.iter().map(|target| pb::EnforcementTarget {
        id: target.id.to_string(),
        audience: target.audience.0.to_vec(),
    });
    pb::EnforcementWithdrawal { targets: targets.collect() }
}

pub fn read_withdrawal(withdrawal: pb::EnforcementWithdrawal) -> Decoded<EnforcementWithdrawal> {
    let targets = withdrawal.targets.into_iter().map(|target| {
        let id = EnforcementId::from_stored(&target.id);
        Ok(EnforcementTarget { id, audience: read_digest(target.audience)? })
    });
    Ok(EnforcementWithdrawal { targets: targets.collect::<Decoded<_>>()? })
}

/// Encodes an enforcement with its index in the request.
pub fn write_enforcement(index: u32, enforcement: &Enforcement) -> pb::Enforcement {
    let counts = enforcement.counts.iter().map(|one| pb::EnforcementCount {
        asset: number(AssetKind::ALL, &one.asset),
        platform: one.platform.as_ref().map(ToString::to_string).unwrap_or_default(),
        count: one.count,
        already_disabled: one.already_disabled,
        approximate: one.approximate,
    });
    pb::Enforcement {
        index,
        id: enforcement.id.to_string(),
        counts: counts.collect(),
        method: enforcement.method.map_or(0, |method| number(EnforcementMethod::ALL, &method)),
        from_day: enforcement.from.map(Day::number),
        until_day: enforcement.until.map(Day::number),
        campaign: enforcement.campaign.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        tip: enforcement.tip.map(|id| id.to_vec()).unwrap_or_default(),
        note: enforcement.note.as_deref().unwrap_or_default().to_owned(),
        source: number(EnforcementSource::ALL, &enforcement.source),
    }
}

/// Decodes an enforcement and its index in the request.
pub fn read_enforcement(enforcement: pb::Enforcement) -> Decoded<(u32, Enforcement)> {
    let counts = enforcement.counts.into_iter().map(|one| {
        let platform = (!one.platform.is_empty()).then(|| Platform::from_stored(one.platform));
        Ok(EnforcementCount {
            asset: required("asset", AssetKind::ALL, one.asset)?,
            platform,
            count: one.count,
            already_disabled: one.already_disabled,
            approximate: one.approximate,
        })
    });
    let read = Enforcement {
        id: EnforcementId::from_stored(&enforcement.id),
        counts: counts.collect::<Decoded<_>>()?,
        method: optional("method", EnforcementMethod::ALL, enforcement.method)?,
        from: enforcement.from_day.map(Day::from_number),
        until: enforcement.until_day.map(Day::from_number),
        campaign: read_uuid("campaign", enforcement.campaign)?.map(CampaignId::from_bytes),
        tip: read_uuid("tip", enforcement.tip)?,
        note: boxed(enforcement.note),
        source: required("source", EnforcementSource::ALL, enforcement.source)?,
    };
    Ok((enforcement.index, read))
}

/// Decodes an id of 16 bytes; `None` if empty.
pub fn read_uuid(field: &'static str, bytes: Vec<u8>) -> Decoded<Option<[u8; 16]>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    bytes.try_into().map(Some).map_err(|_| DecodeError::Length(field))
}
