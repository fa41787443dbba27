//! Parts of entries as they lie on disk, for the index, which keeps them in the journal's form.

use super::codec;
use crate::domain::campaign::Contribution;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{Given, Sighting, TipIndicator};
use crate::domain::partner::Partner;
use crate::domain::purpose::Purpose;
use crate::domain::{Assessment, IndicatorId, Sharing};
use crate::error::{Error, Result};

/// The bytes of a partner.
pub fn partner(partner: &Partner) -> Vec<u8> {
    codec::encode_partner(partner)
}

/// A partner from its bytes.
pub fn read_partner(bytes: &[u8]) -> Result<Partner> {
    codec::decode_partner(bytes).map_err(unreadable)
}

/// The bytes of a sharing. Equal sharings have equal bytes.
pub fn sharing(sharing: &Sharing) -> Vec<u8> {
    codec::encode_sharing(sharing)
}

/// A sharing from its bytes.
pub fn read_sharing(bytes: &[u8]) -> Result<Sharing> {
    codec::decode_sharing(bytes).map_err(unreadable)
}

/// Appends the bytes of what is said, but for the spelling. Equal assessments of one indicator
/// have equal bytes.
pub fn put_assessment(said: &Assessment, id: IndicatorId, bytes: &mut Vec<u8>) {
    codec::encode_assessment(said, id, bytes);
}

/// What is said from its bytes, and the indicator's id as it was stored.
pub fn read_assessment(bytes: &[u8]) -> Result<(IndicatorId, Assessment)> {
    codec::decode_assessment(bytes).map_err(unreadable)
}

/// Appends the bytes of a sighting.
pub fn put_sighting(sighting: &Sighting, bytes: &mut Vec<u8>) {
    codec::encode_sighting(sighting, bytes);
}

/// A sighting from its bytes.
pub fn read_sighting(bytes: &[u8]) -> Result<Sighting> {
    codec::decode_sighting(bytes).map_err(unreadable)
}

/// Appends the bytes of an enforcement. Equal ones have equal bytes.
pub fn put_enforcement(enforcement: &Enforcement, bytes: &mut Vec<u8>) {
    codec::encode_enforcement(enforcement, bytes);
}

/// An enforcement from its bytes.
pub fn read_enforcement(bytes: &[u8]) -> Result<Enforcement> {
    codec::decode_enforcement(bytes).map_err(unreadable)
}

/// Appends the bytes of what is said of a campaign. Equal contributions have equal bytes.
pub fn put_contribution(said: &Contribution, bytes: &mut Vec<u8>) {
    codec::encode_contribution(said, bytes);
}

/// What is said of a campaign, from its bytes.
pub fn read_contribution(bytes: &[u8]) -> Result<Contribution> {
    codec::decode_contribution(bytes).map_err(unreadable)
}

/// The bytes of a purpose.
pub fn purpose(purpose: &Purpose) -> Vec<u8> {
    codec::encode_purpose(purpose)
}

/// A purpose from its bytes.
pub fn read_purpose(bytes: &[u8]) -> Result<Purpose> {
    codec::decode_purpose(bytes).map_err(unreadable)
}

/// Appends the bytes of what a liaison was given.
pub fn put_given(given: &Given, bytes: &mut Vec<u8>) {
    codec::encode_given(given, bytes);
}

/// What a liaison was given from its bytes.
pub fn read_given(bytes: &[u8]) -> Result<Given> {
    codec::decode_given(bytes).map_err(unreadable)
}

/// Appends the bytes of an indicator that a tip refers to.
pub fn put_tip_indicator(indicator: &TipIndicator, bytes: &mut Vec<u8>) {
    codec::encode_tip_indicator(indicator, bytes);
}

/// An indicator that a tip refers to, from its bytes.
pub fn read_tip_indicator(bytes: &[u8]) -> Result<TipIndicator> {
    codec::decode_tip_indicator(bytes).map_err(unreadable)
}

fn unreadable(error: codec::DecodeError) -> Error {
    Error::internal("index_corrupt", error)
}
