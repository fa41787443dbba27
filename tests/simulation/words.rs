//! Converts between the types of the exchange and those of a trace.

use tipoff::domain::account::AccountNames;
use tipoff::domain::entry::SubmissionId;
use tipoff::domain::sharing::{Audience, AudienceRequest, SharingRequest};
use tipoff::domain::submission::{ItemReceipt, Receipt};
use tipoff::domain::{Indicator, Kind, Platform, Position, Tlp};

use crate::cast::{bits, group, id};
use crate::history::{AudienceBits, GROUPS, PARTNERS, VALUES};
use crate::trace::{Observed, observation};

pub fn receipt(receipt: &Receipt) -> Observed {
    let batch = receipt.batch.as_ref().unwrap();
    let (items, versions) = item_words(&batch.items);
    let positions = std::iter::once(Position::new(batch.sequence, 0)).chain(versions).collect();
    Observed { text: format!("receipt {}{items}", batch.replayed), positions }
}

/// The outcomes of items, and the versions.
pub fn item_words(items: &[(u32, ItemReceipt)]) -> (String, Vec<Position>) {
    let (mut text, mut positions) = (String::new(), Vec::new());
    for (index, item) in items {
        let (outcome, version) = match item {
            ItemReceipt::Created(at) => ("created".to_owned(), Some(*at)),
            ItemReceipt::Recreated { version, .. } => ("sent again".into(), Some(*version)),
            ItemReceipt::Replaced { version, .. } => ("replaced".into(), Some(*version)),
            ItemReceipt::Unchanged(at) => ("unchanged".into(), Some(*at)),
            ItemReceipt::Rejected(invalid) => (invalid.to_string(), None),
        };
        text.extend([" ", &index.to_string(), " ", &outcome]);
        positions.extend(version);
    }
    (text, positions)
}

pub fn withdrawal(receipt: &tipoff::exchange::WithdrawalReceipt) -> Observed {
    let ids: Vec<_> = receipt.versions.iter().map(|(id, _)| id).collect();
    let versions = receipt.versions.iter().map(|(_, version)| *version);
    let entries = receipt.sequences.iter().map(|sequence| Position::new(*sequence, 0));
    observation(&format!("withdrawn {ids:?}"), versions.chain(entries).collect::<Vec<_>>())
}

pub fn request_receipt(receipt: &tipoff::exchange::RequestReceipt) -> Observed {
    let text = format!("accepted {} {:?} {}", receipt.counted, receipt.rejected, receipt.replayed);
    observation(&text, [Position::new(receipt.sequence, 0)])
}

pub fn submission_id(number: u32) -> SubmissionId {
    SubmissionId::from_stored(&format!("s{number}"))
}

/// Domains, and accounts on a platform that has no owner.
pub fn indicator(value: u8) -> Indicator {
    if value.is_multiple_of(2) {
        return Indicator::from_stored(Kind::Domain, None, format!("n{value}.example"));
    }
    let platform = Platform::from_stored("forum.example");
    Indicator::from_stored(Kind::Account, Some(platform), format!("n{value}"))
}

/// Other names of the account that a value is: its stable id, and the handle of another value.
pub fn other_names(value: u8, confidence: u8) -> AccountNames {
    if indicator(value).kind() != Kind::Account {
        return AccountNames::default();
    }
    AccountNames {
        account_id: confidence.is_multiple_of(2).then(|| stable_id(value).into_value()),
        former_handles: vec![indicator(((value + 2) % VALUES) | 1).into_value()],
    }
}

/// A stable id that some accounts have in common.
pub fn stable_id(value: u8) -> Indicator {
    let platform = Platform::from_stored("forum.example");
    Indicator::from_stored(Kind::AccountId, Some(platform), (value / 4).to_string())
}

pub fn sharing(to: &AudienceBits) -> SharingRequest {
    let (tlp, audience) = match to {
        AudienceBits::Everyone => (Tlp::Green, AudienceRequest::Everyone),
        AudienceBits::Public => (Tlp::Clear, AudienceRequest::Public),
        AudienceBits::Named { .. } => (Tlp::Amber, named(to)),
    };
    SharingRequest { tlp: Some(tlp), audience: Some(audience), releases: Vec::new() }
}

pub fn audience(to: &AudienceBits) -> Option<Audience> {
    let request = match to {
        AudienceBits::Everyone => AudienceRequest::Everyone,
        AudienceBits::Public => AudienceRequest::Public,
        AudienceBits::Named { .. } => named(to),
    };
    Audience::from_names(request, "audience").ok()
}

pub fn named(to: &AudienceBits) -> AudienceRequest {
    let AudienceBits::Named { groups, partners } = to else { panic!("named") };
    AudienceRequest::Named {
        groups: bits(*groups, GROUPS.len()).map(group).collect(),
        partners: bits(*partners, PARTNERS.len()).map(id).collect(),
    }
}
