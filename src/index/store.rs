//! Where the index lies: in a database, or in memory for simulations of the core.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};

pub use super::database::Slice;
use super::database::{self, Disk};
use super::known::{KnownIds, Stored};
use super::{keys, storage_fault};
use crate::error::Result;

/// Ordered keys and values. What is written at once becomes visible at once. A scan sees the store as it was when
/// it began. What is surely not there is not looked for.
#[derive(Debug)]
pub struct Store {
    kept: Kept,
    known: KnownIds,
}

#[derive(Debug)]
enum Kept {
    /// A database.
    Disk(Disk),
    /// A map that lasts as long as the value does.
    Memory(RwLock<BTreeMap<Slice, Slice>>),
}

/// What is found, in the order of the keys.
pub type Pairs = Box<dyn DoubleEndedIterator<Item = Result<(Slice, Slice)>> + Send>;

impl Store {
    /// A database. Reads all keys of assessments.
    pub fn of(disk: Disk) -> database::Result<Self> {
        let known = KnownIds::default();
        let end = successor(keys::CURRENT);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        for pair in disk.range((Bound::Included(keys::CURRENT), end)) {
            known.add(&pair?.0);
        }
        Ok(Self { kept: Kept::Disk(disk), known })
    }

    /// An empty one in memory.
    pub fn in_memory() -> Self {
        Self { kept: Kept::Memory(RwLock::default()), known: KnownIds::default() }
    }

    /// The value under a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        if !self.known.may_hold(key) {
            return Ok(None);
        }
        match &self.kept {
            Kept::Disk(disk) => disk.get(key).map_err(storage_fault),
            Kept::Memory(map) => {
                Ok(map.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned())
            }
        }
    }

    /// Everything whose key begins with a prefix.
    pub fn scan(&self, prefix: &[u8]) -> Pairs {
        match self.known.under(prefix) {
            Stored::Somewhere => self.scan_from(prefix, prefix),
            Stored::Nothing => Box::new(iter::empty()),
            Stored::Under(key) => match self.get(&key) {
                // Since memory was asked it may have gone, and something else come in the same write.
                Ok(None) => self.scan_from(prefix, prefix),
                Ok(Some(value)) => Box::new(iter::once(Ok((key.into(), value)))),
                Err(error) => Box::new(iter::once(Err(error))),
            },
        }
    }

    /// The same from a key on, which begins with the prefix too.
    pub fn scan_from(&self, prefix: &[u8], from: &[u8]) -> Pairs {
        let end = successor(prefix);
        self.range(from, end.as_deref())
    }

    /// Everything whose key begins with a prefix and comes before a key that does too, or before the end,
    /// backwards.
    pub fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>) -> Pairs {
        let end = before.map(<[u8]>::to_vec).or_else(|| successor(prefix));
        Box::new(self.range(prefix, end.as_deref()).rev())
    }

    fn range(&self, begin: &[u8], end: Option<&[u8]>) -> Pairs {
        let range = (Bound::Included(begin), end.map_or(Bound::Unbounded, Bound::Excluded));
        match &self.kept {
            Kept::Disk(disk) => {
                let found = disk.range(range);
                Box::new(found.map(|pair| pair.map_err(storage_fault)))
            }
            Kept::Memory(map) => {
                let map = map.read().unwrap_or_else(PoisonError::into_inner);
                let found = map.range::<[u8], _>(range).map(|(k, v)| Ok((k.clone(), v.clone())));
                Box::new(found.collect::<Vec<_>>().into_iter())
            }
        }
    }

    /// Writes all of it, or nothing. There is one writer.
    pub fn apply(&self, writes: impl IntoIterator<Item = (Slice, Option<Slice>)>) -> Result<()> {
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

    fn write(&self, writes: impl Iterator<Item = (Slice, Option<Slice>)>) -> Result<()> {
        match &self.kept {
            Kept::Disk(disk) => disk.write(writes).map_err(storage_fault),
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
            Kept::Disk(disk) => disk.size_on_disk().ok(),
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
    use std::path::{Path, PathBuf};

    use super::*;

    fn open(folder: &std::path::Path) -> Store {
        Store::of(Disk::open(folder, 1 << 20).unwrap()).unwrap()
    }

    fn put(key: &[u8]) -> (Slice, Option<Slice>) {
        (key.into(), Some(Slice::from(b"said")))
    }

    fn removed(key: &[u8]) -> (Slice, Option<Slice>) {
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
            if matches!(store.kept, Kept::Disk(_)) {
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

    #[test]
    fn what_takes_the_place_of_the_one_key_that_is_known_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (b"i0123456789abcdefmine", b"i0123456789abcdeftheirs");
        for store in [Store::in_memory(), open(folder.path())] {
            store.apply([put(before)]).unwrap();
            // As for who asked memory right before it was told.
            store.write([removed(before), put(after)].into_iter()).unwrap();
            let found: Vec<_> = store.scan(&before[..17]).map(|pair| pair.unwrap().0).collect();
            assert_eq!(found, [Slice::from(after)]);
        }
    }

    fn all(store: &Store) -> Result<Vec<(Slice, Slice)>> {
        store.scan(b"").collect()
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    fn copy(from: &Path, to: &Path) {
        for file in files(from) {
            let copied = to.join(file.strip_prefix(from).unwrap());
            std::fs::create_dir_all(copied.parent().unwrap()).unwrap();
            std::fs::copy(file, copied).unwrap();
        }
    }

    #[test]
    fn damage_is_found_or_leaves_the_store_as_it_was_behind_some_write() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let mut states = vec![Vec::new()];
        for batch in 0u32..8 {
            let puts = (0u32..50).map(|number| {
                let key = [&b"o"[..], &batch.to_be_bytes(), &number.to_be_bytes()].concat();
                (key.into(), Some(Slice::from(vec![u8::try_from(batch).unwrap(); 60])))
            });
            store
                .apply(puts.chain([(Slice::from(b"!"), Some(batch.to_be_bytes().into()))]))
                .unwrap();
            states.push(all(&store).unwrap());
            if batch % 3 == 1
                && let Kept::Disk(disk) = &store.kept
            {
                disk.write_table().unwrap();
            }
        }
        drop(store);
        let (mut found, mut harmless) = (0, 0);
        for file in files(folder.path()) {
            let whole = std::fs::read(&file).unwrap();
            let written = whole.len();
            let flipped =
                (0..4).map(|part| written * part / 4).filter(|at| *at < written).map(|at| {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 1;
                    bytes
                });
            let cut = [0, written / 2].map(|length| whole[..length].to_vec());
            for bytes in flipped.chain(cut) {
                let copied = tempfile::tempdir().unwrap();
                copy(folder.path(), copied.path());
                let damaged = copied.path().join(file.strip_prefix(folder.path()).unwrap());
                std::fs::write(&damaged, bytes).unwrap();
                let opened = Disk::open(copied.path(), 1 << 20).ok();
                let opened = opened.and_then(|disk| Store::of(disk).ok());
                match opened.map(|store| all(&store)) {
                    None | Some(Err(_)) => found += 1,
                    Some(Ok(read)) => {
                        assert!(states.contains(&read), "{} gives what was not", file.display());
                        harmless += 1;
                    }
                }
            }
        }
        assert!(found > 10 && harmless > 0, "{found} found, {harmless} harmless");
    }
}
