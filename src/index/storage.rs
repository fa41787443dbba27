//! Opens an index, and decides whether it must be rebuilt.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::{fs, io};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;
use tracing::warn;

use super::closed::ClosedVersions;
use super::database::{Disk, DiskError, OpenError};
use super::keys;
use super::outcomes::Outcomes;
use super::record::{self, Checkpoint, EpochRecord};
use super::store::{Snapshot, Store};
use super::submissions::SubmissionCache;
use super::{Index, IndexState, Registry, corrupt, entry_tag};
use crate::domain::Entry;
use crate::domain::cursor::EpochId;
use crate::error::{Error, Kind, Result};

/// The parts of the journal that an index is checked against.
#[derive(Clone, Copy)]
pub struct JournalEnds<'a> {
    /// The sequence of its newest entry; 0 when it is empty.
    pub head: u64,
    /// Reads an entry, if the journal still has it.
    pub entry: &'a dyn Fn(u64) -> Option<Entry>,
}

/// The folder of an index, and its cache size.
#[derive(Debug)]
pub struct Location {
    folder: PathBuf,
    cache_bytes: u64,
}

/// An open store with the state loaded from it.
#[derive(Debug)]
pub struct OpenedStore {
    /// The store.
    pub store: Arc<Store>,
    /// The checkpoint.
    pub head: Checkpoint,
    /// The registry at the checkpoint.
    pub registry: Registry,
    /// Epochs up to the checkpoint, by first sequence.
    pub epochs: Vec<(u64, EpochId)>,
}

/// Bytes of the newest outcomes that are checked at a start. More than all memtables together, so it
/// covers everything that the log may replay.
const CHECKED_BYTES: usize = 64 * 1024 * 1024;

/// Why an index cannot be used.
enum Unusable {
    /// It may be intact, so it is not deleted.
    Refused(String),
    /// It must be rebuilt from the journal.
    Rebuild(String),
}

impl Index {
    /// Opens the index in its folder.
    ///
    /// An index that is damaged, has another layout or disagrees with the journal is deleted and starts
    /// empty; replaying the journal gives the same answers. A failure of the operating system is an
    /// error that says what to do.
    pub fn open(folder: &Path, cache_bytes: u64, journal: JournalEnds<'_>) -> Result<Index> {
        let location = Location { folder: folder.to_owned(), cache_bytes };
        let opened = location.open(|head| check_journal(head, journal))?;
        Ok(Self::of(opened, Some(location)))
    }

    /// An empty index in memory, dropped with the value.
    pub fn in_memory() -> Result<Index> {
        let store = Arc::new(Store::in_memory());
        let (head, registry) = (Checkpoint::default(), Registry::default());
        Ok(Self::of(OpenedStore { store, head, registry, epochs: Vec::new() }, None))
    }

    /// Reopens the database after it failed.
    pub(super) fn reopen(&self) -> Result<OpenedStore> {
        let in_memory = || Error::internal("index_open", "an index in memory does not fail");
        let location = self.location.as_ref().ok_or_else(in_memory)?;
        location.open(|_| Ok(()))
    }

    fn of(opened: OpenedStore, location: Option<Location>) -> Index {
        let OpenedStore { store, head, registry, epochs } = opened;
        let index = Index {
            suspended: watch::Sender::new(registry.suspended()),
            revocations: watch::Sender::new(Arc::clone(registry.revocations())),
            head: Mutex::new(head),
            checkpoint: watch::Sender::new(head.sequence),
            registry: ArcSwap::new(Arc::new(registry)),
            closed: ClosedVersions::after(head.sequence),
            outcomes: Outcomes::new(head.sequence),
            submissions: SubmissionCache::default(),
            epochs: RwLock::default(),
            state: watch::Sender::new(IndexState::Ready),
            store: ArcSwapOption::new(Some(store)),
            location,
        };
        index.begin_epochs(&epochs);
        index
    }
}

impl Location {
    fn open(
        &self,
        check: impl Fn(Checkpoint) -> std::result::Result<(), &'static str>,
    ) -> Result<OpenedStore> {
        let folder = &self.folder;
        let opened = match self.open_existing(&check) {
            Err(Unusable::Rebuild(reason)) => {
                warn!(folder = %folder.display(), reason, "the index is rebuilt from the journal");
                remove(folder)?;
                self.open_existing(&check)
            }
            opened => opened,
        };
        opened.map_err(|unusable| {
            let (Unusable::Refused(reason) | Unusable::Rebuild(reason)) = unusable;
            let message = format!("the index in {} does not open: {reason}", folder.display());
            Error::new(Kind::Internal, "index_open", message)
        })
    }

