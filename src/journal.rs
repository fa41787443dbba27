//! The durable ordered log of every request: the truth from which everything else is computed.
//!
//! A [`Journal`] is a backend; every one passes the same conformance suite. The service talks to a
//! [`Log`], which groups waiting appends into one durable write and keeps recent entries in memory for
//! all readers.

mod append;
mod backend;
mod codec;
mod cursors;
pub mod database;
mod log;
mod migrate;
mod tail;

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use thiserror::Error;
use tokio::sync::watch;

pub use self::append::{Append, AppendError, AppendOutcome, MAX_ENTRY_BYTES, Stamp};
pub use self::backend::{
    Backend, Durability, Fault, FileJournal, LocalSettings, MemoryJournal, OpenError, SledJournal,
    is_missing, open,
};
pub use self::cursors::{
    CursorError, CursorStore, MemoryCursors, SledCursors, StoredSubscription, UnreadableCursors,
};
pub use self::log::{Log, LogSettings};
pub use self::migrate::{JournalContents, MigrateError, MigrationOutcome, contents, migrate};
pub use self::tail::LoggedEntry;
use crate::domain::{Entry, Timestamp};

/// A backend of the journal. Several writers may append, on this node or on others; any number of readers
/// read meanwhile.
pub trait Journal: Send + Sync + fmt::Debug {
    /// Appends a batch in order and returns one outcome for each append.
    ///
    /// A stored append is durable when this returns. Sequences follow the head without a gap; an entry's
    /// time is never before its predecessor's. Idempotent within a window of recent ids: an id that was
    /// stored is not stored again, and its stamp is the first one, marked `repeated`. An entry of more than
    /// [`MAX_ENTRY_BYTES`] is rejected, and the others of its batch are stored. After
    /// [`AppendError::Unknown`] the append may be stored or not.
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome>;

    /// Stores entries that already have their sequence and time: a migration, a restore, a local copy.
    ///
    /// They follow one another and the head without a gap; into an empty journal they may begin with any
    /// sequence. Durable when it returns. All of them or none, but for an error of the storage, after which
    /// some may be stored.
    fn put(&self, entries: &[Entry]) -> Result<(), JournalError>;

    /// Reads up to `limit` entries from sequence `from` on, in order, without gaps.
    ///
    /// Returns an empty vector only if `from` is past the head. May return fewer than `limit` entries to
    /// bound memory. A corrupt entry is an error that names its sequence; it is never skipped. Blocks on
    /// the disk.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<Entry>, JournalError>;

    /// The sequence of the newest durable entry; 0 when there is none.
    fn head(&self) -> u64 {
        *self.watch().borrow()
    }

    /// Follows the head, whoever moves it: this node's appends and other nodes'.
    fn watch(&self) -> watch::Receiver<u64>;

    /// The sequence of the oldest entry; 1 when there is none and never was.
    fn oldest(&self) -> u64;

    /// Removes the entries before a sequence. The newest entry always stays, so that sequences go on.
    ///
    /// Readers lose them immediately, and durably when it returns; the space on disk may be freed later.
    fn trim(&self, before: u64) -> Result<(), JournalError>;

    /// Whether a write failed: it takes nothing more until it is opened again.
    fn has_failed(&self) -> bool {
        false
    }

    /// Its size on disk, in bytes, where it has one.
    fn size_on_disk(&self) -> Option<u64> {
        None
    }

    /// Reads every entry, checks it, and returns how many there are.
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

/// Why a journal cannot be read or changed. Each tells an operator what to do.
#[derive(Debug, Error)]
pub enum JournalError {
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
    /// The entries were trimmed.
    #[error("entry {asked} is no longer held: the oldest is {oldest}")]
    Trimmed {
        /// The entry asked for.
        asked: u64,
        /// The oldest there is.
        oldest: u64,
    },
    /// Entries to put do not follow the head or one another.
    #[error("entry {got} cannot be put where entry {expected} comes next")]
    OutOfOrder {
        /// The sequence that comes next.
        expected: u64,
        /// The sequence that was to be put.
        got: u64,
    },
    /// The storage failed.
    #[error("the storage of the journal fails: {0}")]
    Storage(String),
}

/// An error that names a damaged entry.
fn damaged(sequence: u64, reason: impl Into<String>) -> JournalError {
    JournalError::Damaged { sequence, reason: reason.into() }
}

/// Syncs a folder and its parent: the names of new files are durable after that.
fn sync_names(folder: &Path) -> io::Result<()> {
    for named in [Some(folder), folder.parent()].into_iter().flatten() {
        if let Ok(named) = File::open(named) {
            named.sync_all()?;
        }
    }
    Ok(())
}

/// Locks a folder against other processes for as long as the file is open.
pub fn lock(folder: &Path) -> Result<File, TryLockError> {
    let lock = File::create(folder.join("lock")).map_err(TryLockError::Error)?;
    lock.try_lock().map(|()| lock)
}

/// An error of the storage.
#[allow(clippy::needless_pass_by_value)]
fn storage(error: io::Error) -> JournalError {
    JournalError::Storage(error.to_string())
}
