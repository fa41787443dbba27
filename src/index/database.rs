//! The database under the index: a log-structured merge tree.
//!
//! The keys of assessments are hashes, so a B-tree is written all over: each assessment copies a leaf that
//! holds a handful of them. Here they gather in memory, and go to the disk sorted, many at a time.
//!
//! What has gathered has no log of its own: the journal is that. Behind a crash the newest writes are missing, each as a
//! whole, and the index goes on from the entry that it had come to.

mod damage;
mod pace;
mod tables;

use std::fs::{self, File, TryLockError};
use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

pub use lsm_tree::Slice;
use lsm_tree::config::{
    BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry, PinningPolicy,
    RestartIntervalPolicy,
};
use lsm_tree::{
    AbstractTree, AnyTree, Cache, CompressionType, Config, Guard, InternalValue, Memtable,
    SequenceNumberCounter, ValueType,
};
use thiserror::Error;

use self::damage::Damage;
use self::pace::{Backlog, PacedMerges};
use self::tables::{Shown, Tables};
use crate::journal;

/// Where the tree has its tables.
const TABLES: &str = "tables";

/// How much is gathered in memory before it is written as one sorted table, with what the database keeps of
/// a key and its value besides. A start behind a crash computes up to three times as much again.
const GATHERED_BYTES: u64 = 16 * 1024 * 1024;

/// Why a database does not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Somebody holds it open.
    #[error("it is in use by another process")]
    InUse,
    /// The folder has the files of sled or of fjall, in which the index lay before.
    #[error("it has the layout of another version")]
    OtherVersion,
    /// It panics on its files, or was found damaged before.
    #[error("its files are damaged")]
    Damaged,
    /// What it says itself.
    #[error(transparent)]
    Other(#[from] lsm_tree::Error),
}

