//! Identity folders: `ca.pem`, `cert.pem`, `key.pem`, and on a server `crl.pem`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::pem::PemFile;
use super::revocation;

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
    /// The certificate revocation lists, at least one; `None` without a `crl.pem`.
    pub crls: Option<Vec<CertificateRevocationListDer<'static>>>,
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
        let crls = revocation::read(&folder.join("crl.pem"), &authorities)?;
        Ok(Self { roots, chain, key, crls })
    }

    /// Checks that a client could use the folder.
    pub fn check(folder: &Path) -> Result<(), FolderError> {
        Self::read(folder, &super::provider())?.check_side(folder, Side::Client)
    }

    /// Checks that the certificate's extended key usage allows this side. The peer would refuse it
    /// otherwise.
    pub fn check_side(&self, folder: &Path, side: Side) -> Result<(), FolderError> {
        let path = folder.join("cert.pem");
        let unreadable = || content(&path, "is not an X.509 certificate");
        let leaf = self.chain.first().ok_or_else(unreadable)?;
        let (_, leaf) = X509Certificate::from_der(leaf).map_err(|_| unreadable())?;
        let usage = leaf.extended_key_usage().map_err(|_| unreadable())?;
        let (allowed, reason) = match side {
            Side::Client => (
                usage.as_ref().is_none_or(|usage| usage.value.any || usage.value.client_auth),
                "is not a client certificate: its key usage does not allow TLS client authentication",
            ),
            Side::Server => (
                usage.as_ref().is_none_or(|usage| usage.value.any || usage.value.server_auth),
                "is not a server certificate: its key usage does not allow TLS server authentication",
            ),
        };
        if allowed { Ok(()) } else { Err(content(&path, reason)) }
    }

    /// Reads a file of a folder.
    pub fn read_file(path: &Path) -> Result<Vec<u8>, FolderError> {
        read(path)
    }

    /// When the leaf certificate expires, in milliseconds since the epoch.
    pub fn not_after_ms(&self) -> Option<i64> {
        let (_, certificate) = X509Certificate::from_der(self.chain.first()?).ok()?;
        Some(certificate.validity().not_after.timestamp().saturating_mul(1000))
    }

    /// The roots, as rustls needs them.
    pub fn shared_roots(&self) -> Arc<RootCertStore> {
        Arc::new(self.roots.clone())
    }
}

/// The certificates in a file, at least one. Checks that each parses.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, FolderError> {
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
