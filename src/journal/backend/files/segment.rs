//! A segment: one file of consecutive entries.
//!
//! The file is named after its first sequence. Its header holds that sequence, the first sequence of the
//! previous segment (0 if there is none), a salt and a checksum. Only the newest segment is written, at
//! its end.
//!
//! The salt is random and seeds the checksum of every entry. After a torn write, recovery searches the
//! rest of the file for valid entries; because nobody knows the salt, nobody can place a forged entry
//! inside their own text.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use bytes::{Buf, BufMut};

use super::super::local::Durability;
use super::record::{self, NoRecord, Record};

/// File magic. The last byte is the layout version.
const MAGIC: &[u8; 8] = b"tipoffj\x01";
/// Size of the header, in bytes.
pub const HEADER_BYTES: usize = 32;
/// Minimum distance in bytes between entries whose offsets are kept in memory.
const STEP_BYTES: u64 = 32 * 1024;
/// Size of the read buffer. Longer entries bypass it.
const BUFFER_BYTES: usize = 64 * 1024;

/// An open segment.
#[derive(Debug)]
pub struct Segment {
    /// The sequence of its first entry.
    pub first: u64,
    path: PathBuf,
    file: File,
    salt: u32,
    /// `None` until first needed.
    offsets: RwLock<Option<EntryOffsets>>,
}

/// Offsets of entries in a segment.
#[derive(Clone, Debug)]
struct EntryOffsets {
    /// Sequence and offset of some entries, at least [`STEP_BYTES`] apart.
    sampled: Vec<(u64, u64)>,
    /// The offset of the next entry.
    end: u64,
}

impl EntryOffsets {
    fn sample(&mut self, sequence: u64, at: u64) {
        if self.sampled.last().is_none_or(|(_, last)| at >= last + STEP_BYTES) {
            self.sampled.push((sequence, at));
        }
    }
}

/// Where a scan of a segment stopped.
#[derive(Debug)]
pub struct ScanEnd {
    /// The sequence after the last valid entry.
    pub next: u64,
    /// The offset after the last valid entry.
    pub at: u64,
    /// Why the next bytes are not an entry. `None` at the end of the file.
    pub fault: Option<&'static str>,
}

/// The file name of a segment.
fn name(first: u64) -> String {
    format!("{first:020}.log")
}

/// The first sequence in a segment's file name.
pub fn first_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    name.parse().ok().filter(|_| name.len() == 20)
}

impl Segment {
    /// Creates a segment after another one. Header and name are durable when it returns.
    pub fn create(folder: &Path, first: u64, previous: u64) -> io::Result<Self> {
        let path = folder.join(name(first));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let salt = rand::random();
        file.write_all_at(&encode_header(first, previous, salt), 0)?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        let offsets =
            RwLock::new(Some(EntryOffsets { sampled: Vec::new(), end: HEADER_BYTES as u64 }));
        Ok(Self { first, path, file, salt, offsets })
    }

