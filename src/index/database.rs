//! The database under the index: fjall, a log-structured merge tree.
//!
//! Assessment keys are hashes, so a B-tree would copy a leaf for each write. A merge tree collects
//! writes in memory and writes them to disk sorted.
//!
//! Nothing is fsynced: the journal is the source of truth. After a crash the newest batches may be
//! missing, each as a whole, and the index continues from its checkpoint.

mod fault;

use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;
use std::{fmt, fs, io, thread};

pub use fjall::Slice;
use fjall::compaction::Leveled;
use fjall::config::{
    BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry, PinningPolicy,
    RestartIntervalPolicy,
};
use fjall::{
    CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable, Snapshot,
};
use thiserror::Error;
use tracing::error;

use self::fault::SystemFault;

/// The only keyspace.
const KEYSPACE: &str = "index";

/// Size at which a memtable is flushed, in bytes. After a crash its log is replayed.
const MEMTABLE_BYTES: u64 = 16 * 1024 * 1024;

/// Writes wait while the memtables hold this much, in bytes. fjall has a setting for it, but ignores it
/// (lsm-tree#317).
const MAX_WRITE_BUFFER_BYTES: u64 = 64 * 1024 * 1024;

/// How long a waiting write sleeps between checks.
const PAUSE: Duration = Duration::from_millis(2);
/// Pauses without progress after which a waiting write fails: one minute.
const MAX_PAUSES: u32 = 30_000;

/// Maximum size of the write-ahead log, in bytes: the smallest that fjall allows.
const LOG_BYTES: u64 = 64 * 1024 * 1024;

/// Background threads. With one, a flush waits for a whole compaction. With two, the flush-only worker
/// requeues the other's next compaction in a busy loop, which costs a whole core.
const WORKERS: usize = 3;

/// Table files kept open.
const OPEN_TABLES: usize = 128;

/// Tables in level 0 that trigger a merge.
const LEVEL_0_TABLES: u8 = 8;
/// Target size of merged tables, in bytes.
const TABLE_BYTES: u64 = 16 * 1024 * 1024;

/// Marker file for known damage. fjall reads only a part of its files at opening, so it may not notice
/// again.
const DAMAGE_MARKER: &str = "damaged";

/// Why a database does not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("it is in use by another process")]
    InUse,
    /// Its creation was interrupted, or it is not a fjall database.
    #[error("it is not an index of this version")]
    Foreign,
    /// The data on disk is corrupt.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The operating system refused a call. The files may be intact.
    #[error("{0}")]
    System(SystemFault),
}

/// Why a read or a write failed. After a failed write, the database accepts no other.
#[derive(Debug, Error)]
pub enum DiskError {
    /// The data on disk is corrupt.
    #[error("the index is damaged: {0}")]
    Damaged(String),
    /// The operating system refused a call.
    #[error("{0}")]
    System(SystemFault),
    /// An earlier write or a background flush failed.
    #[error("an earlier write failed, or a flush")]
    Poisoned,
    /// The memtables are full, and nothing was flushed for a minute.
    #[error("nothing was flushed for a minute")]
    Stalled,
}

/// The result of a read or a write.
pub type Result<T> = std::result::Result<T, DiskError>;

/// An open database. It has one writer.
pub struct Disk {
    folder: PathBuf,
    db: Database,
    items: Keyspace,
    damage: Arc<Damage>,
    /// While a batch is written: the state before it.
    ///
    /// fjall makes a batch visible when all of it is in the memtable. But a flush or a merge that ends meanwhile makes
    /// visible whatever has a sequence number by then, with a part of the batch (lsm-tree 3.1.10, `upgrade_version`).
    /// So a snapshot is never taken during a batch: the last one from before it is shared.
    before_batch: Mutex<Option<Snapshot>>,
}

