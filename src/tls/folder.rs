//! Identity folders: `ca.pem`, `cert.pem`, `key.pem`, and on a server `crl.pem`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use spiffe::TrustDomain;
use thiserror::Error;
use x509_parser::error::X509Error;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::pem::PemFile;
use super::revocation::{self, RevocationLists};
use crate::domain::Timestamp;
use crate::domain::revocation::Serial;

/// Why an identity folder cannot be used. Each error names the file.
#[derive(Debug, Error)]
pub enum FolderError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file has unexpected content.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

/// The content of an identity folder.
pub struct IdentityFolder {
    /// The certificates of the authority.
    pub roots: RootCertStore,
    /// The certificate chain, leaf first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key of the leaf.
    pub key: PrivateKeyDer<'static>,
    /// The certificate revocation lists; `None` without a `crl.pem`.
    pub revocation: Option<RevocationLists>,
    /// Whether the chain leads to one of the authorities.
    leads_to_authority: bool,
    /// The trust domain of each authority that names one in its certificate.
    trust_domains: Vec<Option<TrustDomain>>,
}

/// A side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that connects.
    Client,
    /// The side that accepts.
    Server,
}

impl IdentityFolder {
    /// Reads a folder and checks that key and certificate match.
    pub fn read(folder: &Path, provider: &CryptoProvider) -> Result<Self, FolderError> {
        let ca = folder.join("ca.pem");
        let authorities = certificates(&ca)?;
        let mut roots = RootCertStore::empty();
        for certificate in &authorities {
            roots.add(certificate.clone()).map_err(|error| content(&ca, error.to_string()))?;
        }
        let chain = certificates(&folder.join("cert.pem"))?;
        let key_path = folder.join("key.pem");
        let keys: Vec<PrivateKeyDer<'_>> = PemFile::read(&key_path)?.sections("private key")?;
        let Some(key) = keys.into_iter().next() else {
            return Err(content(&key_path, "holds no private key in PEM"));
        };
        let pair = CertifiedKey::from_der(chain.clone(), key.clone_key(), provider)
            .map_err(|error| content(&key_path, format!("is not the key of cert.pem: {error}")))?;
        match pair.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
            Err(_) => return Err(content(&key_path, "is not the key of cert.pem")),
        }
        let revocation = revocation::read(&folder.join("crl.pem"), &authorities)?;
        let leads_to_authority = leads_to(&chain, &authorities);
        let trust_domains = parsed(&authorities).iter().map(trust_domain).collect();
        Ok(Self { roots, chain, key, revocation, leads_to_authority, trust_domains })
    }

    /// Reads a folder, and checks that a client could use it.
    pub fn read_client(folder: &Path) -> Result<Self, FolderError> {
        let identity = Self::read(folder, &super::provider())?;
        identity.check_side(folder, Side::Client)?;
        Ok(identity)
    }

    /// Checks that the certificate's extended key usage allows this side. The peer would refuse it
    /// otherwise.
    pub fn check_side(&self, folder: &Path, side: Side) -> Result<(), FolderError> {
        let path = folder.join("cert.pem");
        let unreadable = || content(&path, "is not an X.509 certificate");
        let leaf = self.chain.first().ok_or_else(unreadable)?;
        let reason = match side {
            Side::Client => {
                "is not a client certificate: its extended key usage does not allow TLS client authentication"
            }
            Side::Server => {
                "is not a server certificate: its extended key usage does not allow TLS server authentication"
            }
        };
        if !allows(leaf, side).ok_or_else(unreadable)? {
            return Err(content(&path, reason));
        }
        // A client may have another authority than the server: its own knows.
        if side == Side::Server && !self.leads_to_authority {
            return Err(content(
                &path,
                "is not signed by an authority in ca.pem: clients that trust those would refuse it",
            ));
        }
        Ok(())
    }

    /// Checks that an authority can issue certificates of a trust domain. Authorities that name none may issue any.
    pub fn check_trust_domain(&self, folder: &Path, own: &TrustDomain) -> Result<(), FolderError> {
        let may_issue = |named: &Option<TrustDomain>| named.as_ref().is_none_or(|it| it == own);
        if self.trust_domains.iter().any(may_issue) {
            return Ok(());
        }
        let named: Vec<_> = self.trust_domains.iter().flatten().map(TrustDomain::as_str).collect();
        let reason = format!(
            "is of the trust domain `{}`, but server.trust_domain is `{own}`: no client would be known",
            named.join("`, `")
        );
        Err(content(&folder.join("ca.pem"), reason))
    }

    /// When the leaf certificate expires.
    pub fn not_after(&self) -> Option<Timestamp> {
        let (_, certificate) = X509Certificate::from_der(self.chain.first()?).ok()?;
        let seconds = certificate.validity().not_after.timestamp();
        Some(Timestamp::from_millis(seconds.saturating_mul(1000)))
    }

    /// The serial number of the leaf certificate.
    pub fn serial(&self) -> Option<Serial> {
        let (_, certificate) = X509Certificate::from_der(self.chain.first()?).ok()?;
        Some(Serial::of_bytes(certificate.raw_serial()))
    }

    /// The roots, as rustls needs them.
    pub fn shared_roots(&self) -> Arc<RootCertStore> {
        Arc::new(self.roots.clone())
    }
}

