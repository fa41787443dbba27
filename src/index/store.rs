//! Where the index lies: in sled, or in memory for simulations of the core.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

use sled::IVec;

use super::known::KnownIds;
use super::{keys, storage_fault};
use crate::error::Result;

/// Ordered keys and values. Batches are atomic; iteration is no snapshot. What is surely not there is not
/// looked for.
#[derive(Debug)]
pub struct Store {
    kept: Kept,
    known: KnownIds,
}

#[derive(Debug)]
enum Kept {
    /// One tree of a sled database.
    Sled { db: sled::Db, tree: sled::Tree },
    /// A map that lasts as long as the value does.
    Memory(RwLock<BTreeMap<IVec, IVec>>),
}

/// What is found, in the order of the keys.
pub type Pairs = Box<dyn DoubleEndedIterator<Item = Result<(IVec, IVec)>> + Send>;

impl Store {
    /// One tree of a sled database. Reads all keys of assessments.
    pub fn of(db: sled::Db, tree: sled::Tree) -> sled::Result<Self> {
        let known = KnownIds::default();
        for key in tree.scan_prefix(keys::CURRENT).keys() {
            known.add(&key?);
        }
        Ok(Self { kept: Kept::Sled { db, tree }, known })
    }

    /// An empty one in memory.
    pub fn in_memory() -> Self {
        Self { kept: Kept::Memory(RwLock::default()), known: KnownIds::default() }
    }

    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<IVec>> {
        if !self.known.may_hold(key) {
            return Ok(None);
        }
        match &self.kept {
            Kept::Sled { tree, .. } => tree.get(key).map_err(storage_fault),
            Kept::Memory(map) => {
                Ok(map.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
            }
        }
    }

    /// Everything whose key begins with a prefix.
    pub fn scan(&self, prefix: &[u8]) -> Pairs {
        if !self.known.may_hold(prefix) {
            return Box::new(std::iter::empty());
        }
        match &self.kept {
            Kept::Sled { tree, .. } => {
                Box::new(tree.scan_prefix(prefix).map(|pair| pair.map_err(storage_fault)))
            }
            Kept::Memory(_) => self.scan_from(prefix, prefix),
        }
    }

    /// The same from a key on, which begins with the prefix too.
    pub fn scan_from(&self, prefix: &[u8], from: &[u8]) -> Pairs {
        let begin = Bound::Included(IVec::from(from));
        let end = successor(prefix).map_or(Bound::Unbounded, |end| Bound::Excluded(end.into()));
        match &self.kept {
            Kept::Sled { tree, .. } => {
                let found = tree.range::<IVec, _>((begin, end));
                Box::new(found.map(|pair| pair.map_err(storage_fault)))
            }
            Kept::Memory(map) => {
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
        match &self.kept {
            Kept::Sled { tree, .. } => {
                let found = tree.range::<IVec, _>((begin, end)).rev();
                Box::new(found.map(|pair| pair.map_err(storage_fault)))
            }
            Kept::Memory(map) => {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                let found = map.range((begin, end)).rev().map(|(k, v)| Ok((k.clone(), v.clone())));
                Box::new(found.collect::<Vec<_>>().into_iter())
            }
        }
    }

    /// Writes all of it, or nothing. There is one writer.
    pub fn apply(&self, writes: impl IntoIterator<Item = (IVec, Option<IVec>)>) -> Result<()> {
        let mut emptied = Vec::new();
        let noted = writes.into_iter().inspect(|(key, value)| match value {
            Some(_) => self.known.add(key),
            None => emptied.extend(KnownIds::prefix(key)),
        });
        self.write(noted)?;
        for prefix in emptied {
            if self.scan(&prefix).next().is_none() {
                self.known.remove(&prefix);
            }
        }
        Ok(())
    }

    fn write(&self, writes: impl Iterator<Item = (IVec, Option<IVec>)>) -> Result<()> {
        match &self.kept {
            Kept::Sled { tree, .. } => {
                let mut batch = sled::Batch::default();
                for (key, value) in writes {
                    match value {
                        Some(value) => batch.insert(key, value),
                        None => batch.remove(key),
                    }
                }
                tree.apply_batch(batch).map_err(storage_fault)
            }
            Kept::Memory(map) => {
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
        match &self.kept {
            Kept::Sled { db, .. } => db.size_on_disk().ok(),
            Kept::Memory(_) => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &std::path::Path) -> Store {
        let db = sled::open(folder).unwrap();
        let tree = db.open_tree("index").unwrap();
        Store::of(db, tree).unwrap()
    }

    fn put(key: &[u8]) -> (IVec, Option<IVec>) {
        (key.into(), Some(IVec::from(b"said")))
    }

    fn removed(key: &[u8]) -> (IVec, Option<IVec>) {
        (key.into(), None)
    }

    #[test]
    fn what_is_stored_is_found_and_what_is_gone_is_not_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, theirs) = (b"i0123456789abcdefmine", b"i0123456789abcdeftheirs");
        let prefix = &mine[..17];
        let found = |store: &Store| store.scan(prefix).count();
        for mut store in [Store::in_memory(), open(folder.path())] {
            assert!(store.get(mine).unwrap().is_none() && !store.known.may_hold(mine));
            store.apply([put(mine), put(theirs), put(b"o1")]).unwrap();
            assert_eq!((found(&store), store.scan(b"i").count()), (2, 2));
            store.apply([removed(mine)]).unwrap();
            assert!(store.get(mine).unwrap().is_none() && store.get(theirs).unwrap().is_some());
            assert_eq!(found(&store), 1, "what others say of it stays");
            if matches!(store.kept, Kept::Sled { .. }) {
                drop(store);
                store = open(folder.path());
                assert_eq!(found(&store), 1, "it is known again behind a restart");
            }
            store.apply([removed(theirs), put(b"o2")]).unwrap();
            assert!(!store.known.may_hold(prefix), "nothing is kept of it");
            store.apply([put(mine)]).unwrap();
            assert!(store.get(mine).unwrap().is_some());
            assert!(store.get(b"o2").unwrap().is_some());
        }
    }
}
