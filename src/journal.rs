//! The durable ordered log of every request: the truth from which everything else is computed.
//!
//! A [`Journal`] is a backend; every one passes the same conformance suite. The service talks to a
//! [`Log`], which gathers what waits into one durable write and keeps recent entries in memory for
//! all readers.

mod append;
mod backend;
mod chunk;
mod codec;
mod cursors;
pub mod database;
mod log;
mod sled;
pub mod stored;
mod tail;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::{fmt, io};

use thiserror::Error;

pub use self::append::{Append, AppendError, Stamp};
pub use self::backend::{Durability, Fault, FileJournal, FileSettings, MemoryJournal};
pub use self::cursors::{
    CursorError, CursorStore, MemoryCursors, SledCursors, StoredSubscription, UnreadableCursors,
};
pub use self::log::{Log, LogSettings};
pub use self::tail::Logged;
use crate::domain::{Entry, Timestamp};

/// A backend of the journal. One writer appends; any number of readers read beside it.
pub trait Journal: Send + Sync + fmt::Debug {
    /// Appends in order, all or none, with sequences that follow the last one without a gap. Times
    /// are never before the entry in front.
    ///
    /// Durable when it returns. Idempotent within a window: an id that was stored is not stored
    /// again, and its stamp is the one it got then. After [`AppendError::Unknown`] some, all or
    /// none may be stored.
    fn append(&self, batch: &[Append]) -> Result<Vec<Stamp>, AppendError>;

    /// Up to `most` entries from `from` on, in order and without a gap; empty behind the head alone.
    /// Large ones come in smaller numbers.
    /// Never skips: what cannot be read is an error that names it.
    fn read(&self, from: u64, most: usize) -> Result<Vec<Entry>, JournalError>;

    /// The sequence of the newest durable entry; 0 when there is none.
    fn head(&self) -> u64;

    /// The sequence of the oldest entry; 1 when there is none and never was.
    fn oldest(&self) -> u64;

    /// Removes the entries before a sequence: at once for readers, and from the disk where what they lie in
    /// holds no other. The newest entry always stays, so that sequences go on where they were.
    fn trim(&self, before: u64) -> Result<(), JournalError>;

    /// Whether a write failed: it takes nothing more until it is opened again.
    fn has_failed(&self) -> bool {
        false
    }

    /// Its size on disk, in bytes, where it has one.
    fn size_on_disk(&self) -> Option<u64> {
        None
    }

    /// Reads every entry and checks it. Gives back how many there are.
    fn check(&self) -> Result<u64, JournalError> {
        let mut next = self.oldest();
        let mut checked = 0;
        loop {
            let entries = self.read(next, 64)?;
            let Some(last) = entries.last() else { return Ok(checked) };
            next = last.sequence + 1;
            checked += entries.len() as u64;
        }
    }
}

/// What gives an append its time.
pub type TimeSource = std::sync::Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why a journal cannot be opened or read. Each tells an operator what to do.
#[derive(Debug, Error)]
pub enum JournalError {
    /// Another process has it open.
    #[error("the data folder {0} is in use by another process: stop that one first")]
    InUse(PathBuf),
    /// The folder cannot be written.
    #[error("the data folder {folder} cannot be written: {source}")]
    NotWritable {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A database of sled, in which it lay before, does not open.
    #[error(
        "the journal in {folder} does not open: {reason}. Nothing was changed: keep a copy of the \
         folder and restore it from a backup"
    )]
    Unopenable {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// An entry is damaged.
    #[error(
        "entry {sequence} of the journal is damaged: {reason}. The node stops here, since nothing \
         may be skipped: keep a copy of the data folder and restore it from a backup"
    )]
    Damaged {
        /// Which entry.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Entries that were acknowledged are gone.
    #[error(
        "the journal ends with entry {found}, but entry {acknowledged} was acknowledged: its files \
         were damaged or replaced. Keep a copy of the data folder and restore it from a backup"
    )]
    CutShort {
        /// The last entry that is there.
        found: u64,
        /// The last entry that is known to have been there.
        acknowledged: u64,
    },
    /// Entries that are asked for were removed by their age.
    #[error("entry {asked} is no longer held: the oldest is {oldest}")]
    Trimmed {
        /// The entry asked for.
        asked: u64,
        /// The oldest there is.
        oldest: u64,
    },
    /// The storage under it fails.
    #[error("the storage of the journal fails: {0}")]
    Storage(String),
}

/// An error that names a damaged entry.
fn damaged(sequence: u64, reason: impl Into<String>) -> JournalError {
    JournalError::Damaged { sequence, reason: reason.into() }
}

/// Forces the names in a folder to the disk, and that of the folder: new files are durable once they are.
fn sync_names(folder: &Path) -> io::Result<()> {
    for named in [Some(folder), folder.parent()].into_iter().flatten() {
        if let Ok(named) = File::open(named) {
            named.sync_all()?;
        }
    }
    Ok(())
}

/// Keeps everybody else out of a folder for as long as the file is open.
pub fn lock(folder: &Path) -> Result<File, TryLockError> {
    let lock = File::create(folder.join("lock")).map_err(TryLockError::Error)?;
    lock.try_lock().map(|()| lock)
}

/// An error of the storage under it.
#[allow(clippy::needless_pass_by_value)]
fn storage(error: io::Error) -> JournalError {
    JournalError::Storage(error.to_string())
}
