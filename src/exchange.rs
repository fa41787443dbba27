//! The service behind every way in: who may do it, whether it is well formed, what it comes to.
//!
//! An exchange appends to the [`Log`] and reads from the [`Index`]; between the two stands the
//! follower, which applies each entry in order. Everything that two nodes could decide differently
//! is decided there.

mod administer;
mod caller;
mod deliveries;
mod expire;
mod feeds;
mod follower;
mod idle;
mod lookup;
mod partners;
mod reactions;
mod restricted;
mod seed;
mod snapshot;
mod submit;
mod subscriptions;
mod withdraw;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use self::administer::Put;
pub use self::caller::Caller;
pub use self::deliveries::Delivered;
pub use self::feeds::{
    BatchDelivery, BatchRemoval, Delivery, Feed, GroupChanged, Opined, RemovalReason, Removed,
    Seen, Shown, Start, Step,
};
pub use self::follower::Follower;
pub use self::lookup::{Known, Sight};
pub use self::reactions::{FeedbackRequest, Noted, Reactions, SightingsRequest};
pub use self::seed::Seed;
pub use self::snapshot::{SCANNED_AT_ONCE, Snapshot};
use self::subscriptions::Subscriptions;
pub use self::subscriptions::{Hold, SUBSCRIPTIONS_PER_PARTNER, SubscriptionState};
pub use self::withdraw::Withdrawn;
use crate::clock::Clock;
use crate::domain::PartnerId;
use crate::error::{Error, Kind, Result};
use crate::index::{Index, Registry};
pub use crate::journal::StoredSubscription;
use crate::journal::{Append, AppendError, CursorStore, JournalError, Log, Logged, Stamp};

type Suspended = BTreeSet<PartnerId>;

/// What an operator may set.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long a read waits for the version that it names in `read_after`.
    pub read_after_timeout: Duration,
    /// After how long without a batch the exchange closes a submission.
    pub idle_close: Duration,
    /// The most subscriptions of one partner.
    pub subscriptions_per_partner: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            read_after_timeout: Duration::from_secs(5),
            idle_close: Duration::from_secs(15 * 60),
            subscriptions_per_partner: SUBSCRIPTIONS_PER_PARTNER,
        }
    }
}

/// One node of the exchange.
#[derive(Debug)]
pub struct Exchange {
    log: Arc<Log>,
    index: Arc<Index>,
    clock: Arc<dyn Clock>,
    settings: Settings,
    suspended: watch::Sender<Suspended>,
    subscriptions: Subscriptions,
}

impl Exchange {
    /// Puts a node together. The index is kept up by a [`Follower`]; subscriptions that cannot be
    /// read are refused, and everything else is served.
    pub fn new(
        log: Arc<Log>,
        index: Arc<Index>,
        cursors: Arc<dyn CursorStore>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let suspended = watch::Sender::new(BTreeSet::new());
        let subscriptions = Subscriptions::of(cursors);
        Self { log, index, clock, settings, suspended, subscriptions }
    }

    /// Who is on the exchange.
    pub fn registry(&self) -> Arc<Registry> {
        self.index.registry()
    }

    /// The newest durable entry.
    pub fn head(&self) -> u64 {
        self.log.head()
    }

    /// Done once the journal cannot go on.
    pub async fn broken(&self) -> Error {
        Error::internal("journal_broken", self.log.broken().await)
    }

    /// The journal's size on disk, in bytes, where it has one.
    pub fn journal_bytes(&self) -> Option<u64> {
        self.log.size_on_disk()
    }

    /// The index, for those who watch it.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The time by the exchange's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    async fn append(&self, append: Append) -> Result<Stamp> {
        self.log.append(append).await.map_err(|error| match error {
            AppendError::Full { .. } => Error::new(
                Kind::Exhausted,
                "storage_full",
                "the exchange has too little room on its disk: try again later",
            )
            .because(error),
            AppendError::Rejected(_) => Error::new(
                Kind::Unavailable,
                "append_rejected",
                "the exchange takes nothing at the moment: try again",
            )
            .because(error),
            AppendError::Unknown(_) => Error::new(
                Kind::Unknown,
                "append_unknown",
                "the exchange cannot say whether this was stored: send the same request again, it \
                 is not stored twice",
            )
            .because(error),
        })
    }

    fn entry(&self, sequence: u64) -> Result<Arc<Logged>> {
        let missing = || Error::internal("journal_read", format!("entry {sequence} is not there"));
        self.entries(sequence, 1)?.into_iter().next().ok_or_else(missing)
    }

    fn entries(&self, from: u64, most: usize) -> Result<Vec<Arc<Logged>>> {
        self.log.read(from, most).map_err(|error| match error {
            JournalError::Trimmed { .. } => trimmed(),
            error => Error::internal("journal_read", error),
        })
    }
}

fn trimmed() -> Error {
    Error::new(
        Kind::OutOfRange,
        "cursor_trimmed",
        "the exchange no longer holds what follows the cursor: take a snapshot",
    )
}
