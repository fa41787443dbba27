//! The index: a materialized view of the journal, in one keyspace of a log-structured merge tree.
//!
//! The index is never fsynced. It can be deleted at any time; replaying the journal rebuilds the same
//! bytes. [`apply`] writes it and [`query`] reads it. [`keys`] and [`record`] define the layout on disk.

mod activity;
pub mod apply;
mod campaigns;
mod closed;
pub mod database;
mod enforcements;
pub mod keys;
mod known;
mod liaisons;
mod lists;
mod outcomes;
mod positioned;
pub mod query;
mod reactions;
pub mod record;
mod registry;
mod storage;
pub mod store;
mod submissions;
mod tips;
mod versions;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;
use tracing::info;

pub use self::apply::Applier;
pub use self::apply::referrals::is_asset;
pub use self::apply::tips::MAX_REOPENED_PER_ENTRY;
use self::closed::ClosedVersions;
use self::outcomes::Outcomes;
use self::record::Checkpoint;
pub use self::registry::Registry;
pub use self::storage::JournalEnds;
use self::storage::Location;
use self::store::{Snapshot, Store};
use self::submissions::SubmissionCache;
pub use self::versions::AssessmentCursor;
use crate::domain::cursor::{EpochId, Epochs, JournalEpoch};
use crate::domain::entry::{Entry, Outcome};
use crate::domain::revocation::Revocations;
use crate::domain::{PartnerId, Position};
use crate::error::{Error, Kind, Result};

/// The index of one node. Any number of threads read it; the one [`Applier`] writes it.
#[derive(Debug)]
pub struct Index {
    /// The store that readers use. `None` while the database is reopened and catches up.
    store: ArcSwapOption<Store>,
    /// The folder on disk. `None` for an index in memory.
    location: Option<Location>,
    state: watch::Sender<IndexState>,
    head: Mutex<Checkpoint>,
    checkpoint: watch::Sender<u64>,
    registry: ArcSwap<Registry>,
    suspended: watch::Sender<BTreeSet<PartnerId>>,
    /// The certificates that the registry revokes.
    revocations: watch::Sender<Arc<Revocations>>,
    closed: ClosedVersions,
    outcomes: Outcomes,
    submissions: SubmissionCache,
    epochs: RwLock<Epochs>,
}

/// Whether the index can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// Readers get a current view.
    Ready,
    /// The database failed. It is being reopened, and then catches up to the last published checkpoint.
    Reopening {
        /// The error that caused it.
        reason: String,
    },
}

/// A consistent view of the index and the registry at one moment.
///
/// Read everything that one answer needs through the same view. Otherwise content could be judged by
/// access rights that ended before the content was accepted.
#[derive(Debug)]
pub struct View<'a> {
    index: &'a Index,
    snapshot: Snapshot,
    registry: Arc<Registry>,
}