impl Disk {
    /// Opens the database in a folder, or creates it.
    pub fn open(folder: &Path, cache_bytes: u64) -> std::result::Result<Self, OpenError> {
        check_folder(folder)?;
        let opened = catch_unwind(AssertUnwindSafe(|| open(folder, cache_bytes)));
        let (db, items) = match opened {
            Ok(Ok(opened)) => opened,
            Ok(Err(fjall::Error::Locked)) => return Err(OpenError::InUse),
            Ok(Err(error)) => return Err(open_error(SystemFault::of(&error), error.to_string())),
            Err(panic) => {
                let message = fault::message(panic.as_ref());
                return Err(open_error(SystemFault::named_in(&message), message));
            }
        };
        let damage = Arc::new(Damage { folder: folder.to_owned(), found: Once::new() });
        let before_batch = Mutex::default();
        Ok(Self { folder: folder.to_owned(), db, items, damage, before_batch })
    }

    /// Takes a snapshot. It contains each batch as a whole or not at all.
    pub fn snapshot(&self) -> DiskSnapshot {
        let (items, damage) = (self.items.clone(), Arc::clone(&self.damage));
        // A batch does not begin while the lock is held.
        let before_batch = self.lock_before_batch();
        let snapshot = before_batch.clone().unwrap_or_else(|| self.db.snapshot());
        DiskSnapshot { snapshot, items, damage }
    }

    /// Writes one atomic batch; `None` removes a key. Blocks while the memtables are full.
    pub fn write(&self, writes: impl Iterator<Item = (Slice, Option<Slice>)>) -> Result<()> {
        self.wait_for_flush()?;
        let mut batch = self.db.batch();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(&self.items, key, value),
                None => batch.remove(&self.items, key),
            }
        }
        *self.lock_before_batch() = Some(self.db.snapshot());
        let written = batch.commit();
        *self.lock_before_batch() = None;
        written.map_err(|error| self.damage.classify(&error))
    }

    fn lock_before_batch(&self) -> MutexGuard<'_, Option<Snapshot>> {
        self.before_batch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The size on disk, in bytes.
    pub fn size_on_disk(&self) -> io::Result<u64> {
        size_on_disk(&self.folder)
    }

    fn wait_for_flush(&self) -> Result<()> {
        let (mut lowest, mut pauses) = (u64::MAX, 0);
        loop {
            let buffered = self.db.write_buffer_size();
            if buffered < MAX_WRITE_BUFFER_BYTES {
                return Ok(());
            }
            // Fails after a failed flush. There will be no other flush then.
            self.db.persist(PersistMode::Buffer).map_err(|error| self.damage.classify(&error))?;
            pauses = if buffered < lowest { 0 } else { pauses + 1 };
            lowest = lowest.min(buffered);
            if pauses > MAX_PAUSES {
                return Err(DiskError::Stalled);
            }
            thread::sleep(PAUSE);
        }
    }

    /// Starts to flush the memtable in the background.
    #[cfg(test)]
    #[allow(clippy::missing_panics_doc)] // For tests.
    pub fn rotate(&self) {
        self.items.rotate_memtable().unwrap();
    }

    /// Flushes the memtable to a table.
    #[cfg(test)]
    #[allow(clippy::missing_panics_doc)] // For tests.
    pub fn flush(&self) {
        self.items.rotate_memtable_and_wait().unwrap();
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The database at one moment. Old versions are kept as long as it exists.
#[derive(Clone)]
pub struct DiskSnapshot {
    snapshot: Snapshot,
    items: Keyspace,
    damage: Arc<Damage>,
}

impl DiskSnapshot {
    /// Looks up a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Slice>> {
        self.snapshot.get(&self.items, key).map_err(|error| self.damage.classify(&error))
    }

    /// Iterates over a key range, in order.
    pub fn range(
        &self,
        range: (Bound<&[u8]>, Bound<&[u8]>),
    ) -> impl DoubleEndedIterator<Item = Result<(Slice, Slice)>> + Send + use<> {
        let found = self.snapshot.range::<&[u8], _>(&self.items, range);
        let damage = Arc::clone(&self.damage);
        found.map(move |pair| pair.into_inner().map_err(|error| damage.classify(&error)))
    }
}

