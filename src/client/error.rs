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
    /// The exchange took nothing, for the moment: what was to be stored is not.
    #[error("{0}")]
    Busy(String),
    /// The exchange cannot say whether it was stored. Sending the same again finds out, and stores it
    /// once.
    #[error("it is not known whether this was stored: {0}")]
    Unknown(String),
    /// A newer reader holds the subscription, or it was deleted. Opening it again would take it from
    /// that reader.
    #[error("the subscription is somebody else's now: {0}")]
    TakenOver(String),
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
    /// sent again: what ended in `Unknown`, or in `Unreachable` while it was on its way, may have been
    /// stored, what ended in `Busy` was not.
    pub fn is_transient(&self) -> bool {
        matches!(self, ClientError::Unreachable(_) | ClientError::Busy(_) | ClientError::Unknown(_))
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
            Code::Unavailable if reason_of(&status).as_deref() == Some("APPEND_UNKNOWN") => {
                ClientError::Unknown(message)
            }
            Code::Unavailable if reason_of(&status).as_deref() == Some("APPEND_REJECTED") => {
                ClientError::Busy(message)
            }
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
            Code::FailedPrecondition => ClientError::Precondition(message),
            Code::Aborted => ClientError::TakenOver(message),
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

/// The stable label under which the exchange says what went wrong.
fn reason_of(status: &Status) -> Option<String> {
    status.get_details_error_info().map(|info| info.reason)
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

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn of_exchange(code: Code, reason: &str) -> ClientError {
        let details = ErrorDetails::with_error_info(reason, "tipoff", []);
        Status::with_error_details(code, "why", details).into()
    }

    #[test]
    fn an_append_that_was_rejected_and_one_that_nobody_knows_of_are_told_apart() {
        let unknown = of_exchange(Code::Unavailable, "APPEND_UNKNOWN");
        assert!(matches!(&unknown, ClientError::Unknown(why) if why == "why"), "{unknown}");
        for (code, reason) in
            [(Code::Unavailable, "APPEND_REJECTED"), (Code::ResourceExhausted, "STORAGE_FULL")]
        {
            let rejected = of_exchange(code, reason);
            assert!(matches!(&rejected, ClientError::Busy(why) if why == "why"), "{rejected}");
        }
        let stopping = of_exchange(Code::Unavailable, "STOPPING");
        assert!(matches!(stopping, ClientError::Unreachable(_)), "{stopping}");
        let gone: ClientError = Status::unavailable("transport error").into();
        assert!(matches!(gone, ClientError::Unreachable(_)), "{gone}");
        for error in [unknown, stopping, gone] {
            assert!(error.is_transient(), "{error}");
        }
    }

    #[test]
    fn a_subscription_that_was_taken_over_is_not_tried_again() {
        let taken: ClientError = Status::aborted("by a newer reader").into();
        assert!(matches!(&taken, ClientError::TakenOver(_)), "{taken}");
        assert!(!taken.is_transient());
    }

    #[tokio::test]
    async fn when_patience_runs_out_the_last_error_is_the_one_that_is_given() {
        let patience = crate::client::Patience {
            first: std::time::Duration::from_millis(1),
            longest: std::time::Duration::from_millis(1),
            tries: Some(2),
        };
        let mut outcomes = [
            of_exchange(Code::ResourceExhausted, "STORAGE_FULL"),
            Status::unavailable("gone").into(),
            of_exchange(Code::Unavailable, "APPEND_UNKNOWN"),
        ]
        .into_iter();
        let last = patience.retry(|| {
            let outcome = outcomes.next();
            async move { outcome.map_or(Ok(()), Err) }
        });
        assert!(matches!(last.await, Err(ClientError::Unknown(_))));
        assert!(outcomes.next().is_none(), "each try was made");
        let accepted = patience.retry(|| async { Ok(7) });
        assert_eq!(accepted.await.unwrap(), 7);
    }
}