/// Whether each certificate of a chain is signed by another one in it or by an authority, up to an authority.
fn leads_to(chain: &[CertificateDer<'_>], authorities: &[CertificateDer<'_>]) -> bool {
    // Unknown algorithms are left to rustls.
    let is_signed = |one: &X509Certificate<'_>, by: &X509Certificate<'_>| {
        let verified = one.verify_signature(Some(by.public_key()));
        by.subject().as_raw() == one.issuer().as_raw()
            && !matches!(verified, Err(X509Error::SignatureVerificationError))
    };
    let (chain, authorities) = (parsed(chain), parsed(authorities));
    let Some((leaf, intermediates)) = chain.split_first() else { return false };
    let mut certificate = leaf;
    // Each step goes up by one certificate, so that a circle of issuers ends too.
    for _ in 0..=intermediates.len() {
        if authorities.iter().any(|authority| is_signed(certificate, authority)) {
            return true;
        }
        let Some(issuer) = intermediates.iter().find(|issuer| is_signed(certificate, issuer))
        else {
            return false;
        };
        certificate = issuer;
    }
    false
}

/// The trust domain in the certificate of an authority: its SPIFFE ID, which has no path.
fn trust_domain(authority: &X509Certificate<'_>) -> Option<TrustDomain> {
    let names = authority.subject_alternative_name().ok()??;
    names.value.general_names.iter().find_map(|name| match name {
        GeneralName::URI(uri) => TrustDomain::new(uri).ok(),
        _ => None,
    })
}

fn parsed<'a>(certificates: &'a [CertificateDer<'_>]) -> Vec<X509Certificate<'a>> {
    certificates.iter().filter_map(|der| Some(X509Certificate::from_der(der).ok()?.1)).collect()
}

/// Whether the extended key usage of a certificate allows a side. `None` if the certificate cannot be read.
pub(super) fn allows(certificate: &CertificateDer<'_>, side: Side) -> Option<bool> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let usage = certificate.extended_key_usage().ok()?;
    // The usage for any purpose does not count: webpki asks for the one of the side.
    Some(usage.is_some_and(|usage| match side {
        Side::Client => usage.value.client_auth,
        Side::Server => usage.value.server_auth,
    }))
}

/// The certificates in a file, at least one. Checks that each parses.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FolderError> {
    let certificates: Vec<CertificateDer<'static>> =
        PemFile::read(path)?.sections("certificate")?;
    for (at, certificate) in certificates.iter().enumerate() {
        if !matches!(X509Certificate::from_der(certificate), Ok(([], _))) {
            let which = format!("certificate {} of {}", at + 1, certificates.len());
            return Err(content(path, format!("{which} is damaged or cut short")));
        }
    }
    Ok(certificates)
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, FolderError> {
    fs::read(path).map_err(|source| FolderError::Read { path: path.into(), source })
}

/// An error about the content of a file.
pub(super) fn content(path: &Path, reason: impl Into<String>) -> FolderError {
    FolderError::Content { path: path.into(), reason: reason.into() }
}
