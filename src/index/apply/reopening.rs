//! Opening the database again after it failed: fjall takes no write after one that failed.

use std::sync::Arc;

use tracing::{error, warn};

use super::{Applier, Pending};
use crate::domain::entry::Outcome;
use crate::error::{Error, Result};
use crate::index::Published;
use crate::index::query::stored_outcome;
use crate::index::storage::OpenedStore;
use crate::index::store::Snapshot;

/// A database that fails again before so many batches is read as a whole: a flush or a compaction may have met
/// damage, of which fjall tells nobody but its log.
const SUSPICIOUS_COMMITS: u64 = 1_000;

impl Applier {
    /// Whether the database failed. Nothing is applied until it is opened again.
    pub fn has_failed(&self) -> bool {
        self.store.is_none()
    }

    /// Closes the database: it failed.
    pub(super) fn close_database(&mut self, fault: &Error) {
        let source = std::error::Error::source(fault);
        let reason = source.map_or_else(|| fault.to_string(), ToString::to_string);
        error!(reason, "the index failed: the node is not ready until it is open again");
        self.is_suspicious = self.commits < SUSPICIOUS_COMMITS && self.reopened;
        self.pending = Pending::default();
        self.versions = None;
        self.registry_changed = false;
        self.store = None;
        self.index.close(reason);
    }

    /// Opens the database again. The next entry may be one that was applied before: fjall may have lost the newest
    /// batches, and what is damaged is rebuilt. Readers wait until everything is there that they could see.
    pub fn open_again(&mut self) -> Result<()> {
        let OpenedStore { store, head, registry, epochs } = self.index.reopen()?;
        if std::mem::take(&mut self.is_suspicious) {
            // Damage that is found is recorded, and the index is rebuilt at the next try.
            read_everything(&store.snapshot())?;
        }
        // What they hold may be newer than the database.
        self.index.submissions.clear();
        let published = self.index.checkpoint();
        warn!(sequence = head.sequence, published, "the index is open again");
        if head.sequence >= published {
            let finished = outcomes(&store.snapshot(), published + 1..=head.sequence)?;
            let registry = Some(registry.clone());
            let batch = Published { registry, closed: Vec::new(), finished, epochs };
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

/// What entries came to whose batch was written although its commit failed.
fn outcomes(
    snapshot: &Snapshot,
    sequences: impl Iterator<Item = u64>,
) -> Result<Vec<(u64, Arc<Outcome>)>> {
    let read = |sequence| Ok((sequence, Arc::new(stored_outcome(snapshot, sequence)?)));
    sequences.map(read).collect()
}
