//! The subscriptions of this node in memory, and the reader that has the lease of each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::domain::subscription::Subscription;
use crate::domain::{Cursor, PartnerId, SubscriptionName, Timestamp};
use crate::error::{Error, Kind};

/// The subscriptions of all partners.
#[derive(Debug, Default)]
pub struct Table {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    partners: BTreeMap<PartnerId, BTreeMap<SubscriptionName, TableEntry>>,
    /// The id of the newest lease. Each lease has an id of its own.
    last_lease_id: u64,
}

#[derive(Debug)]
struct TableEntry {
    subscription: Subscription,
    /// Set if the cursor moved since it was last written to the store.
    is_dirty: bool,
    /// The reader with the lease.
    holder: Option<Holder>,
}

#[derive(Debug)]
struct Holder {
    lease_id: u64,
    /// Notifies the reader that it lost the subscription.
    loss: watch::Sender<Option<Loss>>,
}

/// Why a reader no longer holds its subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    TakenOver,
    Deleted,
}

impl Table {
    /// A table of subscriptions that were read from a store.
    pub fn new(subscriptions: Vec<Subscription>) -> Self {
        let table = Self::default();
        for subscription in subscriptions {
            table.insert(subscription);
        }
        table
    }

    /// Adds a new subscription.
    pub fn insert(&self, subscription: Subscription) {
        let (partner, name) = (subscription.partner.clone(), subscription.name.clone());
        let entry = TableEntry { subscription, is_dirty: false, holder: None };
        self.lock().partners.entry(partner).or_default().insert(name, entry);
    }

    /// Removes a subscription, and notifies its reader.
    pub fn remove(&self, partner: &PartnerId, name: &SubscriptionName) {
        let removed =
            self.lock().partners.get_mut(partner).and_then(|by_name| by_name.remove(name));
        if let Some(TableEntry { holder: Some(holder), .. }) = removed {
            holder.loss.send_replace(Some(Loss::Deleted));
        }
    }

    /// A subscription, with its newest cursor.
    pub fn get(&self, partner: &PartnerId, name: &SubscriptionName) -> Option<Subscription> {
        self.lock().entry(partner, name).map(|entry| entry.subscription.clone())
    }

    /// A partner's subscriptions by name, each with whether a reader holds it.
    pub fn of_partner(&self, partner: &PartnerId) -> Vec<(Subscription, bool)> {
        let inner = self.lock();
        let entries = inner.partners.get(partner).into_iter().flat_map(BTreeMap::values);
        entries.map(|entry| (entry.subscription.clone(), entry.holder.is_some())).collect()
    }

    /// Every subscription, by partner and name.
    pub fn all(&self) -> Vec<Subscription> {
        let inner = self.lock();
        let entries = inner.partners.values().flat_map(BTreeMap::values);
        entries.map(|entry| entry.subscription.clone()).collect()
    }

    /// Moves a subscription forward, never back, and returns its cursor after that. `None` if there is no such
    /// subscription.
    ///
    /// If the stored cursor is no longer in the journal, because the journal was replaced or restored from an older
    /// copy, any cursor replaces it.
    pub fn acknowledge(
        &self,
        partner: &PartnerId,
        name: &SubscriptionName,
        cursor: Cursor,
        now: Timestamp,
        is_in_journal: impl Fn(Cursor) -> bool,
    ) -> Option<Cursor> {
        let mut inner = self.lock();
        let entry = inner.entry(partner, name)?;
        let stored = entry.subscription.cursor;
        if cursor.position >= stored.position || !is_in_journal(stored) {
            (entry.subscription.cursor, entry.subscription.acknowledged) = (cursor, Some(now));
            entry.is_dirty = true;
        }
        Some(entry.subscription.cursor)
    }

    /// Returns the subscriptions whose cursors moved since the last call.
    pub fn take_moved(&self) -> Vec<Subscription> {
        let mut inner = self.lock();
        let entries = inner.partners.values_mut().flat_map(BTreeMap::values_mut);
        entries
            .filter_map(|entry| {
                std::mem::take(&mut entry.is_dirty).then(|| entry.subscription.clone())
            })
            .collect()
    }

    /// Gives a reader the lease of a subscription that it read before, and notifies the earlier holder. `None` if the
    /// subscription was deleted or created again since it was read.
    pub fn acquire_lease(self: &Arc<Self>, read: &Subscription) -> Option<SubscriptionLease> {
        let mut inner = self.lock();
        let id = inner.last_lease_id + 1;
        let entry = inner.entry(&read.partner, &read.name)?;
        if entry.subscription.filter != read.filter || entry.subscription.created != read.created {
            return None;
        }
        let (sender, loss) = watch::channel(None);
        if let Some(older) = entry.holder.replace(Holder { lease_id: id, loss: sender }) {
            older.loss.send_replace(Some(Loss::TakenOver));
        }
        inner.last_lease_id = id;
        drop(inner);
        let (partner, name) = (read.partner.clone(), read.name.clone());
        Some(SubscriptionLease { table: Arc::clone(self), partner, name, id, loss })
    }

    /// Removes the holder of a subscription, unless a newer one took over.
    fn end_lease(&self, lease: &SubscriptionLease) {
        let mut inner = self.lock();
        if let Some(entry) = inner.entry(&lease.partner, &lease.name)
            && entry.holder.as_ref().is_some_and(|holder| holder.lease_id == lease.id)
        {
            entry.holder = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn entry(&mut self, partner: &PartnerId, name: &SubscriptionName) -> Option<&mut TableEntry> {
        self.partners.get_mut(partner)?.get_mut(name)
    }
}

/// The lease that one reader has on a subscription. Dropping it ends the lease.
#[derive(Debug)]
pub struct SubscriptionLease {
    table: Arc<Table>,
    partner: PartnerId,
    name: SubscriptionName,
    id: u64,
    /// Set once the reader lost the subscription.
    loss: watch::Receiver<Option<Loss>>,
}

impl SubscriptionLease {
    /// Waits until a newer reader takes over the subscription or it is deleted. Returns the reason as an error.
    ///
    /// Cancel safe.
    pub async fn lost(&self) -> Error {
        let mut receiver = self.loss.clone();
        let loss = receiver.wait_for(Option::is_some).await.map_or(None, |loss| *loss);
        let name = &self.name;
        match loss {
            Some(Loss::TakenOver) => {
                let message = format!("a newer reader has taken over the subscription `{name}`");
                Error::new(Kind::Aborted, "taken_over", message)
            }
            // A takeover is always sent before the sender is dropped, so a closed channel means deletion.
            Some(Loss::Deleted) | None => {
                let message = format!("the subscription `{name}` was deleted");
                Error::new(Kind::Aborted, "subscription_deleted", message)
            }
        }
    }
}

impl Drop for SubscriptionLease {
    fn drop(&mut self) {
        self.table.end_lease(self);
    }
}
