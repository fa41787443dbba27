//! Converts entries to and from protobuf `tipoff.journal.v1`. The generated types are private to this
//! module.

mod batch;
mod campaign;
mod endings;
mod enforcement;
mod holds;
mod liaisons;
mod reactions;
mod sharing;
mod tips;

use prost::Message;
use thiserror::Error;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::EpochId;
use crate::domain::entry::{AppendId, Body, Close, Confirmation, Entry, Rejection, SubmissionId};
use crate::domain::indicator::CANONICAL_RULES_VERSION;
use crate::domain::list::ShrinkPolicy;
use crate::domain::partner::{GroupDefinition, HourlyLimits, Partner, Role, Terms};
use crate::domain::purpose::PurposeKind;
use crate::domain::revocation::{Certificates, Revocation, Serial};
use crate::domain::{GroupId, IndicatorId, Invalid, PartnerId, Platform, Timestamp, Tlp};
use crate::protobuf::Fields;

#[allow(missing_docs, clippy::pedantic)]
mod pb {
    include!(concat!(env!("OUT_DIR"), "/tipoff.journal.v1.rs"));
}

/// Why bytes of the journal cannot be decoded.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// Not valid protobuf.
    #[error(transparent)]
    Protobuf(#[from] prost::DecodeError),
    /// A field has a value that this version does not know.
    #[error("its field `{0}` holds {1}, which this version does not know")]
    Unknown(&'static str, u32),
    /// A field has the wrong length.
    #[error("its field `{0}` has the wrong length")]
    Length(&'static str),
    /// Its values and ids were derived by older rules of reading values.
    #[error(
        "its values were read by version {0} of the rules, and this build has version {CANONICAL_RULES_VERSION}"
    )]
    Rules(u32),
    /// A field is missing.
    #[error("its field `{0}` is missing")]
    Missing(&'static str),
    /// The entry has no body.
    #[error("it has no body")]
    NoBody,
}

type Decoded<T> = Result<T, DecodeError>;

/// Encodes an entry without its sequence and time, which the writer adds.
pub fn encode_entry(id: AppendId, author: Option<&PartnerId>, body: &Body) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut fields = Fields::append_to(&mut bytes);
    fields.bytes(1, id.as_bytes());
    fields.text(2, author.map(PartnerId::as_str).unwrap_or_default());
    let message = match body {
        Body::PartnerPut(partner) => pb::entry::Body::PartnerPut(write_partner(partner)),
        Body::GroupPut(group) => pb::entry::Body::GroupPut(pb::Group {
            id: group.id.to_string(),
            name: group.name.clone(),
            history_all: group.history_all,
            members: strings(&group.members),
            terms: group.restricted.as_ref().map(|t| t.as_str().to_owned()).unwrap_or_default(),
        }),
        Body::SubmissionBatch(batch) => {
            fields.message(5, |fields| batch::put_batch(batch, fields));
            return bytes;
        }
        Body::SubmissionClosed(close) => pb::entry::Body::SubmissionClosed(pb::Close {
            partner: close.partner.to_string(),
            submission: close.submission.to_string(),
            batches: close.batches,
            shrink: close.policy.shrink,
            unreadable: close.policy.unreadable,
        }),
        Body::PartnerSuspended(id) => pb::entry::Body::PartnerSuspended(id.to_string()),
        Body::PartnerResumed(id) => pb::entry::Body::PartnerResumed(id.to_string()),
        Body::CertificatesRevoked(revocation) => {
            pb::entry::Body::CertificatesRevoked(write_revocation(revocation))
        }
        Body::TermsConfirmed(confirmed) => pb::entry::Body::TermsConfirmed(pb::Confirmation {
            partner: confirmed.partner.to_string(),
            group: confirmed.group.to_string(),
        }),
        Body::Withdrawal(it) => pb::entry::Body::Withdrawal(endings::write_withdrawal(it)),
        Body::WithdrawalSweep(it) => {
            pb::entry::Body::WithdrawalSweep(endings::write_withdrawal_sweep(it))
        }
        Body::Expiry(it) => pb::entry::Body::Expiry(endings::write_expiry(it)),
        Body::Sightings(it) => pb::entry::Body::Sightings(reactions::write_sightings(it)),
        Body::Feedback(it) => pb::entry::Body::Feedback(reactions::write_feedback(it)),
        Body::Enforcements(it) => pb::entry::Body::Enforcements(enforcement::write(it)),
        Body::EnforcementWithdrawal(it) => {
            pb::entry::Body::EnforcementWithdrawal(enforcement::write_withdrawal(it))
        }
        Body::CampaignPut(it) => pb::entry::Body::CampaignPut(campaign::write(it)),
        Body::Release(it) => pb::entry::Body::Release(liaisons::write_release(it)),
        Body::ReleaseEnd(it) => pb::entry::Body::ReleaseEnd(liaisons::write_end(it)),
        Body::Accessed(it) => pb::entry::Body::Accessed(liaisons::write_accessed(it)),
        Body::AccessSweep(it) => pb::entry::Body::AccessSweep(liaisons::write_access_sweep(it)),
        Body::HoldPlaced(it) => pb::entry::Body::HoldPlaced(holds::write_placed(it)),
        Body::HoldChange(it) => pb::entry::Body::HoldChange(holds::write_change(it)),
        Body::HoldSweep(it) => pb::entry::Body::HoldSweep(holds::write_sweep(it)),
        Body::TipSent(it) => pb::entry::Body::TipSent(tips::write_sent(it)),
        Body::TipResponded(it) => pb::entry::Body::TipResponded(tips::write_response(it)),
        Body::TipWithdrawn(id) => pb::entry::Body::TipWithdrawn(id.as_bytes().to_vec()),
        Body::TipsReopened(it) => pb::entry::Body::TipsReopened(tips::write_reopened(it)),
        Body::Referred(it) => pb::entry::Body::Referred(tips::write_referral(it)),
        Body::Epoch(epoch) => pb::entry::Body::Epoch(epoch.0.to_vec()),
    };
    message.encode(&mut bytes);
    bytes
}

