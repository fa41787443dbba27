//! What entries came to: one record for each entry.

use super::{Part, codec};
use crate::domain::entry::Outcome;
use crate::error::Result;

const WHAT: &str = "an outcome";

/// Encodes what an entry came to, and the versions that it brought.
pub fn outcome(outcome: &Outcome, versions: Option<&Part>) -> Vec<u8> {
    codec::encode(&(outcome, versions))
}

/// Reads what an entry came to.
pub fn read_outcome(bytes: &[u8]) -> Result<Outcome> {
    Ok(codec::decode::<(Outcome, Option<Part>)>(bytes, WHAT)?.0)
}

/// Reads the versions that an entry brought, if it brought any.
pub fn read_versions(bytes: &[u8]) -> Result<Option<Part>> {
    Ok(codec::decode::<(Outcome, Option<Part>)>(bytes, WHAT)?.1)
}
