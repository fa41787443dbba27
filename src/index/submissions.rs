//! Cache of recently active submissions, so that the next batch of one needs no lookup on disk.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::record::SubmissionState;

/// Submissions per generation. The cache holds up to two generations.
const GENERATION_SIZE: usize = 2_048;

/// Submission states by key.
#[derive(Debug, Default)]
pub struct SubmissionCache {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Written or updated since the last rotation.
    young: HashMap<Vec<u8>, SubmissionState>,
    /// The previous generation. Dropped at the next rotation.
    old: HashMap<Vec<u8>, SubmissionState>,
}

impl SubmissionCache {
    /// The cached state. `None` says nothing about the submission.
    pub fn get(&self, key: &[u8]) -> Option<SubmissionState> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.young.get(key).or_else(|| inner.old.get(key)).copied()
    }

    /// Empties the cache.
    pub fn clear(&self) {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = Inner::default();
    }

    /// Adds states that were stored.
    pub fn insert_all(&self, stored: Vec<(Vec<u8>, SubmissionState)>) {
        if stored.is_empty() {
            return;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for (key, state) in stored {
            if inner.young.len() >= GENERATION_SIZE && !inner.young.contains_key(&key) {
                inner.old = std::mem::take(&mut inner.young);
            }
            inner.young.insert(key, state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(batches: u32) -> SubmissionState {
        SubmissionState { batches, ..SubmissionState::default() }
    }

    fn key(number: usize) -> Vec<u8> {
        number.to_be_bytes().to_vec()
    }

    #[test]
    fn the_latest_are_kept_as_they_were_stored_last() {
        let submissions = SubmissionCache::default();
        assert_eq!(submissions.get(&key(0)), None);
        for number in 0..3 * GENERATION_SIZE {
            submissions.insert_all(vec![(key(number), state(1)), (key(0), state(2))]);
            assert_eq!(submissions.get(&key(number)), Some(state(if number == 0 { 2 } else { 1 })));
        }
        assert_eq!(submissions.get(&key(0)), Some(state(2)), "it was stored all the time");
        assert_eq!(submissions.get(&key(1)), None, "it was not for long");
        let inner = submissions.inner.read().unwrap();
        assert!(inner.young.len() + inner.old.len() <= 2 * GENERATION_SIZE);
    }
}
