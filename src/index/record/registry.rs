//! Partners and groups.

use serde::{Deserialize, Serialize};

use super::codec::{decode, encode};
use crate::domain::partner::{Group, Partner};
use crate::error::Result;

/// A partner as the journal's entries add up to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartnerRecord {
    /// The partner.
    pub partner: Partner,
    /// The entry since which it is one.
    pub since: u64,
    /// Whether it is kept out.
    pub suspended: bool,
    /// The entry with which it confirmed the terms of the restricted group.
    pub confirmed: Option<u64>,
}

/// The bytes of a partner.
pub fn partner(known: &PartnerRecord) -> Vec<u8> {
    encode(known)
}

/// Reads a partner.
pub fn read_partner(bytes: &[u8]) -> Result<PartnerRecord> {
    decode(bytes, "a partner")
}

/// The bytes of a group.
pub fn group(group: &Group) -> Vec<u8> {
    encode(group)
}

/// Reads a group.
pub fn read_group(bytes: &[u8]) -> Result<Group> {
    decode(bytes, "a group")
}
