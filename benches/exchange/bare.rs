//! The limits of ingest: a bare program that does the same writes, to sled alone, and to the databases that
//! the exchange has.
//!
//! It writes what the exchange left behind, journal and index, each from a thread of its own, the
//! index behind the journal. It knows everything before it begins, and computes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Bound;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tipoff::config::Storage;
use tipoff::index::database::{Disk, Slice};
use tipoff::journal::database;

/// How many entries lie in one durable write: as many as four clients can have waiting.
const GATHERED: usize = 32;
/// The most operations in one batch of the index, and in one of the journal.
const INDEX_OPERATIONS: usize = 200;
const JOURNAL_OPERATIONS: usize = 1_000;

type Pair<T> = (T, T);

/// Where a bare program writes its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Index {
    /// To sled, as it does the journal.
    Sled,
    /// To what the exchange has.
    Fjall,
}

/// An open index.
enum Opened {
    Sled(sled::Tree),
    Fjall(Disk),
}

/// How long the writes take that made what lies in a data folder.
pub fn writes(storage: &Storage, index: Index) -> Duration {
    let journal = journal_entries(&storage.data.join("journal"));
    let batches = index_batches(&storage.data.join("index"), journal.len());
    let folder = tempfile::tempdir().unwrap();
    let (journal_mb, index_mb) = (storage.journal_cache_mb, storage.index_cache_mb);
    let journal_db = open_journal(&folder.path().join("journal"), journal_mb);
    let index = Opened::as_asked(index, &folder.path().join("index"), index_mb);
    let data = File::open(folder.path().join("journal/db")).unwrap();

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
    for entries in journal.chunks(GATHERED) {
        for pairs in entries.concat().chunks(JOURNAL_OPERATIONS) {
            journal_db.apply_batch(batch(pairs)).unwrap();
        }
        journal_db.flush().unwrap();
        data.sync_data().unwrap();
        durable.send(entries.len()).unwrap();
    }
    drop(durable);
    applying.join().unwrap();
    begun.elapsed()
}

impl Opened {
    fn as_asked(index: Index, folder: &Path, cache_mb: u64) -> Self {
        match index {
            Index::Sled => {
                // In any order, keys leave each segment half dead; larger ones lose less by it.
                let config = sled::Config::new()
                    .path(folder)
                    .cache_capacity(cache_mb * 1024 * 1024)
                    .segment_size(4 * 1024 * 1024)
                    .mode(sled::Mode::HighThroughput)
                    .flush_every_ms(Some(1_000));
                Self::Sled(config.open().unwrap().open_tree("index").unwrap())
            }
            Index::Fjall => Self::Fjall(Disk::open(folder, cache_mb * 1024 * 1024).unwrap()),
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
            Self::Fjall(disk) => {
                disk.write(pairs.into_iter().map(|(key, value)| (key, Some(value)))).unwrap();
            }
        }
    }
}

fn open_journal(folder: &Path, cache_mb: u64) -> sled::Db {
    database::open(folder, cache_mb * 1024 * 1024).unwrap()
}

fn batch(pairs: &[Pair<sled::IVec>]) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for (key, value) in pairs {
        batch.insert(key.clone(), value.clone());
    }
    batch
}

/// The chunks of each entry of a journal.
fn journal_entries(folder: &Path) -> Vec<Vec<Pair<sled::IVec>>> {
    let db = open_journal(folder, 64);
    let mut entries: BTreeMap<Vec<u8>, Vec<_>> = BTreeMap::new();
    for pair in db.iter() {
        let (key, value) = pair.unwrap();
        entries.entry(key[..8].to_vec()).or_default().push((key, value));
    }
    entries.into_values().collect()
}

/// The batches of each entry of an index. What is ordered by sequence stays so; the keys of
/// indicators, which are hashes, come in any order, as they did.
fn index_batches(folder: &Path, entries: usize) -> Vec<Vec<Vec<Pair<Slice>>>> {
    let disk = Disk::open(folder, 64 * 1024 * 1024).unwrap();
    let head = disk.get(b"!").unwrap().unwrap();
    let all = disk.range((Bound::Unbounded, Bound::Unbounded));
    let (mut indicators, others): (Vec<_>, Vec<_>) =
        all.map(|pair| pair.into_inner().unwrap()).partition(|(key, _)| key[0] == b'i');
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
