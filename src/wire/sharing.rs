//! Sharing: an author's request, and a reader's view.

use std::collections::BTreeSet;

use prost::Message;

use super::enums::ProtoEnum;
use super::pb::{self, sharing};
use super::{read_timestamp, timestamp};
use crate::domain::sharing::{Audience, AudienceRequest, Release, SharingRequest, SharingView};
use crate::domain::{GroupId, Invalid, PartnerId, Tlp, text};

/// Maximum encoded size of a sharing, in bytes. It is stored with each item.
const MAX_BYTES: usize = 1_500;
const MAX_NAMES: usize = 100;
const MAX_RELEASES: usize = 20;
const MAX_BASIS_CHARS: usize = 500;

/// Parses an author's request. An absent sharing takes all defaults.
pub fn read(sharing: Option<&pb::Sharing>) -> Result<SharingRequest, Invalid> {
    let Some(sharing) = sharing else { return Ok(SharingRequest::default()) };
    if sharing.encoded_len() > MAX_BYTES {
        return Err(Invalid::new("sharing", format!("is larger than {MAX_BYTES} bytes")));
    }
    let audience = match &sharing.audience {
        None => None,
        Some(sharing::Audience::Everyone(_)) => Some(AudienceRequest::Everyone),
        Some(sharing::Audience::Public(_)) => Some(AudienceRequest::Public),
        Some(sharing::Audience::Named(named)) => Some(read_named(named)?),
    };
    if sharing.releases.len() > MAX_RELEASES {
        let reason = format!("names more than {MAX_RELEASES} liaisons");
        return Err(Invalid::new("sharing.releases", reason));
    }
    let releases = sharing.releases.iter().map(read_release).collect::<Result<_, _>>()?;
    Ok(SharingRequest { tlp: ProtoEnum::read(sharing.tlp)?, audience, releases })
}

/// Parses an audience that the author has used before.
pub fn read_audience(audience: &pb::Audience, field: &'static str) -> Result<Audience, Invalid> {
    if audience.encoded_len() > MAX_BYTES {
        return Err(Invalid::new(field, format!("is larger than {MAX_BYTES} bytes")));
    }
    let request = match &audience.audience {
        None => return Err(Invalid::new(field, "is set but names nobody")),
        Some(pb::audience::Audience::Everyone(_)) => AudienceRequest::Everyone,
        Some(pb::audience::Audience::Public(_)) => AudienceRequest::Public,
        Some(pb::audience::Audience::Named(named)) => read_named(named)?,
    };
    Audience::from_names(request, field)
}

/// Converts a reader's view.
pub fn write(view: &SharingView) -> pb::Sharing {
    let audience = match &view.audience {
        Audience::Everyone => sharing::Audience::Everyone(pb::Everyone {}),
        Audience::Public => sharing::Audience::Public(pb::Public {}),
        Audience::Named { groups, partners } => sharing::Audience::Named(pb::NamedAudience {
            groups: groups.iter().map(ToString::to_string).collect(),
            partners: partners.iter().map(ToString::to_string).collect(),
        }),
    };
    let releases = view.releases.iter().map(|release| pb::Release {
        liaison: release.liaison.to_string(),
        basis: release.basis.clone(),
        until: release.until.map(timestamp),
    });
    pb::Sharing {
        tlp: pb::Tlp::from(view.tlp).into(),
        audience: Some(audience),
        releases: releases.collect(),
    }
}

/// Parses what [`write`] wrote, as a client received it. Nothing is validated. Releases are left out.
///
/// Without a marking it is RED: the object may not be passed on. Without an audience it is nobody's: only the reader
/// itself is known to have the object.
pub fn read_view(sharing: Option<&pb::Sharing>) -> Result<SharingView, Invalid> {
    let tlp = sharing.map_or(Ok(None), |sharing| Tlp::read(sharing.tlp))?;
    let audience = match sharing.and_then(|sharing| sharing.audience.as_ref()) {
        Some(sharing::Audience::Everyone(_)) => Audience::Everyone,
        Some(sharing::Audience::Public(_)) => Audience::Public,
        Some(sharing::Audience::Named(named)) => Audience::Named {
            groups: named.groups.iter().map(|id| GroupId::from_stored(id)).collect(),
            partners: named.partners.iter().map(|id| PartnerId::from_stored(id)).collect(),
        },
        None => Audience::Named { groups: BTreeSet::new(), partners: BTreeSet::new() },
    };
    Ok(SharingView { tlp: tlp.unwrap_or(Tlp::Red), audience, releases: Vec::new() })
}

fn read_named(named: &pb::NamedAudience) -> Result<AudienceRequest, Invalid> {
    if named.groups.len() + named.partners.len() > MAX_NAMES {
        return Err(Invalid::new(
            "sharing.audience",
            format!("names more than {MAX_NAMES} groups and partners"),
        ));
    }
    let groups = named.groups.iter().map(|id| {
        GroupId::parse(id).map_err(|e| Invalid::new("sharing.audience.groups", e.reason))
    });
    let partners = named.partners.iter().map(|id| {
        PartnerId::parse(id).map_err(|e| Invalid::new("sharing.audience.partners", e.reason))
    });
    Ok(AudienceRequest::Named {
        groups: groups.collect::<Result<_, _>>()?,
        partners: partners.collect::<Result<_, _>>()?,
    })
}

fn read_release(release: &pb::Release) -> Result<Release, Invalid> {
    let liaison = PartnerId::parse(&release.liaison)
        .map_err(|e| Invalid::new("sharing.releases.liaison", e.reason))?;
    text::check("sharing.releases.basis", &release.basis, MAX_BASIS_CHARS)?;
    let until = release.until.as_ref();
    let until = until.map(|time| read_timestamp("sharing.releases.until", time)).transpose()?;
    Ok(Release { liaison, basis: release.basis.clone(), until })
}
