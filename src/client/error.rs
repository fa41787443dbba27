//! The errors of a client.

use thiserror::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::tls::FolderError;

/// Why a call failed.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The identity folder cannot be used.
    #[error(transparent)]
    Identity(#[from] FolderError),
    /// The server's address cannot be used.
    #[error("cannot use the server address {url}: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The exchange cannot be reached, or the connection broke.
    #[error("the exchange cannot be reached: {0}")]
    Unreachable(String),
    /// The exchange is temporarily overloaded or full. Nothing was stored.
    #[error("{0}")]
    Busy(String),
    /// A quota of this partner is exhausted. Retrying does not help: free something, or ask the
    /// operator to raise the limit.
    #[error("{0}")]
    Quota(String),
    /// The exchange does not know whether the write was stored. Send the same request again: it is
    /// stored at most once.
    #[error("it is not known whether this was stored: {0}")]
    Unknown(String),
    /// A newer reader has taken over the subscription, or it was deleted. Reopening would take it
    /// from that reader.
    #[error("the subscription was taken over: {0}")]
    TakenOver(String),
    /// The exchange does not accept this certificate, or this partner has no right to make the
    /// call.
    #[error("denied: {0}")]
    Denied(String),
    /// The request is invalid.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// The invalid fields, each with its reason.
        fields: Vec<(String, String)>,
    },
    /// It does not exist, or this partner may not see it.
    #[error("{0}")]
    NotFound(String),
    /// The idempotency key was used with other content.
    #[error("{0}")]
    Conflict(String),
    /// The current state does not allow the call.
    #[error("{0}")]
    Precondition(String),
    /// The close of a submission would withdraw much of a list. Send the whole list, or close it with
    /// [`CloseOptions::shrink`](super::CloseOptions::shrink).
    #[error("{0}")]
    ListShrinks(String),
    /// The cursor is older than the oldest entry that the exchange holds, or newer than its head.
    #[error("{0}")]
    OutOfRange(String),
    /// An internal error of the exchange, or a response that breaks the protocol.
    #[error("internal error of the exchange: {0}")]
    Fault(String),
}

impl ClientError {
    /// Whether the same call may succeed later. Every write is idempotent, so it can be sent again.
    /// After `Unknown` or `Unreachable` it may have been stored; after `Busy` it was not.
    pub fn is_transient(&self) -> bool {
        matches!(self, ClientError::Unreachable(_) | ClientError::Busy(_) | ClientError::Unknown(_))
    }

    pub(super) fn no_receipt() -> Self {
        ClientError::Fault("the response has no receipt".into())
    }
}

/// The reason of a refused close in `google.rpc.ErrorInfo`.
const LIST_SHRINKS: &str = "LIST_SHRINKS";

