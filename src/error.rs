//! The error type of the service.
//!
//! [`Kind`] determines the gRPC status. The label is stable and used in metrics. The message is
//! shown to the caller; the source is only logged.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::domain::Invalid;

/// An error for the caller, the metrics and the operator.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    label: &'static str,
    message: String,
    fields: Vec<Invalid>,
    /// Set for few errors. Boxed to keep the others small.
    details: Option<Box<Details>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Details for programs.
#[derive(Debug, Default)]
struct Details {
    metadata: Vec<(&'static str, String)>,
    retry_after: Option<Duration>,
}

/// The category of an error: what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request is invalid; a retry fails again.
    Invalid,
    /// The caller is not identified.
    Unauthenticated,
    /// The caller lacks the permission.
    Denied,
    /// The object does not exist, or the caller may not see it.
    NotFound,
    /// The idempotency key was used with other content.
    Conflict,
    /// The current state does not allow the request.
    Precondition,
    /// The position is no longer, or not yet, available.
    OutOfRange,
    /// The operation was interrupted by a concurrent one.
    Aborted,
    /// The exchange is overloaded; a later retry may succeed.
    Exhausted,
    /// The caller has reached a limit. A retry fails until the caller deletes something or the
    /// operator raises the limit.
    Quota,
    /// The exchange does not know whether the request was applied. A retry is safe: it is never
    /// applied twice.
    Unknown,
    /// The exchange is temporarily unavailable; retry.
    Unavailable,
    /// The exchange did not answer in time, and may have applied the request. A retry is safe.
    TimedOut,
    /// The exchange has no such method.
    Unimplemented,
    /// An internal fault of the exchange.
    Internal,
}

/// The result type of the service.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with its kind, its stable label and a message for the caller.
    pub fn new(kind: Kind, label: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, label, message, fields: Vec::new(), details: None, source: None }
    }

    /// An invalid field of a request.
    pub fn invalid(field: Invalid) -> Self {
        let message = field.to_string();
        let error = Self::new(Kind::Invalid, "invalid_argument", message);
        Self { fields: vec![field], ..error }
    }

    /// An internal fault. The caller learns only that there was one; the source is logged.
    pub fn internal(
        label: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        let message = "the exchange has a fault, which its operator can see in the log";
        Self::new(Kind::Internal, label, message).with_source(source)
    }

    /// The node is stopping. The request can be retried on another node or after the restart.
    pub fn stopping() -> Self {
        Self::new(Kind::Unavailable, "stopping", "the exchange is stopping")
    }

    /// Sets the source, for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds details for programs: the metadata of `google.rpc.ErrorInfo`.
    #[must_use]
    pub fn with_metadata<const N: usize>(mut self, metadata: [(&'static str, String); N]) -> Self {
        self.details.get_or_insert_default().metadata.extend(metadata);
        self
    }

    /// Sets after which time a retry can succeed. Only for errors that may be retried.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.details.get_or_insert_default().retry_after = Some(delay);
        self
    }

    /// The category.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable label, also used in metrics.
    pub fn label(&self) -> &'static str {
        self.label
    }

    /// The message for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The source as text, for the field `source` of a log line.
    pub fn source_text(&self) -> Option<String> {
        self.source.as_ref().map(ToString::to_string)
    }

    /// Details for programs.
    pub fn metadata(&self) -> &[(&'static str, String)] {
        self.details.as_ref().map_or(&[], |details| &details.metadata)
    }

    /// After which time a retry can succeed, if it is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.details.as_ref()?.retry_after
    }

    /// The invalid fields.
    pub fn fields(&self) -> &[Invalid] {
        &self.fields
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Error::invalid(invalid)
    }
}
