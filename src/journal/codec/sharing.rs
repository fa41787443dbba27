//! Converts sharings.

use super::{DecodeError, Decoded, number, partner_ids, pb, required, strings};
use crate::domain::sharing::{Audience, Release};
use crate::domain::{GroupId, PartnerId, Sharing, Timestamp, Tlp};

const NAMED: u32 = 1;
const EVERYONE: u32 = 2;
const PUBLIC: u32 = 3;

pub fn write_sharing(sharing: &Sharing) -> pb::Sharing {
    let (audience, groups, partners) = match &sharing.audience {
        Audience::Named { groups, partners } => (NAMED, strings(groups), strings(partners)),
        Audience::Everyone => (EVERYONE, Vec::new(), Vec::new()),
        Audience::Public => (PUBLIC, Vec::new(), Vec::new()),
    };
    let releases = sharing.releases.iter().map(|release| pb::Release {
        liaison: release.liaison.to_string(),
        basis: release.basis.clone(),
        until_ms: release.until.map(Timestamp::as_millis),
    });
    pb::Sharing {
        tlp: number(Tlp::ALL, &sharing.tlp),
        audience,
        groups,
        partners,
        releases: releases.collect(),
    }
}

pub fn read_sharing(sharing: pb::Sharing) -> Decoded<Sharing> {
    let audience = match sharing.audience {
        NAMED => Audience::Named {
            groups: sharing.groups.iter().map(|id| GroupId::from_stored(id)).collect(),
            partners: partner_ids(&sharing.partners),
        },
        EVERYONE => Audience::Everyone,
        PUBLIC => Audience::Public,
        // Never guess: sharing with a wider audience than intended cannot be undone.
        other => return Err(DecodeError::Unknown("audience", other)),
    };
    let releases = sharing.releases.into_iter().map(|release| Release {
        liaison: PartnerId::from_stored(&release.liaison),
        basis: release.basis,
        until: release.until_ms.map(Timestamp::from_millis),
    });
    let tlp = required("tlp", Tlp::ALL, sharing.tlp)?;
    Ok(Sharing { tlp, audience, releases: releases.collect() })
}
