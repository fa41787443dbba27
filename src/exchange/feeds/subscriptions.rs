//! Subscriptions: named, durable cursors. The newest reader of one holds it.
//!
//! Memory is what counts while the node runs. What is made and deleted is in the store before it is
//! answered; where a subscription stands is written there once a second, and at the end.

mod keeping;
mod table;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;

pub use self::table::Hold;
use self::table::Table;
use crate::domain::subscription::{Subscription, normalized};
use crate::domain::{Cursor, PartnerId, SubscriptionName};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Caller, Page, page};
use crate::exchange::feeds::cursor::another_epoch;
use crate::exchange::feeds::stream::Feed;
use crate::exchange::feeds::{FeedRequest, Feeds, Start};
use crate::journal::{CursorError, CursorStore};

/// The subscriptions of a node.
#[derive(Debug)]
pub(in crate::exchange) struct Subscriptions {
    store: Arc<dyn CursorStore>,
    table: Arc<Table>,
    /// Whether the store could be read when the node started. Where it could not, whatever would need
    /// to know what is in it is refused.
    is_readable: bool,
    /// Held over each change of the store, so that a move is never written over what was made or
    /// deleted after it was looked at.
    writing: Mutex<()>,
}

impl Subscriptions {
    /// Takes up what a store has. One that cannot be read is told in the log.
    pub fn of(store: Arc<dyn CursorStore>) -> Self {
        let (stored, is_readable) = match store.all() {
            Ok(stored) => (stored, true),
            Err(damage) => {
                error!("{damage}");
                (Vec::new(), false)
            }
        };
        let table = Arc::new(Table::of(stored));
        Self { store, table, is_readable, writing: Mutex::new(()) }
    }

    fn check_readable(&self) -> Result<()> {
        if self.is_readable {
            return Ok(());
        }
        Err(Error::new(
            Kind::Unavailable,
            "subscriptions_unreadable",
            "the exchange cannot read its subscriptions at the moment, and its operator can see why \
             in the log; feeds without a name go on",
        ))
    }
}

/// A subscription and what is known of it at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// As it is stored.
    pub stored: Subscription,
    /// How many entries lie behind its cursor, one that it stands inside of among them.
    pub lag_entries: u64,
    /// Whether a reader holds it.
    pub connected: bool,
}

impl Feeds {
    /// Opens a feed for a subscription and takes hold of it; whoever held it loses it. A new one is
    /// made, durably, and begins at `start`; one that is there goes on from where it stands.
    pub async fn open_subscription(
        &self,
        caller: &Caller,
        name: &SubscriptionName,
        start: Start,
        wanted: impl Into<FeedRequest>,
    ) -> Result<(Feed, Hold)> {
        self.subscriptions.check_readable()?;
        let FeedRequest { filter, purpose } = wanted.into();
        let (partner, filter) = (caller.partner(), normalized(filter));
        let wanted = FeedRequest { filter: filter.clone(), purpose };
        // Again where somebody else made or deleted it in between.
        loop {
            let (feed, seen) = if let Some(there) = self.subscriptions.table.get(partner, name) {
                if there.filter != filter {
                    return Err(filter_differs(name));
                }
                self.check_stands_here(&there)?;
                // A reader may have come further than the copy of where it stands that was put back
                // with the journal.
                if let Start::After(own) = start
                    && own.journal.journal == there.cursor.journal.journal
                    && !self.core.stands_here(own)
                {
                    return Err(another_epoch());
                }
                (self.feed(caller, Start::After(there.cursor), wanted.clone())?, there)
            } else {
                let feed = self.feed(caller, start, wanted.clone())?;
                let new = Subscription {
                    partner: partner.clone(),
                    name: name.clone(),
                    filter: filter.clone(),
                    cursor: feed.cursor(),
                    created: self.core.clock.now(),
                    acknowledged: None,
                };
                if !self.create_subscription(new.clone()).await? {
                    continue;
                }
                (feed, new)
            };
            if let Some(hold) = self.subscriptions.table.hold(&seen) {
                return Ok((feed, hold));
            }
        }
    }

    /// Notes that a subscription's reader has dealt with everything up to a cursor, and tells where it
    /// stands then: it never moves back.
    pub fn acknowledge(
        &self,
        caller: &Caller,
        name: &SubscriptionName,
        cursor: Cursor,
    ) -> Result<Cursor> {
        self.subscriptions.check_readable()?;
        self.core.check_cursor(cursor, self.core.index.checkpoint())?;
        let (table, now) = (&self.subscriptions.table, self.core.clock.now());
        let stands_here = |stands| self.core.stands_here(stands);
        let acknowledged = table.acknowledge(caller.partner(), name, cursor, now, stands_here);
        acknowledged.ok_or_else(|| unknown(name))
    }