/// Decodes an entry, and adds its sequence and time.
pub fn decode_entry(sequence: u64, time: Timestamp, bytes: &[u8]) -> Decoded<Entry> {
    let entry = pb::Entry::decode(bytes)?;
    let id: [u8; 16] = entry.id.try_into().map_err(|_| DecodeError::Length("id"))?;
    let body = match entry.body.ok_or(DecodeError::NoBody)? {
        pb::entry::Body::PartnerPut(partner) => Body::PartnerPut(read_partner(partner)?),
        pb::entry::Body::GroupPut(group) => Body::GroupPut(GroupDefinition {
            id: GroupId::from_stored(&group.id),
            name: group.name,
            history_all: group.history_all,
            restricted: (!group.terms.is_empty()).then(|| Terms::from_stored(&group.terms)),
            members: partner_ids(&group.members),
        }),
        pb::entry::Body::SubmissionBatch(batch) => Body::SubmissionBatch(batch::read_batch(batch)?),
        pb::entry::Body::SubmissionClosed(close) => Body::SubmissionClosed(Close {
            partner: PartnerId::from_stored(&close.partner),
            submission: SubmissionId::from_stored(&close.submission),
            batches: close.batches,
            policy: ShrinkPolicy { shrink: close.shrink, unreadable: close.unreadable },
        }),
        pb::entry::Body::PartnerSuspended(id) => {
            Body::PartnerSuspended(PartnerId::from_stored(&id))
        }
        pb::entry::Body::PartnerResumed(id) => Body::PartnerResumed(PartnerId::from_stored(&id)),
        pb::entry::Body::CertificatesRevoked(revocation) => {
            Body::CertificatesRevoked(read_revocation(revocation)?)
        }
        pb::entry::Body::TermsConfirmed(confirmed) => Body::TermsConfirmed(Confirmation {
            partner: PartnerId::from_stored(&confirmed.partner),
            group: GroupId::from_stored(&confirmed.group),
        }),
        pb::entry::Body::Withdrawal(it) => Body::Withdrawal(endings::read_withdrawal(it)?),
        pb::entry::Body::WithdrawalSweep(it) => {
            Body::WithdrawalSweep(endings::read_withdrawal_sweep(it))
        }
        pb::entry::Body::Expiry(it) => Body::Expiry(endings::read_expiry(it)?),
        pb::entry::Body::Sightings(it) => Body::Sightings(reactions::read_sightings(it)?),
        pb::entry::Body::Feedback(it) => Body::Feedback(reactions::read_feedback(it)?),
        pb::entry::Body::Enforcements(it) => Body::Enforcements(enforcement::read(it)?),
        pb::entry::Body::EnforcementWithdrawal(it) => {
            Body::EnforcementWithdrawal(enforcement::read_withdrawal(it)?)
        }
        pb::entry::Body::CampaignPut(it) => Body::CampaignPut(campaign::read(it)?),
        pb::entry::Body::Release(it) => Body::Release(liaisons::read_release(it)?),
        pb::entry::Body::ReleaseEnd(it) => Body::ReleaseEnd(liaisons::read_end(it)?),
        pb::entry::Body::Accessed(it) => Body::Accessed(liaisons::read_accessed(it)?),
        pb::entry::Body::AccessSweep(it) => Body::AccessSweep(liaisons::read_access_sweep(it)),
        pb::entry::Body::HoldPlaced(it) => Body::HoldPlaced(holds::read_placed(it)?),
        pb::entry::Body::HoldChange(it) => Body::HoldChange(holds::read_change(&it)?),
        pb::entry::Body::HoldSweep(it) => Body::HoldSweep(holds::read_sweep(it)?),
        pb::entry::Body::TipSent(it) => Body::TipSent(tips::read_sent(it)?),
        pb::entry::Body::TipResponded(it) => Body::TipResponded(tips::read_response(it)?),
        pb::entry::Body::TipWithdrawn(id) => Body::TipWithdrawn(tips::read_tip_id(id)?),
        pb::entry::Body::TipsReopened(it) => Body::TipsReopened(tips::read_reopened(it)?),
        pb::entry::Body::Referred(it) => Body::Referred(tips::read_referral(it)?),
        pb::entry::Body::Epoch(id) => {
            Body::Epoch(EpochId(id.try_into().map_err(|_| DecodeError::Length("epoch"))?))
        }
    };
    let author = (!entry.author.is_empty()).then(|| PartnerId::from_stored(&entry.author));
    Ok(Entry { sequence, time, id: AppendId::from_bytes(id), author, body })
}

