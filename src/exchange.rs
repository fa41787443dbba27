//! The exchange: checks access rights, turns requests into journal entries, and decides what each reader receives.
//!
//! Five parts share one [`core`](self::core::Core):
//!
//! - [`commands`]: requests that change something. Each builds the body of an entry and passes it to [`commit`],
//!   the way of every request into the journal.
//! - [`queries`]: read what a caller may see.
//! - [`feeds`]: feeds, snapshots and subscriptions.
//! - [`liaison`]: the purposes of liaisons, and their access log.
//! - [`sweeps`]: periodic tasks, such as expiry and retention.
//!
//! The [`Follower`] applies each entry to the index, in order. Decisions that depend on the order of entries are made
//! there, so that all nodes decide alike. [`visibility`] combines
//! [`may_see`](crate::domain::may_see) with filters and the current rights, for all parts.

mod commands;
mod commit;
mod core;
mod feeds;
mod follower;
mod liaison;
mod lists;
mod queries;
mod referral;
mod sweeps;
mod visibility;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use self::commands::*;
pub use self::commit::RequestReceipt;
use self::core::Core;
pub use self::core::{Caller, Page, RandomIds, SUBSCRIPTIONS_PER_PARTNER, Settings};
pub use self::feeds::*;
pub use self::follower::Follower;
pub use self::liaison::*;
pub use self::queries::*;
pub use self::sweeps::{Sweeps, UnusualActivity};
pub use self::visibility::campaign::{ContributionView, unknown_campaign};
pub use self::visibility::enforcement::EnforcementView;
pub use self::visibility::hold::LegalHold;
pub use self::visibility::indicator::{AssessmentView, IndicatorView};
pub use self::visibility::reaction::{FeedbackView, SightingView};
pub use self::visibility::tip::{TipEntryView, TipIndicatorView};
use crate::clock::Clock;
use crate::domain::cursor::EpochId;
use crate::domain::revocation::Revocations;
use crate::domain::{Cursor, PartnerId, Position};
use crate::error::{Error, Result};
use crate::index::{Index, Registry};
use crate::journal::{CursorStore, Log};

/// One node of the exchange.
#[derive(Debug)]
pub struct Exchange {
    /// Requests that change something.
    pub commands: Commands,
    /// Reads what a caller may see.
    pub queries: Queries,
    /// Feeds, snapshots and subscriptions.
    pub feeds: Feeds,
    /// The access log of liaisons.
    pub liaison: Liaison,
    /// Periodic tasks.
    pub sweeps: Sweeps,
    core: Arc<Core>,
}

impl Exchange {
    /// Creates the exchange of a node. A [`Follower`] must keep the index up to date. A subscription that cannot be read
    /// from `cursors` is refused; all else works.
    pub fn new(
        log: Arc<Log>,
        index: Arc<Index>,
        cursors: Arc<dyn CursorStore>,
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let core = Arc::new(Core::new(log, index, clock, settings));
        Self {
            commands: Commands::new(Arc::clone(&core)),
            queries: Queries::new(Arc::clone(&core)),
            feeds: Feeds::new(Arc::clone(&core), cursors),
            liaison: Liaison::new(Arc::clone(&core)),
            sweeps: Sweeps::new(Arc::clone(&core)),
            core,
        }
    }

    /// Begins an epoch. If the journal rejects its entry for now, the entry is retried before the next append.
    pub async fn begin_epoch(&self, epoch: EpochId) -> Result<()> {
        self.core.begin_epoch(epoch).await
    }

    /// Admits the partner of a verified certificate. Fails if the registry does not know it, or it is suspended.
    pub fn admit(&self, id: &PartnerId) -> Result<Caller> {
        self.core.admit(id)
    }

    /// Fails if the partner is suspended.
    pub fn check_suspended(&self, partner: &PartnerId) -> Result<()> {
        self.core.check_suspended(partner)
    }

    /// Whether the configuration of this node suspends a partner.
    pub fn is_suspended_by_configuration(&self, partner: &str) -> bool {
        self.core.is_suspended_by_configuration(partner)
    }

    /// Waits until the partner is suspended.
    pub async fn until_suspended(&self, partner: &PartnerId) {
        self.core.until_suspended(partner).await;
    }

    /// Sets the partners that the configuration suspends. The registry may suspend others. Ends their open streams.
    pub fn set_suspended(&self, partners: BTreeSet<PartnerId>) {
        self.core.set_suspended(partners);
    }

    /// Subscribes to the certificates that operators have revoked.
    pub fn watch_revocations(&self) -> watch::Receiver<Arc<Revocations>> {
        self.core.index.watch_revocations()
    }

    /// Waits until this node has applied a version.
    pub async fn wait_for(&self, version: Position) -> Result<()> {
        self.core.wait_for(version).await
    }

    /// Waits until this node has applied the entry of a cursor that another node issued. Does nothing on a journal
    /// that is not shared.
    pub async fn catch_up_to(&self, cursor: Cursor) -> Result<()> {
        self.core.catch_up_to(cursor).await
    }

    /// Runs a read on a blocking thread: it may wait for the disk. `label` names it in the log if it panics.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        label: &'static str,
        read: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let exchange = Arc::clone(self);
        self.core.with_permit(label, move || read(&exchange)).await
    }

    /// The registry of partners and groups.
    pub fn registry(&self) -> Arc<Registry> {
        self.core.registry()
    }

    /// The sequence of the newest durable entry.
    pub fn head(&self) -> u64 {
        self.core.log.head()
    }

    /// Waits until the journal fails for good, and returns the error.
    pub async fn broken(&self) -> Error {
        Error::internal("journal_broken", self.core.log.broken().await)
    }

    /// Whether requests that write are refused now, and why: the disk has too little room, or the journal failed. Asks
    /// the disk.
    pub fn check_writable(&self) -> std::result::Result<(), String> {
        self.core.log.check_writable().map_err(|refusal| refusal.to_string())
    }

    /// The free space on the disk of the journal, in bytes; `None` if it has no files.
    pub fn free_bytes(&self) -> Option<u64> {
        self.core.log.free_bytes()
    }

    /// How long ago the quorum of a shared journal confirmed the head. `None` if the journal is not shared, or was
    /// never confirmed.
    pub fn head_confirmed_ago(&self) -> Option<Duration> {
        let confirmed = self.core.log.cluster()?.borrow().confirmed?;
        Some(self.core.clock.instant().saturating_duration_since(confirmed.at))
    }

    /// The number of risks of a shared journal that the configuration accepts.
    pub fn accepted_risks(&self) -> u64 {
        self.core.log.cluster().map_or(0, |status| status.borrow().accepted_risks.len() as u64)
    }

    /// The size of the journal on disk, in bytes; `None` if it has no files.
    pub fn journal_bytes(&self) -> Option<u64> {
        self.core.log.size_on_disk()
    }

    /// The index.
    pub fn index(&self) -> &Index {
        &self.core.index
    }

    /// The time by the exchange's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.core.clock
    }
}
