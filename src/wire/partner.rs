//! Partners and groups.

use std::collections::BTreeSet;

use super::enums::ProtoEnum;
use super::{pb, timestamp};
use crate::domain::partner::{Group, GroupDefinition, HourlyLimits, Partner, Role, Terms};
use crate::domain::purpose::PurposeKind;
use crate::domain::revocation::{Certificates, Revocation, Revoked, Serial};
use crate::domain::{GroupId, Invalid, PartnerId, Platform, Tlp, text};

const MAX_NAME_BYTES: usize = 200;
const MAX_PLATFORMS: usize = 100;
const MAX_MEMBERS: usize = 1_000;

/// Parses a partner, as the registry should store it.
pub fn read(request: &pb::PutPartnerRequest) -> Result<Partner, Invalid> {
    let missing = |field: &'static str| Invalid::new(field, "is missing");
    let partner = request.partner.as_ref().ok_or_else(|| missing("partner"))?;
    let id = read_id("partner.id", &partner.id)?;
    if partner.platforms.len() > MAX_PLATFORMS {
        let reason = format!("has more than {MAX_PLATFORMS} platforms");
        return Err(Invalid::new("partner.platforms", reason));
    }
    let platforms = partner
        .platforms
        .iter()
        .map(|text| Platform::parse(text).map_err(|e| Invalid::new("partner.platforms", e.reason)));
    let group = Some(request.default_group.as_str()).filter(|group| !group.is_empty());
    let limit = |limit: u64| (limit > 0).then_some(limit);
    let role = Role::read(partner.role)?.ok_or_else(|| missing("partner.role"))?;
    Ok(Partner {
        name: read_name("partner.name", &partner.name, id.as_str())?,
        role,
        platforms: platforms.collect::<Result<_, _>>()?,
        jurisdiction: read_jurisdiction(&partner.jurisdiction)?,
        default_group: group.map(|group| read_group_id("default_group", group)).transpose()?,
        default_tlp: Tlp::read(request.default_tlp)?.unwrap_or(Tlp::Amber),
        purposes: read_purposes(&partner.purposes)?,
        referrals_off: partner.referrals_off,
        limits: HourlyLimits {
            submitted: limit(partner.max_submitted_per_hour),
            withdrawn: limit(partner.max_withdrawn_per_hour),
        },
        id,
    })
}

fn read_purposes(purposes: &[i32]) -> Result<Vec<PurposeKind>, Invalid> {
    let read = |number: &i32| match PurposeKind::read(*number) {
        Ok(Some(kind)) => Ok(kind),
        Ok(None) => Err(Invalid::new("partner.purposes", "contains an unspecified value")),
        Err(invalid) => Err(Invalid::new("partner.purposes", invalid.reason)),
    };
    let purposes = purposes.iter().map(read).collect::<Result<BTreeSet<_>, _>>()?;
    Ok(purposes.into_iter().collect())
}

/// Parses a group definition.
pub fn read_group(group: Option<&pb::SharingGroup>) -> Result<GroupDefinition, Invalid> {
    let group = group.ok_or_else(|| Invalid::new("group", "is missing"))?;
    let id = read_group_id("group.id", &group.id)?;
    if group.members.len() > MAX_MEMBERS {
        let reason = format!("has more than {MAX_MEMBERS} members");
        return Err(Invalid::new("group.members", reason));
    }
    let members = group.members.iter().map(|member| read_id("group.members", member));
    let mut members = members.collect::<Result<Vec<_>, _>>()?;
    members.sort_unstable();
    members.dedup();
    if !group.restricted && !group.terms.is_empty() {
        return Err(Invalid::new("group.terms", "is only for restricted groups"));
    }
    let restricted = group.restricted.then(|| Terms::parse(&group.terms)).transpose()?;
    let name = read_name("group.name", &group.name, id.as_str())?;
    Ok(GroupDefinition { id, name, history_all: group.history_all, restricted, members })
}

/// Parses a partner's id.
pub fn read_id(field: &'static str, text: &str) -> Result<PartnerId, Invalid> {
    PartnerId::parse(text).map_err(|invalid| Invalid::new(field, invalid.reason))
}

/// Parses a group's id.
pub fn read_group_id(field: &'static str, text: &str) -> Result<GroupId, Invalid> {
    GroupId::parse(text).map_err(|invalid| Invalid::new(field, invalid.reason))
}