    /// The caller's subscriptions behind `after`, by name.
    pub fn list_subscriptions(
        &self,
        caller: &Caller,
        after: &str,
        size: usize,
    ) -> Result<Page<SubscriptionState>> {
        self.subscriptions.check_readable()?;
        let states = self.subscriptions.table.of_partner(caller.partner());
        let states = states.into_iter().map(|(stored, connected)| {
            let lag_entries = self.lag_entries(stored.cursor);
            SubscriptionState { stored, lag_entries, connected }
        });
        let states: Vec<_> = states.collect();
        Ok(page(states.iter().map(|state| (state.stored.name.as_str(), state)), after, size))
    }

    /// Forgets a subscription, durably, and ends its reader.
    pub async fn delete_subscription(
        &self,
        caller: &Caller,
        name: &SubscriptionName,
    ) -> Result<()> {
        self.subscriptions.check_readable()?;
        let (partner, name) = (caller.partner().clone(), name.clone());
        self.changing(move |subscriptions| {
            if subscriptions.table.get(&partner, &name).is_none() {
                return Err(unknown(&name));
            }
            subscriptions.store.delete(&partner, &name).map_err(not_stored)?;
            subscriptions.table.remove(&partner, &name);
            Ok(())
        })
        .await
    }

    /// A partner's subscriptions, by name.
    pub fn subscriptions_of(&self, partner: &PartnerId) -> Vec<Subscription> {
        let all = self.subscriptions.table.of_partner(partner).into_iter();
        all.map(|(stored, _)| stored).collect()
    }

    /// Every partner's subscriptions, by partner and name, as they stand at the moment.
    pub fn every_subscription(&self) -> impl Iterator<Item = Subscription> {
        self.subscriptions.table.all().into_iter()
    }

    /// How many entries lie behind a subscription's cursor, one that it stands inside of among them.
    pub fn lag_entries(&self, cursor: Cursor) -> u64 {
        let checkpoint = self.core.index.checkpoint();
        if !self.core.stands_here(cursor) {
            return checkpoint;
        }
        checkpoint.saturating_sub(cursor.position.next_entry().saturating_sub(1))
    }

    /// Makes a subscription, durably. Tells whether it was made: somebody else may have made it.
    async fn create_subscription(&self, new: Subscription) -> Result<bool> {
        let most = self.core.settings.subscriptions_per_partner;
        self.changing(move |subscriptions| {
            if subscriptions.table.get(&new.partner, &new.name).is_some() {
                return Ok(false);
            }
            if subscriptions.table.of_partner(&new.partner).len() >= most {
                return Err(Error::new(
                    Kind::Quota,
                    "too_many_subscriptions",
                    format!("a partner may have {most} subscriptions: delete one that is not used"),
                ));
            }
            subscriptions.store.create(&new).map_err(not_stored)?;
            subscriptions.table.insert(new);
            Ok(true)
        })
        .await
    }

    /// Changes the store, off the threads that serve. Goes on though whoever asked has gone.
    async fn changing<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Subscriptions) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let subscriptions = Arc::clone(&self.subscriptions);
        let changed = tokio::task::spawn_blocking(move || {
            let _writing = subscriptions.writing.lock().unwrap_or_else(PoisonError::into_inner);
            change(&subscriptions)
        });
        changed.await.map_err(|error| Error::internal("subscriptions_store", error))?
    }

    /// A subscription outlives the journal that it stands in where that was replaced alone, or was put
    /// back from an older copy.
    fn check_stands_here(&self, subscription: &Subscription) -> Result<()> {
        if self.core.stands_here(subscription.cursor) {
            return Ok(());
        }
        Err(Error::new(
            Kind::OutOfRange,
            "subscription_stale",
            format!(
                "the subscription `{}` stands in a journal that the exchange no longer has: take a \
                 snapshot, and acknowledge its cursor",
                subscription.name
            ),
        ))
    }
}

fn filter_differs(name: &SubscriptionName) -> Error {
    let message = format!(
        "the subscription `{name}` has another filter, and a filter is fixed with its name: \
         subscribe under another name, or delete the subscription first"
    );
    Error::new(Kind::Precondition, "filter_differs", message)
}

fn unknown(name: &SubscriptionName) -> Error {
    let message = format!("there is no subscription `{name}`");
    Error::new(Kind::NotFound, "subscription_unknown", message)
}

fn not_stored(error: CursorError) -> Error {
    let message = "the exchange cannot say whether this was stored: send the same request again";
    Error::new(Kind::Unknown, "subscription_not_stored", message).with_source(error)
}
