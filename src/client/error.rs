//! What can go wrong for a client, typed.

use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::tls::FolderError;

/// Why a call came to nothing.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The identity folder cannot be used.
    #[error(transparent)]
    Identity(#[from] FolderError),
    /// The server's address cannot be used.
    #[error("the server's address {url}: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The exchange is not there, or went away.
    #[error("the exchange cannot be reached: {0}")]
    Unreachable(String),
    /// The exchange takes nothing for the moment.
    #[error("{0}")]
    Busy(String),
    /// The exchange does not know this certificate, or this partner may not do that.
    #[error("denied: {0}")]
    Denied(String),
    /// The request breaks a rule.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// Each field that is wrong, and why.
        fields: Vec<(String, String)>,
    },
    /// There is no such thing, or none that this partner may see.
    #[error("{0}")]
    NotFound(String),
    /// The key was used with other content.
    #[error("{0}")]
    Conflict(String),
    /// The state of things does not allow it.
    #[error("{0}")]
    Precondition(String),
    /// The cursor is older than what the exchange holds, or ahead of it.
    #[error("{0}")]
    OutOfRange(String),
    /// A fault of the exchange, or an answer that is none.
    #[error("the exchange has a fault: {0}")]
    Fault(String),
}

impl ClientError {
    /// Whether the same call may come to something later. Every write is idempotent, so it may be
    /// sent again.
    pub fn is_transient(&self) -> bool {
        matches!(self, ClientError::Unreachable(_) | ClientError::Busy(_))
    }

    pub(super) fn no_receipt() -> Self {
        ClientError::Fault("it sent an answer without a receipt".into())
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let message = status.message().to_owned();
        if let Some(reason) = refused_certificate(&status) {
            return ClientError::Denied(reason);
        }
        match status.code() {
            // tonic reports a connection that cannot be made, or that broke, as one of these.
            Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => {
                ClientError::Unreachable(with_cause(&status))
            }
            Code::ResourceExhausted => ClientError::Busy(message),
            Code::Unauthenticated | Code::PermissionDenied => ClientError::Denied(message),
            Code::InvalidArgument => {
                let violations = status.get_details_bad_request().map(|bad| bad.field_violations);
                let fields = violations.unwrap_or_default().into_iter();
                let fields = fields.map(|one| (one.field, one.description)).collect();
                ClientError::Invalid { message, fields }
            }
            Code::NotFound => ClientError::NotFound(message),
            Code::AlreadyExists => ClientError::Conflict(message),
            Code::FailedPrecondition | Code::Aborted => ClientError::Precondition(message),
            Code::OutOfRange => ClientError::OutOfRange(message),
            // So is a connection that broke in the middle of an answer.
            Code::Unknown | Code::Internal if std::error::Error::source(&status).is_some() => {
                ClientError::Unreachable(with_cause(&status))
            }
            Code::Ok | Code::Unknown | Code::Internal | Code::Unimplemented | Code::DataLoss => {
                ClientError::Fault(message)
            }
        }
    }
}

/// Which side of the handshake refuses the other's certificate and why, where a call failed on it:
/// trying again does not help. The transport hands TLS's reasons on as text alone.
fn refused_certificate(status: &Status) -> Option<String> {
    let text = with_cause(status);
    if let Some((_, reason)) = text.split_once("invalid peer certificate: ") {
        return Some(format!("the certificate of the exchange is not to be trusted: {reason}"));
    }
    let (_, alert) = text.split_once("received fatal alert: ")?;
    let reason = match alert {
        "CertificateExpired" => "it, or the exchange's list of revoked ones, is not valid by now",
        "CertificateRevoked" => "it is revoked",
        "UnknownCA" => "another authority signed it",
        "CertificateRequired" => "there is none",
        "BadCertificate" | "UnsupportedCertificate" => "it is not one of a client",
        _ => return None,
    };
    Some(format!("the exchange refuses the certificate: {reason}"))
}

/// The message with its innermost cause: "transport error" alone helps nobody.
fn with_cause(status: &Status) -> String {
    let mut cause = std::error::Error::source(status);
    let mut innermost = None;
    while let Some(error) = cause {
        innermost = Some(error.to_string());
        cause = error.source();
    }
    match innermost {
        Some(innermost) if innermost != status.message() => {
            format!("{}: {innermost}", status.message())
        }
        _ => status.message().to_owned(),
    }
}
