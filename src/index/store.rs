//! Where the index lies: in sled, or in memory for simulations of the core.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use sled::IVec;

use super::storage_fault;
use crate::error::Result;

/// Ordered keys and values. Batches are atomic; iteration is no snapshot.
#[derive(Debug)]
pub enum Store {
    /// One tree of a sled database.
    Sled {
        /// The database.
        db: sled::Db,
        /// The tree.
        tree: sled::Tree,
    },
    /// A map that lasts as long as the value does.
    Memory(RwLock<BTreeMap<IVec, IVec>>),
}

/// What is found, in the order of the keys.
pub type Pairs = Box<dyn DoubleEndedIterator<Item = Result<(IVec, IVec)>> + Send>;

impl Store {
    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<IVec>> {
        match self {
            Store::Sled { tree, .. } => tree.get(key).map_err(storage_fault),
            Store::Memory(map) => {
                Ok(map.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
            }
        }
    }

    /// Everything whose key begins with a prefix.
    pub fn scan(&self, prefix: &[u8]) -> Pairs {
        match self {
            Store::Sled { tree, .. } => {
                Box::new(tree.scan_prefix(prefix).map(|pair| pair.map_err(storage_fault)))
            }
            Store::Memory(_) => self.scan_from(prefix, prefix),
        }
    }

    /// The same from a key on, which begins with the prefix too.
    pub fn scan_from(&self, prefix: &[u8], from: &[u8]) -> Pairs {
        let begin = Bound::Included(IVec::from(from));
        let end = successor(prefix).map_or(Bound::Unbounded, |end| Bound::Excluded(end.into()));
        match self {
            Store::Sled { tree, .. } => {
                let found = tree.range::<IVec, _>((begin, end));
                Box::new(found.map(|pair| pair.map_err(storage_fault)))
            }
            Store::Memory(map) => {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                let found = map.range((begin, end)).map(|(k, v)| Ok((k.clone(), v.clone())));
                Box::new(found.collect::<Vec<_>>().into_iter())
            }
        }
    }

    /// Everything whose key begins with a prefix and comes before a key that does too, or before the end,
    /// backwards.
    pub fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>) -> Pairs {
        let before = before.map(<[u8]>::to_vec).or_else(|| successor(prefix));
        let begin = Bound::Included(IVec::from(prefix));
        let end = before.map_or(Bound::Unbounded, |end| Bound::Excluded(IVec::from(end)));
        match self {
            Store::Sled { tree, .. } => {
                let found = tree.range::<IVec, _>((begin, end)).rev();
                Box::new(found.map(|pair| pair.map_err(storage_fault)))
            }
            Store::Memory(map) => {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                let found = map.range((begin, end)).rev().map(|(k, v)| Ok((k.clone(), v.clone())));
                Box::new(found.collect::<Vec<_>>().into_iter())
            }
        }
    }

    /// Writes all of it, or nothing.
    pub fn apply(&self, writes: impl IntoIterator<Item = (IVec, Option<IVec>)>) -> Result<()> {
        match self {
            Store::Sled { tree, .. } => {
                let mut batch = sled::Batch::default();
                for (key, value) in writes {
                    match value {
                        Some(value) => batch.insert(key, value),
                        None => batch.remove(key),
                    }
                }
                tree.apply_batch(batch).map_err(storage_fault)
            }
            Store::Memory(map) => {
                let mut map = map.write().unwrap_or_else(PoisonError::into_inner);
                for (key, value) in writes {
                    match value {
                        Some(value) => drop(map.insert(key, value)),
                        None => drop(map.remove(&key)),
                    }
                }
                Ok(())
            }
        }
    }

    /// Its size on disk, in bytes, where it has one.
    pub fn size_on_disk(&self) -> Option<u64> {
        match self {
            Store::Sled { db, .. } => db.size_on_disk().ok(),
            Store::Memory(_) => None,
        }
    }
}

/// The first key behind all that begin with a prefix.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}
