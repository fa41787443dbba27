//! The embedded backend, on sled 0.34.
//!
//! Every append is on the disk before it is answered: see [`database::make_durable`]. After a failed
//! write or sync nothing is known of what the disk holds, so the backend takes nothing more until it
//! is opened again.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::sys::statvfs::statvfs;
use tracing::{error, warn};

use super::chunk::{self, Assembly};
use super::database::{self, OpenError};
use super::window::{WINDOW, Window};
use super::{Append, AppendError, Journal, JournalError, Stamp, TimeSource};
use crate::domain::{Entry, Timestamp};

/// The most operations in one batch of sled.
const BATCH_OPERATIONS: usize = 1_000;
/// The same where the batch removes: larger ones leak.
const REMOVE_OPERATIONS: usize = 200;
/// A read ends with the entry that brings it to so many bytes.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// What an operator may set.
#[derive(Clone)]
pub struct SledSettings {
    /// The folder of the database. Made when it is not there.
    pub folder: PathBuf,
    /// sled's own cache, in bytes. The memory it uses can be several times this.
    pub cache_bytes: u64,
    /// Below this much free space on the disk, in bytes, nothing is taken.
    pub min_free_bytes: u64,
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

impl SledSettings {
    /// The settings for a folder, with the rest at their defaults.
    pub fn new(folder: impl Into<PathBuf>, time: TimeSource) -> Self {
        Self {
            folder: folder.into(),
            cache_bytes: 64 * 1024 * 1024,
            min_free_bytes: 256 * 1024 * 1024,
            time,
            durability: Durability::Fsync,
            free_space: None,
        }
    }
}

/// A journal in a folder of its own.
pub struct SledJournal {
    settings: SledSettings,
    db: sled::Db,
    /// sled's file, for the fdatasync that sled leaves out.
    data: File,
    /// Holds the last acknowledged sequence, so that a journal that was cut short is told from one
    /// that ends there.
    mark: File,
    last: Mutex<Last>,
    head: AtomicU64,
    oldest: AtomicU64,
    failed: AtomicBool,
}

#[derive(Debug, Default)]
struct Last {
    sequence: u64,
    time: Timestamp,
    window: Window,
}

impl SledJournal {
    /// Opens the journal in a folder, or makes one there.
    ///
    /// What was never acknowledged and lies incomplete at the very end is cut off. Anything else
    /// that is amiss is an error that names it.
    pub fn open(settings: SledSettings) -> Result<Self, JournalError> {
        let folder = settings.folder.clone();
        let not_writable = |source| JournalError::NotWritable { folder: folder.clone(), source };
        fs::create_dir_all(&folder).map_err(not_writable)?;
        let mark = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("acknowledged"))
            .map_err(not_writable)?;
        let db = open_db(&settings)?;
        let data = database::data_file(&folder).map_err(not_writable)?;
        let acknowledged = read_mark(&mark);
        cut_unfinished_end(&db, acknowledged)?;
        let last = read_end(&db)?;
        if last.sequence < acknowledged {
            return Err(JournalError::CutShort { found: last.sequence, acknowledged });
        }
        let oldest = match first_key(&db)? {
            Some((sequence, _)) => sequence,
            None => 1,
        };
        Ok(Self {
            head: AtomicU64::new(last.sequence),
            oldest: AtomicU64::new(oldest),
            last: Mutex::new(last),
            failed: AtomicBool::new(false),
            settings,
            db,
            data,
            mark,
        })
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

