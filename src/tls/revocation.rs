//! Certificate revocation lists (`crl.pem`), validated before use.
//!
//! rustls treats an empty list of CRLs as "revocation is not checked". So a file without a usable
//! list must be an error.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::path::Path;

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::error::X509Error;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::folder::{FolderError, content};
use super::open::IssuerAndSerial;
use super::pem::PemFile;
use crate::domain::{Timestamp, hex};

const LABEL: &str = "X509 CRL";

/// The lists of a `crl.pem`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationLists {
    /// The lists, at least one.
    pub lists: Vec<CertificateRevocationListDer<'static>>,
    /// The certificates that they revoke.
    pub revoked: HashSet<IssuerAndSerial>,
    /// Issuer, end and size of each list, in the order of the file.
    pub summaries: Vec<ListSummary>,
    /// The highest number of each authority in `ca.pem`.
    numbers: Numbers,
}

/// What an operator watches of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSummary {
    /// The subject of the authority that issued it.
    pub issuer: String,
    /// When it expires.
    pub next_update: Option<Timestamp>,
    /// The number of certificates that it revokes.
    pub revoked: usize,
}

/// Reads `crl.pem` and validates its lists against the authorities in `ca.pem`. `None` if the file
/// does not exist.
pub fn read(
    path: &Path,
    authorities: &[CertificateDer<'_>],
) -> Result<Option<RevocationLists>, FolderError> {
    // Looks at the link itself: a dangling link is an error, not a missing list.
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FolderError::Read { path: path.into(), source }),
        Ok(_) => {}
    }
    let lists: Vec<_> = PemFile::read(path)?.only(LABEL)?.sections(LABEL)?;
    RevocationLists::of(lists, authorities).map(Some).map_err(|reason| content(path, reason))
}

