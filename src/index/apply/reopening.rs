//! Reopens the database after a failure: fjall accepts no write after a failed one.

use std::sync::Arc;

use tracing::{error, warn};

use super::{Applier, Pending};
use crate::domain::entry::Outcome;
use crate::error::{Error, Result};
use crate::index::Published;
use crate::index::query::stored_outcome;
use crate::index::storage::OpenedStore;
use crate::index::store::Snapshot;

/// If a reopened database fails again within this many commits, it is read as a whole at the next
/// reopening. A flush or a compaction may have met damage, which fjall reports only in its log.
const SUSPICIOUS_COMMITS: u64 = 1_000;

impl Applier {
    /// Whether the database failed. Nothing is applied until [`Self::reopen_database`] succeeds.
    pub fn has_failed(&self) -> bool {
        self.store.is_none()
    }

    /// Closes the failed database and drops the pending writes.
    pub(super) fn close_database(&mut self, fault: &Error) {
        let source = std::error::Error::source(fault);
        let reason = source.map_or_else(|| fault.to_string(), ToString::to_string);
        error!(reason, "the index failed: the node is not ready until it is open again");
        self.verify_on_reopen = self.commits < SUSPICIOUS_COMMITS && self.reopened;
        self.pending = Pending::default();
        self.versions = None;
        self.registry_changed = false;
        self.store = None;
        self.index.close(reason);
    }

    /// Reopens the database.
    ///
    /// [`Self::next_sequence`] may go back: fjall may have lost the newest batches, and a damaged index
    /// is rebuilt. Readers wait until the index has reached the checkpoint that they could see before.
    pub fn reopen_database(&mut self) -> Result<()> {
        let OpenedStore { store, head, registry, epochs } = self.index.reopen()?;
        if std::mem::take(&mut self.verify_on_reopen) {
            // Damage found here is recorded on disk, and the next try rebuilds the index.
            read_everything(&store.snapshot())?;
        }
        // The cache may be newer than the database.
        self.index.submissions.clear();
        let published = self.index.checkpoint();
        warn!(sequence = head.sequence, published, "the index is open again");
        if head.sequence >= published {
            let outcomes = outcomes(&store.snapshot(), published + 1..=head.sequence)?;
            let registry = Some(registry.clone());
            let batch = Published { registry, closed: Vec::new(), outcomes, epochs };
            self.index.publish(&store, head, batch);
        }
        (self.head, self.registry, self.store) = (head, registry, Some(store));
        (self.commits, self.reopened) = (0, true);
        Ok(())
    }
}

fn read_everything(snapshot: &Snapshot) -> Result<()> {
    snapshot.scan(&[]).try_for_each(|pair| pair.map(drop))
}

/// Outcomes of entries that were stored although their commit returned an error.
fn outcomes(
    snapshot: &Snapshot,
    sequences: impl Iterator<Item = u64>,
) -> Result<Vec<(u64, Arc<Outcome>)>> {
    let read = |sequence| Ok((sequence, Arc::new(stored_outcome(snapshot, sequence)?)));
    sequences.map(read).collect()
}
