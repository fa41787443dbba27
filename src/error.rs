//! The one error of the service.
//!
//! Its [`Kind`] decides the status that a caller gets, its label is stable and stands in metrics,
//! its message is public, and its source is for the operator's log alone.

use std::error::Error as StdError;
use std::fmt;

use crate::domain::Invalid;

/// What went wrong, for the caller, the metrics and the operator.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    label: &'static str,
    message: String,
    fields: Vec<Invalid>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The request breaks a rule; another try of it will too.
    Invalid,
    /// The exchange does not know who is calling.
    Unauthenticated,
    /// The caller may not do this.
    Denied,
    /// There is no such thing, or none that the caller may see.
    NotFound,
    /// The key was used with other content.
    Conflict,
    /// The state of things does not allow it.
    Precondition,
    /// The place is no longer, or not yet, there.
    OutOfRange,
    /// It was under way, and something else came before it.
    Aborted,
    /// Too much at the moment: the same request may be taken later.
    Exhausted,
    /// A limit on what the caller may have. The same request is refused again until the caller gives
    /// something up or the operator raises the limit.
    Quota,
    /// The exchange cannot say whether it was done: the same request may be sent again, and is not
    /// done twice.
    Unknown,
    /// The exchange is not there for the moment; try again.
    Unavailable,
    /// A fault of the exchange.
    Internal,
}

/// A result of the service.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of a kind, with its stable label and a message for the caller.
    pub fn new(kind: Kind, label: &'static str, message: impl Into<String>) -> Self {
        Self { kind, label, message: message.into(), fields: Vec::new(), source: None }
    }

    /// A request that breaks a rule.
    pub fn invalid(field: Invalid) -> Self {
        Self {
            kind: Kind::Invalid,
            label: "invalid_argument",
            message: field.to_string(),
            fields: vec![field],
            source: None,
        }
    }

    /// A fault of the exchange. The caller learns that there was one; the source says which.
    pub fn internal(
        label: &'static str,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self {
            kind: Kind::Internal,
            label,
            message: "the exchange has a fault, which its operator can see in the log".into(),
            fields: Vec::new(),
            source: Some(source.into()),
        }
    }

    /// The node is stopping: the request may be sent again, to another node or after the restart.
    pub fn stopping() -> Self {
        Self::new(Kind::Unavailable, "stopping", "the exchange is stopping")
    }

    /// Keeps what caused it, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The stable label, also that of the metric.
    pub fn label(&self) -> &'static str {
        self.label
    }

    /// The message for the caller.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields that break a rule.
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
