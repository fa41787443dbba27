//! The built-in certificate authority: a folder with a root certificate and its key.
//!
//! It is meant for small exchanges and for development. Larger exchanges use their own authority;
//! all that the exchange requires of a client certificate is a single SPIFFE ID.

mod register;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use spiffe::{SpiffeId, TrustDomain};
use thiserror::Error;
use time::OffsetDateTime;

pub use self::register::{Issued, Revoked, replace};
use crate::domain::revocation::Serial;
use crate::domain::{PartnerId, Timestamp};

/// The files of an authority.
const FILES: [&str; 3] = ["ca-key.pem", "ca.pem", "trust-domain"];
const DAY: Duration = Duration::from_secs(86_400);
/// Validity of a root certificate: 10 years.
const ROOT_LIFE: Duration = Duration::from_secs(3_650 * 86_400);
/// How far the start of the validity is dated back, for peers whose clocks are slow: 5 minutes.
const BACKDATED_MS: i64 = 300_000;
/// Bytes of a serial number. RFC 5280 allows 20, with the sign.
const SERIAL_BYTES: usize = 16;

/// An error of the authority.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// The folder already holds an authority.
    #[error("{0} already holds an authority: a new one would invalidate all its certificates")]
    Exists(PathBuf),
    /// The folder holds no authority.
    #[error("{0} holds no authority: check --ca. `tipoff pki init {0}` would create a new one")]
    Missing(PathBuf),
    /// The folder holds a part of an authority.
    #[error(
        "{0} is missing: is this the folder of the authority? Check --ca. Its key may also be kept elsewhere"
    )]
    Incomplete(PathBuf),
    /// Key and certificate do not belong together.
    #[error("{0}: ca-key.pem is not the key of ca.pem")]
    OtherKey(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file holds the revocation list of another authority.
    #[error(
        "{0} holds the revocation list of another authority, which would be lost: put both lists into the file yourself"
    )]
    OtherList(PathBuf),
    /// A file holds a newer list of this authority.
    #[error(
        "{0} holds a newer list than crl.pem in the folder of the authority: copy it there first"
    )]
    NewerList(PathBuf),
    /// A file of the authority cannot be understood.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The name cannot be put into a certificate.
    #[error("{0}")]
    Name(String),
    /// The certificate cannot be created.
    #[error("cannot create the certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// A root certificate and its key, in a folder.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    trust_domain: TrustDomain,
    root_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// The purpose of a certificate.
#[derive(Clone, Debug)]
pub enum Usage {
    /// A client certificate for a partner.
    Partner {
        /// The partner.
        id: PartnerId,
        /// The workload, if the certificate is for one of several.
        workload: Option<String>,
    },
    /// A server certificate.
    Server {
        /// The host names and IP addresses of the server.
        names: Vec<String>,
    },
}

/// A new identity.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its certificate.
    pub issued: Issued,
    /// When the certificate begins. This may be up to a second ahead.
    pub begins: Timestamp,
}

