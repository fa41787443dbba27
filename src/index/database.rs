//! The database under the index: a log-structured merge tree.
//!
//! The keys of assessments are hashes, so a B-tree is written all over: each assessment copies a leaf that
//! holds a handful of them. Here they gather in memory, and go to the disk sorted, many at a time.

use std::ops::Bound;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{fmt, fs, io, thread};

pub use fjall::Slice;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use thiserror::Error;
use tracing::warn;

/// How much is gathered in memory before it is written as one sorted table.
const GATHERED_BYTES: u64 = 16 * 1024 * 1024;

/// What the database keeps of a key and its value besides, in bytes.
const RECORD_BYTES: usize = 64;

/// How much may be gathered and full while the worker is busy: then whoever writes waits, and looks again
/// after each pause.
const FULL: usize = 2;
const PAUSE: Duration = Duration::from_millis(2);

/// Above what is ever gathered: the database is told when it is enough. By itself it sends its worker a message
/// with each write from there on, and while that is busy they fill the queue into which it puts its own
/// next step; then it waits for itself.
const NEVER: u64 = 1024 * 1024 * 1024;

/// How much of its own log the database keeps: the least that it allows, since what is lost is computed
/// again. A start behind a crash reads it.
const LOG_BYTES: u64 = 64 * 1024 * 1024;

/// With two of them, one spins for as long as the other merges tables.
const WORKERS: usize = 1;

/// Why a database does not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Somebody holds it open.
    #[error("it is in use by another process")]
    InUse,
    /// The folder has the files of sled, in which the index lay before.
    #[error("it has the layout of another version")]
    OtherVersion,
    /// It panics on its files.
    #[error("its files are damaged")]
    Damaged,
    /// What it says itself.
    #[error(transparent)]
    Other(#[from] fjall::Error),
}

/// A database with one tree. There is one writer.
pub struct Disk {
    folder: PathBuf,
    db: Database,
    tree: Keyspace,
    ahead: WriteAhead,
    /// The bytes that were written since the last was full.
    gathered: AtomicU64,
}

