//! Of which indicators something may be said, in memory. Most of what is submitted and most of what is
//! looked up is new to the exchange: that needs no look at the disk.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use super::keys;

/// How many parts there are: each grows, and is waited for, on its own.
const PARTS: usize = 64;

/// The first half of an indicator's id.
type Half = [u8; 8];

/// The ids of all indicators of which something is said, half of each, and maybe some more. Each takes
/// some 10 to 20 bytes.
#[derive(Debug)]
pub struct KnownIds([RwLock<HashSet<Half>>; PARTS]);

impl Default for KnownIds {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }
}

impl KnownIds {
    /// Whether something may lie under a key or a prefix. A no is sure; behind a yes the disk is to be
    /// asked.
    pub fn may_hold(&self, key: &[u8]) -> bool {
        half(key).is_none_or(|half| {
            self.part(half).read().unwrap_or_else(PoisonError::into_inner).contains(&half)
        })
    }

    /// Takes in what a key is of: before anything is stored under it.
    pub fn add(&self, key: &[u8]) {
        if let Some(half) = half(key) {
            self.part(half).write().unwrap_or_else(PoisonError::into_inner).insert(half);
        }
    }

    /// Drops what a prefix stands for, under which nothing is stored any more.
    pub fn remove(&self, prefix: &[u8]) {
        if let Some(half) = half(prefix) {
            self.part(half).write().unwrap_or_else(PoisonError::into_inner).remove(&half);
        }
    }

    /// The prefix of all keys of which is known together whether there are any; `None` where nothing is.
    pub fn prefix(key: &[u8]) -> Option<[u8; 9]> {
        half(key).and(key.first_chunk().copied())
    }

    fn part(&self, half: Half) -> &RwLock<HashSet<Half>> {
        &self.0[usize::from(half[0]) % PARTS]
    }
}

/// Of a key or a prefix that belongs to one indicator's assessments.
fn half(key: &[u8]) -> Option<Half> {
    key.strip_prefix(keys::CURRENT)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_given_for_assessments_that_are_not_there_alone() {
        let known = KnownIds::default();
        let (there, other) = (b"i01234567rest", b"i76543210rest");
        assert!(!known.may_hold(there));
        known.add(there);
        assert!(known.may_hold(there) && !known.may_hold(other));
        assert!(known.may_hold(&there[..9]), "a prefix is a key too");
        assert!(known.may_hold(b"i0123"), "too short to tell");
        assert!(
            known.may_hold(b"!") && known.may_hold(b"o76543210"),
            "nothing is kept of the others"
        );
        known.remove(&KnownIds::prefix(there).unwrap());
        assert!(!known.may_hold(there));
    }
}
