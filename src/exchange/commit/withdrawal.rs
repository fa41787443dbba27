//! What entries that withdraw assessments have in common.

use crate::domain::entry::Target;

/// Targets of one entry. A larger withdrawal is split into several entries, so that it does not delay other requests.
pub const TARGETS_PER_ENTRY: usize = 500;

/// The bytes of targets, for the id of an entry.
pub fn targets_bytes(targets: &[Target]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(targets.len() * 36);
    for Target { id, audience, version } in targets {
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&audience.0);
        let version = version.unwrap_or_default();
        bytes.extend_from_slice(&version.sequence.to_be_bytes());
        bytes.extend_from_slice(&version.index.to_be_bytes());
    }
    bytes
}
