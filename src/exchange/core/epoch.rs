//! The epoch that a node begins in the journal. Its entry is the first that the node appends.

use std::sync::OnceLock;

use tokio::sync::OnceCell;
use tracing::warn;

use crate::domain::cursor::EpochId;
use crate::domain::entry::{AppendId, Body};
use crate::error::{Kind, Result};
use crate::exchange::core::Core;
use crate::journal::{Append, Stamp};

/// The epoch that a node begins; empty if it continues the current one.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Epoch {
    id: OnceLock<EpochId>,
    /// Set once its entry is stored.
    entry: OnceCell<Stamp>,
}

impl Core {
    /// Begins an epoch. If the journal rejects its entry for now, the entry is retried before the next append.
    pub async fn begin_epoch(&self, epoch: EpochId) -> Result<()> {
        // A node begins at most one epoch: later calls keep the first id.
        let _ = self.epoch.id.set(epoch);
        match self.ensure_epoch().await {
            Err(error) if matches!(error.kind(), Kind::Exhausted | Kind::Unavailable) => {
                warn!(label = error.label(), "the journal takes nothing at the moment: {error}");
                Ok(())
            }
            result => result,
        }
    }

    /// Appends the entry of the node's epoch unless it is already stored. If the caller is cancelled, the next caller
    /// appends it with the same id.
    pub(in crate::exchange) async fn ensure_epoch(&self) -> Result<()> {
        let Some(epoch) = self.epoch.id.get() else { return Ok(()) };
        let append = || async {
            let id = AppendId::derive(&[b"epoch", &epoch.0]);
            self.append_in_epoch(Append::new(id, None, Body::Epoch(*epoch))).await
        };
        self.epoch.entry.get_or_try_init(append).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::domain::{PartnerId, Timestamp};
    use crate::exchange::core::Settings;
    use crate::index::Index;
    use crate::journal::{Fault, Journal, Log, LogSettings, MemoryJournal};

    fn core(journal: &Arc<MemoryJournal>) -> Core {
        let journal: Arc<dyn Journal> = Arc::clone(journal) as _;
        let log = Arc::new(Log::start(journal, LogSettings::default()).unwrap());
        let index = Arc::new(Index::in_memory().unwrap());
        Core::new(log, index, Arc::new(SystemClock), Settings::default())
    }

    fn append(key: &[u8]) -> Append {
        let body = Body::PartnerResumed(PartnerId::parse("birdsite").unwrap());
        Append::new(AppendId::derive(&[key]), None, body)
    }

    #[tokio::test]
    async fn an_epoch_goes_before_everything_also_where_the_journal_takes_nothing_at_first() {
        let epoch = EpochId([7; 8]);
        for faults in 0..=2 {
            let journal = MemoryJournal::new(Arc::new(|| Timestamp::from_millis(5)));
            let journal = Arc::new(journal);
            (0..faults).for_each(|_| journal.inject(Fault::Rejected));
            let core = core(&journal);
            core.begin_epoch(epoch).await.unwrap();
            if faults == 2 {
                let refused = core.append(append(b"a")).await.unwrap_err();
                assert_eq!(refused.label(), "append_rejected");
                assert_eq!(journal.head(), 0, "nothing goes before it");
            }
            core.append(append(b"b")).await.unwrap();
            core.append(append(b"c")).await.unwrap();
            let entries = journal.read(1, 9).unwrap();
            let epochs: Vec<_> =
                entries.iter().map(|entry| entry.body == Body::Epoch(epoch)).collect();
            assert_eq!(epochs, [true, false, false], "{faults}");
        }
    }
}
