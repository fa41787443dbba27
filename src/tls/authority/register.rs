//! What an authority has issued (`issued.jsonl`) and revoked (`crl.pem`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::{Authority, AuthorityError, Usage, date, file};
use crate::domain::revocation::Serial;
use crate::domain::{PartnerId, Timestamp};

/// A certificate that the authority has issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    /// Its serial number.
    pub serial: Serial,
    /// The partner that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner: Option<PartnerId>,
    /// The partner's workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<String>,
    /// The names of the server that it is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server: Vec<String>,
    /// When it was issued, in RFC 3339.
    pub issued: jiff::Timestamp,
    /// When it expires, in RFC 3339.
    pub expires: jiff::Timestamp,
}

impl Issued {
    pub(super) fn of(usage: &Usage, serial: Serial, now: Timestamp, life: Duration) -> Self {
        let time = |at: Timestamp| {
            jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or(jiff::Timestamp::MAX)
        };
        let (partner, workload, server) = match usage {
            Usage::Partner { id, workload } => (Some(id.clone()), workload.clone(), Vec::new()),
            Usage::Server { names } => (None, None, names.clone()),
        };
        let (issued, expires) = (time(now), time(now.plus(life)));
        Self { serial, partner, workload, server, issued, expires }
    }
}

/// The revocation list of the authority.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Its number; 0 before the first list.
    pub number: u64,
    /// When each certificate was revoked.
    pub at: BTreeMap<Serial, Timestamp>,
}

