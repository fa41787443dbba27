//! Certificates that an operator has revoked. They count beside the revocation lists of the authorities.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::hex;
use super::invalid::Invalid;
use super::partner::PartnerId;
use super::text;
use super::time::Timestamp;

/// Characters of a reason.
pub const MAX_REASON_CHARS: usize = 500;

/// The serial number of a certificate, in lower-case hex without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Serial(String);

impl Serial {
    /// Parses a serial number as tools print it: `2a`, `2A`, `00:2A`, `0x2a`. An error if it is empty or zero, has more
    /// than 20 bytes (RFC 5280, section 4.1.2.2), or is not hex.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const MAX_DIGITS: usize = 40;
        let invalid = || {
            let shown = text.chars().take(80).collect::<String>();
            let shown = shown.escape_debug();
            Invalid::new(
                "serial",
                format!("`{shown}` is not a serial number in hex, such as `2a:07`"),
            )
        };
        let text = text.trim();
        let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let digits = digits.replace([':', ' '], "").to_ascii_lowercase();
        let digits = digits.trim_start_matches('0');
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hex && (1..=MAX_DIGITS).contains(&digits.len()) {
            Ok(Self(digits.to_owned()))
        } else {
            Err(invalid())
        }
    }

    /// The serial number as a certificate encodes it.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(hex::encode(bytes).trim_start_matches('0').to_owned())
    }

    /// Its bytes, without leading zeros.
    pub fn to_bytes(&self) -> Vec<u8> {
        let digits =
            if self.0.len().is_multiple_of(2) { self.0.clone() } else { format!("0{}", self.0) };
        let bytes = digits.as_bytes().chunks(2);
        bytes
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    }

    /// Takes a serial number from the journal, without validation.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Which certificates are revoked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificates {
    /// The certificate with this serial number, whoever issued it.
    Serial(Serial),
    /// Every certificate of the partner whose validity has begun.
    OfPartner(PartnerId),
}

/// `partner/ID` or `serial/2a`. Those of partners come first.
impl fmt::Display for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfPartner(id) => write!(f, "partner/{id}"),
            Self::Serial(serial) => write!(f, "serial/{serial}"),
        }
    }
}

/// A request to revoke certificates. It cannot be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The certificates.
    pub certificates: Certificates,
    /// The operator's reason, in one line.
    pub reason: String,
}

impl Revocation {
    /// An error if the reason is missing, longer than [`MAX_REASON_CHARS`], or not one line of plain text.
    pub fn new(certificates: Certificates, reason: &str) -> Result<Self, Invalid> {
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(Invalid::new("reason", "is missing: say why, for who reads it later"));
        }
        text::check_line("reason", reason, MAX_REASON_CHARS)?;
        Ok(Self { certificates, reason: reason.to_owned() })
    }
}

/// When and why certificates were revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The time of the entry.
    pub at: Timestamp,
    /// The operator who revoked them.
    pub by: Option<PartnerId>,
    /// The operator's reason.
    pub reason: String,
}

/// What revocations ask of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The partner that it names; `None` if it names none.
    pub partner: Option<PartnerId>,
    /// Its serial number.
    pub serial: Serial,
    /// The start of its validity.
    pub not_before: Timestamp,
}

/// All revocations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocations {
    serials: BTreeMap<Serial, Revoked>,
    partners: BTreeMap<PartnerId, Revoked>,
}

impl Revocations {
    /// Adds a revocation. The first one of a serial number counts, and the last one of a partner. Returns what is in force.
    pub fn add(&mut self, certificates: Certificates, revoked: Revoked) -> &Revoked {
        match certificates {
            Certificates::Serial(serial) => self.serials.entry(serial).or_insert(revoked),
            Certificates::OfPartner(partner) => {
                let known = self.partners.entry(partner).or_insert_with(|| revoked.clone());
                if known.at < revoked.at {
                    *known = revoked;
                }
                known
            }
        }
    }

    /// Whether a certificate is revoked.
    pub fn cover(&self, certificate: &ClientCertificate) -> bool {
        let of_partner = certificate.partner.as_ref().and_then(|id| self.partners.get(id));
        self.serials.contains_key(&certificate.serial)
            || of_partner.is_some_and(|revoked| certificate.not_before <= revoked.at)
    }

    /// When and why certificates were revoked.
    pub fn get(&self, certificates: &Certificates) -> Option<&Revoked> {
        match certificates {
            Certificates::Serial(serial) => self.serials.get(serial),
            Certificates::OfPartner(partner) => self.partners.get(partner),
        }
    }

    /// Number of revocations.
    pub fn len(&self) -> usize {
        self.serials.len() + self.partners.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them: those of partners by id, then those of serial numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Certificates, &Revoked)> {
        let partners = self
            .partners
            .iter()
            .map(|(id, revoked)| (Certificates::OfPartner(id.clone()), revoked));
        let serials = self
            .serials
            .iter()
            .map(|(serial, revoked)| (Certificates::Serial(serial.clone()), revoked));
        partners.chain(serials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_read_as_tools_print_them() {
        for text in ["2a07", "2A07", "00:2A:07", "0x2a07", " 2a 07 "] {
            assert_eq!(Serial::parse(text).unwrap(), Serial::of_bytes(&[0, 0x2a, 7]), "{text}");
            assert_eq!(Serial::parse(text).unwrap().to_bytes(), [0x2a, 7], "{text}");
        }
        for text in ["", "0", "xyz", &"a".repeat(41)] {
            assert!(Serial::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_certificate_that_is_issued_after_its_partner_was_revoked_is_good() {
        let birdsite = PartnerId::from_stored("birdsite");
        let revoked = |at| Revoked {
            at: Timestamp::from_millis(at),
            by: None,
            reason: "a laptop was stolen".into(),
        };
        let certificate = |partner: &PartnerId, serial: u8, not_before| ClientCertificate {
            partner: Some(partner.clone()),
            serial: Serial::of_bytes(&[serial]),
            not_before: Timestamp::from_millis(not_before),
        };
        let mut revocations = Revocations::default();
        revocations.add(Certificates::OfPartner(birdsite.clone()), revoked(2_000));
        revocations.add(Certificates::OfPartner(birdsite.clone()), revoked(1_000));
        revocations.add(Certificates::Serial(Serial::of_bytes(&[9])), revoked(2_000));
        let other = PartnerId::from_stored("facegraph");
        let table = [
            (certificate(&birdsite, 1, 1_000), true),
            (certificate(&birdsite, 2, 2_000), true),
            (certificate(&birdsite, 3, 3_000), false),
            (certificate(&other, 1, 1_000), false),
            (certificate(&other, 9, 3_000), true),
            (ClientCertificate { partner: None, ..certificate(&other, 9, 0) }, true),
            (ClientCertificate { partner: None, ..certificate(&other, 1, 0) }, false),
        ];
        for (certificate, is_revoked) in table {
            assert_eq!(revocations.cover(&certificate), is_revoked, "{certificate:?}");
        }
        assert_eq!((revocations.len(), revocations.iter().count()), (2, 2));
    }
}
