//! Platforms: where accounts, pages, communities and channels live.

use std::borrow::Cow;
use std::fmt;

/// A platform by its id: a known one such as `x`, or the host of one that the table does not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform(Cow<'static, str>);

impl Platform {
    /// The platform's id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes an id from the journal or the index as it was stored.
    pub fn from_stored(id: impl Into<Cow<'static, str>>) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
impl Platform {
    pub fn parse(text: &str) -> Result<Self, super::Invalid> {
        Ok(Self(text.to_lowercase().into()))
    }
}
