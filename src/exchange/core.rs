//! What all parts of the exchange share: log, index, clock, settings, and the admission of callers.

mod caller;
mod epoch;
mod limits;
mod page;
mod random;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

pub use self::caller::Caller;
pub(in crate::exchange) use self::caller::{rights_of, unknown_partner};
use self::epoch::Epoch;
pub use self::page::Page;
pub(in crate::exchange) use self::page::page;
pub use self::random::RandomIds;
use crate::clock::Clock;
use crate::domain::{PartnerId, Position};
use crate::error::{Error, Kind, Result};
use crate::index::{Index, Registry};
use crate::journal::{Append, AppendError, ClusterStatus, JournalError, Log, LoggedEntry, Stamp};

/// The log, the index and the clock of one node. All parts of the exchange share it.
#[derive(Debug)]
pub struct Core {
    pub(in crate::exchange) log: Arc<Log>,
    pub(in crate::exchange) index: Arc<Index>,
    pub(in crate::exchange) clock: Arc<dyn Clock>,
    pub(in crate::exchange) settings: Settings,
    /// The partners that the configuration suspends. The registry may suspend others.
    suspended: watch::Sender<Suspended>,
    /// The epoch that this node starts in the journal.
    epoch: Epoch,
    /// Permits of [`Core::blocking`].
    reads: Arc<Semaphore>,
}

/// The most reads of commands and queries that run at a time. The rest wait, and leave threads of the pool to
/// feeds and to the journal.
const MAX_READS: usize = 64;

/// The default limit of subscriptions per partner. Each is a series of the lag metric.
pub const SUBSCRIPTIONS_PER_PARTNER: usize = 100;

type Suspended = BTreeSet<PartnerId>;

/// Settings of the operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a read with `read_after` waits for that version to be applied.
    pub read_after_timeout: Duration,
    /// A submission that received no batch for this long is closed.
    pub idle_close: Duration,
    /// The limit of subscriptions per partner.
    pub subscriptions_per_partner: usize,
    /// How long the access log keeps a record.
    pub access_retention: Duration,
    /// How long the time of a withdrawal is kept.
    pub withdrawal_retention: Duration,
    /// The source of random ids.
    pub random_ids: RandomIds,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            read_after_timeout: Duration::from_secs(5),
            idle_close: Duration::from_secs(15 * 60),
            subscriptions_per_partner: SUBSCRIPTIONS_PER_PARTNER,
            access_retention: Duration::from_secs(1_825 * 86_400),
            withdrawal_retention: Duration::from_secs(30 * 86_400),
            random_ids: RandomIds::default(),
        }
    }
}

impl Core {
    /// A core over a log and its index.
    pub fn new(
        log: Arc<Log>,
        index: Arc<Index>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let suspended = watch::Sender::new(BTreeSet::new());
        Self {
            log,
            index,
            clock,
            settings,
            suspended,
            epoch: Epoch::default(),
            reads: Arc::new(Semaphore::new(MAX_READS)),
        }
    }

    /// The registry of partners and groups.
    pub fn registry(&self) -> Arc<Registry> {
        self.index.registry()
    }

    /// Appends an entry, after the entry of the node's epoch.
    pub(in crate::exchange) async fn append(&self, append: Append) -> Result<Stamp> {
        self.ensure_epoch().await?;
        self.append_in_epoch(append).await
    }

    /// Appends an entry without waiting for the epoch's entry. Callers use [`Core::append`].
    pub(in crate::exchange) async fn append_in_epoch(&self, append: Append) -> Result<Stamp> {
        self.log.append(append).await.map_err(|error| match error {
            AppendError::Full { .. } => Error::new(
                Kind::Exhausted,
                "storage_full",
                "the exchange has too little room on its disk: try again later",
            )
            .with_source(error),
            AppendError::TooLarge { .. } => Error::new(
                Kind::Invalid,
                "entry_too_large",
                "the request is too large to be stored: send it in smaller parts",
            )
            .with_source(error),
            AppendError::Rejected(_) => Error::new(
                Kind::Unavailable,
                "append_rejected",
                "the exchange cannot store this at the moment: try again",
            )
            .with_source(error),
            AppendError::Unknown(_) => Error::new(
                Kind::Unknown,
                "append_unknown",
                "the exchange cannot say whether this was stored: send the same request again; \
                 it is not stored twice",
            )
            .with_source(error),
        })
    }