impl fmt::Debug for DiskSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskSnapshot").finish_non_exhaustive()
    }
}

/// Records damage on disk, so that the next start rebuilds the index.
#[derive(Debug)]
struct Damage {
    folder: PathBuf,
    found: Once,
}

impl Damage {
    /// Classifies an error. Marks the folder as damaged if the error shows damage.
    fn classify(&self, error: &fjall::Error) -> DiskError {
        if matches!(error, fjall::Error::Poisoned) {
            return DiskError::Poisoned;
        }
        if let Some(fault) = SystemFault::of(error) {
            return DiskError::System(fault);
        }
        self.mark(&error.to_string());
        DiskError::Damaged(error.to_string())
    }

    fn mark(&self, reason: &str) {
        self.found.call_once(|| {
            let folder = self.folder.display();
            error!(%folder, reason, "the index is damaged: it is rebuilt from the journal when it is opened again");
            if let Err(error) = fs::write(self.folder.join(DAMAGE_MARKER), reason) {
                error!(%folder, %error, "the damage cannot be recorded: stop the node and delete the index folder");
            }
        });
    }
}

/// Checks made before fjall opens the folder.
fn check_folder(folder: &Path) -> std::result::Result<(), OpenError> {
    let system = |error: io::Error| open_error(SystemFault::of(&error), error.to_string());
    match fs::File::open(folder.join("lock")) {
        Ok(lock) => match lock.try_lock() {
            Err(fs::TryLockError::WouldBlock) => return Err(OpenError::InUse),
            Err(fs::TryLockError::Error(error)) => return Err(system(error)),
            Ok(()) => {}
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(system(error)),
    }
    match fs::read(folder.join(DAMAGE_MARKER)) {
        Ok(reason) => {
            return Err(OpenError::Damaged(String::from_utf8_lossy(&reason).into_owned()));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(system(error)),
    }
    // fjall writes its version file last when it creates a database.
    let is_empty = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(error) => return Err(system(error)),
    };
    if !is_empty && !folder.join("version").exists() {
        return Err(OpenError::Foreign);
    }
    Ok(())
}

fn open(folder: &Path, cache_bytes: u64) -> fjall::Result<(Database, Keyspace)> {
    let db = Database::builder(folder)
        .cache_size(cache_bytes)
        .max_journaling_size(LOG_BYTES)
        .max_cached_files(Some(OPEN_TABLES))
        .manual_journal_persist(true)
        .worker_threads(WORKERS)
        .open()?;
    let items = db.keyspace(KEYSPACE, options)?;
    Ok((db, items))
}

fn options() -> KeyspaceCreateOptions {
    let filter = |policy| FilterPolicyEntry::Bloom(policy);
    let merging =
        Leveled::default().with_l0_threshold(LEVEL_0_TABLES).with_table_target_size(TABLE_BYTES);
    KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        .max_memtable_size(MEMTABLE_BYTES)
        .compaction_strategy(Arc::new(merging))
        // Level 0 is short-lived, so it is not compressed.
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

fn open_error(fault: Option<SystemFault>, message: String) -> OpenError {
    fault.map_or(OpenError::Damaged(message), OpenError::System)
}

/// The disk usage of a folder, in bytes. Counts blocks, because fjall preallocates its log.
pub fn size_on_disk(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        bytes += match entry.metadata() {
            Ok(found) if found.is_dir() => size_on_disk(&entry.path())?,
            Ok(found) => found.blocks() * 512,
            // fjall may remove files meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
    }
    Ok(bytes)
}

#[cfg(test)]
pub(super) use self::tests::copy;
#[cfg(test)]
mod tests;