impl Authority {
    /// The certificates that it has issued, in order. Empty if it has not issued any. An error if the record cannot be read,
    /// or has a line that is not understood.
    pub fn issued(&self) -> Result<Vec<Issued>, AuthorityError> {
        let path = self.folder.join("issued.jsonl");
        let content = match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(file(&path))?,
        };
        let lines = BufReader::new(content).lines().enumerate();
        let issued = lines.map(|(at, line)| {
            let line = line.map_err(file(&path))?;
            serde_json::from_str(&line).map_err(|error| AuthorityError::Damaged {
                path: path.clone(),
                reason: format!("line {}: {error}", at + 1),
            })
        });
        issued.collect()
    }

    /// Records a certificate before it is used.
    pub(super) fn record(&self, issued: &Issued) -> Result<(), AuthorityError> {
        let path = self.folder.join("issued.jsonl");
        let mut line = serde_json::to_vec(issued).map_err(|error| AuthorityError::Damaged {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        line.push(b'\n');
        let mut log =
            OpenOptions::new().create(true).append(true).open(&path).map_err(file(&path))?;
        log.write_all(&line).and_then(|()| log.sync_all()).map_err(file(&path))
    }

    /// Its revocation list, in the file `crl.pem` of its folder.
    pub fn list_path(&self) -> PathBuf {
        self.folder.join("crl.pem")
    }

    /// What its list revokes. Nothing if there is no list. An error if the file is no list.
    pub fn revoked(&self) -> Result<Revoked, AuthorityError> {
        let path = self.list_path();
        let pem = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Revoked::default()),
            read => read.map_err(file(&path))?,
        };
        let damaged = |reason: &str| AuthorityError::Damaged {
            path: path.clone(),
            reason: reason.to_owned(),
        };
        let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).map_err(|_| damaged("is no PEM"))?;
        let (_, list) = CertificateRevocationList::from_der(&pem.contents)
            .map_err(|_| damaged("is no revocation list"))?;
        if Some(list.issuer().as_raw()) != self.subject().as_deref() {
            return Err(damaged(
                "it is the list of another authority: put its own there, from the server or a backup",
            ));
        }
        let number = number_of(&list);
        let at = list.iter_revoked_certificates().map(|revoked| {
            let at = revoked.revocation_date.timestamp().saturating_mul(1000);
            (Serial::of_bytes(revoked.raw_serial()), Timestamp::from_millis(at))
        });
        Ok(Revoked { number, at: at.collect() })
    }

    /// Fails if a file holds the list of another authority, or a newer one of this: writing there would lose it.
    pub fn check_target(&self, path: &Path) -> Result<(), AuthorityError> {
        let pem = match fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            read => read.map_err(file(path))?,
        };
        let (own, last) = (self.subject(), self.revoked()?.number);
        for section in x509_parser::pem::Pem::iter_from_buffer(&pem).filter_map(Result::ok) {
            let Ok((_, list)) = CertificateRevocationList::from_der(&section.contents) else {
                continue;
            };
            if Some(list.issuer().as_raw()) != own.as_deref() {
                return Err(AuthorityError::OtherList(path.to_owned()));
            }
            if number_of(&list) > last {
                return Err(AuthorityError::NewerList(path.to_owned()));
            }
        }
        Ok(())
    }

    /// Its name, as it is encoded in the lists that it signs.
    fn subject(&self) -> Option<Vec<u8>> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(self.root_pem.as_bytes()).ok()?;
        let (_, root) = X509Certificate::from_der(&pem.contents).ok()?;
        Some(root.subject().as_raw().to_vec())
    }

    /// Writes a new list that revokes these certificates too, as of `at`; `now` is the time of the list. The list is valid
    /// as long as the authority: an exchange refuses everybody under one that has expired.
    ///
    /// Two processes do not write at the same time. The list replaces the old one as a whole, and is on disk before this
    /// returns.
    pub fn revoke(
        &self,
        serials: &BTreeSet<Serial>,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<Revoked, AuthorityError> {
        let key = self.folder.join("ca-key.pem");
        let lock = fs::File::open(&key).map_err(file(&key))?;
        lock.lock().map_err(file(&key))?;
        let mut revoked = self.revoked()?;
        for serial in serials {
            // The last time counts: a certificate that is issued next has to begin later.
            let known = revoked.at.entry(serial.clone()).or_insert(at);
            *known = at.max(*known);
        }
        revoked.number += 1;
        let certificates = revoked.at.iter().map(|(serial, at)| RevokedCertParams {
            serial_number: SerialNumber::from(serial.to_bytes()),
            revocation_time: date(*at),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date(now),
            next_update: date(self.expires()?),
            crl_number: SerialNumber::from(revoked.number),
            issuing_distribution_point: None,
            revoked_certs: certificates.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let pem = list.signed_by(&self.issuer)?.pem()?;
        replace(&self.list_path(), &pem)?;
        Ok(revoked)
    }

    /// When its root certificate expires. An error if it cannot be read.
    pub fn expires(&self) -> Result<Timestamp, AuthorityError> {
        let damaged = |reason: &str| AuthorityError::Damaged {
            path: self.folder.join("ca.pem"),
            reason: reason.to_owned(),
        };
        let (_, pem) = x509_parser::pem::parse_x509_pem(self.root_pem.as_bytes())
            .map_err(|_| damaged("is no PEM"))?;
        let (_, root) =
            X509Certificate::from_der(&pem.contents).map_err(|_| damaged("is no certificate"))?;
        Ok(Timestamp::from_millis(root.validity().not_after.timestamp().saturating_mul(1000)))
    }
}

/// The number of a list; 0 if it has none.
fn number_of(list: &CertificateRevocationList<'_>) -> u64 {
    list.crl_number().and_then(|number| number.iter_u64_digits().next()).unwrap_or(0)
}

/// Replaces a file as a whole, with the mode 0644. The new content is on disk before it takes the place of the old; after
/// a power cut either may be there.
pub fn replace(path: &Path, text: &str) -> Result<(), AuthorityError> {
    use std::os::unix::fs::PermissionsExt;

    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let written =
        tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).and_then(|mut fresh| {
            fresh.write_all(text.as_bytes())?;
            fresh.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
            fresh.as_file().sync_all()?;
            fresh.persist(path).map_err(|error| error.error)?;
            Ok(())
        });
    written.map_err(file(path))
}
