//! Why a handshake failed, as a stable label for metrics and logs.

use std::io;

use rustls::{CertificateError, Error, OtherError};

use super::verifiers::{CrlError, WeakKey};

/// The label of the error with which a handshake ended.
pub fn label(error: &io::Error) -> &'static str {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(error) => tls_label(error),
        // The peer closed or reset the connection.
        None => "handshake_closed",
    }
}

/// The reason for the log.
pub fn reason(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(Error::InvalidCertificate(CertificateError::Other(other))) => other.0.to_string(),
        _ => error.to_string(),
    }
}

fn tls_label(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(error) => certificate_label(error),
        Error::NoCertificatesPresented => "no_certificate",
        Error::PeerIncompatible(_) => "tls_incompatible",
        Error::AlertReceived(_) => "refused_by_peer",
        Error::InvalidMessage(_) => "not_tls",
        _ => "handshake_failed",
    }
}

fn certificate_label(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate_expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate_not_yet_valid"
        }
        CertificateError::Revoked => "certificate_revoked",
        CertificateError::UnknownIssuer => "certificate_unknown_issuer",
        CertificateError::BadSignature => "certificate_bad_signature",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "certificate_wrong_purpose"
        }
        CertificateError::BadEncoding => "certificate_unreadable",
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "certificate_weak_signature"
        }
        CertificateError::Other(other) => other_label(other),
        _ => "certificate_invalid",
    }
}

fn other_label(error: &OtherError) -> &'static str {
    if let Some(error) = error.0.downcast_ref::<CrlError>() {
        return match error {
            CrlError::Expired => "revocation_list_expired",
            CrlError::Missing => "certificate_unlisted_issuer",
        };
    }
    if error.0.is::<WeakKey>() {
        return "certificate_weak_key";
    }
    match error.0.downcast_ref::<webpki::Error>() {
        Some(webpki::Error::PathLenConstraintViolated) => "certificate_path_too_long",
        _ => "certificate_invalid",
    }
}
