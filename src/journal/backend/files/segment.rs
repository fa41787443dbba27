//! One file of the journal: entries one behind the other, from a sequence on.
//!
//! It is named after that sequence, and begins with it, with that of the file before it (0 where there is
//! none), with a salt, and with a checksum over all of that. Only the newest file is written, at its end.
//!
//! The salt is random and begins the checksum of each entry: where a write was torn, entries are looked for among
//! what is left of it, and nobody can write one into a text of his.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use bytes::{Buf, BufMut};

use super::super::local::Durability;
use super::record::{self, Absent, Record};

/// The layout, in its last byte.
const MAGIC: &[u8; 8] = b"tipoffj\x01";
/// What lies before the first entry.
pub const HEAD_BYTES: usize = 32;
/// How far apart the entries are whose places are kept in memory.
const STEP_BYTES: u64 = 32 * 1024;
/// How much is read at once; a longer entry is read without a detour.
const BUFFER_BYTES: usize = 64 * 1024;

/// A file.
#[derive(Debug)]
pub struct Segment {
    /// The sequence of its first entry.
    pub first: u64,
    path: PathBuf,
    file: File,
    salt: u32,
    /// Found when they are first asked for.
    places: RwLock<Option<EntryOffsets>>,
}

/// Where entries lie in a file.
#[derive(Clone, Debug)]
struct EntryOffsets {
    /// Sequences and where they begin: the first, and others some way apart.
    some: Vec<(u64, u64)>,
    /// Where the next entry will begin.
    end: u64,
}

impl EntryOffsets {
    fn note(&mut self, sequence: u64, at: u64) {
        if self.some.last().is_none_or(|(_, last)| at >= last + STEP_BYTES) {
            self.some.push((sequence, at));
        }
    }
}

/// How the entries of a file end.
#[derive(Debug)]
pub struct ScanEnd {
    /// The sequence behind the last whole entry.
    pub next: u64,
    /// Where that one ends.
    pub at: u64,
    /// Why nothing follows it, unless the file ends there.
    pub fault: Option<&'static str>,
}

/// The name of the file that begins with a sequence.
fn name(first: u64) -> String {
    format!("{first:020}.log")
}

/// The sequence with which a file of this name begins.
pub fn first_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".log")?;
    name.parse().ok().filter(|_| name.len() == 20)
}

impl Segment {
    /// A new file behind another, durable with its name.
    pub fn create(folder: &Path, first: u64, previous: u64) -> io::Result<Self> {
        let path = folder.join(name(first));
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let salt = rand::random();
        file.write_all_at(&head(first, previous, salt), 0)?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        let places = RwLock::new(Some(EntryOffsets { some: Vec::new(), end: HEAD_BYTES as u64 }));
        Ok(Self { first, path, file, salt, places })
    }