/// A display name; defaults to the id.
fn read_name(field: &'static str, name: &str, id: &str) -> Result<String, Invalid> {
    match name.trim() {
        "" => Ok(id.to_owned()),
        name if name.len() > MAX_NAME_BYTES => {
            Err(Invalid::new(field, format!("is longer than {MAX_NAME_BYTES} bytes")))
        }
        name => {
            text::check_line(field, name, MAX_NAME_BYTES)?;
            Ok(name.to_owned())
        }
    }
}

/// An ISO 3166-1 country or an ISO 3166-2 subdivision: `GB`, `GB-SCT`.
fn read_jurisdiction(text: &str) -> Result<Option<String>, Invalid> {
    let (country, part) = text.split_once('-').map_or((text, None), |(c, p)| (c, Some(p)));
    let fits = country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && part.is_none_or(|part| {
            (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
    match text {
        "" => Ok(None),
        _ if fits => Ok(Some(text.to_owned())),
        _ => Err(Invalid::new("partner.jurisdiction", "is not an ISO 3166 code such as `GB`")),
    }
}

/// Converts a partner, with the fields that every partner may see.
pub fn write(partner: &Partner) -> pb::Partner {
    pb::Partner {
        id: partner.id.to_string(),
        name: partner.name.clone(),
        role: pb::Role::from(partner.role).into(),
        platforms: partner.platforms.iter().map(ToString::to_string).collect(),
        jurisdiction: partner.jurisdiction.clone().unwrap_or_default(),
        suspended: false,
        purposes: partner.purposes.iter().map(|kind| pb::PurposeKind::from(*kind).into()).collect(),
        default_group: String::new(),
        default_tlp: pb::Tlp::Unspecified.into(),
        referrals_off: false,
        max_submitted_per_hour: 0,
        max_withdrawn_per_hour: 0,
    }
}

/// Converts a partner for itself, with what operators set for it.
pub fn write_own(partner: &Partner) -> pb::Partner {
    pb::Partner {
        referrals_off: partner.referrals_off,
        max_submitted_per_hour: partner.limits.submitted.unwrap_or(0),
        max_withdrawn_per_hour: partner.limits.withdrawn.unwrap_or(0),
        ..write(partner)
    }
}

/// Converts a partner for an operator, with all fields that `PutPartner` sets.
pub fn write_whole(partner: &Partner, suspended: bool) -> pb::Partner {
    pb::Partner {
        suspended,
        default_group: partner.default_group.as_ref().map(ToString::to_string).unwrap_or_default(),
        default_tlp: pb::Tlp::from(partner.default_tlp).into(),
        ..write_own(partner)
    }
}

/// Reads a request to revoke certificates.
pub fn read_revocation(request: &pb::RevokeCertificateRequest) -> Result<Revocation, Invalid> {
    use pb::revoke_certificate_request::Certificates as Requested;
    let certificates = match &request.certificates {
        Some(Requested::Serial(serial)) => Certificates::Serial(Serial::parse(serial)?),
        Some(Requested::Partner(id)) => Certificates::OfPartner(read_id("partner", id)?),
        None => {
            return Err(Invalid::new(
                "certificates",
                "is missing: name a serial number or a partner",
            ));
        }
    };
    Revocation::new(certificates, &request.reason)
}

/// Converts a revocation.
pub fn write_revocation(certificates: &Certificates, revoked: &Revoked) -> pb::RevokedCertificates {
    use pb::revoked_certificates::Certificates as Written;
    let certificates = match certificates {
        Certificates::Serial(serial) => Written::Serial(serial.to_string()),
        Certificates::OfPartner(id) => Written::Partner(id.to_string()),
    };
    pb::RevokedCertificates {
        certificates: Some(certificates),
        revoked_at: Some(timestamp(revoked.at)),
        revoked_by: revoked.by.as_ref().map(ToString::to_string).unwrap_or_default(),
        reason: revoked.reason.clone(),
    }
}

/// Converts a group for its members.
pub fn write_group(group: &Group) -> pb::SharingGroup {
    let mut members: Vec<_> = group.members().map(ToString::to_string).collect();
    members.sort_unstable();
    pb::SharingGroup {
        id: group.id.to_string(),
        name: group.name.clone(),
        members,
        history_all: group.history_all,
        restricted: group.restricted.is_some(),
        terms: group.restricted.as_ref().map(|t| t.as_str().to_owned()).unwrap_or_default(),
    }
}
