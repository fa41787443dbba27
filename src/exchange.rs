//! The service behind every way in: who may do it, whether it is well formed, what it comes to.
//!
//! An exchange appends to the [`Log`] and reads from the [`Index`]; between the two stands the
//! follower, which applies each entry in order. Everything that two nodes could decide differently
//! is decided there.

mod accesses;
mod administer;
mod caller;
mod campaigns;
mod deliveries;
mod enforcements;
mod epoch;
mod expire;
mod feeds;
mod follower;
mod holds;
mod idle;
mod keyed;
mod lane;
mod lookup;
mod partners;
mod reactions;
mod referrals;
mod releases;
mod reopen;
mod restricted;
mod run_out;
mod seed;
mod selection;
mod snapshot;
mod submit;
mod subscriptions;
mod tips;
mod withdraw;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use self::accesses::{Access, AccessPage, AccessedObject, AccessedObjects, GIVEN_AT_ONCE};
pub use self::administer::PutReceipt;
pub use self::caller::Caller;
pub use self::campaigns::{
    CampaignCounts, CampaignQuery, CampaignReceipt, CampaignRequest, CampaignSummary, CampaignView,
    ClusterGraph, ContributionView, Edge, EdgeKind, EnforcementTotal, EventPlace, TimelineEvent,
    TimelineEventKind, TipStep, unknown as unknown_campaign,
};
pub use self::deliveries::RemovalDelivery;
pub use self::enforcements::{
    EnforcementQuery, EnforcementReceipt, EnforcementRequest, EnforcementView,
};
use self::epoch::Epoch;
pub use self::feeds::{
    BatchEvent, BatchRemoval, CampaignEvent, EnforcementEvent, Feed, FeedEvent, FeedItem,
    FeedbackEvent, GroupChange, Removal, RemovalReason, RemovedObject, SightingEvent, Start, Step,
    TipEvent,
};
pub use self::follower::Follower;
pub use self::holds::{HoldRequest, LegalHold, PlacedHold};
pub use self::lane::FeedRequest;
pub use self::lookup::{AssessmentView, IndicatorView};
pub use self::reactions::{FeedbackRequest, Reactions, RequestReceipt, SightingsRequest};
pub use self::releases::{ReleaseReceipt, ReleaseRequest};
pub use self::seed::Seed;
pub use self::selection::Selection;
pub use self::snapshot::{SCANNED_AT_ONCE, Snapshot, SnapshotPart};
use self::subscriptions::Subscriptions;
pub use self::subscriptions::{Hold, SUBSCRIPTIONS_PER_PARTNER, SubscriptionState};
pub use self::tips::{
    ResponseRequest, TipDetailQuery, TipEntryView, TipIndicatorView, TipQuery, TipRequest, TipView,
    TipsPage,
};
pub use self::withdraw::WithdrawalReceipt;
use crate::clock::Clock;
use crate::domain::PartnerId;
use crate::error::{Error, Kind, Result};
pub use crate::index::keys::tips::TipBox;
pub use crate::index::record::{TipAction, TipEntryRecord, TipMove, TipRecord};
use crate::index::{Index, Registry};
pub use crate::journal::StoredSubscription;
use crate::journal::{Append, AppendError, CursorStore, JournalError, Log, LoggedEntry, Stamp};

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
    /// How long accesses of liaisons are kept.
    pub accesses_kept: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            read_after_timeout: Duration::from_secs(5),
            idle_close: Duration::from_secs(15 * 60),
            subscriptions_per_partner: SUBSCRIPTIONS_PER_PARTNER,
            accesses_kept: Duration::from_secs(1_825 * 86_400),
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
    epoch: Epoch,
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
        Self { log, index, clock, settings, suspended, subscriptions, epoch: Epoch::default() }
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
        self.ensure_epoch().await?;
        self.store(append).await
    }

    async fn store(&self, append: Append) -> Result<Stamp> {
        self.log.append(append).await.map_err(|error| match error {
            AppendError::Full { .. } => Error::new(
                Kind::Exhausted,
                "storage_full",
                "the exchange has too little room on its disk: try again later",
            )
            .because(error),
            AppendError::TooLarge { .. } => Error::new(
                Kind::Invalid,
                "entry_too_large",
                "the request is too large to be stored: send it in smaller parts",
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

    async fn entry(&self, sequence: u64) -> Result<Arc<LoggedEntry>> {
        only(self.entries(sequence, 1).await?, sequence)
    }

    /// The same for a thread that may block.
    fn entry_blocking(&self, sequence: u64) -> Result<Arc<LoggedEntry>> {
        only(self.log.read_blocking(sequence, 1).map_err(unreadable)?, sequence)
    }

    async fn entries(&self, from: u64, most: usize) -> Result<Vec<Arc<LoggedEntry>>> {
        self.log.read(from, most).await.map_err(unreadable)
    }
}

fn only(entries: Vec<Arc<LoggedEntry>>, sequence: u64) -> Result<Arc<LoggedEntry>> {
    let missing = || Error::internal("journal_read", format!("entry {sequence} is not there"));
    entries.into_iter().next().ok_or_else(missing)
}

fn unreadable(error: JournalError) -> Error {
    match error {
        JournalError::Trimmed { .. } => trimmed(),
        error => Error::internal("journal_read", error),
    }
}

fn trimmed() -> Error {
    Error::new(
        Kind::OutOfRange,
        "cursor_trimmed",
        "the exchange no longer holds what follows the cursor: take a snapshot",
    )
}
