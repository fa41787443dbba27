//! The database under the index: a log-structured merge tree.
//!
//! The keys of assessments are hashes, so a B-tree is written all over: each assessment copies a leaf that
//! holds a handful of them. Here they gather in memory, and go to the disk sorted, many at a time.

use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use std::{fs, io, thread};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use thiserror::Error;
use tracing::warn;

/// How much is gathered in memory before it is written as one sorted table.
const GATHERED_BYTES: u64 = 32 * 1024 * 1024;

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

/// Opens the database in a folder, and its one tree.
pub fn open(folder: &Path, cache_bytes: u64) -> Result<(Database, Keyspace), OpenError> {
    if folder.join("conf").exists() {
        return Err(OpenError::OtherVersion);
    }
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let db = Database::builder(folder)
            .cache_size(cache_bytes)
            .max_journaling_size(LOG_BYTES)
            .worker_threads(WORKERS)
            .open()?;
        let options = || KeyspaceCreateOptions::default().max_memtable_size(GATHERED_BYTES);
        let tree = db.keyspace("index", options)?;
        Ok((db, tree))
    }));
    opened.map_err(|_| OpenError::Damaged)?.map_err(|error| match error {
        fjall::Error::Locked => OpenError::InUse,
        error => OpenError::Other(error),
    })
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

/// How often the database's log is put to the disk.
const WRITTEN_EVERY: Duration = Duration::from_millis(100);

/// Puts the database's log to the disk in small steps.
///
/// The index need not be durable, but the database forces its log to the disk whenever it writes a table,
/// and lets nobody write meanwhile. With all of it still to be written, whoever waits for a receipt waits
/// for that.
#[derive(Debug)]
pub struct LogWriter {
    /// Whether something was written since the last step.
    written: Arc<AtomicBool>,
    /// The thread ends with it.
    _stop: mpsc::Sender<()>,
}

impl LogWriter {
    /// Begins, in a thread of its own.
    pub fn start(folder: &Path) -> io::Result<Self> {
        let written = Arc::new(AtomicBool::default());
        let (stop, stopped) = mpsc::channel();
        let (folder, to_do) = (folder.to_owned(), Arc::clone(&written));
        thread::Builder::new().name("index-log".into()).spawn(move || {
            while stopped.recv_timeout(WRITTEN_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                if to_do.swap(false, Ordering::Relaxed)
                    && let Err(error) = write_log(&folder)
                {
                    warn!(folder = %folder.display(), "the log of the index is not written: {error}");
                }
            }
        })?;
        Ok(Self { written, _stop: stop })
    }

    /// Says that something was written.
    pub fn note(&self) {
        self.written.store(true, Ordering::Relaxed);
    }
}

/// Puts to the disk what was written to the newest of the database's logs: the others are there.
fn write_log(folder: &Path) -> io::Result<()> {
    newest_log(folder)?.map_or(Ok(()), |path| fs::File::open(path)?.sync_data())
}

fn newest_log(folder: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_suffix(".jnl")?.parse::<u64>().ok());
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
        assert_eq!(newest_log(folder.path()).unwrap(), None);
        for name in ["9.jnl", "10.jnl", "11.jnl.bak", "version", "other.jnl"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(newest_log(folder.path()).unwrap(), Some(folder.path().join("10.jnl")));
    }

    #[test]
    fn an_open_database_has_a_log_and_keeps_everybody_else_out() {
        let folder = tempfile::tempdir().unwrap();
        let (db, tree) = open(folder.path(), 1 << 20).unwrap();
        assert!(newest_log(folder.path()).unwrap().is_some());
        assert!(matches!(open(folder.path(), 1 << 20), Err(OpenError::InUse)));
        drop((db, tree));
        open(folder.path(), 1 << 20).unwrap();
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