    fn write(&self, chunks: Vec<(chunk::Key, Vec<u8>)>) -> Result<(), String> {
        let mut chunks = chunks.into_iter().peekable();
        while chunks.peek().is_some() {
            let mut batch = sled::Batch::default();
            for (key, value) in chunks.by_ref().take(BATCH_OPERATIONS) {
                batch.insert(&key, value);
            }
            self.db.apply_batch(batch).map_err(|error| error.to_string())?;
        }
        database::make_durable(&self.db, &self.data, self.settings.durability)
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

impl std::fmt::Debug for SledJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledJournal")
            .field("folder", &self.settings.folder)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Journal for SledJournal {
    fn append(&self, batch: &[Append]) -> Result<Vec<Stamp>, AppendError> {
        if self.has_failed() {
            return Err(AppendError::Rejected("the disk failed earlier: restart the node".into()));
        }
        self.check_room()?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut sequence, mut time) = (last.sequence, last.time);
        let mut stamps = Vec::with_capacity(batch.len());
        let mut fresh = Window::default();
        let mut chunks = Vec::new();
        for append in batch {
            let known = last.window.find(append.id()).or_else(|| fresh.find(append.id()));
            if let Some(stamp) = known {
                stamps.push(stamp);
                continue;
            }
            sequence += 1;
            time = (self.settings.time)().max(time);
            let stamp = Stamp { sequence, time, repeated: false };
            let split = chunk::split(append, stamp)
                .ok_or_else(|| AppendError::Rejected("the entry is too large".into()))?;
            chunks.extend(split);
            fresh.insert(append.id(), stamp);
            stamps.push(stamp);
        }
        if sequence > last.sequence {
            self.write(chunks).map_err(|reason| self.fail(reason))?;
            for (append, stamp) in batch.iter().zip(&stamps).filter(|(_, stamp)| !stamp.repeated) {
                last.window.insert(append.id(), *stamp);
            }
            (last.sequence, last.time) = (sequence, time);
            self.head.store(sequence, Ordering::Release);
            // A mark that lags behind only finds less: it is never ahead of what is durable.
            if let Err(error) = self.mark.write_all_at(&sequence.to_be_bytes(), 0) {
                warn!("the mark of the last acknowledged entry is not written: {error}");
            }
        }
        Ok(stamps)
    }

    fn read(&self, from: u64, most: usize) -> Result<Vec<Entry>, JournalError> {
        let (oldest, head) = (self.oldest(), self.head());
        if from < oldest {
            return Err(JournalError::Trimmed { asked: from, oldest });
        }
        let until = head.min(from.saturating_add(most as u64).saturating_sub(1));
        if from > until {
            return Ok(Vec::new());
        }
        let range = self.db.range(chunk::key(from, 0)..=chunk::key(until, u16::MAX));
        let mut entries = Vec::new();
        let mut assembly: Option<Assembly> = None;
        let (mut expected, mut until, mut bytes) = (from, until, 0);
        for pair in range {
            let (key, value) = pair.map_err(|error| damaged_near(expected, &error))?;
            let (sequence, number) = chunk::read_key(&key)?;
            let is_whole = assembly.as_ref().is_some_and(Assembly::is_complete);
            if is_whole && bytes >= READ_BYTES {
                until = expected - 1;
                break;
            }
            bytes += value.len();
            match &mut assembly {
                Some(open) if !open.is_complete() && sequence == expected - 1 => {
                    open.add(number, &value)?;
                }
                _ => {
                    entries.extend(assembly.take().map(Assembly::finish).transpose()?);
                    if sequence != expected || number != 0 {
                        return Err(chunk::damaged(expected, "it is not there"));
                    }
                    assembly = Some(Assembly::begin(sequence, &value)?);
                    expected += 1;
                }
            }
        }
        entries.extend(assembly.map(Assembly::finish).transpose()?);
        if expected != until + 1 {
            return Err(chunk::damaged(expected, "it is not there"));
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
        self.db.size_on_disk().ok()
    }

    fn trim(&self, before: u64) -> Result<(), JournalError> {
        let before = before.min(self.head());
        self.oldest.fetch_max(before, Ordering::AcqRel);
        loop {
            let mut batch = sled::Batch::default();
            let mut removed = 0;
            for key in self.db.range(..chunk::key(before, 0)).keys().take(REMOVE_OPERATIONS) {
                batch.remove(key.map_err(|error| storage(&error))?);
                removed += 1;
            }
            if removed == 0 {
                return Ok(());
            }
            self.db.apply_batch(batch).map_err(|error| storage(&error))?;
        }
    }
}

fn open_db(settings: &SledSettings) -> Result<sled::Db, JournalError> {
    let folder = settings.folder.clone();
    database::open(&folder, settings.cache_bytes).map_err(|error| match error {
        OpenError::InUse => JournalError::InUse(folder),
        OpenError::Other(sled::Error::Io(source))
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
            ) =>
        {
            JournalError::NotWritable { folder, source }
        }
        other => JournalError::Unopenable { folder, reason: other.to_string() },
    })
}

/// Removes the last entry where it is not whole: a crash came between two batches of one write, and
/// nothing of that write was acknowledged.
fn cut_unfinished_end(db: &sled::Db, acknowledged: u64) -> Result<(), JournalError> {
    let Some((sequence, _)) = last_key(db)? else { return Ok(()) };
    let chunks: Vec<_> = db
        .range(chunk::key(sequence, 0)..)
        .collect::<Result<_, _>>()
        .map_err(|error| damaged_near(sequence, &error))?;
    let (key, value) = &chunks[0];
    if chunk::read_key(key)? != (sequence, 0) {
        return Err(chunk::damaged(sequence, "its first chunk is missing"));
    }
    let mut assembly = Assembly::begin(sequence, value)?;
    for (key, value) in &chunks[1..] {
        assembly.add(chunk::read_key(key)?.1, value)?;
    }
    if assembly.is_complete() {
        return Ok(());
    }
    if sequence <= acknowledged {
        return Err(chunk::damaged(sequence, "some of its chunks are missing"));
    }
    warn!(sequence, "an entry that was never acknowledged is incomplete, and is cut off");
    // From its end, so that a crash in between leaves an unfinished entry again.
    for keys in chunks.rchunks(REMOVE_OPERATIONS) {
        let mut batch = sled::Batch::default();
        for (key, _) in keys {
            batch.remove(key);
        }
        db.apply_batch(batch).map_err(|error| storage(&error))?;
    }
    db.flush().map(drop).map_err(|error| storage(&error))
}

/// Reads the newest entries back, checks them, and remembers their ids.
fn read_end(db: &sled::Db) -> Result<Last, JournalError> {
    let Some((newest, _)) = last_key(db)? else { return Ok(Last::default()) };
    let oldest = first_key(db)?.map_or(newest, |(sequence, _)| sequence);
    let mut last = Last { sequence: newest, ..Last::default() };
    let from = newest.saturating_sub(WINDOW as u64 - 1).max(oldest);
    let mut expected = from;
    let mut assembly: Option<Assembly> = None;
    for pair in db.range(chunk::key(from, 0)..) {
        let (key, value) = pair.map_err(|error| damaged_near(expected, &error))?;
        let (sequence, number) = chunk::read_key(&key)?;
        match &mut assembly {
            Some(open) if !open.is_complete() && sequence + 1 == expected => {
                open.add(number, &value)?;
            }
            _ => {
                let begun = assembly.as_ref();
                if begun.is_some_and(|begun| !begun.is_complete()) {
                    return Err(chunk::damaged(expected - 1, "some of its chunks are missing"));
                }
                if sequence != expected || number != 0 {
                    return Err(chunk::damaged(expected, "it is not there"));
                }
                let begun = Assembly::begin(sequence, &value)?;
                let (id, stamp) = begun.stamp();
                last.window.insert(id, stamp);
                last.time = stamp.time;
                assembly = Some(begun);
                expected += 1;
            }
        }
    }
    Ok(last)
}

fn first_key(db: &sled::Db) -> Result<Option<(u64, u16)>, JournalError> {
    let first = db.first().map_err(|error| storage(&error))?;
    first.map(|(key, _)| chunk::read_key(&key)).transpose()
}

fn last_key(db: &sled::Db) -> Result<Option<(u64, u16)>, JournalError> {
    let last = db.last().map_err(|error| storage(&error))?;
    last.map(|(key, _)| chunk::read_key(&key)).transpose()
}

/// The sequence of the mark; 0 where it is missing or was never written whole.
fn read_mark(mark: &File) -> u64 {
    let mut bytes = [0; 8];
    match mark.read_exact_at(&mut bytes, 0) {
        Ok(()) => u64::from_be_bytes(bytes),
        Err(_) => 0,
    }
}

fn free_space(folder: &Path) -> io::Result<u64> {
    let disk = statvfs(folder)?;
    Ok(disk.blocks_available().saturating_mul(disk.fragment_size()))
}

fn storage(error: &sled::Error) -> JournalError {
    JournalError::Storage(error.to_string())
}

fn damaged_near(sequence: u64, error: &sled::Error) -> JournalError {
    chunk::damaged(sequence, format!("the database under it is damaged: {error}"))
}
