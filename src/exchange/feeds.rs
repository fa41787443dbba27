//! Feeds: what is shared with a reader, entry by entry.
//!
//! A feed reads entries from its cursor up to the checkpoint of the index. Replay and live delivery are the same code.

mod changes;
mod cursor;
mod deliveries;
mod event;
mod expansion;
mod lag;
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
pub use self::lag::SubscriptionLag;
pub use self::snapshot::{SCANNED_PER_PAGE, Snapshot, SnapshotPart};
pub use self::stream::{Feed, Step};
pub use self::subscriptions::{SubscriptionLease, SubscriptionState};
use crate::domain::cursor::FeedPosition;
use crate::domain::filter::Filter;
use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::{Cursor, Invalid};
use crate::error::Result;
use crate::exchange::core::{Caller, Core};
use crate::exchange::feeds::lag::EntryTimes;
use crate::exchange::feeds::subscriptions::Subscriptions;
use crate::exchange::visibility::Visibility;
use crate::index::Registry;
use crate::journal::CursorStore;

/// Opens feeds and snapshots, and manages subscriptions.
#[derive(Clone, Debug)]
pub struct Feeds {
    core: Arc<Core>,
    subscriptions: Arc<Subscriptions>,
    /// For [`Feeds::lags`].
    entry_times: Arc<EntryTimes>,
}

impl Feeds {
    pub(in crate::exchange) fn new(core: Arc<Core>, cursors: Arc<dyn CursorStore>) -> Self {
        Self {
            core,
            subscriptions: Arc::new(Subscriptions::load(cursors)),
            entry_times: Arc::default(),
        }
    }
}

/// The position at which a feed starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the oldest entry that the journal holds.
    Oldest,
    /// After the newest applied entry.
    Now,
    /// After this cursor.
    After(Cursor),
}

/// A request for a feed or a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedRequest {
    /// Selects the objects that the reader receives.
    pub filter: Filter,
    /// The purpose of a liaison. `None` for all other readers.
    pub purpose: Option<Purpose>,
}

impl From<Filter> for FeedRequest {
    fn from(filter: Filter) -> Self {
        Self { filter, purpose: None }
    }
}

impl Feeds {
    /// Opens a feed for a caller. A liaison has to state its purpose.
    pub fn feed(
        &self,
        caller: &Caller,
        start: Start,
        request: impl Into<FeedRequest>,
    ) -> Result<Feed> {
        let FeedRequest { filter, purpose } = request.into();
        self.core.check_purpose(caller, purpose.as_ref())?;
        let registry = self.core.registry();
        check_filter(caller, &registry, &filter)?;
        let checkpoint = self.core.index.watch();
        let applied = *checkpoint.borrow();
        let position = match start {
            Start::Oldest => FeedPosition::after_entry(self.core.log.oldest().saturating_sub(1)),
            Start::Now => FeedPosition::after_entry(applied),
            Start::After(cursor) => self.core.resume_position(cursor, applied)?,
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
            started_empty_at: if start == Start::Oldest { applied } else { 0 },
        })
    }
}

/// Rejects a filter by campaign from a liaison. A liaison receives released objects only, so the feed could not tell
/// it that it gained access to a campaign.
///
/// Rejects a filter by a partner that does not exist too: it would find nothing, without saying why.
pub(in crate::exchange) fn check_filter(
    caller: &Caller,
    registry: &Registry,
    filter: &Filter,
) -> Result<()> {
    if let Some(author) = filter.authors.iter().find(|author| registry.partner(author).is_none()) {
        return Err(
            Invalid::new("filter.authors", format!("there is no partner `{author}`")).into()
        );
    }
    if caller.role() == Role::Liaison && !filter.campaigns.is_empty() {
        return Err(
            Invalid::new("filter.campaigns", "is not for liaisons: name authors or kinds").into()
        );
    }
    Ok(())
}
