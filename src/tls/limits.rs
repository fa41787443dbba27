//! Counts connections per key, so that no peer exceeds its share.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A counter per key with a common limit.
#[derive(Debug)]
pub struct Counts<K> {
    inner: Arc<Mutex<HashMap<K, usize>>>,
    limit: usize,
}

impl<K: Clone + Eq + Hash> Counts<K> {
    /// Counters that allow up to `limit` per key.
    pub fn new(limit: usize) -> Self {
        Self { inner: Arc::default(), limit }
    }

    /// Counts one more for a key until the guard is dropped; `None` if the limit is reached.
    pub fn acquire(&self, key: K) -> Option<Guard<K>> {
        let mut counts = lock(&self.inner);
        let count = counts.entry(key.clone()).or_insert(0);
        if *count >= self.limit {
            return None;
        }
        *count += 1;
        Some(Guard { inner: Arc::clone(&self.inner), key })
    }
}

/// A permit. Dropping it frees its place.
#[derive(Debug)]
pub struct Guard<K: Eq + Hash> {
    inner: Arc<Mutex<HashMap<K, usize>>>,
    key: K,
}

impl<K: Eq + Hash> Drop for Guard<K> {
    fn drop(&mut self) {
        let mut counts = lock(&self.inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

fn lock<K>(inner: &Mutex<HashMap<K, usize>>) -> MutexGuard<'_, HashMap<K, usize>> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_share_and_gets_it_back() {
        let counts = Counts::new(2);
        let first = counts.acquire("birdsite").unwrap();
        let second = counts.acquire("birdsite").unwrap();
        assert!(counts.acquire("birdsite").is_none());
        assert!(counts.acquire("facegraph").is_some());
        drop(first);
        assert!(counts.acquire("birdsite").is_some());
        drop(second);
    }
}
