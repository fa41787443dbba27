//! What each side asks of the other's certificate, on top of what rustls checks.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    PeerIncompatible, SignatureScheme,
};
use spiffe::TrustDomain;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::folder::{IdentityFolder, Side, allows};
use super::identity::client_certificate;
use super::provider;
use crate::domain::revocation::Revocations;

/// The revocation lists cannot tell whether a certificate was revoked. rustls tells the client in such a case that the
/// authority is unknown, which sends people to look at the wrong end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrlError {
    /// The list has expired.
    Expired,
    /// There is no list of the issuer.
    Missing,
}

impl fmt::Display for CrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the revocation list in crl.pem has expired: replace it",
            Self::Missing => "crl.pem has no list of the issuer of the certificate: add it",
        })
    }
}

impl std::error::Error for CrlError {}

/// The key of a certificate is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeakKey;

impl fmt::Display for WeakKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its RSA key has fewer than 2048 bits")
    }
}

impl std::error::Error for WeakKey {}

/// Checks certificates of clients.
#[derive(Debug)]
pub struct ClientVerifier {
    /// Checks the chain and the revocation lists.
    pub webpki: Arc<dyn ClientCertVerifier>,
    /// The trust domain of the exchange.
    pub trust_domain: TrustDomain,
    /// What operators have revoked.
    pub revocations: Arc<ArcSwap<Revocations>>,
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.webpki.verify_client_cert(leaf, intermediates, now);
        let verified = verified.map_err(explain_crl_error)?;
        check_purpose(leaf, Side::Client)?;
        check_key(leaf)?;
        let certificate = client_certificate(leaf, &self.trust_domain);
        match certificate.filter(|certificate| self.revocations.load().cover(certificate)) {
            Some(_) => Err(CertificateError::Revoked.into()),
            None => Ok(verified),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Checks the certificate of an exchange.
#[derive(Debug)]
pub struct ServerVerifier(Arc<WebPkiServerVerifier>);

impl ServerVerifier {
    /// Trusts the authorities of an identity folder.
    pub fn of(identity: &IdentityFolder) -> Result<Self, String> {
        WebPkiServerVerifier::builder_with_provider(identity.shared_roots(), provider())
            .build()
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.0.verify_server_cert(leaf, intermediates, name, ocsp_response, now)?;
        check_purpose(leaf, Side::Server)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// Refuses a certificate whose extended key usage does not name the side. webpki takes one without that extension for
/// every purpose.
fn check_purpose(leaf: &CertificateDer<'_>, side: Side) -> Result<(), Error> {
    match allows(leaf, side) {
        Some(true) => Ok(()),
        Some(false) => Err(CertificateError::InvalidPurpose.into()),
        None => Err(CertificateError::BadEncoding.into()),
    }
}

/// Refuses an RSA key that is too short. rustls refuses its signature, as if the client did not have the key.
fn check_key(leaf: &CertificateDer<'_>) -> Result<(), Error> {
    const MIN_RSA_BITS: usize = 2_048;
    let (_, certificate) =
        X509Certificate::from_der(leaf).map_err(|_| CertificateError::BadEncoding)?;
    match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) if key.key_size() < MIN_RSA_BITS => {
            Err(CertificateError::Other(OtherError(Arc::new(WeakKey))).into())
        }
        _ => Ok(()),
    }
}

fn explain_crl_error(error: Error) -> Error {
    let problem = match &error {
        Error::InvalidCertificate(
            CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. },
        ) => CrlError::Expired,
        Error::InvalidCertificate(CertificateError::UnknownRevocationStatus) => CrlError::Missing,
        _ => return error,
    };
    CertificateError::Other(OtherError(Arc::new(problem))).into()
}
