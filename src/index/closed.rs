//! The closed versions of each entry: those that are no longer current.
//!
//! Recent entries are cached in memory, which is all that live feeds need. Older ones are read from the
//! index.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::Position;

/// Closed versions kept in memory, at 10 to 20 bytes each.
const MAX_VERSIONS: usize = 500_000;

/// The closed versions of an entry, by item index.
pub type ClosedItems = Arc<BTreeSet<u32>>;

/// Cache of the closed versions of recent entries.
#[derive(Debug)]
pub struct ClosedVersions {
    inner: RwLock<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The cache is complete after this sequence, and empty up to it.
    after: u64,
    by_entry: BTreeMap<u64, ClosedItems>,
    count: usize,
}

/// Where the closed versions of an entry are.
#[derive(Debug, PartialEq, Eq)]
pub enum ClosedLookup {
    /// In the cache. `None` if all versions of the entry are current.
    Recent(Option<ClosedItems>),
    /// In the index.
    Stored,
}

impl ClosedVersions {
    /// An empty cache, complete after `sequence`.
    pub fn after(sequence: u64) -> Self {
        let inner = Inner { after: sequence, by_entry: BTreeMap::new(), count: 0 };
        Self { inner: RwLock::new(inner) }
    }

    /// Clears the cache. It is complete after `sequence`.
    pub fn reset(&self, sequence: u64) {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        *inner = Inner { after: sequence, by_entry: BTreeMap::new(), count: 0 };
    }

    /// Looks up the closed versions of an entry.
    pub fn find(&self, sequence: u64) -> ClosedLookup {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        if sequence <= inner.after {
            return ClosedLookup::Stored;
        }
        ClosedLookup::Recent(inner.by_entry.get(&sequence).cloned())
    }

    /// Adds versions after the index has stored them as closed. Evicts the oldest entries above the
    /// limit.
    pub fn add(&self, versions: &[Position]) {
        if versions.is_empty() {
            return;
        }
        let inner = &mut *self.inner.write().unwrap_or_else(PoisonError::into_inner);
        for version in versions {
            if version.sequence <= inner.after {
                continue;
            }
            let items = Arc::make_mut(inner.by_entry.entry(version.sequence).or_default());
            inner.count += usize::from(items.insert(version.index));
        }
        while inner.count > MAX_VERSIONS {
            let Some((sequence, items)) = inner.by_entry.pop_first() else { return };
            inner.after = sequence;
            inner.count -= items.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(items: &[u32]) -> ClosedLookup {
        ClosedLookup::Recent(Some(Arc::new(items.iter().copied().collect())))
    }

    #[test]
    fn what_is_recent_is_here_and_what_is_older_is_not_claimed_to_be_current() {
        let closed = ClosedVersions::after(5);
        closed.add(&[Position::new(5, 0), Position::new(6, 1), Position::new(6, 3)]);
        assert_eq!(closed.find(5), ClosedLookup::Stored);
        assert_eq!(closed.find(6), recent(&[1, 3]));
        assert_eq!(closed.find(7), ClosedLookup::Recent(None));
        closed.reset(6);
        assert_eq!(closed.find(6), ClosedLookup::Stored);
        assert_eq!(closed.find(7), ClosedLookup::Recent(None));
    }

    #[test]
    fn it_is_bounded_and_the_oldest_go_first() {
        let closed = ClosedVersions::after(0);
        let items = 1_000;
        let entries = 2 * MAX_VERSIONS as u64 / u64::from(items);
        for sequence in 1..=entries {
            let versions: Vec<_> = (0..items).map(|item| Position::new(sequence, item)).collect();
            closed.add(&versions);
            closed.add(&versions[..10]);
        }
        let cached =
            closed.inner.read().unwrap().by_entry.values().map(|items| items.len()).sum::<usize>();
        assert_eq!(cached, MAX_VERSIONS, "what is added twice counts once");
        assert_eq!(closed.find(entries / 2), ClosedLookup::Stored);
        assert!(matches!(closed.find(entries / 2 + 1), ClosedLookup::Recent(Some(_))));
    }
}
