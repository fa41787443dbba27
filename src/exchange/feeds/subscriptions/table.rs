//! Every subscription as this node holds it in memory, and the reader that holds each.

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
    partners: BTreeMap<PartnerId, BTreeMap<SubscriptionName, Kept>>,
    /// How many holds there were: each has a number of its own.
    holds: u64,
}

#[derive(Debug)]
struct Kept {
    stored: Subscription,
    /// Whether it stands elsewhere than the store has it.
    moved: bool,
    holder: Option<Holder>,
}

#[derive(Debug)]
struct Holder {
    hold: u64,
    told: watch::Sender<Option<Loss>>,
}

/// Why a reader no longer holds its subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    TakenOver,
    Deleted,
}

impl Table {
    /// A table of what a store has.
    pub fn of(stored: Vec<Subscription>) -> Self {
        let table = Self::default();
        for stored in stored {
            table.insert(stored);
        }
        table
    }

    /// Takes a new subscription.
    pub fn insert(&self, stored: Subscription) {
        let kept = Kept { stored, moved: false, holder: None };
        let (partner, name) = (kept.stored.partner.clone(), kept.stored.name.clone());
        self.lock().partners.entry(partner).or_default().insert(name, kept);
    }

    /// Forgets a subscription, and tells its reader.
    pub fn remove(&self, partner: &PartnerId, name: &SubscriptionName) {
        let removed = self.lock().partners.get_mut(partner).and_then(|of| of.remove(name));
        if let Some(Kept { holder: Some(holder), .. }) = removed {
            holder.told.send_replace(Some(Loss::Deleted));
        }
    }

    /// A subscription.
    pub fn get(&self, partner: &PartnerId, name: &SubscriptionName) -> Option<Subscription> {
        self.lock().kept(partner, name).map(|kept| kept.stored.clone())
    }

    /// A partner's subscriptions by name, each with whether a reader holds it.
    pub fn of_partner(&self, partner: &PartnerId) -> Vec<(Subscription, bool)> {
        let inner = self.lock();
        let all = inner.partners.get(partner).into_iter().flat_map(BTreeMap::values);
        all.map(|kept| (kept.stored.clone(), kept.holder.is_some())).collect()
    }

    /// Every subscription, by partner and name.
    pub fn all(&self) -> Vec<Subscription> {
        let inner = self.lock();
        let all = inner.partners.values().flat_map(BTreeMap::values);
        all.map(|kept| kept.stored.clone()).collect()
    }

    /// Moves a subscription forward, never back, and tells where it stands then. Where it no longer
    /// stands in the journal, since that was replaced or put back from an older copy, any place in the
    /// journal is forward.
    pub fn acknowledge(
        &self,
        partner: &PartnerId,
        name: &SubscriptionName,
        cursor: Cursor,
        now: Timestamp,
        stands_here: impl Fn(Cursor) -> bool,
    ) -> Option<Cursor> {
        let mut inner = self.lock();
        let kept = inner.kept(partner, name)?;
        let stands = kept.stored.cursor;
        if cursor.position >= stands.position || !stands_here(stands) {
            (kept.stored.cursor, kept.stored.acknowledged) = (cursor, Some(now));
            kept.moved = true;
        }
        Some(kept.stored.cursor)
    }

    /// Takes what was moved since it was last asked for.
    pub fn take_moved(&self) -> Vec<Subscription> {
        let mut inner = self.lock();
        let all = inner.partners.values_mut().flat_map(BTreeMap::values_mut);
        all.filter_map(|kept| std::mem::take(&mut kept.moved).then(|| kept.stored.clone()))
            .collect()
    }

    /// Takes hold of a subscription for a reader who has seen it so: whoever held it is told. `None`
    /// where there is none or another by now.
    pub fn hold(self: &Arc<Self>, seen: &Subscription) -> Option<Hold> {
        let mut inner = self.lock();
        let number = inner.holds + 1;
        let kept = inner.kept(&seen.partner, &seen.name)?;
        if kept.stored.filter != seen.filter || kept.stored.created != seen.created {
            return None;
        }
        let (told, lost) = watch::channel(None);
        if let Some(older) = kept.holder.replace(Holder { hold: number, told }) {
            older.told.send_replace(Some(Loss::TakenOver));
        }
        inner.holds = number;
        drop(inner);
        let (partner, name) = (seen.partner.clone(), seen.name.clone());
        Some(Hold { table: Arc::clone(self), partner, name, number, lost })
    }

    fn release(&self, hold: &Hold) {
        let mut inner = self.lock();
        if let Some(kept) = inner.kept(&hold.partner, &hold.name)
            && kept.holder.as_ref().is_some_and(|holder| holder.hold == hold.number)
        {
            kept.holder = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn kept(&mut self, partner: &PartnerId, name: &SubscriptionName) -> Option<&mut Kept> {
        self.partners.get_mut(partner)?.get_mut(name)
    }
}

/// One reader's hold on a subscription; released when it is dropped.
#[derive(Debug)]
pub struct Hold {
    table: Arc<Table>,
    partner: PartnerId,
    name: SubscriptionName,
    number: u64,
    lost: watch::Receiver<Option<Loss>>,
}

impl Hold {
    /// Done, with the reason, once a newer reader holds the subscription, or it is deleted.
    ///
    /// Cancel safe.
    pub async fn lost(&self) -> Error {
        let mut lost = self.lost.clone();
        let loss = lost.wait_for(Option::is_some).await.map_or(None, |loss| *loss);
        let name = &self.name;
        match loss {
            Some(Loss::TakenOver) => {
                let message = format!("a newer reader has taken over the subscription `{name}`");
                Error::new(Kind::Aborted, "taken_over", message)
            }
            // It is told before it is forgotten, so whoever is not told any more lost it so.
            Some(Loss::Deleted) | None => {
                let message = format!("the subscription `{name}` was deleted");
                Error::new(Kind::Aborted, "subscription_deleted", message)
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.table.release(self);
    }
}
