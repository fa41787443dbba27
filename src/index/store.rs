//! The key-value store of the index: a database on disk, or a map in memory for simulations.

use std::collections::BTreeMap;
use std::iter;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

pub use super::database::Slice;
use super::database::{self, Disk, DiskSnapshot};
use super::known::{KnownIds, Presence};
use super::{keys, storage_fault};
use crate::error::Result;

/// An ordered key-value store. One writer writes atomic batches; readers use snapshots.
#[derive(Debug)]
pub struct Store {
    backend: Backend,
    /// Which assessment keys may exist. Avoids most lookups on disk.
    known: KnownIds,
    /// Number of removals from `known`.
    removals: AtomicU64,
}

#[derive(Debug)]
enum Backend {
    Disk(Disk),
    /// Dropped with the value.
    Memory(RwLock<Arc<BTreeMap<Slice, Slice>>>),
}

/// The store at one moment. Keys that `known` excludes are not looked up.
#[derive(Clone, Debug)]
pub struct Snapshot {
    store: Arc<Store>,
    state: State,
    /// `Store::removals` before the snapshot was taken. If it changed, `known` may lack keys that the
    /// snapshot has.
    removals: u64,
}

#[derive(Clone, Debug)]
enum State {
    Disk(DiskSnapshot),
    Memory(Arc<BTreeMap<Slice, Slice>>),
}

/// Keys and values, in key order.
pub type Pairs = Box<dyn DoubleEndedIterator<Item = Result<(Slice, Slice)>> + Send>;

impl Store {
    /// Wraps a database. Reads all assessment keys once, to fill `known`.
    pub fn of(disk: Disk) -> database::Result<Self> {
        let known = KnownIds::default();
        let end = successor(keys::CURRENT);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        for pair in disk.snapshot().range((Bound::Included(keys::CURRENT), end)) {
            known.add(&pair?.0);
        }
        Ok(Self { backend: Backend::Disk(disk), known, removals: AtomicU64::default() })
    }

    /// An empty store in memory.
    pub fn in_memory() -> Self {
        Self {
            backend: Backend::Memory(RwLock::default()),
            known: KnownIds::default(),
            removals: AtomicU64::default(),
        }
    }

    /// Takes a snapshot. It contains each batch as a whole or not at all.
    pub fn snapshot(self: &Arc<Self>) -> Snapshot {
        // Read the counter before the snapshot, so that later removals are noticed.
        let removals = self.removals.load(Ordering::Acquire);
        let state = match &self.backend {
            Backend::Disk(disk) => State::Disk(disk.snapshot()),
            Backend::Memory(map) => {
                State::Memory(Arc::clone(&map.read().unwrap_or_else(PoisonError::into_inner)))
            }
        };
        Snapshot { store: Arc::clone(self), state, removals }
    }

    /// Writes one atomic batch; `None` removes a key. Call it from one thread only.
    pub fn apply(
        self: &Arc<Self>,
        writes: impl IntoIterator<Item = (Slice, Option<Slice>)>,
    ) -> Result<()> {
        let mut emptied = Vec::new();
        let tracked = writes.into_iter().inspect(|(key, value)| match value {
            Some(_) => self.known.add(key),
            None => emptied.extend(KnownIds::prefix(key)),
        });
        self.write(tracked)?;
        if emptied.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot();
        for prefix in emptied {
            if snapshot.scan(&prefix).next().is_none() {
                self.removals.fetch_add(1, Ordering::AcqRel);
                self.known.remove(&prefix);
            }
        }
        Ok(())
    }