impl Index {
    /// Takes a view of the current state. Fails with `index_reopening` while the database is reopened.
    pub fn read(&self) -> Result<View<'_>> {
        loop {
            let registry = self.registry.load();
            let store = self.store.load();
            let snapshot = store.as_ref().ok_or_else(reopening)?.snapshot();
            // The registry did not change around the snapshot, so both belong to the same moment.
            if Arc::ptr_eq(&registry, &self.registry.load()) {
                let registry = Arc::clone(&registry);
                return Ok(View { index: self, snapshot, registry });
            }
        }
    }

    /// Subscribes to changes of the state.
    pub fn watch_state(&self) -> watch::Receiver<IndexState> {
        self.state.subscribe()
    }

    /// The sequence of the last applied entry.
    pub fn checkpoint(&self) -> u64 {
        *self.checkpoint.borrow()
    }

    /// Subscribes to the checkpoint.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.checkpoint.subscribe()
    }

    /// The tag of the indexed journal, and its epoch at `sequence`. For a sequence past the checkpoint
    /// this is the newest epoch.
    pub fn journal_at(&self, sequence: u64) -> JournalEpoch {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        JournalEpoch { journal: self.head().journal, epoch: epochs.at(sequence) }
    }

    /// The registry at the checkpoint. To combine it with other reads, use [`View::registry`].
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// Whether the registry suspends a partner.
    pub fn is_suspended(&self, partner: &PartnerId) -> bool {
        self.suspended.borrow().contains(partner)
    }

    /// Subscribes to the revoked certificates.
    pub fn watch_revocations(&self) -> watch::Receiver<Arc<Revocations>> {
        self.revocations.subscribe()
    }

    /// Subscribes to the set of suspended partners.
    pub fn watch_suspended(&self) -> watch::Receiver<BTreeSet<PartnerId>> {
        self.suspended.subscribe()
    }

    /// The size of the index on disk, in bytes. `None` in memory, and while the database is reopened.
    pub fn size_on_disk(&self) -> Option<u64> {
        self.store.load().as_ref().and_then(|store| store.size_on_disk())
    }

    fn head(&self) -> Checkpoint {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all reads. The database closes when the last view of it is dropped.
    fn close(&self, reason: String) {
        self.store.store(None);
        self.state.send_replace(IndexState::Reopening { reason });
    }

    /// Publishes a reopened store to readers, unless a store is published already.
    fn make_readable(&self, store: &Arc<Store>, head: Checkpoint) {
        if self.store.load().is_some() {
            return;
        }
        // Versions closed before the reopening are not in the cache.
        self.closed.reset(head.sequence);
        self.store.store(Some(Arc::clone(store)));
        self.state.send_replace(IndexState::Ready);
        info!(sequence = head.sequence, "the index is readable again");
    }

    /// Makes a committed batch visible to readers.
    ///
    /// The order matters. Closed versions come first, so that no feed delivers a version together with
    /// its replacement. Then registry, epochs and outcomes, then the checkpoint, which wakes feeds.
    /// Receipts come last.
    fn publish(&self, store: &Arc<Store>, head: Checkpoint, batch: Published) {
        // A reopened database stays hidden until it has reached the published checkpoint.
        if head.sequence < self.checkpoint() {
            return;
        }
        self.make_readable(store, head);
        self.closed.add(&batch.closed);
        if let Some(registry) = batch.registry {
            let suspended = registry.suspended();
            let revocations = Arc::clone(registry.revocations());
            self.registry.store(Arc::new(registry));
            send_changed(&self.suspended, suspended);
            send_changed(&self.revocations, revocations);
        }
        self.begin_epochs(&batch.epochs);
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        let waiters = self.outcomes.publish(head.sequence, batch.outcomes);
        self.checkpoint.send_replace(head.sequence);
        // Receipts come last: when a client gets one, every read already shows the result.
        waiters.into_iter().for_each(outcomes::Waiter::notify);
    }

    fn begin_epochs(&self, new: &[(u64, EpochId)]) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        for (first, epoch) in new {
            epochs.begin(*first, *epoch);
        }
    }
}

/// Sends a value to its subscribers if it differs from the last one.
fn send_changed<T: PartialEq>(sender: &watch::Sender<T>, value: T) {
    sender.send_if_modified(|before| {
        let changed = *before != value;
        *before = value;
        changed
    });
}

impl View<'_> {
    /// The registry at the moment of the view.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
}

/// What a committed batch makes visible.
#[derive(Debug, Default)]
struct Published {
    /// The new registry, if the batch changed it.
    registry: Option<Registry>,
    closed: Vec<Position>,
    outcomes: Vec<(u64, Arc<Outcome>)>,
    /// Epochs that begin in the batch, by first sequence.
    epochs: Vec<(u64, EpochId)>,
}

/// A checksum that identifies an entry by id and time. The tag of entry 1 identifies the journal.
fn entry_tag(entry: &Entry) -> [u8; 4] {
    let mut bytes = entry.id.as_bytes().to_vec();
    bytes.extend_from_slice(&entry.time.as_millis().to_be_bytes());
    crc32c::crc32c(&bytes).to_be_bytes()
}

fn storage_fault(error: database::DiskError) -> Error {
    if matches!(error, database::DiskError::Damaged(_)) {
        return Error::internal("index_damaged", error);
    }
    let message = "the exchange cannot read its index at the moment: try again";
    Error::new(Kind::Unavailable, "index_storage", message).with_source(error)
}

/// Whether the database failed, as opposed to the request.
fn is_storage_fault(error: &Error) -> bool {
    matches!(error.label(), "index_storage" | "index_damaged")
}

fn reopening() -> Error {
    let message = "the exchange cannot read its index at the moment: try again";
    Error::new(Kind::Unavailable, "index_reopening", message)
}

fn corrupt(what: &'static str) -> Error {
    Error::internal(
        "index_corrupt",
        format!(
            "{what} in the index cannot be read; stop the node and delete the index folder, it is rebuilt from the journal"
        ),
    )
}

fn out_of_order(expected: u64, got: u64) -> Error {
    Error::new(Kind::Internal, "journal_gap", format!("expected entry {expected}, got {got}"))
}

#[cfg(test)]
mod ending_tests;
#[cfg(test)]
mod enforcement_tests;
#[cfg(test)]
mod liaison_tests;
#[cfg(test)]
mod list_history_tests;
#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod reopening_tests;
#[cfg(test)]
mod test_history;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tip_tests;
#[cfg(test)]
mod withdrawal_tests;
