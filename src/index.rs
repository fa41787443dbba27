//! What the journal adds up to, in one keyspace of a log-structured store.
//!
//! Nothing here is fsynced and nothing needs to be: deleting the index and starting again gives
//! the same answers. [`apply`] writes it, [`query`] reads it; [`keys`] and [`record`] say how it
//! lies on disk.

pub mod apply;
mod campaigns;
mod closed;
pub mod database;
mod enforcements;
pub mod keys;
mod known;
mod liaisons;
mod outcomes;
mod placed;
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
pub use self::apply::tips::REOPENED_AT_ONCE;
use self::closed::{ClosedItems, ClosedLookup, ClosedVersions};
use self::outcomes::Outcomes;
use self::record::Head;
pub use self::registry::Registry;
pub use self::storage::JournalEnds;
use self::storage::Location;
use self::store::{Snapshot, Store};
use self::submissions::Submissions;
pub use self::versions::CurrentKey;
use crate::domain::cursor::{EpochId, Epochs, JournalEpoch};
use crate::domain::entry::{Entry, Outcome};
use crate::domain::{PartnerId, Position};
use crate::error::{Error, Kind, Result};

/// The index of one node. Shared by all who read; written by the one [`Applier`].
#[derive(Debug)]
pub struct Index {
    /// What readers read; `None` while the database is opened again and catches up.
    store: ArcSwapOption<Store>,
    /// Where it lies on disk, if it does.
    location: Option<Location>,
    state: watch::Sender<IndexState>,
    head: Mutex<Head>,
    checkpoint: watch::Sender<u64>,
    registry: ArcSwap<Registry>,
    suspended: watch::Sender<BTreeSet<PartnerId>>,
    closed: ClosedVersions,
    outcomes: Outcomes,
    submissions: Submissions,
    epochs: RwLock<Epochs>,
}

/// Whether the index can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// It can.
    Ready,
    /// Its database failed. It is opened again, and catches up with what was readable before.
    Reopening {
        /// Why.
        reason: String,
    },
}

/// The index as it was at one moment, and who was on the exchange then. All that one answer needs is read through
/// one view, so that nothing is judged by rights that ended before it was accepted.
#[derive(Debug)]
pub struct View<'a> {
    index: &'a Index,
    snapshot: Snapshot,
    registry: Arc<Registry>,
}

impl Index {
    /// The index as it is now. An error while it is opened again.
    pub fn read(&self) -> Result<View<'_>> {
        loop {
            let registry = self.registry.load();
            let store = self.store.load();
            let snapshot = store.as_ref().ok_or_else(reopening)?.snapshot();
            // It holds before and after the snapshot, and so at that moment.
            if Arc::ptr_eq(&registry, &self.registry.load()) {
                let registry = Arc::clone(&registry);
                return Ok(View { index: self, snapshot, registry });
            }
        }
    }

    /// Whether it can be read; follows changes.
    pub fn watch_state(&self) -> watch::Receiver<IndexState> {
        self.state.subscribe()
    }

    /// The last entry that is applied.
    pub fn checkpoint(&self) -> u64 {
        *self.checkpoint.borrow()
    }

    /// Follows the checkpoint.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.checkpoint.subscribe()
    }

    /// The journal that this index is of, and its epoch at an entry; at one that is yet to come, the
    /// newest.
    pub fn journal_at(&self, sequence: u64) -> JournalEpoch {
        let epochs = self.epochs.read().unwrap_or_else(PoisonError::into_inner);
        JournalEpoch { journal: self.head().journal, epoch: epochs.at(sequence) }
    }

    /// Who is on the exchange, as of the checkpoint. What is read beside it comes with one of its own: see
    /// [`View::registry`].
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.load_full()
    }

    /// Whether the registry keeps a partner out.
    pub fn is_suspended(&self, partner: &PartnerId) -> bool {
        self.suspended.borrow().contains(partner)
    }

    /// Follows who is kept out.
    pub fn watch_suspended(&self) -> watch::Receiver<BTreeSet<PartnerId>> {
        self.suspended.subscribe()
    }

    /// The items of an entry that are no longer current, by their index; `None` where all of them are.
    pub fn closed(&self, sequence: u64) -> Result<Option<ClosedItems>> {
        match self.closed.find(sequence) {
            ClosedLookup::Recent(items) => Ok(items),
            ClosedLookup::Stored => self.read()?.closed_items(sequence),
        }
    }

    /// The bytes of the index on disk.
    pub fn size_on_disk(&self) -> Option<u64> {
        self.store.load().as_ref().and_then(|store| store.size_on_disk())
    }

    fn head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets nobody read any more. The database is closed once the last view of it is gone.
    fn close(&self, reason: String) {
        self.store.store(None);
        self.state.send_replace(IndexState::Reopening { reason });
    }

    /// Makes a store readable that has come to a head, unless it is.
    fn make_readable(&self, store: &Arc<Store>, head: Head) {
        if self.store.load().is_some() {
            return;
        }
        // What was closed while nobody could read is not in memory.
        self.closed.reset(head.sequence);
        self.store.store(Some(Arc::clone(store)));
        self.state.send_replace(IndexState::Ready);
        info!(sequence = head.sequence, "the index is readable again");
    }

    /// Makes a committed batch visible. The closed versions come first, so that no feed delivers a
    /// version beside the one that replaced it; the checkpoint comes last.
    fn publish(&self, store: &Arc<Store>, head: Head, batch: Published) {
        // A database that was opened again may have to catch up with what was visible before.
        if head.sequence < self.checkpoint() {
            return;
        }
        self.make_readable(store, head);
        self.closed.add(&batch.closed);
        if let Some(registry) = batch.registry {
            let suspended = registry.suspended();
            self.registry.store(Arc::new(registry));
            self.suspended.send_if_modified(|before| {
                let changed = *before != suspended;
                *before = suspended;
                changed
            });
        }
        self.begin_epochs(&batch.epochs);
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        let answers = self.outcomes.publish(head.sequence, batch.finished);
        self.checkpoint.send_replace(head.sequence);
        // A receipt comes last: what it speaks of can be seen in every way.
        answers.into_iter().for_each(outcomes::Answer::tell);
    }

    fn begin_epochs(&self, new: &[(u64, EpochId)]) {
        let mut epochs = self.epochs.write().unwrap_or_else(PoisonError::into_inner);
        for (first, epoch) in new {
            epochs.begin(*first, *epoch);
        }
    }
}

impl View<'_> {
    /// Who was on the exchange.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }
}

/// What becomes visible with a batch.
#[derive(Debug, Default)]
struct Published {
    /// Who is on the exchange, where that changed.
    registry: Option<Registry>,
    closed: Vec<Position>,
    finished: Vec<(u64, Arc<Outcome>)>,
    /// Epochs that begin, by their first entry.
    epochs: Vec<(u64, EpochId)>,
}

/// The tag of an entry; that of the first is the journal's.
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
    Error::new(Kind::Unavailable, "index_storage", message).because(error)
}

/// Whether the database failed, and not what was asked of it.
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
mod deed_tests;
#[cfg(test)]
mod ending_tests;
#[cfg(test)]
mod liaison_tests;
#[cfg(test)]
mod reopening_tests;
#[cfg(test)]
mod test_history;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tip_tests;