    fn write(&self, writes: impl Iterator<Item = (Slice, Option<Slice>)>) -> Result<()> {
        match &self.backend {
            Backend::Disk(disk) => disk.write(writes).map_err(storage_fault),
            Backend::Memory(map) => {
                let mut map = map.write().unwrap_or_else(PoisonError::into_inner);
                let map = Arc::make_mut(&mut map);
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

    /// Flushes the memtable to a table.
    #[cfg(test)]
    pub fn flush(&self) {
        if let Backend::Disk(disk) = &self.backend {
            disk.flush();
        }
    }

    /// The size on disk, in bytes. `None` in memory.
    pub fn size_on_disk(&self) -> Option<u64> {
        match &self.backend {
            Backend::Disk(disk) => disk.size_on_disk().ok(),
            Backend::Memory(_) => None,
        }
    }
}

impl Snapshot {
    /// Looks up a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        if !self.store.known.may_hold(key) && self.is_known_to_be_current() {
            return Ok(None);
        }
        match &self.state {
            State::Disk(disk) => disk.get(key).map_err(storage_fault),
            State::Memory(map) => Ok(map.get(key).cloned()),
        }
    }

    /// Scans all keys that start with `prefix`.
    pub fn scan(&self, prefix: &[u8]) -> Pairs {
        let presence = self.store.known.presence(prefix);
        match presence {
            Presence::Absent if self.is_known_to_be_current() => Box::new(iter::empty()),
            Presence::Only(key) if self.is_known_to_be_current() => match self.get(&key) {
                // The snapshot is older than `known`: it may contain another key.
                Ok(None) => self.scan_from(prefix, prefix),
                Ok(Some(value)) => Box::new(iter::once(Ok((key.into(), value)))),
                Err(error) => Box::new(iter::once(Err(error))),
            },
            _ => self.scan_from(prefix, prefix),
        }
    }

    /// Like [`Self::scan`], starting at key `from`, which starts with the prefix too.
    pub fn scan_from(&self, prefix: &[u8], from: &[u8]) -> Pairs {
        let end = successor(prefix);
        self.range(from, end.as_deref())
    }

    /// Like [`Self::scan`], starting after the key `after`. It may be deleted, or be before all that start with the
    /// prefix. `None` starts with the first.
    pub fn scan_after(&self, prefix: &[u8], after: Option<Vec<u8>>) -> Pairs {
        let from = after.map(|mut key| {
            key.push(0);
            key
        });
        match from {
            Some(from) if from.as_slice() > prefix => self.scan_from(prefix, &from),
            _ => self.scan_from(prefix, prefix),
        }
    }

    /// Scans keys that start with `prefix` in reverse order, from just before `before` or from the end.
    pub fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>) -> Pairs {
        let end = before.map(<[u8]>::to_vec).or_else(|| successor(prefix));
        Box::new(self.range(prefix, end.as_deref()).rev())
    }

    fn range(&self, begin: &[u8], end: Option<&[u8]>) -> Pairs {
        let range = (Bound::Included(begin), end.map_or(Bound::Unbounded, Bound::Excluded));
        match &self.state {
            State::Disk(disk) => {
                // Keeps the database open while the iterator lives.
                let open = Arc::clone(&self.store);
                Box::new(disk.range(range).map(move |pair| {
                    let _ = &open;
                    pair.map_err(storage_fault)
                }))
            }
            State::Memory(map) => {
                let found = map.range::<[u8], _>(range).map(|(k, v)| Ok((k.clone(), v.clone())));
                Box::new(found.collect::<Vec<_>>().into_iter())
            }
        }
    }

    /// Whether `known` lost nothing since the snapshot. Check it after reading `known`, never before.
    fn is_known_to_be_current(&self) -> bool {
        self.store.removals.load(Ordering::Acquire) == self.removals
    }
}

