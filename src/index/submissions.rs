//! The submissions that something came to lately, in memory: a batch that comes next is taken without a look at
//! the disk.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::record::SubmissionState;

/// How many submissions are kept at least, where there are so many. Twice as many are kept at most.
const KEPT: usize = 2_048;

/// Submissions by their keys.
#[derive(Debug, Default)]
pub struct Submissions {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What something came to since the others were left to age.
    young: HashMap<Vec<u8>, SubmissionState>,
    old: HashMap<Vec<u8>, SubmissionState>,
}

impl Submissions {
    /// A submission, where it is kept here; `None` says nothing about it.
    pub fn get(&self, key: &[u8]) -> Option<SubmissionState> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        inner.young.get(key).or_else(|| inner.old.get(key)).copied()
    }

    /// Drops all of them.
    pub fn clear(&self) {
        *self.inner.write().unwrap_or_else(PoisonError::into_inner) = Inner::default();
    }

    /// Keeps submissions as they are stored now.
    pub fn keep(&self, stored: Vec<(Vec<u8>, SubmissionState)>) {
        if stored.is_empty() {
            return;
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for (key, state) in stored {
            if inner.young.len() >= KEPT && !inner.young.contains_key(&key) {
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
        let submissions = Submissions::default();
        assert_eq!(submissions.get(&key(0)), None);
        for number in 0..3 * KEPT {
            submissions.keep(vec![(key(number), state(1)), (key(0), state(2))]);
            assert_eq!(submissions.get(&key(number)), Some(state(if number == 0 { 2 } else { 1 })));
        }
        assert_eq!(submissions.get(&key(0)), Some(state(2)), "it was stored all the time");
        assert_eq!(submissions.get(&key(1)), None, "it was not for long");
        let inner = submissions.inner.read().unwrap();
        assert!(inner.young.len() + inner.old.len() <= 2 * KEPT);
    }
}
