//! Subscriptions in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{CursorError, CursorStore};
use crate::domain::subscription::Subscription;
use crate::domain::{PartnerId, SubscriptionName};

type Key = (PartnerId, SubscriptionName);

/// A store that is dropped with the value.
#[derive(Debug, Default)]
pub struct MemoryCursors {
    stored: Mutex<BTreeMap<Key, Subscription>>,
}

impl MemoryCursors {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Key, Subscription>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CursorStore for MemoryCursors {
    fn all(&self) -> Result<Vec<Subscription>, CursorError> {
        Ok(self.lock().values().cloned().collect())
    }

    fn create(&self, new: &Subscription) -> Result<(), CursorError> {
        self.lock().insert((new.partner.clone(), new.name.clone()), new.clone());
        Ok(())
    }

    fn update(&self, moved: &[Subscription]) -> Result<(), CursorError> {
        let mut stored = self.lock();
        for moved in moved {
            let key = (moved.partner.clone(), moved.name.clone());
            if let Some(current) = stored.get_mut(&key) {
                (current.cursor, current.acknowledged) = (moved.cursor, moved.acknowledged);
            }
        }
        Ok(())
    }

    fn delete(&self, partner: &PartnerId, name: &SubscriptionName) -> Result<(), CursorError> {
        self.lock().remove(&(partner.clone(), name.clone()));
        Ok(())
    }
}
