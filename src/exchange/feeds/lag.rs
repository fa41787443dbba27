//! How far subscriptions are behind.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::domain::subscription::Subscription;
use crate::domain::{PartnerId, SubscriptionName, Timestamp};
use crate::exchange::feeds::Feeds;

/// How far a subscription is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionLag {
    /// The partner that it belongs to.
    pub partner: PartnerId,
    /// Its name.
    pub name: SubscriptionName,
    /// Entries between its cursor and the checkpoint. An entry that was delivered in part counts.
    pub entries: u64,
    /// The age of the oldest of them; zero if there is none. `None` if the journal does not have that entry.
    pub age: Option<Duration>,
}

/// The times of the entries at which subscriptions stand, by sequence. A reader that is away stands at the same entry for
/// long: its time is read from the disk once.
#[derive(Debug, Default)]
pub(in crate::exchange) struct EntryTimes(Mutex<HashMap<u64, Timestamp>>);

impl Feeds {
    /// How far each subscription is behind, by partner and name. May read from the disk.
    pub fn lags(&self) -> Vec<SubscriptionLag> {
        let mut known = self.entry_times.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut current = HashMap::new();
        let now = self.core.clock.now();
        let lags =
            self.every_subscription().map(|Subscription { partner, name, cursor, .. }| {
                let entries = self.lag_entries(cursor);
                let next = cursor.position.next_entry();
                let age = if entries == 0 {
                    Some(Duration::ZERO)
                } else if self.core.is_in_journal(cursor) {
                    let time = known.get(&next).or(current.get(&next)).copied();
                    let time =
                        time.or_else(|| Some(self.core.entry_blocking(next).ok()?.entry.time));
                    time.map(|time| {
                        current.insert(next, time);
                        now.since(time)
                    })
                } else {
                    None
                };
                SubscriptionLag { partner, name, entries, age }
            });
        let lags = lags.collect();
        *known = current;
        lags
    }
}