    /// Opens a segment. Returns it with the first sequence of the previous segment, or `None` if the
    /// header is damaged.
    pub fn open(path: &Path, first: u64) -> io::Result<(Self, Option<u64>)> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut found = [0; HEADER_BYTES];
        let whole = match file.read_exact_at(&mut found, 0) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(error) => return Err(error),
        };
        let mut fields = &found[16..];
        let (previous, salt) = (fields.get_u64(), fields.get_u32());
        let previous = (whole && found == encode_header(first, previous, salt)).then_some(previous);
        let (path, offsets) = (path.to_owned(), RwLock::new(None));
        Ok((Self { first, path, file, salt, offsets }, previous))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads and checks every entry, and passes each to `each`.
    pub fn scan(&self, mut each: impl FnMut(&Record)) -> io::Result<ScanEnd> {
        let length = self.length()?;
        let mut offsets = EntryOffsets { sampled: Vec::new(), end: HEADER_BYTES as u64 };
        let mut next = self.first;
        let mut reader = self.reader(offsets.end);
        let fault = loop {
            match record::read(&mut reader, length.saturating_sub(offsets.end), self.salt)? {
                Ok(record) if record.stamp.sequence == next => {
                    offsets.sample(next, offsets.end);
                    offsets.end += record.bytes();
                    next += 1;
                    each(&record);
                }
                Ok(_) => break Some("another entry is in its place"),
                Err(NoRecord::End) => break None,
                Err(NoRecord::Damaged(reason)) => break Some(reason),
            }
        };
        let end = ScanEnd { next, at: offsets.end, fault };
        *self.offsets.write().unwrap_or_else(PoisonError::into_inner) = Some(offsets);
        Ok(end)
    }

    /// Whether any record after offset `from` proves that entry `sequence` was durable.
    pub fn shows_durable(&self, sequence: u64, from: u64) -> io::Result<bool> {
        let mut rest = Vec::new();
        self.reader(from).read_to_end(&mut rest)?;
        Ok((0..rest.len()).any(|at| record::shows_durable(sequence, &rest[at..], self.salt)))
    }

    /// Truncates the file, durably.
    pub fn cut(&self, at: u64) -> io::Result<()> {
        self.file.set_len(at)?;
        self.file.sync_all()
    }

    /// Rewrites and syncs everything from offset `from`. Bytes can be readable without being on disk:
    /// their sync failed, or the process ended before it.
    pub fn rewrite(&self, from: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.reader(from).read_to_end(&mut bytes)?;
        self.file.write_all_at(&bytes, from)?;
        self.file.sync_data()
    }

    /// Writes records after the last entry and syncs them. `starts` holds the sequence and the offset in
    /// `bytes` of each record; this seals them.
    ///
    /// An error is final: the records may be written or not, and a second try would report success for
    /// what the kernel dropped.
    pub fn append(
        &self,
        bytes: &mut [u8],
        starts: &[(u64, usize)],
        durability: Durability,
    ) -> io::Result<()> {
        let mut end = bytes.len();
        for (_, start) in starts.iter().rev() {
            record::seal(&mut bytes[*start..end], self.salt);
            end = *start;
        }
        let at = self.end()?;
        self.file.write_all_at(bytes, at)?;
        if durability == Durability::Fsync {
            self.file.sync_data()?;
        }
        if let Some(offsets) = &mut *self.offsets.write().unwrap_or_else(PoisonError::into_inner) {
            for (sequence, start) in starts {
                offsets.sample(*sequence, at + *start as u64);
            }
            offsets.end = at + bytes.len() as u64;
        }
        Ok(())
    }

    /// The offset of the next entry.
    pub fn end(&self) -> io::Result<u64> {
        self.with_offsets(|offsets| offsets.end)
    }

    /// Iterates over records, starting at or a little before `sequence`.
    pub fn records_near(&self, sequence: u64) -> io::Result<Records<'_>> {
        let (next, at, end) = self.with_offsets(|offsets| {
            let after = offsets.sampled.partition_point(|(first, _)| *first <= sequence);
            let start = after.checked_sub(1).map(|before| offsets.sampled[before]);
            let (next, at) = start.unwrap_or((self.first, HEADER_BYTES as u64));
            (next, at, offsets.end)
        })?;
        let (reader, left) = (self.reader(at), end.saturating_sub(at));
        Ok(Records { reader, next, left, salt: self.salt })
    }

    /// Calls `read` with the offsets; scans the segment first if needed. Damage in an older segment is
    /// ignored here, and found by whoever reads it.
    fn with_offsets<T>(&self, read: impl Fn(&EntryOffsets) -> T) -> io::Result<T> {
        let known = |offsets: &RwLock<Option<EntryOffsets>>| {
            offsets.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(&read)
        };
        if let Some(found) = known(&self.offsets) {
            return Ok(found);
        }
        self.scan(|_| {})?;
        let length = self.length()?;
        let mut offsets = self.offsets.write().unwrap_or_else(PoisonError::into_inner);
        let offsets = offsets.get_or_insert(EntryOffsets { sampled: Vec::new(), end: length });
        offsets.end = length;
        Ok(read(offsets))
    }

    fn reader(&self, at: u64) -> BufReader<FileReader<'_>> {
        BufReader::with_capacity(BUFFER_BYTES, FileReader { file: &self.file, at })
    }
}

fn encode_header(first: u64, previous: u64, salt: u32) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    let mut rest = &mut bytes[..];
    rest.put_slice(MAGIC);
    rest.put_u64(first);
    rest.put_u64(previous);
    rest.put_u32(salt);
    let checksum = crc32c::crc32c(&bytes[..28]);
    bytes[28..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Iterator over the records of a segment.
#[derive(Debug)]
pub struct Records<'a> {
    reader: BufReader<FileReader<'a>>,
    /// The next sequence.
    next: u64,
    left: u64,
    salt: u32,
}

impl Records<'_> {
    /// The next sequence.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// Reads the next record, or returns why it cannot be read.
    pub fn next(&mut self) -> io::Result<Result<Record, NoRecord>> {
        let found = record::read(&mut self.reader, self.left, self.salt)?;
        Ok(found.and_then(|record| {
            if record.stamp.sequence != self.next {
                return Err(NoRecord::Damaged("another entry is in its place"));
            }
            self.left -= record.bytes();
            self.next += 1;
            Ok(record)
        }))
    }
}

/// Reads a file from an offset.
#[derive(Debug)]
struct FileReader<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
