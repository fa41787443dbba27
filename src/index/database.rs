//! The database under the index: a log-structured merge tree.
//!
//! The keys of assessments are hashes, so a B-tree is written all over: each assessment copies a leaf that
//! holds a handful of them. Here they gather in memory, and go to the disk sorted, many at a time.

use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::{fs, io};

use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use thiserror::Error;

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
