//! The backend on sled 0.34.
//!
//! Every write is flushed and synced before it is acknowledged: see [`database::make_durable`].

mod group;
mod rewrite;

use std::fs::File;
use std::path::Path;

use tracing::warn;

use self::group::{Assembly, StoredEntry, key, read_key};
use super::Backend;
use super::end::{JournalEnd, Stamped};
use super::local::{Durability, EntryStore, LocalSettings, OpenError, Recovered, Watermark};
use super::window::WINDOW;
use crate::domain::Entry;
use crate::journal::{JournalError, damaged, database};

/// Inserts after which a sled batch ends, with a whole group. The largest group has 513 values; batches
/// of more than 1,000 operations are untested.
const INSERTS_PER_BATCH: usize = 480;
/// Maximum removals or overwrites per sled batch. sled leaks memory and disk space with larger ones.
const REMOVALS_PER_BATCH: usize = 200;
/// Size in bytes at which a read stops.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// Whether a file in a journal's folder belongs to sled.
pub fn owns(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(name, "conf" | "db" | "blobs") || name.starts_with("snap.")
}

/// Entries in a sled database.
pub struct SledStore {
    db: sled::Db,
    /// sled's data file, for the fdatasync that sled omits.
    data: File,
    durability: Durability,
}

impl std::fmt::Debug for SledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SledStore").finish_non_exhaustive()
    }
}

impl EntryStore for SledStore {
    const BACKEND: Backend = Backend::Sled;

    fn open(settings: &LocalSettings, mark: Watermark) -> Result<(Self, Recovered), OpenError> {
        let folder = &settings.folder;
        let after_failure = rewrite::rewrite_after_failed_sync(folder);
        after_failure.map_err(|source| OpenError::of_io(folder, source))?;
        let db = database::open(folder, settings.cache_bytes)
            .map_err(|error| OpenError::of_database(folder, error))?;
        let data =
            database::data_file(folder).map_err(|source| OpenError::of_io(folder, source))?;
        let store = Self { db, data, durability: settings.durability };
        store.remove_unfinished_end(mark)?;
        let found = store.recover(mark)?;
        // Entries that an earlier process wrote but did not sync can be read, and repeated appends are
        // answered from them. So make them durable now.
        store.make_durable().map_err(JournalError::Storage)?;
        Ok((store, found))
    }

    fn write(&self, entries: &[Stamped<'_>], _durable: u64) -> Result<(), String> {
        let (mut batch, mut inserts) = (sled::Batch::default(), 0);
        for (key, value) in group::pack(entries) {
            // End a batch with a whole group, so that readers see a group as a whole or not at all.
            if inserts >= INSERTS_PER_BATCH && group::is_first(&key) {
                self.apply(std::mem::take(&mut batch))?;
                inserts = 0;
            }
            batch.insert(&key, value);
            inserts += 1;
        }
        self.apply(batch)?;
        self.make_durable()
    }

    fn record_failure(&self, folder: &Path) {
        rewrite::mark_failed_sync(folder);
    }

    fn read(&self, from: u64, until: u64) -> Result<Vec<Entry>, JournalError> {
        let mut entries = Vec::new();
        let (mut next, mut bytes) = (from, 0);
        let mut all = self.entries_from(self.group_of(from)?);
        // Stop at `until`: the group after it may be half written.
        while next <= until && bytes < READ_BYTES {
            let Some(stored) = all.next().transpose()? else { break };
            let sequence = stored.stamp.sequence;
            if sequence < from {
                continue;
            }
            if sequence != next {
                return Err(damaged(next, "it is missing"));
            }
            bytes += stored.bytes.len();
            entries.push(stored.stamp.decode(&stored.bytes)?);
            next += 1;
        }
        if entries.is_empty() {
            return Err(damaged(from, "it is missing"));
        }
        Ok(entries)
    }

    fn remove_before(&self, sequence: u64) -> Result<(), JournalError> {
        let end = key(self.group_of(sequence)?, 0);
        self.remove(|| self.db.range(..end).keys().take(REMOVALS_PER_BATCH).collect())
    }

    fn size_on_disk(&self) -> Option<u64> {
        self.db.size_on_disk().ok()
    }
}

impl SledStore {
    fn make_durable(&self) -> Result<(), String> {
        database::make_durable(&self.db, &self.data, self.durability)
    }

    fn apply(&self, batch: sled::Batch) -> Result<(), String> {
        self.db.apply_batch(batch).map_err(|error| error.to_string())
    }

    /// Removes keys in batches until `next` returns none. Durable when it returns.
    fn remove(&self, next: impl Fn() -> sled::Result<Vec<sled::IVec>>) -> Result<(), JournalError> {
        loop {
            let keys = next().map_err(|error| storage(&error))?;
            if keys.is_empty() {
                return self.make_durable().map_err(JournalError::Storage);
            }
            let mut batch = sled::Batch::default();
            for key in keys {
                batch.remove(key);
            }
            self.db.apply_batch(batch).map_err(|error| storage(&error))?;
        }
    }

