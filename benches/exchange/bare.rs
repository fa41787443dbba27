//! The limits of ingest: a bare program that does the same writes, to sled alone, and to the stores that
//! the exchange has.
//!
//! It writes what the exchange left behind, journal and index, each from a thread of its own, the
//! index behind the journal. It knows everything before it begins, and computes nothing.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tipoff::clock::{Clock, SystemClock};
use tipoff::config::Storage;
use tipoff::index::database::{Disk, Slice};
use tipoff::journal::{Append, FileJournal, FileSettings, Journal, database};

/// How many entries lie in one durable write: as many as four clients can have waiting.
const GATHERED: usize = 32;
/// The most operations in one batch of the index, and in one of a journal in sled.
const INDEX_OPERATIONS: usize = 200;
const JOURNAL_OPERATIONS: usize = 1_000;
/// The most bytes of an entry in one value of sled: it never fsyncs larger ones.
const VALUE_BYTES: usize = 8_000;
/// The cache of a journal in sled, in bytes.
const JOURNAL_CACHE: u64 = 16 * 1024 * 1024;

type Pair<T> = (T, T);

/// What a bare program writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// To sled, journal and index.
    Sled,
    /// To what the exchange has: a file, and a log-structured merge tree.
    Own,
}

/// An open journal.
enum Entries {
    Sled { db: sled::Db, data: File },
    File(File),
}

/// An open index.
enum Pairs {
    Sled(sled::Tree),
    Tree(Disk),
}

/// How long the writes take that made what lies in a data folder.
pub fn writes(storage: &Storage, stores: Stores) -> Duration {
    let journal = journal_entries(&storage.data.join("journal"));
    let batches = index_batches(&storage.data.join("index"), journal.len());
    let folder = tempfile::tempdir().unwrap();
    let mut entries = Entries::open(stores, &folder.path().join("journal"));
    let cache_bytes = storage.index_cache_mb * 1024 * 1024;
    let index = Pairs::open(stores, &folder.path().join("index"), cache_bytes);

    #[allow(clippy::disallowed_methods)]
    let begun = Instant::now();
    let (durable, follow) = mpsc::channel();
    let applying = thread::spawn(move || {
        let mut batches = batches.into_iter();
        for entries in follow {
            for pairs in batches.by_ref().take(entries).flatten() {
                index.write(pairs);
            }
        }
    });
    let mut written = 0;
    for gathered in journal.chunks(GATHERED) {
        entries.write(gathered, written);
        written += gathered.len();
        durable.send(gathered.len()).unwrap();
    }
    drop(durable);
    applying.join().unwrap();
    begun.elapsed()
}

impl Entries {
    fn open(stores: Stores, folder: &Path) -> Self {
        match stores {
            Stores::Sled => {
                let db = database::open(folder, JOURNAL_CACHE).unwrap();
                Self::Sled { db, data: File::open(folder.join("db")).unwrap() }
            }
            Stores::Own => {
                fs::create_dir(folder).unwrap();
                Self::File(File::create(folder.join("entries")).unwrap())
            }
        }
    }

    /// Durable when it returns.
    fn write(&mut self, entries: &[Bytes], before: usize) {
        match self {
            Self::Sled { db, data } => {
                let mut pairs = Vec::new();
                for (number, entry) in (before as u64..).zip(entries) {
                    for (at, part) in (0u16..).zip(entry.chunks(VALUE_BYTES)) {
                        let key = [&number.to_be_bytes()[..], &at.to_be_bytes()].concat();
                        pairs.push((key, part));
                    }
                }
                for pairs in pairs.chunks(JOURNAL_OPERATIONS) {
                    let mut batch = sled::Batch::default();
                    for (key, part) in pairs {
                        batch.insert(&**key, *part);
                    }
                    db.apply_batch(batch).unwrap();
                }
                db.flush().unwrap();
                data.sync_data().unwrap();
            }
            Self::File(file) => {
                file.write_all(&entries.concat()).unwrap();
                file.sync_data().unwrap();
            }
        }
    }
}

impl Pairs {
    fn open(stores: Stores, folder: &Path, cache_bytes: u64) -> Self {
        match stores {
            Stores::Sled => {
                // In any order, keys leave each segment half dead; larger ones lose less by it.
                let config = sled::Config::new()
                    .path(folder)
                    .cache_capacity(cache_bytes)
                    .segment_size(4 * 1024 * 1024)
                    .mode(sled::Mode::HighThroughput)
                    .flush_every_ms(Some(1_000));
                Self::Sled(config.open().unwrap().open_tree("index").unwrap())
            }
            Stores::Own => Self::Tree(Disk::open(folder, cache_bytes).unwrap()),
        }
    }

    fn write(&self, pairs: Vec<Pair<Slice>>) {
        match self {
            Self::Sled(tree) => {
                let mut batch = sled::Batch::default();
                for (key, value) in pairs {
                    batch.insert(&*key, &*value);
                }
                tree.apply_batch(batch).unwrap();
            }
            Self::Tree(disk) => {
                disk.write(pairs.into_iter().map(|(key, value)| (key, Some(value)))).unwrap();
            }
        }
    }
}

/// A journal, which nobody else has open.
pub fn open_journal(folder: &Path) -> FileJournal {
    FileJournal::open(FileSettings::new(folder, Arc::new(|| SystemClock.now()))).unwrap()
}

/// The bytes of each entry of a journal.
fn journal_entries(folder: &Path) -> Vec<Bytes> {
    let journal = open_journal(folder);
    let mut entries = Vec::new();
    loop {
        let read = journal.read(entries.len() as u64 + 1, 256).unwrap();
        if read.is_empty() {
            return entries;
        }
        let encoded = read.into_iter().map(|entry| {
            let again = Append::new(entry.id, entry.author, entry.body);
            again.encoded().clone()
        });
        entries.extend(encoded);
    }
}

/// The batches of each entry of an index. What is ordered by sequence stays so; the keys of
/// indicators, which are hashes, come in any order, as they did.
fn index_batches(folder: &Path, entries: usize) -> Vec<Vec<Vec<Pair<Slice>>>> {
    let disk = Disk::open(folder, 64 * 1024 * 1024).unwrap();
    let head = disk.get(b"!").unwrap().unwrap();
    let all = disk.range((Bound::Unbounded, Bound::Unbounded));
    let (mut indicators, others): (Vec<_>, Vec<_>) =
        all.map(Result::unwrap).partition(|(key, _)| key[0] == b'i');
    indicators.shuffle(&mut StdRng::seed_from_u64(1));
    let slice = |pairs: &[Pair<Slice>], at: usize| {
        pairs[pairs.len() * at / entries..pairs.len() * (at + 1) / entries].to_vec()
    };
    (0..entries)
        .map(|at| {
            let mut pairs = [slice(&indicators, at), slice(&others, at)].concat();
            pairs.retain(|(key, _)| **key != *b"!");
            let batches = pairs.chunks(INDEX_OPERATIONS - 1).map(|pairs| {
                let head = (Slice::from(b"!"), head.clone());
                pairs.iter().cloned().chain([head]).collect()
            });
            batches.collect()
        })
        .collect()
}