impl Disk {
    /// Opens the database in a folder.
    pub fn open(folder: &Path, cache_bytes: u64) -> Result<Self, OpenError> {
        if folder.join("conf").exists() {
            return Err(OpenError::OtherVersion);
        }
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let db = Database::builder(folder)
                .cache_size(cache_bytes)
                .max_journaling_size(LOG_BYTES)
                .worker_threads(WORKERS)
                .open()?;
            let options = || KeyspaceCreateOptions::default().max_memtable_size(NEVER);
            let tree = db.keyspace("index", options)?;
            Ok((db, tree))
        }));
        let (db, tree) = opened.map_err(|_| OpenError::Damaged)?.map_err(|error| match error {
            fjall::Error::Locked => OpenError::InUse,
            error => OpenError::Other(error),
        })?;
        let ahead =
            WriteAhead::start(folder, db.clone(), tree.clone()).map_err(fjall::Error::from)?;
        let gathered = AtomicU64::new(db.write_buffer_size());
        Ok(Self { folder: folder.to_owned(), db, tree, ahead, gathered })
    }

    /// The value under a key. Like a range, it shows a write whole or not at all, and behind one that showed it.
    pub fn get(&self, key: &[u8]) -> fjall::Result<Option<Slice>> {
        self.db.snapshot().get(&self.tree, key)
    }

    /// The keys and values of a range, as they were when it began.
    pub fn range(&self, range: (Bound<&[u8]>, Bound<&[u8]>)) -> fjall::Iter {
        self.db.snapshot().range::<&[u8], _>(&self.tree, range)
    }

    /// Writes all of it, or nothing: `None` removes what is under a key. An error is final.
    pub fn write(&self, writes: impl Iterator<Item = (Slice, Option<Slice>)>) -> fjall::Result<()> {
        let mut batch = self.db.batch();
        let mut bytes = 0;
        for (key, value) in writes {
            bytes += key.len() + value.as_ref().map_or(0, |value| value.len()) + RECORD_BYTES;
            match value {
                Some(value) => batch.insert(&self.tree, key, value),
                None => batch.remove(&self.tree, key),
            }
        }
        self.make_room(bytes as u64)?;
        self.ahead.note();
        batch.commit()
    }

    /// What it takes of the disk, in bytes.
    pub fn size_on_disk(&self) -> io::Result<u64> {
        size_on_disk(&self.folder)
    }

    /// Writes what is gathered as a table.
    #[cfg(test)]
    pub fn write_table(&self) -> fjall::Result<()> {
        self.tree.rotate_memtable_and_wait()
    }

    fn make_room(&self, bytes: u64) -> fjall::Result<()> {
        if self.gathered.fetch_add(bytes, Ordering::Relaxed) + bytes > GATHERED_BYTES {
            while self.tree.sealed_memtable_count() >= FULL {
                // Fails once the worker has: it would be waited for in vain.
                self.db.persist(PersistMode::Buffer)?;
                thread::sleep(PAUSE);
            }
            self.tree.rotate_memtable()?;
            self.ahead.note_table();
            self.gathered.store(bytes, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// What a folder takes of the disk, in bytes. The database reserves more than it has written, which takes
/// no room.
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

/// How often what the database writes is put to the disk, and how often while it writes tables.
const WRITTEN_EVERY: Duration = Duration::from_millis(100);
const TABLES_WRITTEN_EVERY: Duration = Duration::from_millis(10);

/// Puts what the database writes to the disk in small steps.
///
/// The index need not be durable, but the database forces each table to the disk once it is whole, and its log
/// beside it, for which it lets nobody write. With all of that still to be written, the journal's next write
/// waits behind it, and so does everybody who waits for a receipt.
#[derive(Debug)]
struct WriteAhead {
    /// Whether something was written to the log since the last step.
    written: Arc<AtomicBool>,
    /// Tells that there are tables to be written. The thread ends with it.
    tables: Option<mpsc::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl WriteAhead {
    /// Begins, in a thread of its own.
    fn start(folder: &Path, db: Database, tree: Keyspace) -> io::Result<Self> {
        let written = Arc::new(AtomicBool::default());
        let (tables, told) = mpsc::channel();
        let (folder, to_do) = (folder.to_owned(), Arc::clone(&written));
        let thread = thread::Builder::new().name("index-ahead".into()).spawn(move || {
            let is_busy = || tree.sealed_memtable_count() > 0 || db.active_compactions() > 0;
            let step = |busy| {
                if to_do.swap(false, Ordering::Relaxed) {
                    sync_newest(&folder, ".jnl")?;
                }
                if busy { sync_newest(&tree.path().join("tables"), "") } else { Ok(()) }
            };
            let mut every = WRITTEN_EVERY;
            while told.recv_timeout(every) != Err(mpsc::RecvTimeoutError::Disconnected) {
                let busy = is_busy();
                every = if busy { TABLES_WRITTEN_EVERY } else { WRITTEN_EVERY };
                if let Err(error) = step(busy) {
                    let folder = folder.display();
                    return warn!(%folder, "the index is no longer written ahead, see to the disk: {error}");
                }
            }
        })?;
        Ok(Self { written, tables: Some(tables), thread: Some(thread) })
    }

    /// Says that something was written to the log.
    fn note(&self) {
        self.written.store(true, Ordering::Relaxed);
    }

    /// Says that a table will be written.
    fn note_table(&self) {
        // Where the thread has ended it has said so.
        let _ = self.tables.as_ref().map(|tables| tables.send(()));
    }
}

/// The thread holds the database open.
impl Drop for WriteAhead {
    fn drop(&mut self) {
        self.tables = None;
        // What it panicked with was said.
        let _ = self.thread.take().map(thread::JoinHandle::join);
    }
}

/// Puts to the disk what was written to the newest of numbered files: the others are there. One that was
/// removed meanwhile is no longer needed.
fn sync_newest(folder: &Path, suffix: &str) -> io::Result<()> {
    let Some(path) = newest(folder, suffix)? else { return Ok(()) };
    match fs::File::open(path).and_then(|file| file.sync_data()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn newest(folder: &Path, suffix: &str) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_suffix(suffix)?.parse::<u64>().ok());
        newest = newest.max(number.map(|number| (number, path)));
    }
    Ok(newest.map(|(_, path)| path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_log_is_that_of_the_highest_number() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest(folder.path(), ".jnl").unwrap(), None);
        for name in ["9.jnl", "10.jnl", "11.jnl.bak", "version", "other.jnl"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(newest(folder.path(), ".jnl").unwrap(), Some(folder.path().join("10.jnl")));
    }

    #[test]
    fn an_open_database_has_a_log_and_keeps_everybody_else_out() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), 1 << 20).unwrap();
        assert!(newest(folder.path(), ".jnl").unwrap().is_some());
        assert!(matches!(Disk::open(folder.path(), 1 << 20), Err(OpenError::InUse)));
        drop(disk);
        Disk::open(folder.path(), 1 << 20).unwrap();
    }

    #[test]
    fn what_is_gathered_is_bounded_and_all_of_it_is_there() {
        const WRITES: u64 = 2_000;
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::open(folder.path(), 1 << 20).unwrap();
        for number in 0..WRITES {
            let value = Slice::from(vec![1; 64 * 1024]);
            disk.write([(number.to_be_bytes().into(), Some(value))].into_iter()).unwrap();
            assert!(disk.tree.sealed_memtable_count() <= FULL);
            assert!(disk.gathered.load(Ordering::Relaxed) <= GATHERED_BYTES);
        }
        for _ in 0..2 {
            assert_eq!(disk.range((Bound::Unbounded, Bound::Unbounded)).count() as u64, WRITES);
            drop(disk);
            disk = Disk::open(folder.path(), 1 << 20).unwrap();
        }
        assert!(disk.tree.table_count() > 0, "some of it was written as tables");
    }

    #[test]
    fn what_is_reserved_and_not_written_takes_no_room() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inner")).unwrap();
        fs::write(folder.path().join("inner/full"), vec![1; 1 << 20]).unwrap();
        fs::File::create(folder.path().join("empty")).unwrap().set_len(64 << 20).unwrap();
        let bytes = size_on_disk(folder.path()).unwrap();
        assert!(((1 << 20)..(2 << 20)).contains(&bytes), "{bytes}");
    }
}