/// Why something was not read or written.
#[derive(Debug, Error)]
pub enum DiskError {
    /// What the database says itself.
    #[error(transparent)]
    Tree(#[from] lsm_tree::Error),
    /// Something failed before, and nothing is taken any more.
    #[error("it takes nothing more: {0}")]
    Failed(String),
}

/// What is read of a database.
pub type Result<T> = std::result::Result<T, DiskError>;

/// A database with one tree. There is one writer.
pub struct Disk {
    folder: PathBuf,
    tree: AnyTree,
    shown: Arc<Shown>,
    damage: Arc<Damage>,
    tables: Tables,
    gathering: Mutex<Gathering>,
    /// Held for as long as the database is open.
    _lock: File,
}

/// Where writes gather. It is written to here, and not by way of the tree: that lets nobody write while it puts
/// to the disk which tables it has.
struct Gathering {
    memory: Arc<Memtable>,
    bytes: u64,
}

impl Disk {
    /// Opens the database in a folder.
    pub fn open(folder: &Path, cache_bytes: u64) -> std::result::Result<Self, OpenError> {
        if ["conf", "version"].iter().any(|name| folder.join(name).exists()) {
            return Err(OpenError::OtherVersion);
        }
        fs::create_dir_all(folder).map_err(lsm_tree::Error::from)?;
        let lock = journal::lock(folder).map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse,
            TryLockError::Error(error) => OpenError::Other(error.into()),
        })?;
        if Damage::was_found_in(folder).map_err(lsm_tree::Error::from)? {
            return Err(OpenError::Damaged);
        }
        let tables = folder.join(TABLES);
        if !folder.join("current").exists()
            && pace::newest(&tables).is_ok_and(|newest| newest.is_some())
        {
            return Err(OpenError::Damaged);
        }
        let numbers = SequenceNumberCounter::default();
        let backlog = Arc::new(Backlog::default());
        let merges = PacedMerges::new(Arc::clone(&backlog), tables);
        let config = config(folder, cache_bytes, numbers.clone())
            .with_compaction_filter_factory(Some(Arc::new(merges)));
        let tree = catch_unwind(AssertUnwindSafe(|| {
            let tree = config.open()?;
            numbers.set(tree.get_highest_persisted_seqno().map_or(0, |highest| highest + 1));
            Ok::<_, lsm_tree::Error>(tree)
        }));
        let tree = tree.map_err(|_| OpenError::Damaged)??;
        let shown = Arc::new(Shown::new(numbers));
        let damage = Arc::new(Damage::new(folder));
        let tables =
            Tables::start(tree.clone(), (Arc::clone(&shown), Arc::clone(&damage)), backlog, folder)
                .map_err(lsm_tree::Error::from)?;
        let gathering = Mutex::new(Gathering { memory: tree.active_memtable(), bytes: 0 });
        Ok(Self { folder: folder.to_owned(), tree, shown, damage, tables, gathering, _lock: lock })
    }

    /// The value under a key. Like a range, it shows a write whole or not at all, and behind one that showed it.
    pub fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        let shown = self.shown.read();
        Ok(self.tree.get(key, shown.number).map_err(|error| self.damage.noted(error))?)
    }

    /// The keys and values of a range, as they were when it began.
    pub fn range(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = Result<(Slice, Slice)>> + Send + use<> {
        let shown = self.shown.read();
        let found = self.tree.range::<&[u8], _>(range, shown.number, None);
        let damage = Arc::clone(&self.damage);
        found.map(move |pair| Ok(pair.into_inner().map_err(|error| damage.noted(error))?))
    }

    /// Writes all of it, or nothing: `None` removes what is under a key. An error is final.
    pub fn write(&self, writes: impl Iterator<Item = (Slice, Option<Slice>)>) -> Result<()> {
        let gathering = &mut *self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        if gathering.bytes >= GATHERED_BYTES {
            self.tables.write_gathered()?;
            *gathering = Gathering { memory: self.tree.active_memtable(), bytes: 0 };
        }
        let writing = self.shown.write();
        for (key, value) in writes {
            let item = match value {
                Some(value) => {
                    InternalValue::from_components(key, value, writing.number, ValueType::Value)
                }
                None => InternalValue::new_tombstone(key, writing.number),
            };
            (_, gathering.bytes) = gathering.memory.insert(item);
        }
        writing.show();
        Ok(())
    }

    /// What it takes of the disk, in bytes.
    pub fn size_on_disk(&self) -> io::Result<u64> {
        size_on_disk(&self.folder)
    }

    /// Writes what has gathered as a table.
    #[cfg(test)]
    pub fn write_table(&self) -> Result<()> {
        let mut gathering = self.gathering.lock().unwrap_or_else(PoisonError::into_inner);
        self.tables.write_gathered()?;
        *gathering = Gathering { memory: self.tree.active_memtable(), bytes: 0 };
        self.tables.wait_until_written();
        Ok(())
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// What has just been gathered is not compressed: it is merged soon.
fn config(folder: &Path, cache_bytes: u64, numbers: SequenceNumberCounter) -> Config {
    let filter = |policy| FilterPolicyEntry::Bloom(policy);
    // What the database shows of itself is not what is shown here: see `Shown`.
    Config::new(folder, numbers, SequenceNumberCounter::default())
        .use_cache(Arc::new(Cache::with_capacity_bytes(cache_bytes)))
        .data_block_compression_policy(CompressionPolicy::new([
            CompressionType::None,
            CompressionType::Lz4,
        ]))
        .data_block_restart_interval_policy(RestartIntervalPolicy::all(1))
        .index_block_pinning_policy(PinningPolicy::new([true, true, true, false]))
        .filter_block_pinning_policy(PinningPolicy::new([true, true, true, false]))
        .filter_policy(FilterPolicy::new([
            filter(BloomConstructionPolicy::FalsePositiveRate(0.0001)),
            filter(BloomConstructionPolicy::BitsPerKey(10.0)),
        ]))
}

/// What a folder takes of the disk, in bytes. What is reserved and was not written takes no room.
pub fn size_on_disk(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(found) if found.is_dir() => size_on_disk(&entry.path())?,
            Ok(found) => found.blocks() * 512,
            // The database drops files while they are counted.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
