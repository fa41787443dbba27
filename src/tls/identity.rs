//! The partner identity in a client certificate: exactly one URI SAN, which must be a SPIFFE ID in
//! the exchange's trust domain. Parsed by the spiffe crate and compared as a whole.

use std::path::Path;

use spiffe::{SpiffeId, TrustDomain};
use thiserror::Error;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::folder::{FolderError, Side, allows, certificates, content};
use crate::domain::revocation::{ClientCertificate, Serial};
use crate::domain::{PartnerId, Timestamp};

/// The identity in a verified certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    /// The partner.
    pub partner: PartnerId,
    /// The partner's workload, if the certificate names one.
    pub workload: Option<String>,
    /// The certificate's serial number.
    pub serial: Serial,
    /// When the certificate expires, in milliseconds since the epoch.
    pub not_after_ms: i64,
}

/// Why a verified certificate does not identify a partner.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// There is no certificate, or it is not X.509.
    #[error("the client certificate cannot be read")]
    Unreadable,
    /// It has no URI SAN.
    #[error("the client certificate has no URI SAN: it needs one SPIFFE ID")]
    NoUri,
    /// It has more than one URI SAN.
    #[error("the client certificate has {0} URI SANs: it may have only one")]
    ManyUris(usize),
    /// Its URI SAN is not a SPIFFE ID.
    #[error("the URI SAN of the client certificate is not a SPIFFE ID")]
    NotSpiffe,
    /// Its URI SAN is not spelled as SPIFFE IDs are. The crate that parses them takes a trust domain in capitals.
    #[error("the SPIFFE ID of the client certificate is not in lower case")]
    NotCanonical,
    /// It belongs to another trust domain.
    #[error("the client certificate belongs to another trust domain than `{0}`")]
    ForeignTrustDomain(String),
    /// Its path is not a partner's.
    #[error(
        "the SPIFFE ID of the client certificate is not `/partner/ID` or \
         `/partner/ID/WORKLOAD`"
    )]
    NotPartner,
}

impl IdentityError {
    /// The stable label for logs and metrics.
    pub fn label(&self) -> &'static str {
        match self {
            IdentityError::Unreadable => "identity_unreadable",
            IdentityError::NoUri => "identity_no_uri",
            IdentityError::ManyUris(_) => "identity_many_uris",
            IdentityError::NotSpiffe => "identity_not_spiffe",
            IdentityError::NotCanonical => "identity_not_canonical",
            IdentityError::ForeignTrustDomain(_) => "identity_foreign",
            IdentityError::NotPartner => "identity_not_partner",
        }
    }
}

impl PeerIdentity {
    /// Parses the leaf certificate of a verified chain.
    pub fn of(leaf: &[u8], trust_domain: &TrustDomain) -> Result<Self, IdentityError> {
        let (_, certificate) =
            X509Certificate::from_der(leaf).map_err(|_| IdentityError::Unreadable)?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|_| IdentityError::Unreadable)?
            .map(|extension| extension.value.general_names.as_slice())
            .unwrap_or_default();
        let uris: Vec<&str> = names
            .iter()
            .filter_map(|name| match name {
                GeneralName::URI(uri) => Some(*uri),
                _ => None,
            })
            .collect();
        let uri = match uris.as_slice() {
            [uri] => *uri,
            [] => return Err(IdentityError::NoUri),
            many => return Err(IdentityError::ManyUris(many.len())),
        };
        let id = SpiffeId::new(uri).map_err(|_| IdentityError::NotSpiffe)?;
        if id.to_string() != uri {
            return Err(IdentityError::NotCanonical);
        }
        if !id.is_member_of(trust_domain) {
            return Err(IdentityError::ForeignTrustDomain(trust_domain.as_str().to_owned()));
        }
        let segments: Vec<&str> = id.path().split('/').skip(1).collect();
        let (partner, workload) = match segments.as_slice() {
            ["partner", partner] => (*partner, None),
            ["partner", partner, workload] => (*partner, Some((*workload).to_owned())),
            _ => return Err(IdentityError::NotPartner),
        };
        let partner = PartnerId::parse(partner).map_err(|_| IdentityError::NotPartner)?;
        let serial = Serial::of_bytes(certificate.raw_serial());
        let not_after_ms = certificate.validity().not_after.timestamp().saturating_mul(1000);
        Ok(Self { partner, workload, serial, not_after_ms })
    }
}

/// What revocations ask of a leaf certificate. `None` if it cannot be read.
pub fn client_certificate(leaf: &[u8], trust_domain: &TrustDomain) -> Option<ClientCertificate> {
    let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
    let not_before = certificate.validity().not_before.timestamp().saturating_mul(1000);
    Some(ClientCertificate {
        partner: PeerIdentity::of(leaf, trust_domain).ok().map(|identity| identity.partner),
        serial: Serial::of_bytes(certificate.raw_serial()),
        not_before: Timestamp::from_millis(not_before),
    })
}

/// The serial number of the client certificate in a PEM file, which is the first. The error names the file. The certificate
/// of an authority or a server is one: nobody asks an exchange whether it is revoked.
pub fn serial_of_client(path: &Path) -> Result<Serial, FolderError> {
    let chain = certificates(path)?;
    let leaf = chain.first().and_then(|leaf| X509Certificate::from_der(leaf).ok());
    let (_, leaf) = leaf.ok_or_else(|| content(path, "holds no certificate"))?;
    if leaf.is_ca() {
        return Err(content(
            path,
            "holds the certificate of an authority, which is not revoked: create a new authority, and replace ca.pem",
        ));
    }
    if chain.first().and_then(|leaf| allows(leaf, Side::Client)) != Some(true) {
        return Err(content(
            path,
            "holds no client certificate: only those are revoked. If the key of a server was stolen, create a new \
             authority, and replace ca.pem",
        ));
    }
    Ok(Serial::of_bytes(leaf.raw_serial()))
}
