//! Counting connections, so that nobody takes more than its share.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many there are of each key, and in all, up to a bound for each.
#[derive(Debug)]
pub struct Counts<K> {
    inner: Arc<Mutex<HashMap<K, usize>>>,
    most: usize,
}

impl<K: Clone + Eq + Hash> Counts<K> {
    /// Up to `most` of each key.
    pub fn new(most: usize) -> Self {
        Self { inner: Arc::default(), most }
    }

    /// Counts one more of a key until the guard is dropped; `None` when there are enough.
    pub fn take(&self, key: K) -> Option<Guard<K>> {
        let mut counts = lock(&self.inner);
        let count = counts.entry(key.clone()).or_insert(0);
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Guard { inner: Arc::clone(&self.inner), key })
    }
}

/// One of those that are counted.
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
        let first = counts.take("birdsite").unwrap();
        let second = counts.take("birdsite").unwrap();
        assert!(counts.take("birdsite").is_none());
        assert!(counts.take("facegraph").is_some());
        drop(first);
        assert!(counts.take("birdsite").is_some());
        drop(second);
    }
}
