//! Opens sled databases and makes writes durable.
//!
//! sled's `flush` is not durable on Linux: it never calls fsync. [`make_durable`] therefore flushes,
//! then calls fdatasync on the database file. It is the only place that does so.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use super::Durability;

/// Attempts to open a database that is locked.
const TRIES: usize = 20;
/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// Why a database does not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// It is locked.
    #[error("it is in use by another process")]
    InUse,
    /// sled panicked on its files, for instance on a truncated one.
    #[error("its files are damaged")]
    Damaged,
    /// Any other error of sled.
    #[error(transparent)]
    Other(#[from] sled::Error),
}

/// Opens the database in a folder. Waits for a lock that is just being released.
///
/// Flushes happen only in [`make_durable`] and when the database is dropped.
pub fn open(folder: &Path, cache_bytes: u64) -> Result<sled::Db, OpenError> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(cache_bytes)
        .mode(sled::Mode::HighThroughput)
        .flush_every_ms(None);
    for _ in 0..TRIES {
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened.map_err(|_| OpenError::Damaged)? {
            Err(error) if is_locked(&error) => thread::sleep(PAUSE),
            opened => return Ok(opened?),
        }
    }
    Err(OpenError::InUse)
}

/// Opens sled's data file for [`make_durable`], and syncs the folder, so that file names are durable.
pub fn data_file(folder: &Path) -> io::Result<File> {
    let data = File::open(folder.join("db"))?;
    super::sync_names(folder)?;
    Ok(data)
}

/// Flushes, then calls fdatasync. An error is final: a second try would report success for pages that
/// the kernel dropped.
pub fn make_durable(db: &sled::Db, data: &File, durability: Durability) -> Result<(), String> {
    db.flush().map_err(|error| error.to_string())?;
    match durability {
        Durability::Fsync => data.sync_data().map_err(|error| error.to_string()),
        Durability::NoSync => Ok(()),
    }
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().contains("could not acquire lock"))
}