    /// The first sequence of the group that contains an entry; the sequence itself if there is no such
    /// group.
    fn group_of(&self, sequence: u64) -> Result<u64, JournalError> {
        let before = self.db.get_lt(key(sequence.saturating_add(1), 0));
        match before.map_err(|error| damaged_near(sequence, &error))? {
            Some((key, _)) => Ok(read_key(&key)?.0),
            None => Ok(sequence),
        }
    }

    /// Iterates over entries from the start of a group. Ends after the first error.
    fn entries_from(&self, first: u64) -> impl Iterator<Item = Result<StoredEntry, JournalError>> {
        let groups = Groups { values: self.db.range(key(first, 0)..), pending: None, near: first };
        groups.flat_map(|group| {
            let (entries, error) = match group.and_then(Assembly::finish) {
                Ok(entries) => (entries, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            entries.into_iter().map(Ok).chain(error)
        })
    }

    /// Removes the last group if a crash interrupted its write: parts are missing, and it was never
    /// acknowledged.
    fn remove_unfinished_end(&self, mark: Watermark) -> Result<(), JournalError> {
        let Some((first, _)) = self.last_key()? else { return Ok(()) };
        let mut groups =
            Groups { values: self.db.range(key(first, 0)..), pending: None, near: first };
        let Some(last) = groups.next().transpose()? else { return Ok(()) };
        if last.is_complete() {
            return Ok(());
        }
        if first <= mark.acknowledged {
            return Err(damaged(first, "some of its parts are missing"));
        }
        warn!(
            sequence = first,
            "removed an incomplete entry at the end of the journal that was never acknowledged"
        );
        // Remove the last part first, so that a crash in between leaves an incomplete group again.
        let from = key(first, 0);
        self.remove(|| self.db.range(from..).keys().rev().take(REMOVALS_PER_BATCH).collect())
    }

    /// Reads the newest entries, checks that they are consecutive, and collects their ids.
    fn recover(&self, mark: Watermark) -> Result<Recovered, JournalError> {
        let Some((newest, _)) = self.last_key()? else {
            return match mark.acknowledged {
                0 => Ok(Recovered { oldest: 1, ..Recovered::default() }),
                acknowledged => Err(JournalError::CutShort { found: 0, acknowledged }),
            };
        };
        let stored = self.first_key()?.map_or(newest, |(first, _)| first);
        let trimmed = if mark.oldest == 0 { stored } else { mark.oldest };
        if stored > trimmed {
            return Err(damaged(trimmed, "it is missing"));
        }
        let begin = self.group_of(newest.saturating_sub(WINDOW as u64).max(stored))?;
        let mut end = JournalEnd::default();
        for entry in self.entries_from(begin) {
            let StoredEntry { stamp, id, .. } = entry?;
            if end.sequence > 0 && stamp.sequence != end.sequence + 1 {
                return Err(damaged(end.sequence + 1, "it is missing"));
            }
            end.observe(id, stamp);
        }
        if end.sequence < mark.acknowledged {
            return Err(JournalError::CutShort {
                found: end.sequence,
                acknowledged: mark.acknowledged,
            });
        }
        Ok(Recovered { oldest: trimmed.min(end.sequence), end })
    }

    fn first_key(&self) -> Result<Option<(u64, u16)>, JournalError> {
        let first = self.db.first().map_err(|error| storage(&error))?;
        first.map(|(key, _)| read_key(&key)).transpose()
    }

    fn last_key(&self) -> Result<Option<(u64, u16)>, JournalError> {
        let last = self.db.last().map_err(|error| storage(&error))?;
        last.map(|(key, _)| read_key(&key)).transpose()
    }
}

/// Iterates over groups in key order. Only the last one may be incomplete.
struct Groups {
    values: sled::Iter,
    pending: Option<Assembly>,
    /// The sequence at or before the next value, for error messages.
    near: u64,
}

impl Iterator for Groups {
    type Item = Result<Assembly, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(pair) = self.values.next() else { return self.pending.take().map(Ok) };
            match self.take(pair) {
                Ok(None) => {}
                Ok(Some(group)) => return Some(Ok(group)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl Groups {
    /// Adds a value. Returns the group that ended before it.
    fn take(
        &mut self,
        pair: sled::Result<(sled::IVec, sled::IVec)>,
    ) -> Result<Option<Assembly>, JournalError> {
        let (key, value) = pair.map_err(|error| damaged_near(self.near, &error))?;
        let (first, part) = read_key(&key)?;
        self.near = first;
        match &mut self.pending {
            Some(group) if group.first() == first => {
                group.add(part, &value)?;
                Ok(None)
            }
            pending => {
                if part != 0 {
                    return Err(damaged(first, "its first part is missing"));
                }
                Ok(pending.replace(Assembly::begin(first, &value)?))
            }
        }
    }
}

fn storage(error: &sled::Error) -> JournalError {
    JournalError::Storage(error.to_string())
}

fn damaged_near(sequence: u64, error: &sled::Error) -> JournalError {
    damaged(sequence, format!("sled reports damage: {error}"))
}
