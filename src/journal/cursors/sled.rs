//! A subscription store on sled, in a database of its own.
//!
//! It does not share a database because a flush writes a whole database: moving cursors would delay
//! appends to the journal. Its failure must not stop the journal. And the index's folder may be deleted
//! at any time, which subscriptions must survive.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::Durability;
use super::super::database::{self, OpenError};
use super::{CursorError, CursorStore, record};
use crate::domain::subscription::Subscription;
use crate::domain::{PartnerId, SubscriptionName};

/// Maximum operations in one sled batch. Larger batches leak memory when they overwrite.
const BATCH_OPERATIONS: usize = 200;
/// sled's cache, in bytes. A hundred subscriptions of a partner take about 30 KB.
const CACHE_BYTES: u64 = 4 * 1024 * 1024;

/// A store in a folder of its own.
pub struct SledCursors {
    folder: PathBuf,
    db: sled::Db,
    data: File,
    failed: AtomicBool,
}

impl SledCursors {
    /// Opens the store in a folder, or creates it.
    pub fn open(folder: &Path) -> Result<Self, CursorError> {
        let not_writable = |source| CursorError::NotWritable { folder: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(not_writable)?;
        let db = database::open(folder, CACHE_BYTES).map_err(|error| match error {
            OpenError::InUse => CursorError::InUse(folder.to_owned()),
            OpenError::Other(sled::Error::Io(source))
                if matches!(
                    source.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                not_writable(source)
            }
            other => unreadable(folder, other.to_string()),
        })?;
        let data = database::data_file(folder).map_err(not_writable)?;
        Ok(Self { folder: folder.to_owned(), db, data, failed: AtomicBool::new(false) })
    }

    /// Applies a write and makes it durable. A failure is final: a second try would report success for
    /// what the kernel dropped.
    fn change(&self, write: impl FnOnce() -> sled::Result<()>) -> Result<(), CursorError> {
        if self.failed.load(Ordering::Relaxed) {
            return Err(CursorError::Failed("the disk failed earlier".into()));
        }
        let durable = |()| database::make_durable(&self.db, &self.data, Durability::Fsync);
        write().map_err(|error| error.to_string()).and_then(durable).map_err(|reason| {
            self.failed.store(true, Ordering::Relaxed);
            CursorError::Failed(reason)
        })
    }

    /// Adds the removal of all keys with a prefix to a batch.
    fn remove(&self, prefix: &[u8], batch: &mut sled::Batch) -> sled::Result<()> {
        for key in self.db.scan_prefix(prefix).keys() {
            batch.remove(key?);
        }
        Ok(())
    }
}

impl std::fmt::Debug for SledCursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledCursors").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl CursorStore for SledCursors {
    fn all(&self) -> Result<Vec<Subscription>, CursorError> {
        let pairs =
            self.db.iter().map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())));
        let pairs = pairs.collect::<sled::Result<Vec<_>>>();
        let pairs = pairs.map_err(|error| unreadable(&self.folder, error.to_string()))?;
        record::read(pairs).map_err(|reason| unreadable(&self.folder, reason))
    }

    fn create(&self, new: &Subscription) -> Result<(), CursorError> {
        let too_large = || CursorError::Failed("the filter is too large".into());
        let parts = record::filter(new).ok_or_else(too_large)?;
        self.change(|| {
            let mut batch = sled::Batch::default();
            self.remove(&record::prefix(&new.partner, &new.name), &mut batch)?;
            for (key, value) in parts.into_iter().chain([record::state(new)]) {
                batch.insert(key, value);
            }
            self.db.apply_batch(batch)
        })
    }

    fn update(&self, moved: &[Subscription]) -> Result<(), CursorError> {
        self.change(|| {
            for moved in moved.chunks(BATCH_OPERATIONS) {
                let mut batch = sled::Batch::default();
                for (key, value) in moved.iter().map(record::state) {
                    if self.db.contains_key(&key)? {
                        batch.insert(key, value);
                    }
                }
                self.db.apply_batch(batch)?;
            }
            Ok(())
        })
    }

    fn delete(&self, partner: &PartnerId, name: &SubscriptionName) -> Result<(), CursorError> {
        self.change(|| {
            let mut batch = sled::Batch::default();
            self.remove(&record::prefix(partner, name), &mut batch)?;
            self.db.apply_batch(batch)
        })
    }
}

fn unreadable(folder: &Path, reason: String) -> CursorError {
    CursorError::Unreadable { folder: folder.to_owned(), reason }
}

#[cfg(test)]
impl SledCursors {
    /// Flips a bit of a value, like a failing disk.
    pub(super) fn spoil(&self, key: &[u8]) {
        let mut value = self.db.get(key).unwrap().unwrap().to_vec();
        value[20] ^= 1;
        self.db.insert(key, value).unwrap();
        database::make_durable(&self.db, &self.data, Durability::Fsync).unwrap();
    }
}
