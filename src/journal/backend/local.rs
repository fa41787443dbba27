//! The common part of the backends in a local folder: sequences, times, repeated ids, the limit on free
//! space, the watermark, the lock, and the stop after a failed write. A [`Store`] adds the layout of
//! entries on disk.
//!
//! After a failed write or sync, the contents of the disk are unknown. The journal then accepts nothing
//! until it is reopened.

mod copy;
mod mark;
mod open_error;

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use nix::sys::statvfs::statvfs;
use tokio::sync::watch;
use tracing::{error, warn};

use self::copy::mark_copy;
pub use self::copy::{LocalCopy, Ownership, copied_stream, unmark_copy};
pub use self::mark::Watermark;
use self::mark::WatermarkFile;
pub use self::open_error::OpenError;
use super::end::{JournalEnd, Stamped};
use super::{Backend, has_only_copy, migrated};
use crate::domain::Entry;
use crate::journal::{
    Append, AppendError, AppendOutcome, Journal, JournalError, TimeSource, lock, storage,
    sync_names,
};

const MB: u64 = 1024 * 1024;

/// Settings of a local journal.
#[derive(Clone)]
pub struct LocalSettings {
    /// The journal's folder. Created if missing.
    pub folder: PathBuf,
    /// Minimum free disk space, in bytes. Appends are rejected below it.
    pub min_free_bytes: u64,
    /// sled's page cache, in bytes. sled may use several times as much memory.
    pub cache_bytes: u64,
    /// Size in bytes after which a new segment file begins. Trimming removes whole files.
    pub file_bytes: u64,
    /// The clock for entries.
    pub time: TimeSource,
    /// Whether writes wait for the disk.
    pub durability: Durability,
    /// Returns the free space of the folder's disk, in bytes. `statvfs` if not set.
    pub free_space: Option<fn(&Path) -> io::Result<u64>>,
}

/// Whether writes wait for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Writes are synced before they are acknowledged.
    #[default]
    Fsync,
    /// Writes are not synced: a power cut loses acknowledged entries. The negative control of the tests.
    NoSync,
}

impl LocalSettings {
    /// Default settings for a folder.
    pub fn new(folder: impl Into<PathBuf>, time: TimeSource) -> Self {
        Self {
            folder: folder.into(),
            min_free_bytes: 256 * MB,
            cache_bytes: 16 * MB,
            file_bytes: 64 * MB,
            time,
            durability: Durability::Fsync,
            free_space: None,
        }
    }
}

/// The layout of entries on disk. One caller writes at a time; readers may run meanwhile.
pub trait EntryStore: Sized + Send + Sync + fmt::Debug {
    /// Its backend.
    const BACKEND: Backend;

    /// Opens the entries in a locked folder, and finds the end.
    ///
    /// Durably removes an incomplete entry at the end if it was never acknowledged. Any other damage is
    /// an error that names the entry. Entries that an earlier process wrote without a sync are written
    /// again.
    fn open(settings: &LocalSettings, mark: Watermark) -> Result<(Self, Recovered), OpenError>;

    /// Writes entries after the last one. Durable when it returns. `durable` is the newest sequence that
    /// was durable before.
    ///
    /// An error is final: a second try could report success for what the first one dropped.
    fn write(&self, entries: &[Stamped<'_>], durable: u64) -> Result<(), String>;

    /// Records in the folder that a write or sync failed, if the next open needs to know.
    fn record_failure(&self, _folder: &Path) {}

    /// Reads entries `from..=until`, and stops early at a size limit. Both ends exist unless trimmed
    /// meanwhile.
    fn read(&self, from: u64, until: u64) -> Result<Vec<Entry>, JournalError>;

    /// Removes storage units that hold only entries before `sequence`. Durable when it returns.
    fn remove_before(&self, sequence: u64) -> Result<(), JournalError>;

    /// Its size in bytes.
    fn size_on_disk(&self) -> Option<u64>;
}

/// What a store found when it was opened.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The end of the journal.
    pub end: JournalEnd,
    /// The oldest sequence; 1 if there is none.
    pub oldest: u64,
}

/// A journal in a local folder.
pub struct LocalJournal<S> {
    settings: LocalSettings,
    store: S,
    mark: WatermarkFile,
    /// Held while the journal is open.
    lock: File,
    end: Mutex<JournalEnd>,
    head: watch::Sender<u64>,
    oldest: AtomicU64,
    failed: AtomicBool,
}

impl<S: EntryStore> LocalJournal<S> {
    /// Opens or creates the journal in a folder: see [`super::open`].
    pub fn open(settings: LocalSettings) -> Result<Self, OpenError> {
        Self::open_as(Ownership::Own, settings)
    }

