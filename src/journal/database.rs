//! Opening a database of sled.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use thiserror::Error;

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
/// and is waited for.
pub fn open(
    folder: &Path,
    cache_bytes: u64,
    flush_every_ms: Option<u64>,
) -> Result<sled::Db, OpenError> {
    let config = sled::Config::new()
        .path(folder)
        .cache_capacity(cache_bytes)
        .mode(sled::Mode::HighThroughput)
        .flush_every_ms(flush_every_ms);
    for _ in 0..TRIES {
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened.map_err(|_| OpenError::Damaged)? {
            Err(error) if is_locked(&error) => thread::sleep(PAUSE),
            opened => return Ok(opened?),
        }
    }
    Err(OpenError::InUse)
}

fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(source) if source.to_string().contains("could not acquire lock"))
}
