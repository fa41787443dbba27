//! Records of partners and groups.

use serde::{Deserialize, Serialize};

use super::codec::{decode, encode};
use crate::domain::partner::{Group, Partner};
use crate::domain::revocation::Revoked;
use crate::error::Result;

/// A partner with its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRecord {
    /// The partner.
    pub partner: Partner,
    /// The sequence at which it joined.
    pub since: u64,
    /// Whether it is suspended.
    pub suspended: bool,
    /// The sequence at which it confirmed the terms of the restricted group.
    pub confirmed: Option<u64>,
}

/// Encodes a partner.
pub fn partner(known: &PartnerRecord) -> Vec<u8> {
    encode(known)
}

/// Decodes a partner.
pub fn read_partner(bytes: &[u8]) -> Result<PartnerRecord> {
    decode(bytes, "a partner")
}

/// Encodes when and why certificates were revoked.
pub fn revoked(revoked: &Revoked) -> Vec<u8> {
    encode(revoked)
}

/// Decodes when and why certificates were revoked.
pub fn read_revoked(bytes: &[u8]) -> Result<Revoked> {
    decode(bytes, "a revocation")
}

/// Encodes a group.
pub fn group(group: &Group) -> Vec<u8> {
    encode(group)
}

/// Decodes a group.
pub fn read_group(bytes: &[u8]) -> Result<Group> {
    decode(bytes, "a group")
}
