//! The one place where an error of the exchange becomes a gRPC status.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use tracing::error;

use crate::error::{Error, Kind};

/// The domain of `google.rpc.ErrorInfo`, within which its reasons are unique.
pub const ERROR_DOMAIN: &str = "tipoff";

/// The status of an error: its message, `ErrorInfo` with the stable label as reason, and
/// `BadRequest` with the fields that are wrong. A fault is logged here, with its cause.
pub fn status(error: &Error) -> Status {
    let code = code(error.kind());
    if matches!(error.kind(), Kind::Internal | Kind::Unknown) {
        let source = std::error::Error::source(error).map(ToString::to_string);
        error!(label = error.label(), source, "{error}");
    }
    let mut details = ErrorDetails::new();
    details.set_error_info(error.label().to_ascii_uppercase(), ERROR_DOMAIN, []);
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
        Kind::Exhausted => Code::ResourceExhausted,
        Kind::Unknown | Kind::Unavailable => Code::Unavailable,
        Kind::Internal => Code::Internal,
    }
}
