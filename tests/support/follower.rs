//! A partner that follows a feed and reconnects.

use std::collections::BTreeSet;

use tipoff::client::{Client, FeedEvent, Replica, Subscription};
use tipoff::wire::pb;

use super::soon;

/// A following partner: what it holds, and the other events that it received.
pub struct Follower {
    pub client: Client,
    pub feed: Subscription,
    pub held: Replica,
    /// Every value that it ever received, also those that it no longer holds.
    pub received: BTreeSet<String>,
    pub removals: Vec<pb::Removal>,
    pub tips: Vec<pb::TipEvent>,
    pub campaigns: Vec<pb::VisibleContribution>,
    pub enforcements: Vec<pb::VisibleEnforcement>,
}

/// The number of events of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub held: usize,
    pub removals: usize,
    pub tips: usize,
    pub campaigns: usize,
    pub enforcements: usize,
}

impl Follower {
    pub fn new(client: &Client, feed: Subscription) -> Self {
        Self {
            client: client.clone(),
            feed,
            held: Replica::default(),
            received: BTreeSet::new(),
            removals: Vec::new(),
            tips: Vec::new(),
            campaigns: Vec::new(),
            enforcements: Vec::new(),
        }
    }

    pub fn tally(&self) -> Tally {
        Tally {
            held: self.held.len(),
            removals: self.removals.len(),
            tips: self.tips.len(),
            campaigns: self.campaigns.len(),
            enforcements: self.enforcements.len(),
        }
    }

    /// Reads until it has exactly these numbers.
    pub async fn until(&mut self, expected: Tally) {
        let following = async {
            while self.tally() != expected {
                let event = self.feed.next_event().await.unwrap().unwrap();
                self.take(event);
            }
        };
        let reached = tokio::time::timeout(super::SOON, following).await;
        assert!(reached.is_ok(), "{:?} and not {expected:?}", self.tally());
    }

    /// Acknowledges everything that it received, as the reader of a named subscription does.
    pub async fn acknowledge(&mut self) {
        soon(self.feed.acknowledge()).await.unwrap();
    }

    /// The values that it holds.
    pub fn values(&self) -> BTreeSet<&str> {
        self.held.items().map(|item| item.indicator.as_ref().unwrap().value.as_str()).collect()
    }

    /// Delivery is at least once: a repeated item has the same version.
    pub fn take(&mut self, event: FeedEvent) {
        self.held.apply(&event);
        match event {
            FeedEvent::Item(item) => {
                self.received.insert(item.indicator.unwrap().value);
            }
            FeedEvent::Removal(removal) => {
                add_once(&mut self.removals, removal, |removal| removal.version);
            }
            FeedEvent::Tip(event) => {
                add_once(&mut self.tips, *event, |event| event.entry.as_ref()?.version);
            }
            FeedEvent::Campaign(event) => {
                add_once(&mut self.campaigns, event.contribution.unwrap(), |view| view.version);
            }
            FeedEvent::Enforcement(event) => {
                add_once(&mut self.enforcements, event.enforcement.unwrap(), |view| view.version);
            }
            // A reader from the start gets the groups that it is in.
            FeedEvent::GroupChange(_) => {}
            other => panic!("no other event is expected: {other:?}"),
        }
    }
}

/// Adds an event that is not there yet.
fn add_once<T>(events: &mut Vec<T>, event: T, version: impl Fn(&T) -> Option<pb::Version>) {
    let is_new = events.iter().all(|known| version(known) != version(&event));
    if is_new {
        events.push(event);
    }
}
