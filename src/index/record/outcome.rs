//! What entries came to: one record for each entry.

use serde::{Deserialize, Serialize};

use super::EntryVersions;
use super::codec::{append, as_bytes, decode, decode_part, encode};
use crate::domain::entry::Outcome;
use crate::error::Result;

const WHAT: &str = "an outcome";

/// What is stored of an entry. Its fields are encoded each by itself, so that who reads one skips the other.
#[derive(Serialize, Deserialize)]
struct OutcomeRecord<'a> {
    /// An [`Outcome`].
    #[serde(serialize_with = "as_bytes")]
    outcome: &'a [u8],
    /// The versions that the entry brought: an `Option` of a [`Brought`].
    #[serde(serialize_with = "as_bytes")]
    versions: &'a [u8],
}

/// Encodes what an entry came to, and the versions that it brought.
pub fn outcome(outcome: &Outcome, versions: Option<&EntryVersions>) -> Vec<u8> {
    let (outcome, versions) = (append(outcome, Vec::new()), append(&versions, Vec::new()));
    encode(&OutcomeRecord { outcome: &outcome, versions: &versions })
}

/// Reads what an entry came to.
pub fn read_outcome(bytes: &[u8]) -> Result<Outcome> {
    let record: OutcomeRecord<'_> = decode(bytes, WHAT)?;
    decode_part(record.outcome, WHAT)
}

/// Reads the versions that an entry brought, if it brought any.
pub fn read_versions(bytes: &[u8]) -> Result<Option<EntryVersions>> {
    let record: OutcomeRecord<'_> = decode(bytes, WHAT)?;
    decode_part(record.versions, WHAT)
}
