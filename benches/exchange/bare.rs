//! The limit of ingest: a bare program that does the same writes to the same stores.
//!
//! It writes what the exchange left on disk, journal and index, each from its own thread, the index
//! after the journal. It has all data in advance, and computes only frames and checksums.

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tipoff::clock::{Clock, SystemClock};
use tipoff::config::{JournalBackend, Storage};
use tipoff::index::database::{Disk, Slice};
use tipoff::journal::{Append, Backend, Journal, LocalSettings, open};

/// The entries of one durable write: as many as four clients can have pending.
const GROUP: usize = 32;
/// The maximum number of operations in one batch of the index.
const INDEX_OPERATIONS: usize = 200;

type Pair<T> = (T, T);

/// The time of the writes that produced a data folder.
pub fn writes(storage: &Storage) -> Duration {
    let appends = appends(storage);
    let batches = index_batches(&storage.data.join("index"), appends.len());
    let folder = tempfile::tempdir().unwrap();
    let journal = open_journal(storage, folder.path());
    let index =
        Disk::open(&folder.path().join("index"), storage.index_cache_mb * 1024 * 1024).unwrap();

    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let (durable, follow) = mpsc::channel();
    let applying = thread::spawn(move || {
        let mut batches = batches.into_iter();
        for entries in follow {
            for pairs in batches.by_ref().take(entries).flatten() {
                index.write(pairs.into_iter().map(|(key, value)| (key, Some(value)))).unwrap();
            }
        }
    });
    for group in appends.chunks(GROUP) {
        assert!(journal.append(group).iter().all(Result::is_ok));
        durable.send(group.len()).unwrap();
    }
    drop(durable);
    applying.join().unwrap();
    start.elapsed()
}

/// The journal of a data folder that no other process has open.
pub fn open_journal(storage: &Storage, data: &Path) -> Arc<dyn Journal> {
    let settings = LocalSettings::new(data.join("journal"), Arc::new(|| SystemClock.now()));
    let backend = match storage.journal {
        JournalBackend::Sled => Backend::Sled,
        JournalBackend::Files => Backend::Files,
        JournalBackend::JetStream => panic!("this scenario has one node"),
    };
    open(backend, LocalSettings { cache_bytes: storage.journal_cache_mb * 1024 * 1024, ..settings })
        .unwrap()
}

/// Every entry of a journal, to be appended again.
fn appends(storage: &Storage) -> Vec<Append> {
    let journal = open_journal(storage, &storage.data);
    let mut appends = Vec::new();
    loop {
        let read = journal.read(appends.len() as u64 + 1, 256).unwrap();
        if read.is_empty() {
            return appends;
        }
        appends
            .extend(read.into_iter().map(|entry| Append::new(entry.id, entry.author, entry.body)));
    }
}

/// The batches of each entry of an index. Keys ordered by sequence keep their order. Keys of
/// indicators are hashes, and come in any order, as they did.
fn index_batches(folder: &Path, entries: usize) -> Vec<Vec<Vec<Pair<Slice>>>> {
    let disk = Disk::open(folder, 64 * 1024 * 1024).unwrap();
    let snapshot = disk.snapshot();
    let head = snapshot.get(b"!").unwrap().unwrap();
    let all = snapshot.range((Bound::Unbounded, Bound::Unbounded));
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
