//! Opening an index, and deciding that it has to be rebuilt.

use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};
use std::{fs, io};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tracing::warn;

use super::database::{Disk, DiskError, OpenError};
use super::keys;
use super::outcomes::Outcomes;
use super::record::{self, Head};
use super::store::Store;
use super::submissions::Submissions;
use super::{Index, Registry, entry_tag};
use crate::domain::Entry;
use crate::error::{Error, Kind, Result};

/// The journal as an index is held against it.
#[derive(Clone, Copy)]
pub struct JournalEnds<'a> {
    /// The sequence of its newest entry; 0 when it is empty.
    pub head: u64,
    /// An entry of it, where it still has it.
    pub entry: &'a dyn Fn(u64) -> Option<Entry>,
}

/// Why an index cannot be used as it is.
enum Unusable {
    /// Somebody else has it open: it is not ours to delete.
    InUse,
    /// It has to be computed again.
    Rebuild(String),
}

impl Index {
    /// Opens the index in a folder of its own. One that does not open, is of another layout, or
    /// disagrees with the journal is deleted, and starts empty; applying the journal again gives
    /// the same answers.
    pub fn open(folder: &Path, cache_bytes: u64, journal: JournalEnds<'_>) -> Result<Index> {
        match Self::open_existing(folder, cache_bytes, journal) {
            Err(Unusable::Rebuild(reason)) => {
                warn!(folder = %folder.display(), reason, "the index is rebuilt from the journal");
                remove(folder)?;
                Self::open_existing(folder, cache_bytes, journal)
            }
            opened => opened,
        }
        .map_err(|unusable| match unusable {
            Unusable::InUse => {
                let message = format!("{} is in use by another process", folder.display());
                Error::new(Kind::Internal, "index_open", message)
            }
            Unusable::Rebuild(reason) => Error::internal("index_open", reason),
        })
    }

    /// An index in memory: empty, and gone with the value.
    pub fn in_memory() -> Result<Index> {
        Self::load(Store::in_memory(), Head::default())
    }

    fn open_existing(
        folder: &Path,
        cache_bytes: u64,
        journal: JournalEnds<'_>,
    ) -> std::result::Result<Index, Unusable> {
        let disk = Disk::open(folder, cache_bytes).map_err(|error| match error {
            OpenError::InUse => Unusable::InUse,
            error => Unusable::Rebuild(error.to_string()),
        })?;
        let rebuild = |error: DiskError| Unusable::Rebuild(error.to_string());
        let head = match disk.get(keys::HEAD).map_err(rebuild)? {
            None => Head::default(),
            Some(bytes) => Head::decode(&bytes).ok_or_else(|| {
                Unusable::Rebuild("it has the layout of another version".to_owned())
            })?,
        };
        agrees(head, journal).map_err(|reason| Unusable::Rebuild(reason.to_owned()))?;
        let store = Store::of(disk).map_err(rebuild)?;
        Self::load(store, head).map_err(|error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            Unusable::Rebuild(source.unwrap_or_else(|| error.to_string()))
        })
    }

    fn load(store: Store, head: Head) -> Result<Index> {
        let mut registry = Registry::default();
        for pair in store.scan(keys::PARTNERS) {
            registry.put_known(record::read_partner(&pair?.1)?);
        }
        for pair in store.scan(keys::GROUPS) {
            registry.put_group(record::read_group(&pair?.1)?);
        }
        registry.loaded();
        let index = Index {
            suspended: watch::Sender::new(registry.suspended()),
            head: Mutex::new(head),
            checkpoint: watch::Sender::new(head.sequence),
            registry: ArcSwap::new(Arc::new(registry)),
            closed: RwLock::default(),
            outcomes: Outcomes::new(head.sequence),
            submissions: Submissions::default(),
            campaigns_said: AtomicU64::default(),
            store,
        };
        let mut closed = Vec::new();
        for pair in index.store.scan(keys::CLOSED) {
            closed.extend(keys::read_closed(&pair?.0));
        }
        index.close(&closed);
        Ok(index)
    }
}

fn agrees(head: Head, journal: JournalEnds<'_>) -> std::result::Result<(), &'static str> {
    if head.sequence > journal.head {
        return Err("it has come further than the journal");
    }
    let differs = |sequence, tag| {
        let entry = if head.sequence == 0 { None } else { (journal.entry)(sequence) };
        entry.is_some_and(|entry| entry_tag(&entry) != tag)
    };
    if differs(1, head.journal.0) {
        return Err("it is of another journal");
    }
    if differs(head.sequence, head.last) {
        return Err("the journal was restored, and went on otherwise");
    }
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::internal("index_remove", error))
        }
        _ => Ok(()),
    }
}
