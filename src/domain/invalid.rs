//! The one error of the domain: a field that does not hold, and why.

use std::borrow::Cow;
use std::fmt;

/// A field of the input that breaks a rule, and the rule in words for whoever wrote the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field's name in the protocol, such as `value` or `sharing.groups`.
    pub field: Cow<'static, str>,
    /// What is wrong with it, to be read after the field's name: "is not a host name".
    pub reason: Cow<'static, str>,
}

impl Invalid {
    /// Names the field and the reason.
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
