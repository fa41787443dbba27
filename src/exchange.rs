//! The exchange: who may do what, what a request becomes, and what each reader receives.
//!
//! Five parts over one [`core`](self::core::Core):
//!
//! - [`commands`]: requests that change something. Each builds the body of an entry and hands it to [`commit`],
//!   the one way into the journal.
//! - [`queries`]: reads of what a caller may see.
//! - [`feeds`]: what each reader receives, entry by entry; snapshots and subscriptions.
//! - [`liaison`]: purposes, and the log of what liaisons were given.
//! - [`sweeps`]: what the exchange does by itself as time passes.
//!
//! The [`Follower`] applies each entry to the index, in order. Everything that two nodes could decide
//! differently is decided there. [`visibility`] is the rule of who sees what, for all parts.

mod commands;
mod commit;
mod core;
mod feeds;
mod follower;
mod liaison;
mod queries;
mod referral;
mod sweeps;
mod visibility;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use self::commands::*;
pub use self::commit::RequestReceipt;
use self::core::Core;
pub use self::core::{Caller, Page, SUBSCRIPTIONS_PER_PARTNER, Settings};
pub use self::feeds::*;
pub use self::follower::Follower;
pub use self::liaison::*;
pub use self::queries::*;
pub use self::sweeps::Sweeps;
pub use self::visibility::campaign::{ContributionView, unknown_campaign};
pub use self::visibility::enforcement::EnforcementView;
pub use self::visibility::hold::LegalHold;
pub use self::visibility::indicator::{AssessmentView, IndicatorView};
pub use self::visibility::reaction::{FeedbackView, SightingView};
pub use self::visibility::tip::{TipEntryView, TipIndicatorView};
use crate::clock::Clock;
use crate::domain::cursor::EpochId;
use crate::domain::{PartnerId, Position};
use crate::error::{Error, Result};
use crate::index::{Index, Registry};
use crate::journal::{CursorStore, Log};

/// One node of the exchange.
#[derive(Debug)]
pub struct Exchange {
    /// Requests that change something.
    pub commands: Commands,
    /// Reads of what a caller may see.
    pub queries: Queries,
    /// Feeds, snapshots and subscriptions.
    pub feeds: Feeds,
    /// The log of what liaisons were given.
    pub liaison: Liaison,
    /// What the exchange does by itself as time passes.
    pub sweeps: Sweeps,
    core: Arc<Core>,
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

    /// Begins an epoch. Where the journal takes nothing at the moment, its entry goes before the first
    /// that is taken.
    pub async fn begin_epoch(&self, epoch: EpochId) -> Result<()> {
        self.core.begin_epoch(epoch).await
    }

    /// Admits the partner that a verified certificate names, if the registry knows it and it is not
    /// suspended.
    pub fn admit(&self, named: &PartnerId) -> Result<Caller> {
        self.core.admit(named)
    }

    /// An error where the partner is suspended.
    pub fn check_suspended(&self, partner: &PartnerId) -> Result<()> {
        self.core.check_suspended(partner)
    }

    /// Done once the partner is suspended.
    pub async fn until_suspended(&self, partner: &PartnerId) {
        self.core.until_suspended(partner).await;
    }

    /// Suspends these partners beside those that the registry says, at once: their open streams end
    /// too.
    pub fn set_suspended(&self, partners: BTreeSet<PartnerId>) {
        self.core.set_suspended(partners);
    }

    /// Waits until a version has been applied here.
    pub async fn wait_for(&self, version: Position) -> Result<()> {
        self.core.wait_for(version).await
    }

    /// Who is on the exchange.
    pub fn registry(&self) -> Arc<Registry> {
        self.core.registry()
    }

    /// The newest durable entry.
    pub fn head(&self) -> u64 {
        self.core.log.head()
    }

    /// Done once the journal cannot go on.
    pub async fn broken(&self) -> Error {
        Error::internal("journal_broken", self.core.log.broken().await)
    }

    /// The journal's size on disk, in bytes, where it has one.
    pub fn journal_bytes(&self) -> Option<u64> {
        self.core.log.size_on_disk()
    }

    /// The index, for those who watch it.
    pub fn index(&self) -> &Index {
        &self.core.index
    }

    /// The time by the exchange's clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.core.clock
    }
}