/// The first key after all keys that start with `prefix`.
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
    use std::os::unix::fs::FileExt;
    use std::path::{Path, PathBuf};

    use super::*;

    fn open(folder: &Path) -> Arc<Store> {
        Arc::new(Store::of(Disk::open(folder, 1 << 20).unwrap()).unwrap())
    }

    fn put(key: &[u8]) -> (Slice, Option<Slice>) {
        (key.into(), Some(Slice::from(b"value")))
    }

    fn removed(key: &[u8]) -> (Slice, Option<Slice>) {
        (key.into(), None)
    }

    fn get(store: &Arc<Store>, key: &[u8]) -> Option<Slice> {
        store.snapshot().get(key).unwrap()
    }

    const MINE: &[u8] = b"i0123456789abcdefmine";
    const THEIRS: &[u8] = b"i0123456789abcdeftheirs";

    #[test]
    fn what_is_stored_is_found_and_what_is_gone_is_not_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let prefix = &MINE[..17];
        let found = |store: &Arc<Store>| store.snapshot().scan(prefix).count();
        for mut store in [Arc::new(Store::in_memory()), open(folder.path())] {
            assert!(get(&store, MINE).is_none() && !store.known.may_hold(MINE));
            store.apply([put(MINE), put(THEIRS), put(b"o1")]).unwrap();
            assert_eq!((found(&store), store.snapshot().scan(b"i").count()), (2, 2));
            store.apply([removed(MINE)]).unwrap();
            assert!(get(&store, MINE).is_none() && get(&store, THEIRS).is_some());
            assert_eq!(found(&store), 1, "what others say of it stays");
            if matches!(store.backend, Backend::Disk(_)) {
                drop(store);
                store = open(folder.path());
                assert_eq!(found(&store), 1, "it is known again after a restart");
            }
            store.apply([removed(THEIRS), put(b"o2")]).unwrap();
            assert!(!store.known.may_hold(prefix), "nothing is kept of it");
            store.apply([put(MINE)]).unwrap();
            assert!(get(&store, MINE).is_some());
            assert!(get(&store, b"o2").is_some());
        }
    }

    #[test]
    fn what_takes_the_place_of_the_one_key_that_is_known_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for store in [Arc::new(Store::in_memory()), open(folder.path())] {
            store.apply([put(MINE)]).unwrap();
            // `known` names the old key, as for a reader that asked just before the removal was noted.
            store.write([removed(MINE), put(THEIRS)].into_iter()).unwrap();
            let pairs = store.snapshot().scan(&MINE[..17]);
            let found: Vec<_> = pairs.map(|pair| pair.unwrap().0).collect();
            assert_eq!(found, [Slice::from(THEIRS)]);
        }
    }

    #[test]
    fn a_snapshot_shows_what_was_removed_since_and_nothing_that_was_added() {
        let folder = tempfile::tempdir().unwrap();
        for store in [Arc::new(Store::in_memory()), open(folder.path())] {
            store.apply([put(MINE), put(THEIRS)]).unwrap();
            let before = store.snapshot();
            let found = |snapshot: &Snapshot| snapshot.scan(&MINE[..17]).count();
            store.apply([removed(MINE), removed(THEIRS)]).unwrap();
            let empty = store.snapshot();
            assert!(before.get(MINE).unwrap().is_some() && empty.get(MINE).unwrap().is_none());
            assert_eq!((found(&before), found(&empty)), (2, 0));
            store.apply([put(MINE)]).unwrap();
            assert_eq!((found(&before), found(&empty), found(&store.snapshot())), (2, 0, 1));
            assert!(empty.get(MINE).unwrap().is_none());
        }
    }

    fn all(store: &Arc<Store>) -> Result<Vec<(Slice, Slice)>> {
        store.snapshot().scan(b"").collect()
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
    }

    #[test]
    fn damage_is_found_or_leaves_the_store_as_it_was_behind_some_batch() {
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
            if batch % 3 == 1 {
                store.flush();
            }
        }
        drop(store);
        let (mut found, mut harmless) = (0, 0);
        for file in files(folder.path()) {
            let whole = std::fs::read(&file).unwrap();
            let is_used = |block: &[u8]| block != &[0; 4096][..block.len()];
            let written = 4096 * whole.chunks(4096).rposition(is_used).map_or(0, |last| last + 1);
            let written = written.min(whole.len());
            let flipped = (0..4).map(|part| written * part / 4).filter(|at| *at < written);
            let cut = [0, written / 2].into_iter();
            for (at, is_cut) in flipped.map(|at| (at, false)).chain(cut.map(|at| (at, true))) {
                let copied = tempfile::tempdir().unwrap();
                database::copy(folder.path(), copied.path());
                let path = copied.path().join(file.strip_prefix(folder.path()).unwrap());
                let damaged = std::fs::OpenOptions::new().write(true).open(path).unwrap();
                if is_cut {
                    damaged.set_len(at as u64).unwrap();
                } else {
                    damaged.write_all_at(&[whole[at] ^ 1], at as u64).unwrap();
                }
                let opened = Disk::open(copied.path(), 1 << 20).ok();
                let opened = opened.and_then(|disk| Store::of(disk).ok()).map(Arc::new);
                match opened.map(|store| all(&store)) {
                    None | Some(Err(_)) => found += 1,
                    Some(Ok(read)) => {
                        assert!(
                            states.contains(&read),
                            "{} reads as a state that never was",
                            file.display()
                        );
                        harmless += 1;
                    }
                }
            }
        }
        assert!(found > 10 && harmless > 0, "{found} found, {harmless} harmless");
    }
}
