//! A stand-in for a store that cannot be read.

use std::path::PathBuf;

use super::{CursorError, CursorStore};
use crate::domain::subscription::Subscription;
use crate::domain::{PartnerId, SubscriptionName};

/// Every call returns [`CursorError::Unreadable`]. Nothing on disk is changed, so that an operator can
/// still restore it.
#[derive(Debug)]
pub struct UnreadableCursors {
    /// The folder of the store.
    pub folder: PathBuf,
    /// What is wrong with them.
    pub reason: String,
}

impl UnreadableCursors {
    fn error<T>(&self) -> Result<T, CursorError> {
        Err(CursorError::Unreadable { folder: self.folder.clone(), reason: self.reason.clone() })
    }
}

impl CursorStore for UnreadableCursors {
    fn all(&self) -> Result<Vec<Subscription>, CursorError> {
        self.error()
    }

    fn create(&self, _: &Subscription) -> Result<(), CursorError> {
        self.error()
    }

    fn update(&self, _: &[Subscription]) -> Result<(), CursorError> {
        self.error()
    }

    fn delete(&self, _: &PartnerId, _: &SubscriptionName) -> Result<(), CursorError> {
        self.error()
    }
}
