//! The domain's error: an invalid field and the reason.

use std::borrow::Cow;
use std::fmt;

/// An invalid field of the input, with a reason for whoever wrote the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field's name in the protocol, such as `value` or `sharing.groups`.
    pub field: Cow<'static, str>,
    /// What is wrong, to be read after the field's name: "is not a host name".
    pub reason: Cow<'static, str>,
}

impl Invalid {
    /// Creates an error for a field.
    pub fn new(field: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.reason)
    }
}

impl std::error::Error for Invalid {}