    fn open_existing(
        &self,
        check: impl Fn(Checkpoint) -> std::result::Result<(), &'static str>,
    ) -> std::result::Result<OpenedStore, Unusable> {
        let disk = Disk::open(&self.folder, self.cache_bytes).map_err(|error| match error {
            OpenError::InUse | OpenError::System(_) => Unusable::Refused(error.to_string()),
            OpenError::Foreign | OpenError::Damaged(_) => Unusable::Rebuild(error.to_string()),
        })?;
        let read = |error: DiskError| match error {
            DiskError::Damaged(_) => Unusable::Rebuild(error.to_string()),
            _ => Unusable::Refused(error.to_string()),
        };
        let head = match disk.snapshot().get(keys::HEAD).map_err(read)? {
            None => Checkpoint::default(),
            Some(bytes) => Checkpoint::decode(&bytes).ok_or_else(|| {
                Unusable::Rebuild("it has the layout of another version".to_owned())
            })?,
        };
        check(head).map_err(|reason| Unusable::Rebuild(reason.to_owned()))?;
        let store = Arc::new(Store::of(disk).map_err(read)?);
        let snapshot = store.snapshot();
        let registry = check_outcomes(&snapshot, head).and_then(|()| registry(&snapshot));
        let (registry, epochs) = (
            registry.map_err(|error| classify(&error))?,
            epochs(&snapshot).map_err(|error| classify(&error))?,
        );
        Ok(OpenedStore { store, head, registry, epochs })
    }
}

fn classify(error: &Error) -> Unusable {
    let source = std::error::Error::source(error);
    let message = source.map_or_else(|| error.to_string(), ToString::to_string);
    match source.and_then(|source| source.downcast_ref::<DiskError>()) {
        Some(DiskError::System(_)) => Unusable::Refused(message),
        _ => Unusable::Rebuild(message),
    }
}

/// Checks that none of the newest batches is missing. fjall takes damage inside its log for the end of
/// it (fjall#311) and continues with the next file, so batches can be lost before others that are there.
fn check_outcomes(snapshot: &Snapshot, head: Checkpoint) -> Result<()> {
    let (mut expected, mut bytes) = (head.sequence, 0);
    for pair in snapshot.scan_back(keys::OUTCOMES, None) {
        let (key, value) = pair?;
        if keys::read_entry(&key) != Some(expected) {
            break;
        }
        (expected, bytes) = (expected - 1, bytes + value.len());
        if expected == 0 || bytes > CHECKED_BYTES {
            return Ok(());
        }
    }
    match expected {
        0 => Ok(()),
        missing => Err(Error::internal("index_corrupt", format!("entry {missing} is missing"))),
    }
}

fn epochs(snapshot: &Snapshot) -> Result<Vec<(u64, EpochId)>> {
    let epochs = snapshot.scan(keys::EPOCHS).map(|pair| {
        let (key, value) = pair?;
        let first = keys::read_epoch(&key).ok_or_else(|| corrupt("an epoch"))?;
        Ok((first, EpochId(EpochRecord::decode(&value)?.id)))
    });
    epochs.collect()
}

fn registry(snapshot: &Snapshot) -> Result<Registry> {
    let mut registry = Registry::default();
    for pair in snapshot.scan(keys::PARTNERS) {
        registry.insert_partner(record::read_partner(&pair?.1)?);
    }
    for pair in snapshot.scan(keys::GROUPS) {
        registry.insert_group(record::read_group(&pair?.1)?);
    }
    for pair in snapshot.scan(keys::REVOCATIONS) {
        let (key, value) = pair?;
        let certificates = keys::read_revocation(&key).ok_or_else(|| corrupt("a revocation"))?;
        registry.revoke(certificates, record::read_revoked(&value)?);
    }
    registry.finish_loading();
    Ok(registry)
}

fn check_journal(
    head: Checkpoint,
    journal: JournalEnds<'_>,
) -> std::result::Result<(), &'static str> {
    if head.sequence > journal.head {
        return Err("it is ahead of the journal");
    }
    let differs = |sequence, tag| {
        let entry = if head.sequence == 0 { None } else { (journal.entry)(sequence) };
        entry.is_some_and(|entry| entry_tag(&entry) != tag)
    };
    if differs(1, head.journal.0) {
        return Err("it belongs to another journal");
    }
    if differs(head.sequence, head.last_tag) {
        return Err("the journal was restored, and continued with other entries");
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
