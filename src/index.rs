//! What the journal adds up to, in one tree of a log-structured store.
//!
//! Nothing here is fsynced and nothing needs to be: deleting the index and starting again gives
//! the same answers. [`apply`] writes it, [`query`] reads it; [`keys`] and [`record`] say how it
//! lies on disk.

pub mod apply;
mod campaigns;
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

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use arc_swap::ArcSwap;
use tokio::sync::watch;

pub use self::apply::Applier;
pub use self::apply::referrals::is_asset;
pub use self::apply::tips::REOPENED_AT_ONCE;
use self::outcomes::Outcomes;
use self::record::Head;
pub use self::registry::Registry;
pub use self::storage::JournalEnds;
use self::store::Store;
use self::submissions::Submissions;
pub use self::versions::CurrentKey;
use crate::domain::cursor::JournalTag;
use crate::domain::entry::{Entry, Outcome};
use crate::domain::{PartnerId, Position};
use crate::error::{Error, Kind};

/// The index of one node. Shared by all who read; written by the one [`Applier`].
#[derive(Debug)]
pub struct Index {
    store: Store,
    head: Mutex<Head>,
    checkpoint: watch::Sender<u64>,
    registry: ArcSwap<Registry>,
    suspended: watch::Sender<BTreeSet<PartnerId>>,
    closed: RwLock<HashMap<u64, Arc<BTreeSet<u32>>>>,
    outcomes: Outcomes,
    submissions: Submissions,
    campaigns_said: AtomicU64,
}

impl Index {
    /// The last entry that is applied as a whole.
    pub fn checkpoint(&self) -> u64 {
        *self.checkpoint.borrow()
    }

    /// Follows the checkpoint.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.checkpoint.subscribe()
    }

    /// The tag of the journal that this index is of.
    pub fn journal(&self) -> JournalTag {
        self.head().journal
    }

    /// Who is on the exchange, as of the checkpoint.
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

    /// The items of an entry that are no longer current, by their index.
    pub fn closed(&self, sequence: u64) -> Option<Arc<BTreeSet<u32>>> {
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        closed.get(&sequence).cloned()
    }

    /// The bytes of the index on disk.
    pub fn size_on_disk(&self) -> Option<u64> {
        self.store.size_on_disk()
    }

    fn head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a committed batch visible. The closed versions come first, so that no reader takes a
    /// version for current beside the one that replaced it; the checkpoint comes last.
    fn publish(
        &self,
        head: Head,
        registry: Option<Registry>,
        closed: &[Position],
        finished: Vec<(u64, Arc<Outcome>)>,
    ) {
        self.close(closed);
        if let Some(registry) = registry {
            let suspended = registry.suspended();
            self.registry.store(Arc::new(registry));
            self.suspended.send_if_modified(|before| {
                let changed = *before != suspended;
                *before = suspended;
                changed
            });
        }
        *self.head.lock().unwrap_or_else(PoisonError::into_inner) = head;
        let answers = self.outcomes.publish(head.sequence, finished);
        self.checkpoint.send_replace(head.sequence);
        // A receipt comes last: what it speaks of can be seen in every way.
        answers.into_iter().for_each(outcomes::Answer::tell);
    }

    fn close(&self, versions: &[Position]) {
        if versions.is_empty() {
            return;
        }
        let mut closed = self.closed.write().unwrap_or_else(PoisonError::into_inner);
        for version in versions {
            Arc::make_mut(closed.entry(version.sequence).or_default()).insert(version.index);
        }
    }
}

/// The tag of an entry; that of the first is the journal's.
fn entry_tag(entry: &Entry) -> [u8; 4] {
    let mut bytes = entry.id.as_bytes().to_vec();
    bytes.extend_from_slice(&entry.time.as_millis().to_be_bytes());
    crc32c::crc32c(&bytes).to_be_bytes()
}

fn storage_fault(error: database::DiskError) -> Error {
    Error::internal("index_storage", error)
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
mod test_history;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tip_tests;
