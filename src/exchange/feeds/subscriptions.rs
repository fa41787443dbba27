//! Subscriptions: named, durable cursors. A subscription has at most one reader: the newest one takes over.
//!
//! While the node runs, the table in memory is authoritative. Creating and deleting are written to the store before
//! they are confirmed. Acknowledged cursors are written once per second, and when the node stops.

mod persist;
mod table;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};

use tracing::error;

pub use self::table::SubscriptionLease;
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
    /// Whether the store could be read at the start. If not, all requests that need subscriptions are refused.
    is_readable: bool,
    /// Serializes changes of the store. Otherwise a cursor write could overwrite a subscription that was deleted or
    /// created again in between.
    store_lock: Mutex<()>,
}

impl Subscriptions {
    /// Loads the subscriptions from a store. If the store cannot be read, logs the error and starts with an empty table
    /// that refuses requests.
    pub fn load(store: Arc<dyn CursorStore>) -> Self {
        let (stored, is_readable) = match store.all() {
            Ok(stored) => (stored, true),
            Err(damage) => {
                error!("{damage}");
                (Vec::new(), false)
            }
        };
        let table = Arc::new(Table::new(stored));
        Self { store, table, is_readable, store_lock: Mutex::new(()) }
    }

    fn check_readable(&self) -> Result<()> {
        if self.is_readable {
            return Ok(());
        }
        Err(Error::new(
            Kind::Unavailable,
            "subscriptions_unreadable",
            "the exchange cannot read its subscriptions: the operator finds the reason in the log; feeds \
             without a subscription still work",
        ))
    }
}

/// A subscription and its current state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionState {
    /// The subscription, with its newest cursor.
    pub stored: Subscription,
    /// Entries between its cursor and the checkpoint. An entry that was delivered in part counts.
    pub lag_entries: u64,
    /// Whether a reader is connected.
    pub connected: bool,
}

impl Feeds {
    /// Opens a feed for a subscription. A reader that is connected to it is disconnected. An existing subscription
    /// continues from its cursor. A new one is stored first, and starts at `start`.
    pub async fn open_subscription(
        &self,
        caller: &Caller,
        name: &SubscriptionName,
        start: Start,
        request: impl Into<FeedRequest>,
    ) -> Result<(Feed, SubscriptionLease)> {
        self.subscriptions.check_readable()?;
        let FeedRequest { filter, purpose } = request.into();
        let (partner, filter) = (caller.partner(), normalized(filter));
        let request = FeedRequest { filter: filter.clone(), purpose };
        // Retry if another request created or deleted the subscription meanwhile.
        loop {
            let existing = self.subscriptions.table.get(partner, name);
            let (feed, subscription) = if let Some(existing) = existing {
                if existing.filter != filter {
                    return Err(filter_differs(name));
                }
                self.check_cursor_in_journal(&existing)?;
                // The stored cursor may have been restored from an older copy together with the journal. Then the
                // reader's own cursor is from a lost epoch.
                if let Start::After(own_cursor) = start
                    && own_cursor.journal.journal == existing.cursor.journal.journal
                    && !self.core.is_in_journal(own_cursor)
                {
                    return Err(another_epoch());
                }
                (self.feed(caller, Start::After(existing.cursor), request.clone())?, existing)
            } else {
                let feed = self.feed(caller, start, request.clone())?;
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
            if let Some(lease) = self.subscriptions.table.acquire_lease(&subscription) {
                return Ok((feed, lease));
            }
        }
    }

    /// Records that the reader of a subscription has processed everything up to a cursor. Returns the cursor of the
    /// subscription after that. It never moves back.
    pub fn acknowledge(
        &self,
        caller: &Caller,
        name: &SubscriptionName,
        cursor: Cursor,
    ) -> Result<Cursor> {
        self.subscriptions.check_readable()?;
        self.core.check_cursor(cursor, self.core.index.checkpoint())?;
        let (table, now) = (&self.subscriptions.table, self.core.clock.now());
        let is_in_journal = |cursor| self.core.is_in_journal(cursor);
        let acknowledged = table.acknowledge(caller.partner(), name, cursor, now, is_in_journal);
        acknowledged.ok_or_else(|| unknown(name))
    }

    /// A page of the caller's subscriptions with names after `after`, by name.
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

    /// Deletes a subscription from the store, and disconnects its reader.
    pub async fn delete_subscription(
        &self,
        caller: &Caller,
        name: &SubscriptionName,
    ) -> Result<()> {
        self.subscriptions.check_readable()?;
        let (partner, name) = (caller.partner().clone(), name.clone());
        self.change_store(move |subscriptions| {
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
        let states = self.subscriptions.table.of_partner(partner).into_iter();
        states.map(|(stored, _)| stored).collect()
    }

    /// The subscriptions of all partners, by partner and name, with their newest cursors.
    pub fn every_subscription(&self) -> impl Iterator<Item = Subscription> {
        self.subscriptions.table.all().into_iter()
    }

    /// The number of entries between a cursor and the checkpoint. An entry that was delivered in part counts.
    pub fn lag_entries(&self, cursor: Cursor) -> u64 {
        let checkpoint = self.core.index.checkpoint();
        if !self.core.is_in_journal(cursor) {
            return checkpoint;
        }
        checkpoint.saturating_sub(cursor.position.next_entry().saturating_sub(1))
    }

    /// Creates a subscription in the store. Returns false if it exists: another request may have created it.
    async fn create_subscription(&self, new: Subscription) -> Result<bool> {
        let limit = self.core.settings.subscriptions_per_partner;
        self.change_store(move |subscriptions| {
            if subscriptions.table.get(&new.partner, &new.name).is_some() {
                return Ok(false);
            }
            if subscriptions.table.of_partner(&new.partner).len() >= limit {
                return Err(Error::new(
                    Kind::Quota,
                    "too_many_subscriptions",
                    format!(
                        "a partner may have {limit} subscriptions: delete one that is not used"
                    ),
                ));
            }
            subscriptions.store.create(&new).map_err(not_stored)?;
            subscriptions.table.insert(new);
            Ok(true)
        })
        .await
    }

    /// Runs a change of the store on a blocking thread. The change completes even if the caller is cancelled.
    async fn change_store<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Subscriptions) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let subscriptions = Arc::clone(&self.subscriptions);
        let changing = tokio::task::spawn_blocking(move || {
            let _guard = subscriptions.store_lock.lock().unwrap_or_else(PoisonError::into_inner);
            change(&subscriptions)
        });
        changing.await.map_err(|error| Error::internal("subscriptions_store", error))?
    }

    /// Fails if the cursor of a subscription is from a journal that was replaced, or from an epoch that was lost when
    /// the journal was restored.
    fn check_cursor_in_journal(&self, subscription: &Subscription) -> Result<()> {
        if self.core.is_in_journal(subscription.cursor) {
            return Ok(());
        }
        Err(Error::new(
            Kind::OutOfRange,
            "subscription_stale",
            format!(
                "the cursor of the subscription `{}` is from a journal that the exchange no longer has: take a \
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