    /// Like [`Self::open`], for a journal of its own or for the copy of a stream. Marks a new copy.
    pub(in crate::journal) fn open_as(
        ownership: Ownership<'_>,
        settings: LocalSettings,
    ) -> Result<Self, OpenError> {
        let folder = &settings.folder;
        check_folder(folder, S::BACKEND, ownership)?;
        fs::create_dir_all(folder).map_err(|source| OpenError::of_io(folder, source))?;
        let lock = lock(folder).map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(folder.clone()),
            TryLockError::Error(source) => OpenError::of_io(folder, source),
        })?;
        // Check again under the lock: a migration may have renamed the folder meanwhile.
        check_folder(folder, S::BACKEND, ownership)?;
        if let Ownership::CopyOf(stream) = ownership {
            mark_copy(folder, stream).map_err(|source| OpenError::of_io(folder, source))?;
        }
        if migrated(folder).exists() {
            warn!(
                folder = %migrated(folder).display(),
                "the old journal of an earlier migration is still there: with the node stopped, run tipoff journal migrate \
                 --to {} to remove it",
                S::BACKEND
            );
        }
        if !was_opened(folder) && !Backend::in_folder(folder).unwrap_or_default().is_empty() {
            warn!(
                folder = %folder.display(),
                "the journal's file `mark` is missing: cannot detect whether acknowledged entries are lost at the end. Copy \
                 and restore the folder as a whole"
            );
        }
        let mark = WatermarkFile::open(folder).and_then(|mark| sync_names(folder).map(|()| mark));
        let mark = mark.map_err(|source| OpenError::of_io(folder, source))?;
        let (store, found) = S::open(&settings, mark.read())?;
        Ok(Self {
            head: watch::Sender::new(found.end.sequence),
            oldest: AtomicU64::new(found.oldest),
            end: Mutex::new(found.end),
            failed: AtomicBool::new(false),
            mark,
            store,
            lock,
            settings,
        })
    }

    /// A second handle of the folder's lock. The lock is held until both are closed.
    pub(in crate::journal) fn share_lock(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    fn lock_end(&self) -> MutexGuard<'_, JournalEnd> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn probe_free_space(&self) -> io::Result<u64> {
        self.settings.free_space.unwrap_or(free_space)(&self.settings.folder)
    }

    /// Writes entries, then advances the end and the head.
    fn commit(&self, end: &mut JournalEnd, entries: &[Stamped<'_>]) -> Result<(), String> {
        let Some(first) = entries.first() else { return Ok(()) };
        self.store.write(entries, end.sequence).inspect_err(|reason| self.fail(reason))?;
        if end.sequence == 0 {
            self.oldest.store(first.stamp.sequence, Ordering::Release);
        }
        end.advance(entries);
        // A watermark that lags only detects less damage. It is never ahead of the durable end.
        let mark = Watermark { acknowledged: end.sequence, oldest: self.oldest() };
        if let Err(error) = self.mark.write(mark) {
            warn!(%error, "cannot write the watermark of the journal");
        }
        self.head.send_replace(end.sequence);
        Ok(())
    }

    fn fail(&self, reason: &str) {
        self.failed.store(true, Ordering::Relaxed);
        self.store.record_failure(&self.settings.folder);
        error!(
            folder = %self.settings.folder.display(),
            "the journal takes no more entries, because the disk failed: {reason}. Repair the disk, then restart \
             the node"
        );
    }
}

impl<S: EntryStore> fmt::Debug for LocalJournal<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalJournal")
            .field("backend", &S::BACKEND)
            .field("folder", &self.settings.folder)
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

impl<S: EntryStore> Journal for LocalJournal<S> {
    fn append(&self, batch: &[Append]) -> Vec<AppendOutcome> {
        let end = &mut *self.lock_end();
        // Check under the lock, so that nothing is written after another writer failed.
        if let Err(refused) = self.check_writable() {
            return batch.iter().map(|_| Err(refused.clone())).collect();
        }
        let plan = end.plan(batch, &self.settings.time);
        match self.commit(end, &plan.new) {
            Ok(()) => plan.outcomes,
            Err(reason) => plan.unknown(&reason),
        }
    }