impl Authority {
    /// Creates an authority in a folder: `ca.pem`, `ca-key.pem` (mode 0600) and `trust-domain`.
    /// Fails if the folder already holds one.
    pub fn init(folder: &Path, trust_domain: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        let trust_domain = parse_trust_domain(trust_domain)?;
        let key_path = folder.join("ca-key.pem");
        // The key of an authority may be kept elsewhere.
        if FILES.iter().any(|name| folder.join(name).exists()) {
            return Err(AuthorityError::Exists(folder.into()));
        }
        fs::create_dir_all(folder).map_err(file(folder))?;
        let key = KeyPair::generate()?;
        // A subject of its own: with the same subject as another authority, its certificates would be refused by that
        // one for a bad signature, and not because the authority is unknown.
        let name = format!("{trust_domain} root {:08x}", rand::random::<u32>());
        let mut params = params(now, ROOT_LIFE, &name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        // SPIFFE, X509-SVID, section 4: a signing certificate may carry the id of its trust domain, without a path.
        let id = trust_domain.id_string();
        params.subject_alt_names = vec![SanType::URI(id.try_into()?)];
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let root = CertifiedIssuer::self_signed(params, &key)?;
        write(&key_path, &key.serialize_pem(), Secret::Yes)?;
        write(&folder.join("ca.pem"), &root.pem(), Secret::No)?;
        write(&folder.join("trust-domain"), trust_domain.as_str(), Secret::No)?;
        Self::open(folder)
    }

    /// Opens the authority in a folder.
    pub fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound
                    if FILES.iter().any(|other| folder.join(other).exists()) =>
                {
                    AuthorityError::Incomplete(path)
                }
                io::ErrorKind::NotFound => AuthorityError::Missing(folder.into()),
                _ => AuthorityError::File { path, source },
            })
        };
        let root_pem = read("ca.pem")?;
        let key = KeyPair::from_pem(&read("ca-key.pem")?)?;
        let trust_domain = parse_trust_domain(read("trust-domain")?.trim())?;
        if !is_key_of(&root_pem, &key) {
            return Err(AuthorityError::OtherKey(folder.into()));
        }
        let issuer = Issuer::from_ca_cert_pem(&root_pem, key)?;
        Ok(Self { folder: folder.into(), trust_domain, root_pem, issuer })
    }

    /// The trust domain of its certificates.
    pub fn trust_domain(&self) -> &TrustDomain {
        &self.trust_domain
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Generates a key and a certificate and writes them as an identity folder: `ca.pem`,
    /// `cert.pem`, `key.pem` (mode 0600). Replaces an existing identity.
    ///
    /// The first certificate of a partner begins five minutes before, for a server whose clock is slow. A further one
    /// begins in the next second: those before it may be revoked, with all that begin before the revocation.
    pub fn issue(
        &self,
        usage: &Usage,
        days: u32,
        now: Timestamp,
        out: &Path,
    ) -> Result<Identity, AuthorityError> {
        fs::create_dir_all(out).map_err(file(out))?;
        let key = KeyPair::generate()?;
        let mut params = self.params(usage, days, now)?;
        let serial: [u8; SERIAL_BYTES] = rand::random();
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        let begins = self.begin(usage, now)?;
        params.not_before = date(begins);
        let certificate = params.signed_by(&key, &self.issuer)?;
        let issued = Issued::of(usage, Serial::of_bytes(&serial), now, DAY * days);
        self.record(&issued)?;
        write(&out.join("key.pem"), &key.serialize_pem(), Secret::Yes)?;
        write(&out.join("cert.pem"), &certificate.pem(), Secret::No)?;
        write(&out.join("ca.pem"), &self.root_pem, Secret::No)?;
        Ok(Identity { issued, begins })
    }

    /// When a certificate that is issued now begins.
    fn begin(&self, usage: &Usage, now: Timestamp) -> Result<Timestamp, AuthorityError> {
        let backdated = Timestamp::from_millis(now.as_millis() - BACKDATED_MS);
        let Usage::Partner { id, .. } = usage else { return Ok(backdated) };
        let issued = self.issued()?;
        let own: Vec<_> = issued.iter().filter(|one| one.partner.as_ref() == Some(id)).collect();
        if own.is_empty() {
            return Ok(backdated);
        }
        // The clock of the exchange, by which the list may be dated, may be ahead.
        let revoked = self.revoked()?;
        let last = own.iter().filter_map(|one| revoked.at.get(&one.serial)).max().copied();
        // Certificates know no milliseconds.
        let next_second =
            |at: Timestamp| Timestamp::from_millis((at.as_millis() / 1000 + 1) * 1000);
        Ok(next_second(last.map_or(now, |last| last.max(now))))
    }

    fn params(
        &self,
        usage: &Usage,
        days: u32,
        now: Timestamp,
    ) -> Result<CertificateParams, AuthorityError> {
        let life = DAY * days;
        let name_error = |error: String| AuthorityError::Name(error);
        let mut certificate = match usage {
            Usage::Partner { id, workload } => {
                let mut segments = vec!["partner", id.as_str()];
                segments.extend(workload.as_deref());
                let spiffe = SpiffeId::from_segments(self.trust_domain.clone(), &segments)
                    .map_err(|error| match workload {
                        Some(workload) => {
                            name_error(format!("the workload `{workload}` cannot be used: {error}"))
                        }
                        None => name_error(error.to_string()),
                    })?;
                let mut certificate = params(now, life, id.as_str());
                let uri = spiffe.to_string().try_into()?;
                certificate.subject_alt_names = vec![SanType::URI(uri)];
                certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
                certificate
            }
            Usage::Server { names } => {
                let first = names.first().ok_or_else(|| name_error("no host name".into()))?;
                let mut certificate = params(now, life, first);
                for name in names {
                    certificate.subject_alt_names.push(match name.parse::<IpAddr>() {
                        Ok(address) => SanType::IpAddress(address),
                        Err(_) => SanType::DnsName(name.clone().try_into()?),
                    });
                }
                certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
                certificate
            }
        };
        certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        certificate.use_authority_key_identifier_extension = true;
        Ok(certificate)
    }
}

/// Whether a key is that of a certificate.
fn is_key_of(certificate_pem: &str, key: &KeyPair) -> bool {
    let Ok((_, pem)) = x509_parser::pem::parse_x509_pem(certificate_pem.as_bytes()) else {
        return false;
    };
    pem.parse_x509().is_ok_and(|certificate| {
        certificate.public_key().subject_public_key.data.as_ref() == key.public_key_raw()
    })
}

fn params(now: Timestamp, life: Duration, common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date(Timestamp::from_millis(now.as_millis() - BACKDATED_MS));
    params.not_after = date(now.plus(life));
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Tipoff");
    name.push(DnType::CommonName, common_name);
    params.distinguished_name = name;
    params
}

/// A time in a certificate, which has whole seconds.
fn date(at: Timestamp) -> OffsetDateTime {
    let seconds = at.as_millis().div_euclid(1000);
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn parse_trust_domain(text: &str) -> Result<TrustDomain, AuthorityError> {
    TrustDomain::new(text)
        .map_err(|error| AuthorityError::Name(format!("`{text}` is not a trust domain: {error}")))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Secret {
    Yes,
    No,
}

fn write(path: &Path, text: &str, secret: Secret) -> Result<(), AuthorityError> {
    let mode = if secret == Secret::Yes { 0o600 } else { 0o644 };
    // Removed first: an existing file would keep its mode, which may let others read it.
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(file(path)(source)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut open =
        options.write(true).create_new(true).mode(mode).open(path).map_err(file(path))?;
    open.write_all(text.as_bytes()).map_err(file(path))
}

fn file(path: &Path) -> impl FnOnce(io::Error) -> AuthorityError {
    let path = path.to_owned();
    move |source| AuthorityError::File { path, source }
}