impl RevocationLists {
    /// Checks that every list parses, that lists of an authority in `ca.pem` are signed by it, and that
    /// there is at least one of those. Others may belong to intermediate authorities, which come with a
    /// client's certificate.
    fn of(
        lists: Vec<CertificateRevocationListDer<'static>>,
        authorities: &[CertificateDer<'_>],
    ) -> Result<Self, String> {
        let parsed = authorities.iter().filter_map(|der| X509Certificate::from_der(der).ok());
        let authorities: Vec<_> = parsed.map(|(_, certificate)| certificate).collect();
        let mut covers_authority = false;
        let (mut revoked, mut summaries) = (HashSet::new(), Vec::new());
        let mut numbers = Numbers::default();
        for (i, list) in lists.iter().enumerate() {
            let which = format!("list {} of {}", i + 1, lists.len());
            let list = match CertificateRevocationList::from_der(list) {
                Ok(([], list)) => list,
                Ok(_) => return Err(format!("{which} is damaged: bytes follow its end")),
                Err(error) => return Err(format!("{which} is damaged or cut short: {error}")),
            };
            let is_signed = is_signed(&list, &authorities, &which)?;
            covers_authority |= is_signed;
            let issuer = list.issuer().as_raw();
            revoked.extend(list.iter_revoked_certificates().map(|certificate| IssuerAndSerial {
                issuer: issuer.to_vec(),
                serial: certificate.raw_serial().to_vec(),
            }));
            summaries.push(ListSummary {
                issuer: list.issuer().to_string(),
                next_update: list
                    .next_update()
                    .map(|time| Timestamp::from_millis(time.timestamp().saturating_mul(1000))),
                revoked: list.iter_revoked_certificates().count(),
            });
            // The number of a list that nobody has verified is not remembered.
            if is_signed {
                numbers.add(&list);
            }
        }
        if covers_authority {
            Ok(Self { lists, revoked, summaries, numbers })
        } else {
            Err("holds no list of an authority in ca.pem: every client would be refused".into())
        }
    }

    /// When the first list expires.
    pub fn next_update(&self) -> Option<Timestamp> {
        self.summaries.iter().filter_map(|list| list.next_update).min()
    }

    /// The number of the list of each authority in `ca.pem`, for the log: `0x1f 0x02`.
    pub fn numbers_text(&self) -> String {
        let text = |number: &String| match number.as_str() {
            "" => "none".to_owned(),
            number => format!("0x{number}"),
        };
        self.numbers.0.values().map(text).collect::<Vec<_>>().join(" ")
    }

    /// An error that names the file and each list that has expired, and says when the other lists expire.
    pub fn check_expiry(&self, file: &Path, now: Timestamp) -> Result<(), FolderError> {
        let (mut expired, mut others) = (Vec::new(), Vec::new());
        for list in &self.summaries {
            match list.next_update {
                Some(end) if end < now => {
                    expired.push(format!("the list of `{}`, which expired at {end}", list.issuer));
                }
                Some(end) => others.push(format!("the list of `{}` expires at {end}", list.issuer)),
                None => {}
            }
        }
        if expired.is_empty() {
            return Ok(());
        }
        let mut reason = format!(
            "holds {}: clients of the issuer are refused until a newer list is there",
            expired.join(", and ")
        );
        if !others.is_empty() {
            reason = format!("{reason}; {}", others.join("; "));
        }
        Err(content(file, reason))
    }

    /// An error that names the file if a list is older than one that was enforced before. The numbers of those are in
    /// the file `enforced`.
    pub fn check_numbers(&self, file: &Path, enforced: &Path) -> Result<(), FolderError> {
        let known = Numbers::read(enforced)
            .map_err(|source| FolderError::Read { path: enforced.into(), source })?;
        self.numbers.check(&known).map_err(|reason| content(file, reason))
    }

    /// Stores the numbers of the lists in the file `enforced`, beside those of other issuers.
    pub fn remember(&self, enforced: &Path) -> io::Result<()> {
        let known = Numbers::read(enforced)?;
        let mut all = known.clone();
        all.0.extend(self.numbers.0.clone());
        if all != known || !enforced.exists() {
            all.write(enforced)?;
        }
        Ok(())
    }
}

/// Whether a list is that of an authority in `ca.pem`. An error if the authority did not sign it.
fn is_signed(
    list: &CertificateRevocationList<'_>,
    authorities: &[X509Certificate<'_>],
    which: &str,
) -> Result<bool, String> {
    let issuer = list.issuer().as_raw();
    let mut issuers = authorities.iter().filter(|one| one.subject().as_raw() == issuer).peekable();
    if issuers.peek().is_none() {
        return Ok(false);
    }
    // Unknown algorithms are left to rustls, which verifies signatures again in each handshake.
    let signed = issuers.any(|issuer| {
        let checked = list.verify_signature(issuer.public_key());
        matches!(checked, Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm))
    });
    if signed {
        return Ok(true);
    }
    Err(format!(
        "{which} names `{}` as its issuer, but is not signed by its key in ca.pem",
        list.issuer()
    ))
}

/// The highest list number of each issuer. Issuer and number are in hex, as they are encoded. The number is empty if the
/// list has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Numbers(BTreeMap<String, String>);

impl Numbers {
    fn add(&mut self, list: &CertificateRevocationList<'_>) {
        let number = list.crl_number().map(|number| hex::encode(&number.to_bytes_be()));
        let number = number.unwrap_or_default();
        let highest = self.0.entry(hex::encode(list.issuer().as_raw())).or_default();
        if is_lower(highest, &number) {
            *highest = number;
        }
    }

    fn check(&self, enforced: &Self) -> Result<(), String> {
        for (issuer, known) in &enforced.0 {
            if let Some(number) = self.0.get(issuer).filter(|number| is_lower(number, known)) {
                let held = match number.as_str() {
                    "" => "a list without a number".to_owned(),
                    number => format!("list number 0x{number}"),
                };
                return Err(format!(
                    "holds {held}, but 0x{known} of the same issuer was enforced before: put the newest list there"
                ));
            }
        }
        Ok(())
    }

    /// Empty if the file does not exist. Older versions wrote an empty file.
    fn read(path: &Path) -> io::Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read?,
        };
        let pairs = text.lines().filter_map(|line| line.split_once(' '));
        Ok(Self(pairs.map(|(issuer, number)| (issuer.to_owned(), number.to_owned())).collect()))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        for (issuer, number) in &self.0 {
            writeln!(file, "{issuer} {number}")?;
        }
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}

/// Compares numbers in hex without leading zeros.
fn is_lower(one: &str, other: &str) -> bool {
    (one.len(), one) < (other.len(), other)
}
