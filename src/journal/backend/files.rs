//! The embedded backend: entries one behind the other, in files.
//!
//! An append is one write behind the last entry, and one fdatasync. After a failed write or sync nothing is
//! known of what the disk holds, so the backend takes nothing more until it is opened again.

mod mark;
mod record;
mod recovery;
mod segment;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use nix::sys::statvfs::statvfs;
use tracing::{error, info, warn};

use self::mark::{Mark, MarkFile};
use self::record::Absent;
use self::segment::Segment;
use super::window::Window;
use crate::domain::entry::AppendId;
use crate::domain::{Entry, Timestamp};
use crate::journal::{
    Append, AppendError, Journal, JournalError, Stamp, TimeSource, codec, damaged, lock, sled, storage,
    sync_names,
};

/// A read ends with the entry that brings it to so many bytes.
const READ_BYTES: usize = 4 * 1024 * 1024;
/// What is kept of the room in which a write is put together.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// What an operator may set.
#[derive(Clone)]
pub struct FileSettings {
    /// The folder of the journal. Made when it is not there.
    pub folder: PathBuf,
    /// Below this much free space on the disk, in bytes, nothing is taken.
    pub min_free_bytes: u64,
    /// From this length on, in bytes, a file is followed by another. What is trimmed goes by files.
    pub file_bytes: u64,
    /// What gives entries their time.
    pub time: TimeSource,
    /// Whether an answer waits for the disk.
    pub durability: Durability,
    /// Where the free space of the disk is asked for, in bytes; the disk of the folder by default.
    pub free_space: Option<fn(&Path) -> io::Result<u64>>,
}

/// Whether an answer waits for the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// It does.
    #[default]
    Fsync,
    /// It does not. Loses acknowledged entries in a power cut: there to show that the tests would
    /// find out.
    NoneAtAll,
}

impl FileSettings {
    /// The settings for a folder, with the rest at their defaults.
    pub fn new(folder: impl Into<PathBuf>, time: TimeSource) -> Self {
        Self {
            folder: folder.into(),
            min_free_bytes: 256 * 1024 * 1024,
            file_bytes: 64 * 1024 * 1024,
            time,
            durability: Durability::Fsync,
            free_space: None,
        }
    }
}

/// A journal in a folder of its own.
pub struct FileJournal {
    settings: FileSettings,
    /// Oldest first.
    segments: RwLock<Vec<Arc<Segment>>>,
    mark: MarkFile,
    /// Held for as long as the journal is open.
    _lock: File,
    last: Mutex<Last>,
    head: AtomicU64,
    oldest: AtomicU64,
    failed: AtomicBool,
}

/// The end of the journal.
#[derive(Debug, Default)]
struct Last {
    sequence: u64,
    time: Timestamp,
    window: Window,
    /// The entries of a write, and where each begins.
    bytes: Vec<u8>,
    begins: Vec<(u64, usize)>,
}

impl Last {
    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.begins.clear();
    }

    /// Puts an entry behind those that are to be written.
    fn put(&mut self, stamp: Stamp, id: AppendId, entry: &[u8]) -> Result<(), AppendError> {
        self.begins.push((stamp.sequence, self.bytes.len()));
        if record::put(stamp, self.sequence, id, entry, &mut self.bytes) {
            return Ok(());
        }
        Err(AppendError::Rejected("the entry is too large".into()))
    }
}

impl FileJournal {
    /// Opens the journal in a folder, or makes one there. One that lies in sled is taken over.
    ///
    /// What was never acknowledged and lies incomplete at the very end is cut off. Anything else
    /// that is amiss is an error that names it.
    pub fn open(settings: FileSettings) -> Result<Self, JournalError> {
        let folder = &settings.folder;
        fs::create_dir_all(folder).map_err(|source| not_writable(folder, source))?;
        let held = lock(folder).map_err(|error| match error {
            TryLockError::WouldBlock => JournalError::InUse(folder.clone()),
            TryLockError::Error(source) => not_writable(folder, source),
        })?;
        if !sled::lies_in(folder) {
            sled::remove_rest(folder)?;
            return Self::open_locked(settings, held);
        }
        warn!(folder = %folder.display(), "the journal lies in sled, and is taken over: this is done once");
        sled::clear_what_was_begun(folder).map_err(storage)?;
        let journal = Self::open_locked(settings, held)?;
        sled::read(&journal.settings.folder, |entries| journal.take_over(entries))?;
        sled::remove(&journal.settings.folder)?;
        info!(head = journal.head(), "the journal is taken over, and lies in sled no more");
        Ok(journal)
    }

