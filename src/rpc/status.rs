//! Converts errors of the exchange to gRPC statuses.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tracing::error;

use crate::error::{Error, Kind};

/// The domain of `google.rpc.ErrorInfo`, within which its reasons are unique.
pub const ERROR_DOMAIN: &str = "tipoff";

/// Converts an error to a status with `ErrorInfo` (the stable label as reason), `BadRequest` (the invalid fields), and
/// `RetryInfo` if the same request may be sent again. Internal errors are logged here with their cause.
pub fn status(error: &Error) -> Status {
    let code = code(error.kind());
    if matches!(error.kind(), Kind::Internal | Kind::Unknown) {
        let source = std::error::Error::source(error).map(ToString::to_string);
        error!(label = error.label(), source, "{error}");
    }
    let mut details = ErrorDetails::new();
    let metadata = error.metadata().iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    let metadata: HashMap<_, _> = metadata.collect();
    details.set_error_info(error.label().to_ascii_uppercase(), ERROR_DOMAIN, metadata);
    if let Some(delay) = error.retry_after().or_else(|| retry_delay(error.kind())) {
        details.set_retry_info(Some(delay));
    }
    for field in error.fields() {
        details.add_bad_request_violation(field.field.as_ref(), field.reason.as_ref());
    }
    Status::with_error_details(code, error.message(), details)
}

fn code(kind: Kind) -> Code {
    match kind {
        Kind::Invalid => Code::InvalidArgument,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Denied => Code::PermissionDenied,
        Kind::NotFound => Code::NotFound,
        Kind::Conflict => Code::AlreadyExists,
        Kind::Precondition => Code::FailedPrecondition,
        Kind::OutOfRange => Code::OutOfRange,
        Kind::Aborted => Code::Aborted,
        Kind::Exhausted | Kind::Quota => Code::ResourceExhausted,
        Kind::Unknown | Kind::Unavailable => Code::Unavailable,
        Kind::TimedOut => Code::DeadlineExceeded,
        Kind::Unimplemented => Code::Unimplemented,
        Kind::Internal => Code::Internal,
    }
}

/// How long a caller should wait before it sends the same request again. `None` if a retry does not help.
///
/// Clients retry only if it is set: the code alone does not distinguish a quota from a full disk.
fn retry_delay(kind: Kind) -> Option<Duration> {
    match kind {
        // Another node, or this one after its restart, may answer right away.
        Kind::Unknown | Kind::Unavailable => Some(Duration::from_millis(100)),
        Kind::Exhausted | Kind::TimedOut => Some(Duration::from_secs(1)),
        Kind::Invalid
        | Kind::Unauthenticated
        | Kind::Denied
        | Kind::NotFound
        | Kind::Conflict
        | Kind::Precondition
        | Kind::OutOfRange
        | Kind::Aborted
        | Kind::Quota
        | Kind::Unimplemented
        | Kind::Internal => None,
    }
}

#[cfg(test)]
mod documented_tests;
