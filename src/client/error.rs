//! What can go wrong for a client, typed.

use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

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
    /// A limit on what this partner may have. The same call is refused again until something is given
    /// up, or the operator raises the limit.
    #[error("{0}")]
    Quota(String),
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
        if let Some(reason) = refused_certificate(&status) {
            return ClientError::Denied(reason);
        }
        let details = status.get_error_details();
        if is_of_the_transport(&status, &details) {
            return ClientError::Unreachable(with_cause(&status));
        }
        let message = status.message().to_owned();
        if details.retry_info().is_some() {
            return passing(status.code(), &details, message);
        }
        match status.code() {
            Code::ResourceExhausted => ClientError::Quota(message),
            Code::Unauthenticated | Code::PermissionDenied => ClientError::Denied(message),
            Code::InvalidArgument => {
                let violations = details.bad_request().map(|bad| bad.field_violations.clone());
                let fields = violations.unwrap_or_default().into_iter();
                let fields = fields.map(|one| (one.field, one.description)).collect();
                ClientError::Invalid { message, fields }
            }
            Code::NotFound => ClientError::NotFound(message),
            Code::AlreadyExists => ClientError::Conflict(message),
            Code::FailedPrecondition => ClientError::Precondition(message),
            Code::Aborted => ClientError::TakenOver(message),
            // Without its reason it is of the transport: a message over the limit.
            Code::OutOfRange if details.error_info().is_some() => ClientError::OutOfRange(message),
            Code::Ok
            | Code::Unknown
            | Code::Internal
            | Code::Unimplemented
            | Code::DataLoss
            | Code::OutOfRange
            | Code::Unavailable
            | Code::Cancelled
            | Code::DeadlineExceeded => ClientError::Fault(message),
        }
    }
}

/// Whether the transport says it, and not the exchange, which names a reason in all that it says: the
/// connection cannot be made, broke, or took too long to answer.
fn is_of_the_transport(status: &Status, details: &ErrorDetails) -> bool {
    if details.error_info().is_some() {
        return false;
    }
    match status.code() {
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => true,
        // A connection that broke in the middle of an answer, or that was closed on too many resets.
        Code::Unknown | Code::Internal | Code::ResourceExhausted => {
            std::error::Error::source(status).is_some()
        }
        _ => false,
    }
}