    /// Opens the journal in a folder that is locked already.
    fn open_locked(settings: FileSettings, lock: File) -> Result<Self, JournalError> {
        let folder = &settings.folder;
        let mark = MarkFile::open(folder).and_then(|mark| sync_names(folder).map(|()| mark));
        let mark = mark.map_err(|source| not_writable(folder, source))?;
        let found = recovery::recover(folder, mark.read())?;
        Ok(Self {
            head: AtomicU64::new(found.last.sequence),
            oldest: AtomicU64::new(found.oldest),
            last: Mutex::new(found.last),
            segments: RwLock::new(found.segments),
            failed: AtomicBool::new(false),
            mark,
            _lock: lock,
            settings,
        })
    }

    /// Stores entries that have their places already.
    fn take_over(&self, entries: Vec<sled::Stored>) -> Result<(), JournalError> {
        let last = &mut *self.lock_last();
        last.clear();
        let Some(end) = entries.last().map(|(_, stamp, _)| *stamp) else { return Ok(()) };
        for (id, stamp, entry) in entries {
            let put = last.put(stamp, id, &entry);
            put.map_err(|error| damaged(stamp.sequence, error.to_string()))?;
            last.window.insert(id, stamp);
        }
        self.write(last, end).map_err(storage)
    }

    fn check_room(&self) -> Result<(), AppendError> {
        let probe = self.settings.free_space.unwrap_or(free_space);
        let free = probe(&self.settings.folder)
            .map_err(|error| AppendError::Rejected(format!("free space is not known: {error}")))?;
        let floor = self.settings.min_free_bytes;
        if free < floor {
            const MB: u64 = 1024 * 1024;
            return Err(AppendError::Full { free_mb: free / MB, floor_mb: floor.div_ceil(MB) });
        }
        Ok(())
    }

    fn lock_last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what was put together, behind which the journal ends with a stamp.
    fn write(&self, last: &mut Last, end: Stamp) -> io::Result<()> {
        let Some((first, _)) = last.begins.first() else { return Ok(()) };
        let segment = self.newest_for(*first)?;
        segment.append(&mut last.bytes, &last.begins, self.settings.durability)?;
        (last.sequence, last.time) = (end.sequence, end.time);
        self.head.store(end.sequence, Ordering::Release);
        // A mark that lags behind only finds less: it is never ahead of what is durable.
        if let Err(error) = self.mark.write(self.current_mark()) {
            warn!("the mark of the last acknowledged entry is not written: {error}");
        }
        Ok(())
    }

    /// The file in which an entry goes that follows the last.
    fn newest_for(&self, sequence: u64) -> io::Result<Arc<Segment>> {
        let newest = {
            let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
            segments.last().cloned()
        };
        if let Some(newest) = &newest
            && newest.end()? < self.settings.file_bytes
        {
            return Ok(Arc::clone(newest));
        }
        let previous = newest.map_or(0, |newest| newest.first);
        let segment = Arc::new(Segment::create(&self.settings.folder, sequence, previous)?);
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        if segments.is_empty() {
            self.oldest.store(sequence, Ordering::Release);
        }
        segments.push(Arc::clone(&segment));
        Ok(segment)
    }

    fn current_mark(&self) -> Mark {
        Mark { acknowledged: self.head(), oldest: self.oldest() }
    }