fn has_reason(details: &ErrorDetails, reason: &str) -> bool {
    details.error_info().is_some_and(|info| info.reason == reason)
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        if let Some(reason) = certificate_refusal(&status) {
            return ClientError::Denied(reason);
        }
        let details = status.get_error_details();
        if is_transport_error(&status, &details) {
            return ClientError::Unreachable(with_cause(&status));
        }
        let message = status.message().to_owned();
        if details.retry_info().is_some() {
            return retryable(status.code(), &details, message);
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
            Code::FailedPrecondition if has_reason(&details, LIST_SHRINKS) => {
                ClientError::ListShrinks(message)
            }
            Code::FailedPrecondition => ClientError::Precondition(message),
            Code::Aborted => ClientError::TakenOver(message),
            // Without a reason the transport made it: the message was too large.
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

/// Whether the error comes from the transport: the connection failed, broke or timed out. Errors of
/// the exchange always carry a reason.
fn is_transport_error(status: &Status, details: &ErrorDetails) -> bool {
    if details.error_info().is_some() {
        return false;
    }
    match status.code() {
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded => true,
        // The connection broke during a response, or was closed after too many stream resets.
        Code::Unknown | Code::Internal | Code::ResourceExhausted => {
            std::error::Error::source(status).is_some()
        }
        _ => false,
    }
}

/// Maps an error that the exchange marked as retryable.
fn retryable(code: Code, details: &ErrorDetails, message: String) -> ClientError {
    let reason = details.error_info().map(|info| info.reason.as_str());
    match (code, reason) {
        (_, Some("APPEND_UNKNOWN")) => ClientError::Unknown(message),
        (Code::ResourceExhausted, _) | (_, Some("APPEND_REJECTED")) => ClientError::Busy(message),
        _ => ClientError::Unreachable(message),
    }
}

/// If the TLS handshake failed, says which side refused the other's certificate and why. Retrying
/// does not help. The transport passes TLS errors on only as text.
fn certificate_refusal(status: &Status) -> Option<String> {
    let text = with_cause(status);
    if let Some((_, reason)) = text.split_once("invalid peer certificate: ") {
        return Some(format!("the certificate of the exchange is not trusted: {reason}"));
    }
    // It refuses TLS 1.3, or answers with an older version.
    if text.contains("peer is incompatible: ") || text.ends_with("ProtocolVersion") {
        return Some("the exchange is not trusted: the server speaks no TLS 1.3".into());
    }
    let (_, alert) = text.split_once("received fatal alert: ")?;
    let reason = match alert {
        "CertificateExpired" => "it has expired, or is not valid yet",
        "CertificateRevoked" => "it was revoked",
        "UnknownCA" => "another authority signed it",
        "DecryptError" => "another authority signed it, or with an algorithm that is not accepted",
        "CertificateUnknown" => {
            "its key is too short or its chain too long; or the revocation list of the exchange has expired or lacks \
             the issuer. The operator finds the reason in the log"
        }
        "CertificateRequired" => "none was presented",
        "BadCertificate" | "UnsupportedCertificate" => "it is not a client certificate",
        _ => return None,
    };
    Some(format!("the exchange refused the certificate: {reason}"))
}

/// The message with its innermost cause. The outer text, such as "transport error", does not say what failed.
fn with_cause(status: &Status) -> String {
    let mut cause = std::error::Error::source(status);
    let mut innermost = None;
    while let Some(error) = cause {
        innermost = Some(error.to_string());
        cause = error.source();
    }
    match innermost {
        // rustls adds a link to its manual.
        Some(innermost) if innermost.contains("without sending TLS close_notify") => {
            format!("{}: the other side vanished", status.message())
        }
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
    use crate::client::RetryPolicy;

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
    fn only_retryable_and_transport_errors_are_transient() {
        use ClientError::{
            Busy, Fault, OutOfRange, Precondition, Quota, TakenOver, Unknown, Unreachable,
        };
        let why = || String::from("why");
        let table: [(Status, ClientError); 20] = [
            (marked(Code::Unavailable, "APPEND_UNKNOWN"), Unknown(why())),
            (marked(Code::Unavailable, "APPEND_REJECTED"), Busy(why())),
            (marked(Code::ResourceExhausted, "STORAGE_FULL"), Busy(why())),
            (marked(Code::ResourceExhausted, "READER_TOO_SLOW"), Busy(why())),
            (marked(Code::Unavailable, "STOPPING"), Unreachable(why())),
            (unmarked(Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS"), Quota(why())),
            (unmarked(Code::Unavailable, "GONE_FOR_GOOD"), Fault(why())),
            (unmarked(Code::Aborted, "TAKEN_OVER"), TakenOver(why())),
            (unmarked(Code::OutOfRange, "CURSOR_TRIMMED"), OutOfRange(why())),
            (unmarked(Code::FailedPrecondition, "FILTER_DIFFERS"), Precondition(why())),
            (unmarked(Code::FailedPrecondition, "LIST_SHRINKS"), ClientError::ListShrinks(why())),
            (unmarked(Code::Internal, "JOURNAL_READ"), Fault(why())),
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
            let context = format!("{status:?}");
            let is_retried = matches!(expected, Unknown(_) | Busy(_) | Unreachable(_));
            let error = ClientError::from(status);
            assert_eq!(format!("{error:?}"), format!("{expected:?}"), "{context}");
            assert_eq!(error.is_transient(), is_retried, "{context}");
        }
    }

    async fn retry<T, F: Future<Output = Result<T, CallFailure>>>(
        policy: RetryPolicy,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, ClientError> {
        let mut retries = policy.retries(1);
        loop {
            match retries.limit(attempt()).await {
                Ok(value) => return Ok(value),
                Err(failure) => retries.wait_after(failure, "https://localhost:7443").await?,
            }
        }
    }

    #[tokio::test]
    async fn when_retries_run_out_the_last_error_is_returned() {
        let retry_policy = RetryPolicy {
            first_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(1),
            max_retries: Some(2),
            timeout: None,
        };
        let mut outcomes = [
            marked(Code::ResourceExhausted, "STORAGE_FULL"),
            Status::unavailable("gone"),
            marked(Code::Unavailable, "APPEND_UNKNOWN"),
        ]
        .into_iter();
        let last = retry(retry_policy, || {
            let outcome = outcomes.next();
            async move { outcome.map_or(Ok(()), |status| Err(CallFailure::from(status))) }
        });
        assert!(matches!(last.await, Err(ClientError::Unknown(_))));
        assert!(outcomes.next().is_none(), "every attempt was made");
        let accepted = retry(retry_policy, || async { Ok(7) });
        assert_eq!(accepted.await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_quota_error_is_not_retried_even_with_unlimited_retries() {
        let mut tries = 0;
        let refused = retry(RetryPolicy::unlimited(), || {
            tries += 1;
            async { Err::<(), _>(unmarked(Code::ResourceExhausted, "QUOTA").into()) }
        });
        let refused = tokio::time::timeout(Duration::from_secs(5), refused).await;
        assert!(matches!(refused, Ok(Err(ClientError::Quota(_)))), "{refused:?}");
        assert_eq!(tries, 1);
    }

    #[test]
    fn a_retry_waits_at_least_as_long_as_the_exchange_requests() {
        let retry_policy = RetryPolicy {
            first_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            max_retries: Some(2),
            timeout: None,
        };
        let mut retries = retry_policy.retries(1);
        let full = marked(Code::ResourceExhausted, "STORAGE_FULL").into();
        assert_eq!(retries.delay_after(&full), Some(Duration::from_millis(40)));
        let gone = Status::unavailable("gone").into();
        assert_eq!(retries.delay_after(&gone), Some(Duration::ZERO));
        assert_eq!(retries.delay_after(&full), None, "no retry is left");
    }

    #[tokio::test]
    async fn a_stream_that_opens_at_each_address_and_breaks_is_not_retried_for_ever() {
        let retry_policy = RetryPolicy {
            first_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            max_retries: Some(3),
            timeout: None,
        };
        let mut retries = retry_policy.retries(2);
        let mut attempts = 0;
        loop {
            retries.limit(async { Ok(()) }).await.unwrap();
            attempts += 1;
            assert!(attempts < 100, "it goes on for ever");
            if retries.delay_after(&Status::unavailable("broken").into()).is_none() {
                break;
            }
        }
        assert_eq!(attempts, 8, "each of two addresses four times");
    }

    #[test]
    fn a_delay_until_the_next_hour_is_left_to_the_caller_unless_retries_are_unlimited() {
        let limited = CallFailure {
            error: ClientError::Busy("the limit of this hour is reached".into()),
            retry_delay: Some(Duration::from_secs(61)),
        };
        assert_eq!(RetryPolicy::default().retries(1).delay_after(&limited), None);
        let unlimited = RetryPolicy::unlimited().retries(1).delay_after(&limited);
        assert_eq!(unlimited, Some(Duration::from_secs(61)));
    }
}