fn write_revocation(revocation: &Revocation) -> pb::Revocation {
    let certificates = match &revocation.certificates {
        Certificates::Serial(serial) => pb::revocation::Certificates::Serial(serial.to_string()),
        Certificates::OfPartner(id) => pb::revocation::Certificates::Partner(id.to_string()),
    };
    pb::Revocation { certificates: Some(certificates), reason: revocation.reason.clone() }
}

fn read_revocation(revocation: pb::Revocation) -> Decoded<Revocation> {
    let certificates = revocation.certificates.ok_or(DecodeError::Missing("certificates"))?;
    Ok(Revocation {
        certificates: match certificates {
            pb::revocation::Certificates::Serial(serial) => {
                Certificates::Serial(Serial::from_stored(&serial))
            }
            pb::revocation::Certificates::Partner(id) => {
                Certificates::OfPartner(PartnerId::from_stored(&id))
            }
        },
        reason: revocation.reason,
    })
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
        purposes: partner.purposes.iter().map(|kind| number(PurposeKind::ALL, kind)).collect(),
        referrals_off: partner.referrals_off,
        max_submitted_per_hour: partner.limits.submitted.unwrap_or(0),
        max_withdrawn_per_hour: partner.limits.withdrawn.unwrap_or(0),
    }
}

fn read_partner(partner: pb::Partner) -> Decoded<Partner> {
    let text = |text: String| (!text.is_empty()).then_some(text);
    let limit = |limit: u64| (limit > 0).then_some(limit);
    Ok(Partner {
        id: PartnerId::from_stored(&partner.id),
        name: partner.name,
        role: required("role", Role::ALL, partner.role)?,
        platforms: partner.platforms.into_iter().map(Platform::from_stored).collect(),
        jurisdiction: text(partner.jurisdiction),
        default_group: text(partner.default_group).map(|id| GroupId::from_stored(&id)),
        default_tlp: required("default_tlp", Tlp::ALL, partner.default_tlp)?,
        purposes: partner
            .purposes
            .into_iter()
            .map(|kind| required("purposes", PurposeKind::ALL, kind))
            .collect::<Decoded<_>>()?,
        referrals_off: partner.referrals_off,
        limits: HourlyLimits {
            submitted: limit(partner.max_submitted_per_hour),
            withdrawn: limit(partner.max_withdrawn_per_hour),
        },
    })
}

fn write_rejected(rejected: &[Rejection]) -> Vec<pb::Rejection> {
    let rejected = rejected.iter().map(|one| pb::Rejection {
        index: one.index,
        field: one.invalid.field.to_string(),
        reason: one.invalid.reason.to_string(),
    });
    rejected.collect()
}

fn read_rejected(rejected: Vec<pb::Rejection>) -> Vec<Rejection> {
    let rejected = rejected
        .into_iter()
        .map(|one| Rejection { index: one.index, invalid: Invalid::new(one.field, one.reason) });
    rejected.collect()
}

fn read_digest(bytes: Vec<u8>) -> Decoded<AudienceDigest> {
    Ok(AudienceDigest(bytes.try_into().map_err(|_| DecodeError::Length("audience"))?))
}

fn read_id(bytes: Vec<u8>) -> Decoded<IndicatorId> {
    Ok(IndicatorId::from_bytes(bytes.try_into().map_err(|_| DecodeError::Length("id"))?))
}

/// The number of an enum value on disk: its index in the list, starting at 1. Lists only grow at the
/// end; a test checks it.
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
