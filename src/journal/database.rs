//! Opening a database of sled, and forcing it to the disk.
//!
//! sled's `flush` is not durable on Linux: it never calls fsync. So what is to be durable is
//! flushed, then the database file is fdatasynced, and only then answered; [`make_durable`] is the
//! one place that does it.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use super::Durability;

/// How often a database that somebody holds open is tried again, and after which pause.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Why a database does not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Somebody holds it open.
    #[error("it is in use by another process")]
    InUse,
    /// It panics on its files: one of them was cut short.
    #[error("its files are damaged")]
    Damaged,
    /// What it says itself.
    #[error(transparent)]
    Other(#[from] sled::Error),
}

/// Opens the database in a folder. One that is just being closed lets go of its lock a little later,
/// and is waited for. Nothing is flushed but by [`make_durable`], and when it is dropped.
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

/// sled's file in an open database's folder, for [`make_durable`]. The names of new files are durable
/// once their folder is.
pub fn data_file(folder: &Path) -> io::Result<File> {
    let data = File::open(folder.join("db"))?;
    super::sync_names(folder)?;
    Ok(data)
}

/// Flush, then fdatasync. An error of either is final: a second try would report success for pages
/// that the first one dropped.
pub fn make_durable(db: &sled::Db, data: &File, durability: Durability) -> Result<(), String> {
    db.flush().map_err(|error| error.to_string())?;
    match durability {
        Durability::Fsync => data.sync_data().map_err(|error| error.to_string()),
        Durability::NoneAtAll => Ok(()),
    }
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().contains("could not acquire lock"))
}
