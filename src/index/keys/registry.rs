//! Keys of partners, groups and revoked certificates.

use crate::domain::revocation::{Certificates, Serial};
use crate::domain::{GroupId, PartnerId};

/// Prefix of revoked certificates.
pub const REVOCATIONS: &[u8] = b"C";
/// Prefix of partners.
pub const PARTNERS: &[u8] = b"p";
/// Prefix of groups.
pub const GROUPS: &[u8] = b"g";

/// Revoked certificates.
pub fn revocation(certificates: &Certificates) -> Vec<u8> {
    let (which, name) = match certificates {
        Certificates::OfPartner(id) => (b"p", id.as_str()),
        Certificates::Serial(serial) => (b"s", serial.as_str()),
    };
    [REVOCATIONS, which, name.as_bytes()].concat()
}

/// The certificates in the key of [`revocation`].
pub fn read_revocation(key: &[u8]) -> Option<Certificates> {
    let (which, name) = key.strip_prefix(REVOCATIONS)?.split_first()?;
    let name = std::str::from_utf8(name).ok()?;
    match which {
        b'p' => Some(Certificates::OfPartner(PartnerId::from_stored(name))),
        b's' => Some(Certificates::Serial(Serial::from_stored(name))),
        _ => None,
    }
}

/// A partner.
pub fn partner(id: &PartnerId) -> Vec<u8> {
    [PARTNERS, id.as_str().as_bytes()].concat()
}

/// A group.
pub fn group(id: &GroupId) -> Vec<u8> {
    [GROUPS, id.as_str().as_bytes()].concat()
}
