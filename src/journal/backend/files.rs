//! The backend in segment files. An append is one write after the last entry, and one fdatasync.

mod record;
mod recovery;
mod segment;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use self::record::NoRecord;
use self::segment::Segment;
use super::Backend;
use super::end::Stamped;
use super::local::{Durability, EntryStore, LocalSettings, OpenError, Recovered, Watermark};
use crate::domain::Entry;
use crate::journal::{JournalError, damaged, storage};

/// Size in bytes at which a read stops.
const READ_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of the write buffer that are kept between writes.
const MAX_IDLE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Whether a file in a journal's folder is a segment.
pub fn owns(path: &Path) -> bool {
    segment::first_of(path).is_some()
}

/// Entries in segment files.
#[derive(Debug)]
pub struct FileStore {
    folder: PathBuf,
    file_bytes: u64,
    durability: Durability,
    /// The segments, oldest first.
    segments: RwLock<Vec<Arc<Segment>>>,
    buffer: Mutex<Buffer>,
}

/// The encoded entries of a write, and the offset of each.
#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    starts: Vec<(u64, usize)>,
}

impl Buffer {
    fn fill(&mut self, entries: &[Stamped<'_>], durable: u64) {
        self.bytes.clear();
        self.bytes.shrink_to(MAX_IDLE_BUFFER_BYTES);
        self.starts.clear();
        for entry in entries {
            self.starts.push((entry.stamp.sequence, self.bytes.len()));
            record::put(entry, durable, &mut self.bytes);
        }
    }
}

impl EntryStore for FileStore {
    const BACKEND: Backend = Backend::Files;

    fn open(settings: &LocalSettings, mark: Watermark) -> Result<(Self, Recovered), OpenError> {
        let (segments, found) = recovery::recover(&settings.folder, mark)?;
        let store = Self {
            folder: settings.folder.clone(),
            file_bytes: settings.file_bytes,
            durability: settings.durability,
            segments: RwLock::new(segments),
            buffer: Mutex::default(),
        };
        Ok((store, found))
    }

    fn write(&self, entries: &[Stamped<'_>], durable: u64) -> Result<(), String> {
        let Some(first) = entries.first() else { return Ok(()) };
        let buffer = &mut *self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.fill(entries, durable);
        let segment = self.newest_for(first.stamp.sequence);
        segment
            .and_then(|segment| segment.append(&mut buffer.bytes, &buffer.starts, self.durability))
            .map_err(|error| error.to_string())
    }

    fn read(&self, from: u64, until: u64) -> Result<Vec<Entry>, JournalError> {
        let missing = |sequence| damaged(sequence, "it is missing");
        let (mut entries, mut next, mut bytes) = (Vec::new(), from, 0);
        while next <= until && bytes < READ_BYTES {
            let segment = self.segment_of(next).ok_or_else(|| missing(next))?;
            read_segment(&segment, (next, until), &mut entries, &mut bytes)?;
            let after = from + entries.len() as u64;
            if after == next {
                return Err(missing(next));
            }
            next = after;
        }
        Ok(entries)
    }

    fn remove_before(&self, sequence: u64) -> Result<(), JournalError> {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        while segments.get(1).is_some_and(|second| second.first <= sequence) {
            fs::remove_file(segments[0].path()).map_err(storage)?;
            segments.remove(0);
        }
        Ok(())
    }

    fn size_on_disk(&self) -> Option<u64> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        segments.iter().map(|segment| segment.length().ok()).sum()
    }
}

impl FileStore {
    /// The segment for the next entry. Starts a new one if the newest is full.
    fn newest_for(&self, sequence: u64) -> io::Result<Arc<Segment>> {
        let newest = {
            let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
            segments.last().cloned()
        };
        if let Some(newest) = &newest
            && newest.end()? < self.file_bytes
        {
            return Ok(Arc::clone(newest));
        }
        let previous = newest.map_or(0, |newest| newest.first);
        let segment = Arc::new(Segment::create(&self.folder, sequence, previous)?);
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.push(Arc::clone(&segment));
        Ok(segment)
    }

    /// The segment that contains an entry.
    fn segment_of(&self, sequence: u64) -> Option<Arc<Segment>> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.partition_point(|segment| segment.first <= sequence);
        after.checked_sub(1).map(|at| Arc::clone(&segments[at]))
    }
}

/// Reads entries `from..=until` of one segment, and stops early at the size limit.
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
            Err(NoRecord::End) => break,
            Err(NoRecord::Damaged(reason)) => return Err(damaged(sequence, reason)),
        };
        if sequence >= from {
            entries.push(record.stamp.decode(&record.entry)?);
            *bytes += record.entry.len();
        }
    }
    Ok(())
}