/// What the exchange marks as to be tried again.
fn passing(code: Code, details: &ErrorDetails, message: String) -> ClientError {
    let reason = details.error_info().map(|info| info.reason.as_str());
    match (code, reason) {
        (_, Some("APPEND_UNKNOWN")) => ClientError::Unknown(message),
        (Code::ResourceExhausted, _) | (_, Some("APPEND_REJECTED")) => ClientError::Busy(message),
        _ => ClientError::Unreachable(message),
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::super::retry::CallFailure;
    use super::*;
    use crate::client::Patience;

    fn marked(code: Code, reason: &str) -> Status {
        let mut details = ErrorDetails::with_error_info(reason, "tipoff", []);
        details.set_retry_info(Some(Duration::from_millis(40)));
        Status::with_error_details(code, "why", details)
    }

    fn unmarked(code: Code, reason: &str) -> Status {
        let details = ErrorDetails::with_error_info(reason, "tipoff", []);
        Status::with_error_details(code, "why", details)
    }

    fn broken(code: Code) -> Status {
        let mut status = Status::new(code, "h2 protocol error");
        status.set_source(std::sync::Arc::new(io::Error::other("connection reset")));
        status
    }

    #[test]
    fn what_the_exchange_marks_and_what_the_transport_says_is_tried_again_and_nothing_else() {
        use ClientError::{
            Busy, Fault, OutOfRange, Precondition, Quota, TakenOver, Unknown, Unreachable,
        };
        let of_exchange = || String::from("why");
        let table: [(Status, ClientError); 19] = [
            (marked(Code::Unavailable, "APPEND_UNKNOWN"), Unknown(of_exchange())),
            (marked(Code::Unavailable, "APPEND_REJECTED"), Busy(of_exchange())),
            (marked(Code::ResourceExhausted, "STORAGE_FULL"), Busy(of_exchange())),
            (marked(Code::ResourceExhausted, "READER_TOO_SLOW"), Busy(of_exchange())),
            (marked(Code::Unavailable, "STOPPING"), Unreachable(of_exchange())),
            (unmarked(Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS"), Quota(of_exchange())),
            (unmarked(Code::Unavailable, "GONE_FOR_GOOD"), Fault(of_exchange())),
            (unmarked(Code::Aborted, "TAKEN_OVER"), TakenOver(of_exchange())),
            (unmarked(Code::OutOfRange, "CURSOR_TRIMMED"), OutOfRange(of_exchange())),
            (unmarked(Code::FailedPrecondition, "FILTER_DIFFERS"), Precondition(of_exchange())),
            (unmarked(Code::Internal, "JOURNAL_READ"), Fault(of_exchange())),
            (Status::unavailable("gone"), Unreachable("gone".into())),
            (Status::cancelled("Timeout expired"), Unreachable("Timeout expired".into())),
            (Status::resource_exhausted("too large"), Quota("too large".into())),
            (Status::out_of_range("length too large"), Fault("length too large".into())),
            (Status::internal("no receipt"), Fault("no receipt".into())),
            (broken(Code::Internal), Unreachable("h2 protocol error: connection reset".into())),
            (broken(Code::Unknown), Unreachable("h2 protocol error: connection reset".into())),
            (
                broken(Code::ResourceExhausted),
                Unreachable("h2 protocol error: connection reset".into()),
            ),
        ];
        for (status, expected) in table {
            let said = format!("{status:?}");
            let is_tried_again = matches!(expected, Unknown(_) | Busy(_) | Unreachable(_));
            let error = ClientError::from(status);
            assert_eq!(format!("{error:?}"), format!("{expected:?}"), "{said}");
            assert_eq!(error.is_transient(), is_tried_again, "{said}");
        }
    }

    #[tokio::test]
    async fn when_patience_runs_out_the_last_error_is_the_one_that_is_given() {
        let patience = Patience {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(1),
            tries: Some(2),
        };
        let mut outcomes = [
            marked(Code::ResourceExhausted, "STORAGE_FULL"),
            Status::unavailable("gone"),
            marked(Code::Unavailable, "APPEND_UNKNOWN"),
        ]
        .into_iter();
        let last = patience.retry(|| {
            let outcome = outcomes.next();
            async move { outcome.map_or(Ok(()), |status| Err(CallFailure::from(status))) }
        });
        assert!(matches!(last.await, Err(ClientError::Unknown(_))));
        assert!(outcomes.next().is_none(), "each try was made");
        let accepted = patience.retry(|| async { Ok(7) });
        assert_eq!(accepted.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_quota_is_not_tried_again_though_patience_has_no_end() {
        let mut tries = 0;
        let endless = Patience::endless();
        let refused = endless.retry(|| {
            tries += 1;
            async { Err::<(), _>(unmarked(Code::ResourceExhausted, "QUOTA").into()) }
        });
        let refused = tokio::time::timeout(Duration::from_secs(5), refused).await;
        assert!(matches!(refused, Ok(Err(ClientError::Quota(_)))), "{refused:?}");
        assert_eq!(tries, 1);
    }

    #[test]
    fn a_pause_is_at_least_as_long_as_the_exchange_asks_for() {
        let patience = Patience { first: Duration::ZERO, longest: Duration::ZERO, tries: Some(2) };
        let mut retries = patience.retries();
        let full = marked(Code::ResourceExhausted, "STORAGE_FULL").into();
        assert_eq!(retries.pause_after(&full), Some(Duration::from_millis(40)));
        let gone = Status::unavailable("gone").into();
        assert_eq!(retries.pause_after(&gone), Some(Duration::ZERO));
        assert_eq!(retries.pause_after(&full), None, "no try is left");
    }
}
