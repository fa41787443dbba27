//! Following what is shared with a reader.
//!
//! A feed reads entries from its cursor up to the index's checkpoint: replay and live are one path.

mod changes;
mod cursor;
mod deliveries;
mod event;
mod expansion;
mod snapshot;
mod stream;
mod subscriptions;

use std::collections::VecDeque;
use std::sync::Arc;

pub use self::deliveries::RemovalDelivery;
pub use self::event::{
    BatchEvent, BatchRemoval, CampaignEvent, EnforcementEvent, FeedEvent, FeedItem, GroupChange,
    Removal, RemovalReason, RemovedObject, TipEvent,
};
pub use self::snapshot::{SCANNED_PER_PAGE, Snapshot, SnapshotPart};
pub use self::stream::{Feed, Step};
pub use self::subscriptions::{Hold, SubscriptionState};
use crate::domain::cursor::FeedPosition;
use crate::domain::filter::Filter;
use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::{Cursor, Invalid};
use crate::error::Result;
use crate::exchange::core::{Caller, Core};
use crate::exchange::feeds::subscriptions::Subscriptions;
use crate::exchange::visibility::Visibility;
use crate::journal::CursorStore;

/// Opens feeds and snapshots, and keeps subscriptions.
#[derive(Clone, Debug)]
pub struct Feeds {
    core: Arc<Core>,
    subscriptions: Arc<Subscriptions>,
}

impl Feeds {
    pub(in crate::exchange) fn new(core: Arc<Core>, cursors: Arc<dyn CursorStore>) -> Self {
        Self { core, subscriptions: Arc::new(Subscriptions::of(cursors)) }
    }
}

/// Where a feed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the oldest entry that the journal holds.
    Oldest,
    /// With what comes next.
    Now,
    /// Behind this place.
    After(Cursor),
}

/// What a reader asks for, and, of a liaison, for what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedRequest {
    /// What it asks for.
    pub filter: Filter,
    /// For what it reads: set by liaisons, and by nobody else.
    pub purpose: Option<Purpose>,
}

impl From<Filter> for FeedRequest {
    fn from(filter: Filter) -> Self {
        Self { filter, purpose: None }
    }
}

impl Feeds {
    /// Opens a feed for a caller; for a liaison with its purpose.
    pub fn feed(
        &self,
        caller: &Caller,
        start: Start,
        wanted: impl Into<FeedRequest>,
    ) -> Result<Feed> {
        let FeedRequest { filter, purpose } = wanted.into();
        self.core.check_purpose(caller, purpose.as_ref())?;
        check_filter(caller, &filter)?;
        let checkpoint = self.core.index.watch();
        let registry = self.core.registry();
        let now = *checkpoint.borrow();
        let position = match start {
            Start::Oldest => FeedPosition::after_entry(self.core.log.oldest().saturating_sub(1)),
            Start::Now => FeedPosition::after_entry(now),
            Start::After(cursor) => self.core.resume(cursor, now)?,
        };
        let visibility =
            Visibility::new(&registry, caller.partner(), filter)?.for_purpose(purpose.as_ref());
        Ok(Feed {
            core: Arc::clone(&self.core),
            partner: caller.partner().clone(),
            visibility: Arc::new(visibility),
            purpose,
            position,
            checkpoint,
            suspended: [self.core.watch_suspended(), self.core.index.watch_suspended()],
            queued: VecDeque::new(),
            holds_nothing_until: if start == Start::Oldest { now } else { 0 },
        })
    }
}

/// An error where a liaison asks for campaigns: what is said of those does not go by its lane, so it
/// could not be told when it comes to see one.
pub(in crate::exchange) fn check_filter(caller: &Caller, filter: &Filter) -> Result<()> {
    if caller.role() == Role::Liaison && !filter.campaigns.is_empty() {
        return Err(
            Invalid::new("filter.campaigns", "is not for liaisons: name authors or kinds").into()
        );
    }
    Ok(())
}