    /// The file in which an entry lies.
    fn segment_of(&self, sequence: u64) -> Option<Arc<Segment>> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let behind = segments.partition_point(|segment| segment.first <= sequence);
        behind.checked_sub(1).map(|at| Arc::clone(&segments[at]))
    }

    /// Why an entry is not there.
    fn missing(&self, sequence: u64) -> JournalError {
        match self.oldest() {
            // It was trimmed while it was looked for.
            oldest if sequence < oldest => JournalError::Trimmed { asked: sequence, oldest },
            _ => damaged(sequence, "it is not there"),
        }
    }

    /// Reads entries of one file, from one on and up to another, until they are many bytes.
    fn read_segment(
        segment: &Segment,
        (from, until): (u64, u64),
        entries: &mut Vec<Entry>,
        bytes: &mut usize,
    ) -> Result<(), JournalError> {
        let mut records = segment.records_near(from).map_err(storage)?;
        while *bytes < READ_BYTES && records.next_sequence() <= until {
            let sequence = records.next_sequence();
            let record = match records.next().map_err(storage)? {
                Ok(record) => record,
                Err(Absent::End) => break,
                Err(Absent::Bad(reason)) => return Err(damaged(sequence, reason)),
            };
            if sequence >= from {
                let entry = codec::decode_entry(sequence, record.stamp.time, &record.entry);
                entries.push(entry.map_err(|error| damaged(sequence, error.to_string()))?);
                *bytes += record.entry.len();
            }
        }
        Ok(())
    }

    fn fail(&self, reason: String) -> AppendError {
        self.failed.store(true, Ordering::Relaxed);
        error!(
            folder = %self.settings.folder.display(),
            "the journal stops taking entries, since the disk failed: {reason}; restart the node \
             when the disk is well"
        );
        AppendError::Unknown(reason)
    }
}

impl std::fmt::Debug for FileJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileJournal")
            .field("folder", &self.settings.folder)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Journal for FileJournal {
    fn append(&self, batch: &[Append]) -> Result<Vec<Stamp>, AppendError> {
        if self.has_failed() {
            return Err(AppendError::Rejected("the disk failed earlier: restart the node".into()));
        }
        self.check_room()?;
        let last = &mut *self.lock_last();
        last.clear();
        let mut end = Stamp { sequence: last.sequence, time: last.time, repeated: false };
        let mut stamps = Vec::with_capacity(batch.len());
        let mut fresh = Window::default();
        for append in batch {
            let known = last.window.find(append.id()).or_else(|| fresh.find(append.id()));
            if let Some(stamp) = known {
                stamps.push(stamp);
                continue;
            }
            let time = (self.settings.time)().max(end.time);
            end = Stamp { sequence: end.sequence + 1, time, repeated: false };
            last.put(end, append.id(), append.encoded())?;
            fresh.insert(append.id(), end);
            stamps.push(end);
        }
        self.write(last, end).map_err(|error| self.fail(error.to_string()))?;
        for (append, stamp) in batch.iter().zip(&stamps).filter(|(_, stamp)| !stamp.repeated) {
            last.window.insert(append.id(), *stamp);
        }
        Ok(stamps)
    }

    fn read(&self, from: u64, most: usize) -> Result<Vec<Entry>, JournalError> {
        let (oldest, head) = (self.oldest(), self.head());
        if from < oldest {
            return Err(JournalError::Trimmed { asked: from, oldest });
        }
        let until = head.min(from.saturating_add(most as u64).saturating_sub(1));
        let (mut entries, mut next, mut bytes) = (Vec::new(), from, 0);
        while next <= until && bytes < READ_BYTES {
            let segment = self.segment_of(next).ok_or_else(|| self.missing(next))?;
            Self::read_segment(&segment, (next, until), &mut entries, &mut bytes)?;
            let behind = from + entries.len() as u64;
            if behind == next {
                return Err(self.missing(next));
            }
            next = behind;
        }
        Ok(entries)
    }

    fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    fn oldest(&self) -> u64 {
        self.oldest.load(Ordering::Acquire)
    }

    fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn size_on_disk(&self) -> Option<u64> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().map(|segment| segment.length().ok()).sum()
    }

    fn trim(&self, before: u64) -> Result<(), JournalError> {
        let before = before.min(self.head());
        // Beside an append its mark would be written over by an older one.
        let _last = self.lock_last();
        self.oldest.fetch_max(before, Ordering::AcqRel);
        // On the disk before anything is gone: what is gone without having been trimmed is missed.
        let marked = self.mark.write(self.current_mark()).and_then(|()| self.mark.sync());
        marked.map_err(storage)?;
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        while segments.get(1).is_some_and(|second| second.first <= before) {
            fs::remove_file(segments[0].path()).map_err(storage)?;
            segments.remove(0);
        }
        Ok(())
    }
}

/// Whether a path is that of a file of entries, or of what the journal knows of itself.
pub fn is_ours(path: &Path) -> bool {
    segment::first_of(path).is_some() || path.file_name().is_some_and(|name| name == mark::NAME)
}

fn not_writable(folder: &Path, source: io::Error) -> JournalError {
    JournalError::NotWritable { folder: folder.to_owned(), source }
}

fn free_space(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
}
