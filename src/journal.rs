//! The durable, ordered log of all requests. Every other state is computed from it.
//!
//! A [`Journal`] is a backend; all backends pass the same conformance suite. The service uses a [`Log`],
//! which groups waiting appends into one durable write and caches recent entries for all readers.

mod append;
mod backend;
mod cluster;
mod codec;
mod cursors;
pub mod database;
mod log;
mod migrate;
mod space;
mod tail;

use std::fmt;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use thiserror::Error;
use tokio::sync::watch;

pub use self::append::{Append, AppendError, AppendOutcome, MAX_ENTRY_BYTES, Stamp};
pub use self::backend::{
    Backend, Choose, Durability, Fault, FileJournal, JetStreamJournal, JetStreamSettings,
    LocalSettings, MemoryJournal, MemoryStream, OpenError, Refusal, SledJournal, StreamNode,
    StreamPause, check_backend, check_copy, free_space, is_missing, open,
};
pub use self::cluster::{ClusterState, ClusterStatus, Confirmation};
pub use self::cursors::{CursorError, CursorStore, MemoryCursors, SledCursors, UnreadableCursors};
pub use self::log::{Log, LogSettings};
pub use self::migrate::{
    JournalContents, MigrateError, MigrationOutcome, Source, contents, migrate, migrate_to_stream,
};
pub use self::tail::LoggedEntry;
use crate::domain::{Entry, Timestamp};

/// A backend of the journal. Several writers may append, on this node or on others. Readers may run at any
/// time.
pub trait Journal: Send + Sync + fmt::Debug {
    /// Appends a batch in order and returns one outcome per append.
    ///
    /// * Durability: a stored append is durable when this returns.
    /// * Order: sequences follow the head without gaps. An entry's time is never before its predecessor's.
    /// * Idempotence: an id within the window of recent ids is not stored again. Its outcome is the first
    ///   stamp, marked `repeated`.
    /// * Errors: an entry larger than [`MAX_ENTRY_BYTES`] is rejected; the others of the batch are stored.
    ///   After [`AppendError::Unknown`] the append may be stored or not.
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome>;

    /// Stores entries that already have a sequence and a time: for migration, restore and local copies.
    ///
    /// The entries must follow the head and one another without gaps. An empty journal accepts any first
    /// sequence. Durable when it returns. Stores all entries or none, except after a storage error, when
    /// some may be stored.
    fn put(&self, entries: &[Entry]) -> Result<(), JournalError>;

    /// Reads up to `limit` entries starting at sequence `from`, in order, without gaps.
    ///
    /// Returns an empty vector only if `from` is past the head. May return fewer than `limit` entries to
    /// bound memory. A corrupt entry is an error that names its sequence; it is never skipped. Blocks on
    /// the disk.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<Entry>, JournalError>;

    /// The sequence of the newest durable entry; 0 if there is none.
    fn head(&self) -> u64 {
        *self.watch().borrow()
    }

    /// Subscribes to the head. It moves for appends of this node and of others.
    fn watch(&self) -> watch::Receiver<u64>;

    /// The sequence of the oldest entry. 1 if the journal never had an entry.
    fn oldest(&self) -> u64;

    /// Removes the entries before sequence `before`. The newest entry always stays, so that sequences
    /// continue.
    ///
    /// Readers lose them immediately, and durably when it returns. Disk space may be freed later.
    /// Idempotent.
    fn trim(&self, before: u64) -> Result<(), JournalError>;

    /// Whether a write failed. The journal accepts no entries until it is reopened.
    fn has_failed(&self) -> bool {
        false
    }

    /// Whether an append would be refused now: a write failed, or the disk has too little room. Asks the disk.
    fn check_writable(&self) -> Result<(), AppendError> {
        Ok(())
    }

    /// The free space of its disk, in bytes, if it has one.
    fn free_bytes(&self) -> Option<u64> {
        None
    }

    /// The size on disk, in bytes, if it has one.
    fn size_on_disk(&self) -> Option<u64> {
        None
    }

    /// What the node knows of the other nodes' part, if the journal is shared with any. A node that has not
    /// confirmed the head for a while may lack entries, such as suspensions.
    fn cluster(&self) -> Option<watch::Receiver<ClusterStatus>> {
        None
    }

    /// Reads and checks every entry. Returns the number of entries.
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

/// The clock that stamps appends.
pub type TimeSource = std::sync::Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why a journal cannot be read or changed. Each message tells an operator what to do.
#[derive(Debug, Error)]
pub enum JournalError {
    /// An entry is corrupt.
    #[error(
        "entry {sequence} of the journal is damaged: {reason}. The node stops here, since nothing \
         may be skipped: keep a copy of the data folder and restore it from a backup"
    )]
    Damaged {
        /// Its sequence.
        sequence: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Values of an entry were read by other rules than those of this build.
    #[error(
        "entry {sequence} of the journal is of another version of Tipoff: {reason}. Start this version with \
         an empty data folder and submit again, or start the version that wrote it"
    )]
    OtherRules {
        /// Its sequence.
        sequence: u64,
        /// The two versions of the rules.
        reason: String,
    },
    /// Acknowledged entries are missing at the end.
    #[error(
        "the journal ends with entry {found}, but entry {acknowledged} was acknowledged: its files \
         were damaged or replaced. Keep a copy of the data folder and restore it from a backup"
    )]
    CutShort {
        /// The last entry found.
        found: u64,
        /// The last entry that was acknowledged.
        acknowledged: u64,
    },
    /// The entry was trimmed.
    #[error("entry {asked} was trimmed: the oldest is {oldest}")]
    Trimmed {
        /// The requested sequence.
        asked: u64,
        /// The oldest sequence.
        oldest: u64,
    },
    /// The entries do not follow the head or one another.
    #[error("entry {got} is out of order: expected entry {expected}")]
    OutOfOrder {
        /// The expected sequence.
        expected: u64,
        /// The sequence given.
        got: u64,
    },
    /// The storage failed.
    #[error("the storage of the journal failed: {0}")]
    Storage(String),
}

/// The error for a corrupt entry.
fn damaged(sequence: u64, reason: impl Into<String>) -> JournalError {
    JournalError::Damaged { sequence, reason: reason.into() }
}

/// Syncs a folder and its parent, so that the names of new files are durable.
fn sync_names(folder: &Path) -> io::Result<()> {
    for named in [Some(folder), folder.parent()].into_iter().flatten() {
        if let Ok(named) = File::open(named) {
            named.sync_all()?;
        }
    }
    Ok(())
}

/// Locks a folder against other processes while the file stays open.
pub fn lock(folder: &Path) -> Result<File, TryLockError> {
    let lock = File::create(folder.join("lock")).map_err(TryLockError::Error)?;
    lock.try_lock().map(|()| lock)
}

/// Whether another process holds the lock of a folder. Changes nothing.
pub fn is_locked(folder: &Path) -> bool {
    // A shared lock, so that two of these calls do not take each other for a node.
    let tried = File::open(folder.join("lock")).map(|lock| lock.try_lock_shared());
    matches!(tried, Ok(Err(TryLockError::WouldBlock)))
}

/// Wraps an I/O error.
#[allow(clippy::needless_pass_by_value)]
fn storage(error: io::Error) -> JournalError {
    JournalError::Storage(error.to_string())
}
