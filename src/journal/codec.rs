//! Entries to `tipoff.journal.v1` and back. Its types are used here and nowhere else.

use prost::Message;
use thiserror::Error;

use crate::domain::assessment::{Basis, Confidence, Involvement, Severity, Technique, Verdict};
use crate::domain::entry::{AppendId, Batch, Body, Close, Entry, Item, Rejection, SubmissionId};
use crate::domain::indicator::CANONICAL_RULES_VERSION;
use crate::domain::label::Label;
use crate::domain::partner::{GroupDefinition, Partner, Role};
use crate::domain::sharing::{Audience, Release};
use crate::domain::{
    Assessment, GroupId, Indicator, IndicatorId, Invalid, Kind, PartnerId, Platform, Sharing,
    Timestamp, Tlp,
};

#[allow(missing_docs, clippy::pedantic)]
mod pb {
    include!(concat!(env!("OUT_DIR"), "/tipoff.journal.v1.rs"));
}

/// Why bytes of the journal cannot be read as what they should be.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// They are not the protobuf message.
    #[error(transparent)]
    Protobuf(#[from] prost::DecodeError),
    /// A field holds what this version does not know.
    #[error("its field `{0}` holds {1}, which this version does not know")]
    Unknown(&'static str, u32),
    /// A field has the wrong length.
    #[error("its field `{0}` has the wrong length")]
    Length(&'static str),
    /// It has no body.
    #[error("it has no body")]
    NoBody,
}

type Decoded<T> = Result<T, DecodeError>;

/// The bytes of an entry but for what the writer adds.
pub fn encode_entry(id: AppendId, author: Option<&PartnerId>, body: &Body) -> Vec<u8> {
    let body = match body {
        Body::PartnerPut(partner) => pb::entry::Body::PartnerPut(write_partner(partner)),
        Body::GroupPut(group) => pb::entry::Body::GroupPut(pb::Group {
            id: group.id.to_string(),
            name: group.name.clone(),
            history_all: group.history_all,
            members: strings(&group.members),
        }),
        Body::SubmissionBatch(batch) => pb::entry::Body::SubmissionBatch(write_batch(batch)),
        Body::SubmissionClosed(close) => pb::entry::Body::SubmissionClosed(pb::Close {
            partner: close.partner.to_string(),
            submission: close.submission.to_string(),
            batches: close.batches,
        }),
    };
    pb::Entry {
        id: id.as_bytes().to_vec(),
        author: author.map(ToString::to_string).unwrap_or_default(),
        body: Some(body),
    }
    .encode_to_vec()
}

/// An entry from its bytes and what the writer added.
pub fn decode_entry(sequence: u64, time: Timestamp, bytes: &[u8]) -> Decoded<Entry> {
    let entry = pb::Entry::decode(bytes)?;
    let id: [u8; 16] = entry.id.try_into().map_err(|_| DecodeError::Length("id"))?;
    let body = match entry.body.ok_or(DecodeError::NoBody)? {
        pb::entry::Body::PartnerPut(partner) => Body::PartnerPut(read_partner(partner)?),
        pb::entry::Body::GroupPut(group) => Body::GroupPut(GroupDefinition {
            id: GroupId::from_stored(&group.id),
            name: group.name,
            history_all: group.history_all,
            members: partner_ids(&group.members),
        }),
        pb::entry::Body::SubmissionBatch(batch) => Body::SubmissionBatch(read_batch(batch)?),
        pb::entry::Body::SubmissionClosed(close) => Body::SubmissionClosed(Close {
            partner: PartnerId::from_stored(&close.partner),
            submission: SubmissionId::from_stored(&close.submission),
            batches: close.batches,
        }),
    };
    let author = (!entry.author.is_empty()).then(|| PartnerId::from_stored(&entry.author));
    Ok(Entry { sequence, time, id: AppendId::from_bytes(id), author, body })
}

/// The bytes of a partner.
pub fn encode_partner(partner: &Partner) -> Vec<u8> {
    write_partner(partner).encode_to_vec()
}

/// A partner from its bytes.
pub fn decode_partner(bytes: &[u8]) -> Decoded<Partner> {
    read_partner(pb::Partner::decode(bytes)?)
}

/// The bytes of a sharing.
pub fn encode_sharing(sharing: &Sharing) -> Vec<u8> {
    write_sharing(sharing).encode_to_vec()
}

/// A sharing from its bytes.
pub fn decode_sharing(bytes: &[u8]) -> Decoded<Sharing> {
    read_sharing(pb::Sharing::decode(bytes)?)
}

/// Appends the bytes of what is said, but for the spelling.
pub fn encode_assessment(said: &Assessment, id: IndicatorId, bytes: &mut Vec<u8>) {
    write_assessment(said, id).encode_raw(bytes);
}

/// What is said from its bytes, and the indicator's id as it was stored.
pub fn decode_assessment(bytes: &[u8]) -> Decoded<(IndicatorId, Assessment)> {
    read_assessment(pb::Assessment::decode(bytes)?)
}

fn write_partner(partner: &Partner) -> pb::Partner {
    pb::Partner {
        id: partner.id.to_string(),
        name: partner.name.clone(),
        role: number(Role::ALL, &partner.role),
        platforms: strings(&partner.platforms),
        jurisdiction: partner.jurisdiction.clone().unwrap_or_default(),
        default_group: partner.default_group.as_ref().map(ToString::to_string).unwrap_or_default(),
        default_tlp: number(Tlp::ALL, &partner.default_tlp),
    }
}

fn read_partner(partner: pb::Partner) -> Decoded<Partner> {
    let text = |text: String| (!text.is_empty()).then_some(text);
    Ok(Partner {
        id: PartnerId::from_stored(&partner.id),
        name: partner.name,
        role: required("role", Role::ALL, partner.role)?,
        platforms: partner.platforms.into_iter().map(Platform::from_stored).collect(),
        jurisdiction: text(partner.jurisdiction),
        default_group: text(partner.default_group).map(|id| GroupId::from_stored(&id)),
        default_tlp: required("default_tlp", Tlp::ALL, partner.default_tlp)?,
    })
}

fn write_batch(batch: &Batch) -> pb::Batch {
    let rejected = batch.rejected.iter().map(|one| pb::Rejection {
        index: one.index,
        field: one.invalid.field.to_string(),
        reason: one.invalid.reason.to_string(),
    });
    let items = batch.items.iter().map(|item| pb::Item {
        index: item.index,
        assessment: Some(write_assessment(&item.assessment, item.id)),
        raw: item.assessment.raw.as_deref().unwrap_or_default().to_owned(),
    });
    pb::Batch {
        submission: batch.submission.to_string(),
        number: batch.number,
        digest: batch.digest.to_vec(),
        sharing: Some(write_sharing(&batch.sharing)),
        items: items.collect(),
        rejected: rejected.collect(),
        canonical_rules: CANONICAL_RULES_VERSION,
    }
}

fn read_batch(batch: pb::Batch) -> Decoded<Batch> {
    let items = batch.items.into_iter().map(|item| {
        let said = item.assessment.unwrap_or_default();
        let (id, mut assessment) = read_assessment(said)?;
        assessment.raw = boxed(item.raw);
        Ok(Item { index: item.index, id, assessment })
    });
    let rejected = batch
        .rejected
        .into_iter()
        .map(|one| Rejection { index: one.index, invalid: Invalid::new(one.field, one.reason) });
    Ok(Batch {
        submission: SubmissionId::from_stored(&batch.submission),
        number: batch.number,
        digest: batch.digest.try_into().map_err(|_| DecodeError::Length("digest"))?,
        sharing: read_sharing(batch.sharing.unwrap_or_default())?,
        items: items.collect::<Decoded<_>>()?,
        rejected: rejected.collect(),
    })
}

fn write_assessment(said: &Assessment, id: IndicatorId) -> pb::Assessment {
    let indicator = &said.indicator;
    pb::Assessment {
        id: id.as_bytes().to_vec(),
        kind: number(Kind::ALL, &indicator.kind()),
        platform: indicator.platform().map(ToString::to_string).unwrap_or_default(),
        value: indicator.value().to_owned(),
        verdict: said.verdict.map_or(0, |word| number(Verdict::ALL, &word)),
        confidence_plus_one: said.confidence.map_or(0, |c| u32::from(c.percent()) + 1),
        severity: said.severity.map_or(0, |word| number(Severity::ALL, &word)),
        involvement: said.involvement.map_or(0, |word| number(Involvement::ALL, &word)),
        basis: said.basis.map_or(0, |word| number(Basis::ALL, &word)),
        labels: said.labels.iter().map(|label| label.as_str().to_owned()).collect(),
        techniques: said.techniques.iter().map(|t| t.as_str().to_owned()).collect(),
        first_seen_ms: said.first_seen.map(Timestamp::as_millis),
        last_seen_ms: said.last_seen.map(Timestamp::as_millis),
        valid_until_ms: said.valid_until.map(Timestamp::as_millis),
        note: said.note.as_deref().unwrap_or_default().to_owned(),
        references: said.references.iter().map(std::string::ToString::to_string).collect(),
        campaign: said.campaign.as_deref().unwrap_or_default().to_owned(),
    }
}

fn read_assessment(said: pb::Assessment) -> Decoded<(IndicatorId, Assessment)> {
    let id: [u8; 16] = said.id.try_into().map_err(|_| DecodeError::Length("id"))?;
    let platform = (!said.platform.is_empty()).then(|| Platform::from_stored(said.platform));
    let kind = required("kind", Kind::ALL, said.kind)?;
    let confidence = match said.confidence_plus_one.checked_sub(1) {
        None => None,
        Some(percent) => Some(
            Confidence::new(percent).map_err(|_| DecodeError::Unknown("confidence", percent))?,
        ),
    };
    let assessment = Assessment {
        indicator: Indicator::from_stored(kind, platform, said.value),
        raw: None,
        verdict: optional("verdict", Verdict::ALL, said.verdict)?,
        confidence,
        severity: optional("severity", Severity::ALL, said.severity)?,
        involvement: optional("involvement", Involvement::ALL, said.involvement)?,
        basis: optional("basis", Basis::ALL, said.basis)?,
        labels: said.labels.iter().map(|text| Label::from_stored(text)).collect(),
        techniques: said.techniques.iter().map(|text| Technique::from_stored(text)).collect(),
        first_seen: said.first_seen_ms.map(Timestamp::from_millis),
        last_seen: said.last_seen_ms.map(Timestamp::from_millis),
        valid_until: said.valid_until_ms.map(Timestamp::from_millis),
        note: boxed(said.note),
        references: said.references.into_iter().map(String::into_boxed_str).collect(),
        campaign: boxed(said.campaign),
    };
    Ok((IndicatorId::from_bytes(id), assessment))
}

const NAMED: u32 = 1;
const EVERYONE: u32 = 2;
const PUBLIC: u32 = 3;

fn write_sharing(sharing: &Sharing) -> pb::Sharing {
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

fn read_sharing(sharing: pb::Sharing) -> Decoded<Sharing> {
    let audience = match sharing.audience {
        NAMED => Audience::Named {
            groups: sharing.groups.iter().map(|id| GroupId::from_stored(id)).collect(),
            partners: partner_ids(&sharing.partners),
        },
        EVERYONE => Audience::Everyone,
        PUBLIC => Audience::Public,
        // Never guessed: a wider audience than was meant cannot be taken back.
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

/// The number of a word on disk: its place in the list, from 1. The lists only ever grow at their
/// end, which a test holds them to.
fn number<T: PartialEq>(all: &[T], word: &T) -> u32 {
    all.iter().position(|one| one == word).and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(0)
}

fn optional<T: Copy>(field: &'static str, all: &[T], number: u32) -> Decoded<Option<T>> {
    if number == 0 { Ok(None) } else { required(field, all, number).map(Some) }
}

fn required<T: Copy>(field: &'static str, all: &[T], number: u32) -> Decoded<T> {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    at.and_then(|at| all.get(at)).copied().ok_or(DecodeError::Unknown(field, number))
}

fn boxed(text: String) -> Option<Box<str>> {
    (!text.is_empty()).then(|| text.into_boxed_str())
}

fn strings<'a, T: ToString + 'a>(all: impl IntoIterator<Item = &'a T>) -> Vec<String> {
    all.into_iter().map(ToString::to_string).collect()
}

fn partner_ids<C: FromIterator<PartnerId>>(ids: &[String]) -> C {
    ids.iter().map(|id| PartnerId::from_stored(id)).collect()
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
