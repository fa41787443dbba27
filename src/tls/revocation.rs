//! Certificate revocation lists (`crl.pem`), validated before use.
//!
//! rustls treats an empty list of CRLs as "revocation is not checked". So a file without a usable
//! list must be an error.

use std::io;
use std::path::Path;

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::error::X509Error;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

use super::folder::{FolderError, content};
use super::pem::PemFile;

const LABEL: &str = "X509 CRL";

/// Reads `crl.pem` and validates its lists against the authorities in `ca.pem`. `None` if the file
/// does not exist.
pub fn read(
    path: &Path,
    authorities: &[CertificateDer<'_>],
) -> Result<Option<Vec<CertificateRevocationListDer<'static>>>, FolderError> {
    // Looks at the link itself: a dangling link is an error, not a missing list.
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(FolderError::Read { path: path.into(), source }),
        Ok(_) => {}
    }
    let lists: Vec<_> = PemFile::read(path)?.only(LABEL)?.sections(LABEL)?;
    check(&lists, authorities).map_err(|reason| content(path, reason))?;
    Ok(Some(lists))
}

/// Checks that every list parses, that lists of an authority in `ca.pem` are signed by it, and that
/// there is at least one of those. Others may belong to intermediate authorities, which come with a
/// client's certificate.
fn check(
    lists: &[CertificateRevocationListDer<'_>],
    authorities: &[CertificateDer<'_>],
) -> Result<(), String> {
    let parsed = authorities.iter().filter_map(|der| X509Certificate::from_der(der).ok());
    let authorities: Vec<_> = parsed.map(|(_, certificate)| certificate).collect();
    let mut covers_authority = false;
    for (i, list) in lists.iter().enumerate() {
        let which = format!("list {} of {}", i + 1, lists.len());
        let list = match CertificateRevocationList::from_der(list) {
            Ok(([], list)) => list,
            Ok(_) => return Err(format!("{which} is damaged: bytes follow its end")),
            Err(error) => return Err(format!("{which} is damaged or cut short: {error}")),
        };
        let issuer = list.issuer().as_raw();
        let mut issuers =
            authorities.iter().filter(|one| one.subject().as_raw() == issuer).peekable();
        if issuers.peek().is_none() {
            continue;
        }
        // Unknown algorithms are left to rustls, which verifies signatures again in each handshake.
        let signed = issuers.any(|issuer| {
            let checked = list.verify_signature(issuer.public_key());
            matches!(checked, Ok(()) | Err(X509Error::SignatureUnsupportedAlgorithm))
        });
        if !signed {
            return Err(format!(
                "{which} names `{}` as its issuer, but is not signed by its key in ca.pem",
                list.issuer()
            ));
        }
        covers_authority = true;
    }
    if covers_authority {
        Ok(())
    } else {
        Err("holds no list of an authority in ca.pem: every client would be refused".into())
    }
}