    /// Runs work that reads from the disk on a blocking thread, once a permit is free. Work that has started
    /// completes even if the caller is cancelled.
    pub(in crate::exchange) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let core = Arc::clone(self);
        self.with_permit("exchange_read", move || read(&core)).await
    }

    /// Like [`Core::blocking`]. `label` names the read in the log if it panics.
    pub(in crate::exchange) async fn with_permit<T: Send + 'static>(
        &self,
        label: &'static str,
        read: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = Arc::clone(&self.reads).acquire_owned().await;
        let permit = permit.map_err(|error| Error::internal(label, error))?;
        let reading = tokio::task::spawn_blocking(move || {
            // Held until the work ends, also if nobody waits for it any more.
            let _permit = permit;
            read()
        });
        reading.await.map_err(|error| Error::internal(label, error))?
    }

    /// Reads one entry of the journal.
    pub(in crate::exchange) async fn entry(&self, sequence: u64) -> Result<Arc<LoggedEntry>> {
        first_entry(self.entries(sequence, 1).await?, sequence)
    }

    /// Like [`Core::entry`], for a thread that may block.
    pub(in crate::exchange) fn entry_blocking(&self, sequence: u64) -> Result<Arc<LoggedEntry>> {
        first_entry(self.log.read_blocking(sequence, 1).map_err(read_error)?, sequence)
    }

    /// Reads up to `limit` entries of the journal, starting at sequence `from`.
    pub(in crate::exchange) async fn entries(
        &self,
        from: u64,
        limit: usize,
    ) -> Result<Vec<Arc<LoggedEntry>>> {
        self.log.read(from, limit).await.map_err(read_error)
    }

    /// Waits until this node has applied what other nodes have stored until now: a command that looks for what it changes
    /// must not miss it. Returns at once if no other node writes to the journal.
    pub(in crate::exchange) async fn catch_up_with_others(&self) -> Result<()> {
        let Some(mut status) = self.log.cluster() else { return Ok(()) };
        let asked = self.clock.instant();
        let is_newer = |status: &ClusterStatus| {
            status.confirmed.is_some_and(|confirmed| confirmed.at >= asked)
        };
        let confirmed =
            tokio::time::timeout(self.settings.read_after_timeout, status.wait_for(is_newer));
        let head = match confirmed.await {
            Ok(Ok(status)) => status.confirmed.map_or(0, |confirmed| confirmed.head),
            Ok(Err(_)) => return Err(Error::stopping()),
            Err(_) => return Err(behind("the entries of other nodes are")),
        };
        self.wait_for(Position::new(head, 0)).await
    }

    /// Waits until this node has applied a version.
    pub async fn wait_for(&self, version: Position) -> Result<()> {
        let mut checkpoint = self.index.watch();
        let applied = checkpoint.wait_for(|checkpoint| *checkpoint >= version.sequence);
        match tokio::time::timeout(self.settings.read_after_timeout, applied).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Error::stopping()),
            Err(_) => Err(behind(&format!("version {version} is"))),
        }
    }
}

fn behind(what: &str) -> Error {
    let message = format!("{what} not applied on this node yet: try again");
    Error::new(Kind::Unavailable, "read_after", message)
}

fn first_entry(entries: Vec<Arc<LoggedEntry>>, sequence: u64) -> Result<Arc<LoggedEntry>> {
    let missing = || Error::internal("journal_read", format!("entry {sequence} is missing"));
    entries.into_iter().next().ok_or_else(missing)
}

fn read_error(error: JournalError) -> Error {
    match error {
        JournalError::Trimmed { .. } => trimmed(),
        error => Error::internal("journal_read", error),
    }
}

/// The error for a cursor whose next entries were deleted from the journal.
pub(in crate::exchange) fn trimmed() -> Error {
    Error::new(
        Kind::OutOfRange,
        "cursor_trimmed",
        "the exchange no longer holds the entries after the cursor: take a snapshot",
    )
}
