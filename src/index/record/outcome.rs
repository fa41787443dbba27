//! Outcomes: one record per entry.

use serde::{Deserialize, Serialize};

use super::EntryVersions;
use super::codec::{append, as_bytes, decode, decode_part, encode};
use crate::domain::entry::Outcome;
use crate::error::Result;

const WHAT: &str = "an outcome";

/// Outcome and versions of an entry. Each field is encoded on its own, so that readers can skip the
/// other.
#[derive(Serialize, Deserialize)]
struct OutcomeRecord<'a> {
    /// An [`Outcome`].
    #[serde(serialize_with = "as_bytes")]
    outcome: &'a [u8],
    /// The versions that the entry created: an `Option` of [`EntryVersions`].
    #[serde(serialize_with = "as_bytes")]
    versions: &'a [u8],
}

/// Encodes the outcome of an entry and the versions that it created.
pub fn outcome(outcome: &Outcome, versions: Option<&EntryVersions>) -> Vec<u8> {
    let (outcome, versions) = (append(outcome, Vec::new()), append(&versions, Vec::new()));
    encode(&OutcomeRecord { outcome: &outcome, versions: &versions })
}

/// Decodes the outcome.
pub fn read_outcome(bytes: &[u8]) -> Result<Outcome> {
    let record: OutcomeRecord<'_> = decode(bytes, WHAT)?;
    decode_part(record.outcome, WHAT)
}

/// Decodes the versions that the entry created, if any.
pub fn read_versions(bytes: &[u8]) -> Result<Option<EntryVersions>> {
    let record: OutcomeRecord<'_> = decode(bytes, WHAT)?;
    decode_part(record.versions, WHAT)
}