    fn put(&self, entries: &[Entry]) -> Result<(), JournalError> {
        let unwritable = |error: AppendError| JournalError::Storage(error.to_string());
        let end = &mut *self.lock_end();
        self.check_writable().map_err(unwritable)?;
        let encoded = end.encode(entries)?;
        self.commit(end, &JournalEnd::stamped(entries, &encoded)).map_err(JournalError::Storage)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
        let (oldest, head) = (self.oldest(), self.head());
        if from < oldest {
            return Err(JournalError::Trimmed { asked: from, oldest });
        }
        let until = head.min(from.saturating_add(limit as u64).saturating_sub(1));
        if from > until {
            return Ok(Vec::new());
        }
        self.store.read(from, until).map_err(|error| match error {
            // Trimmed meanwhile.
            JournalError::Damaged { sequence, .. } if sequence < self.oldest() => {
                JournalError::Trimmed { asked: sequence, oldest: self.oldest() }
            }
            error => error,
        })
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    fn head(&self) -> u64 {
        *self.head.borrow()
    }

    fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Acquire)
    }

    fn trim(&self, before: u64) -> Result<(), JournalError> {
        // Under the lock: a concurrent append would overwrite the watermark with an older one.
        let end = self.lock_end();
        if self.has_failed() {
            return Err(JournalError::Storage("the disk failed earlier: restart the node".into()));
        }
        let before = before.min(end.sequence);
        self.oldest.fetch_max(before, Ordering::AcqRel);
        // Sync the watermark before removing anything. Otherwise the next start would report the removed
        // entries as missing.
        let mark = Watermark { acknowledged: end.sequence, oldest: self.oldest() };
        self.mark.write(mark).and_then(|()| self.mark.sync()).map_err(storage)?;
        let removed = self.store.remove_before(self.oldest());
        removed.inspect_err(|error| self.fail(&error.to_string()))
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn check_writable(&self) -> Result<(), AppendError> {
        if self.has_failed() {
            return Err(AppendError::Rejected("the disk failed earlier: restart the node".into()));
        }
        let free = self.probe_free_space().map_err(|error| {
            AppendError::Rejected(format!("the free disk space is unknown: {error}"))
        })?;
        let floor = self.settings.min_free_bytes;
        if free < floor {
            return Err(AppendError::Full { free_mb: free / MB, floor_mb: floor.div_ceil(MB) });
        }
        Ok(())
    }

    fn free_bytes(&self) -> Option<u64> {
        self.probe_free_space().ok()
    }

    fn size_on_disk(&self) -> Option<u64> {
        self.store.size_on_disk()
    }
}

/// Refuses a folder with the journal of another backend or of two, one with an interrupted migration, and
/// the copy of a stream.
pub fn check_backend(folder: &Path, backend: Backend) -> Result<(), OpenError> {
    check_folder(folder, backend, Ownership::Own)
}

/// Refuses a folder with another journal than the copy of a stream in a backend.
pub fn check_copy(folder: &Path, backend: Backend, stream: &str) -> Result<(), OpenError> {
    check_folder(folder, backend, Ownership::CopyOf(stream))
}

fn check_folder(
    folder: &Path,
    backend: Backend,
    ownership: Ownership<'_>,
) -> Result<(), OpenError> {
    copy::check_ownership(folder, backend, ownership)?;
    check_files(folder, backend)
}

fn check_files(folder: &Path, backend: Backend) -> Result<(), OpenError> {
    let found = Backend::in_folder(folder).map_err(|source| OpenError::of_io(folder, source))?;
    match *found.as_slice() {
        [] if migrated(folder).exists() => Err(OpenError::Interrupted(folder.to_owned())),
        [] if has_only_copy(folder) => Err(OpenError::OnlyCopy(folder.to_owned())),
        [] => Ok(()),
        [one] if one == backend => Ok(()),
        [found] => {
            Err(OpenError::OtherBackend { folder: folder.to_owned(), found, configured: backend })
        }
        _ => Err(OpenError::TwoBackends(folder.to_owned())),
    }
}

/// Whether a journal was ever opened in a folder, even an empty one.
pub fn was_opened(folder: &Path) -> bool {
    folder.join(mark::NAME).exists()
}

/// The free space of a folder's disk, in bytes.
pub fn free_space(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
}