    /// A file that is there, and the sequence with which the one before it begins; `None` where its beginning
    /// is damaged.
    pub fn open(path: &Path, first: u64) -> io::Result<(Self, Option<u64>)> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let mut found = [0; HEAD_BYTES];
        let whole = match file.read_exact_at(&mut found, 0) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(error) => return Err(error),
        };
        let mut said = &found[16..];
        let (previous, salt) = (said.get_u64(), said.get_u32());
        let previous = (whole && found == head(first, previous, salt)).then_some(previous);
        let (path, places) = (path.to_owned(), RwLock::new(None));
        Ok((Self { first, path, file, salt, places }, previous))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long it is, in bytes.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads and checks every entry, and shows it.
    pub fn scan(&self, mut each: impl FnMut(&Record)) -> io::Result<ScanEnd> {
        let length = self.length()?;
        let mut places = EntryOffsets { some: Vec::new(), end: HEAD_BYTES as u64 };
        let mut next = self.first;
        let mut reader = self.reader(places.end);
        let fault = loop {
            match record::read(&mut reader, length.saturating_sub(places.end), self.salt)? {
                Ok(record) if record.stamp.sequence == next => {
                    places.note(next, places.end);
                    places.end += record.bytes();
                    next += 1;
                    each(&record);
                }
                Ok(_) => break Some("another is in its place"),
                Err(Absent::End) => break None,
                Err(Absent::Bad(reason)) => break Some(reason),
            }
        };
        let end = ScanEnd { next, at: places.end, fault };
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = Some(places);
        Ok(end)
    }

    /// Whether anything from a place on was written when an entry was on the disk already.
    pub fn shows_durable(&self, sequence: u64, from: u64) -> io::Result<bool> {
        let mut rest = Vec::new();
        self.reader(from).read_to_end(&mut rest)?;
        Ok((0..rest.len()).any(|at| record::shows_durable(sequence, &rest[at..], self.salt)))
    }

    /// Cuts off what lies behind a place.
    pub fn cut(&self, at: u64) -> io::Result<()> {
        self.file.set_len(at)?;
        self.file.sync_all()
    }

    /// Writes again what lies from a place on, and forces it to the disk. What was written can be read back
    /// though it never came there: its sync failed, or the process ended before.
    pub fn settle(&self, from: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.reader(from).read_to_end(&mut bytes)?;
        self.file.write_all_at(&bytes, from)?;
        self.file.sync_data()
    }

    /// Writes behind the last entry, and forces it to the disk. An error is final: what was written may be there or not,
    /// and a second try would report success for what the first one dropped. `begins` are the sequences
    /// of the entries, and where each begins in the bytes, in which they are yet to be sealed.
    pub fn append(
        &self,
        bytes: &mut [u8],
        begins: &[(u64, usize)],
        durability: Durability,
    ) -> io::Result<()> {
        let mut end = bytes.len();
        for (_, begin) in begins.iter().rev() {
            record::seal(&mut bytes[*begin..end], self.salt);
            end = *begin;
        }
        let at = self.end()?;
        self.file.write_all_at(bytes, at)?;
        if durability == Durability::Fsync {
            self.file.sync_data()?;
        }
        if let Some(places) = &mut *self.places.write().unwrap_or_else(PoisonError::into_inner) {
            for (sequence, begin) in begins {
                places.note(*sequence, at + *begin as u64);
            }
            places.end = at + bytes.len() as u64;
        }
        Ok(())
    }

    /// Where the next entry will begin.
    pub fn end(&self) -> io::Result<u64> {
        self.with_places(|places| places.end)
    }

    /// Its entries, from the one that is asked for or a little before it on.
    pub fn records_near(&self, sequence: u64) -> io::Result<Records<'_>> {
        let (next, at, end) = self.with_places(|places| {
            let behind = places.some.partition_point(|(first, _)| *first <= sequence);
            let begin = behind.checked_sub(1).map(|before| places.some[before]);
            let (next, at) = begin.unwrap_or((self.first, HEAD_BYTES as u64));
            (next, at, places.end)
        })?;
        let (reader, left) = (self.reader(at), end.saturating_sub(at));
        Ok(Records { reader, next, left, salt: self.salt })
    }

    /// An older file ends where it ends on the disk: what is amiss in it is to be found by whoever reads it.
    fn with_places<T>(&self, read: impl Fn(&EntryOffsets) -> T) -> io::Result<T> {
        let known = |places: &RwLock<Option<EntryOffsets>>| {
            places.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(&read)
        };
        if let Some(found) = known(&self.places) {
            return Ok(found);
        }
        self.scan(|_| {})?;
        let length = self.length()?;
        let mut places = self.places.write().unwrap_or_else(PoisonError::into_inner);
        let places = places.get_or_insert(EntryOffsets { some: Vec::new(), end: length });
        places.end = length;
        Ok(read(places))
    }

    fn reader(&self, at: u64) -> BufReader<At<'_>> {
        BufReader::with_capacity(BUFFER_BYTES, At { file: &self.file, at })
    }
}

fn head(first: u64, previous: u64, salt: u32) -> [u8; HEAD_BYTES] {
    let mut bytes = [0; HEAD_BYTES];
    let mut rest = &mut bytes[..];
    rest.put_slice(MAGIC);
    rest.put_u64(first);
    rest.put_u64(previous);
    rest.put_u32(salt);
    let checksum = crc32c::crc32c(&bytes[..28]);
    bytes[28..].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

/// The entries of a file, one after the other.
#[derive(Debug)]
pub struct Records<'a> {
    reader: BufReader<At<'a>>,
    /// The sequence of the next.
    next: u64,
    left: u64,
    salt: u32,
}

impl Records<'_> {
    /// The sequence of the next entry.
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The next entry, or why it cannot be read.
    pub fn next(&mut self) -> io::Result<Result<Record, Absent>> {
        let found = record::read(&mut self.reader, self.left, self.salt)?;
        Ok(found.and_then(|record| {
            if record.stamp.sequence != self.next {
                return Err(Absent::Bad("another is in its place"));
            }
            self.left -= record.bytes();
            self.next += 1;
            Ok(record)
        }))
    }
}

/// A file from a place on.
#[derive(Debug)]
struct At<'a> {
    file: &'a File,
    at: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
