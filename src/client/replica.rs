//! A local copy of what a feed delivers.

use std::collections::BTreeMap;

use super::FeedEvent;
use crate::wire::pb;

/// A version: sequence, then index.
type VersionKey = (u64, u32);

/// The current versions of a feed. Start empty or with a [snapshot](super::Client::snapshot) and
/// apply every event in order: the replica then holds exactly what the exchange would return.
/// Applying an event again changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replica {
    items: BTreeMap<VersionKey, pb::FeedItem>,
}

impl Replica {
    /// Applies an event and returns whether it changed the replica. An item replaces its
    /// predecessor, a removal drops its version; other events do not affect versions.
    pub fn apply(&mut self, event: &FeedEvent) -> bool {
        match event {
            FeedEvent::Item(item) => self.insert(item),
            FeedEvent::Removal(removal) => self.drop_version(removal.version),
            FeedEvent::GroupChange(_)
            | FeedEvent::Sighting(_)
            | FeedEvent::Feedback(_)
            | FeedEvent::Tip(_)
            | FeedEvent::Campaign(_)
            | FeedEvent::Enforcement(_) => false,
        }
    }

    /// Replaces the content with that of a snapshot.
    pub fn reset(&mut self, items: impl IntoIterator<Item = pb::FeedItem>) {
        let keyed = items.into_iter().filter_map(|item| Some((key(item.version?), item)));
        self.items = keyed.collect();
    }

    /// The item of a version, if present.
    pub fn item(&self, version: pb::Version) -> Option<&pb::FeedItem> {
        self.items.get(&key(version))
    }

    /// All items, by version.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &pb::FeedItem> {
        self.items.values()
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn insert(&mut self, item: &pb::FeedItem) -> bool {
        // The exchange never sends an item without a version. Such an item could never be removal.
        let Some(version) = item.version else { return false };
        let replaced = self.drop_version(item.replaces);
        // A version never changes, so the stored one is identical.
        if self.items.contains_key(&key(version)) {
            return replaced;
        }
        self.items.insert(key(version), item.clone());
        true
    }

    fn drop_version(&mut self, version: Option<pb::Version>) -> bool {
        version.is_some_and(|version| self.items.remove(&key(version)).is_some())
    }
}

fn key(version: pb::Version) -> VersionKey {
    (version.sequence, version.index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(sequence: u64) -> pb::Version {
        pb::Version { sequence, index: 0 }
    }

    fn item(sequence: u64, replaces: Option<u64>) -> pb::FeedItem {
        pb::FeedItem {
            version: Some(version(sequence)),
            replaces: replaces.map(version),
            author: format!("author-of-{sequence}"),
            ..Default::default()
        }
    }

    fn item_event(sequence: u64, replaces: Option<u64>) -> FeedEvent {
        FeedEvent::Item(Box::new(item(sequence, replaces)))
    }

    fn removal(sequence: u64) -> FeedEvent {
        FeedEvent::Removal(pb::Removal { version: Some(version(sequence)), ..Default::default() })
    }

    fn sequences(replica: &Replica) -> Vec<u64> {
        replica.items().filter_map(|item| Some(item.version?.sequence)).collect()
    }

    #[test]
    fn an_item_takes_the_place_of_the_version_that_it_replaces() {
        let mut replica = Replica::default();
        assert!(replica.apply(&item_event(1, None)));
        assert!(replica.apply(&item_event(2, None)));
        assert!(replica.apply(&item_event(3, Some(1))));
        assert_eq!(sequences(&replica), [2, 3]);
        assert!(replica.apply(&item_event(5, Some(4))), "the predecessor was never delivered");
        assert_eq!((replica.len(), sequences(&replica)), (3, vec![2, 3, 5]));
    }

    #[test]
    fn a_removal_drops_its_version_and_ignores_an_absent_one() {
        let mut replica = Replica::default();
        replica.apply(&item_event(1, None));
        assert!(!replica.apply(&removal(9)));
        assert!(replica.apply(&removal(1)));
        assert!(!replica.apply(&removal(1)), "a removal may be delivered twice");
        assert!(replica.is_empty());
        assert!(replica.apply(&item_event(1, None)), "a reader that rejoins a group sees it again");
    }

    #[test]
    fn applying_an_event_again_changes_nothing() {
        let history =
            [item_event(1, None), item_event(2, None), removal(2), item_event(3, Some(1))];
        let mut replica = Replica::default();
        for event in &history {
            replica.apply(event);
        }
        let once = replica.clone();
        // A reopened feed skips what is no longer current.
        for event in &history[2..] {
            assert!(!replica.apply(event));
        }
        assert_eq!(replica, once);
        assert_eq!(replica.item(version(3)).unwrap().author, "author-of-3");
        assert_eq!(replica.item(version(1)), None);
    }

    #[test]
    fn a_reset_drops_what_the_snapshot_lacks() {
        let mut replica = Replica::default();
        replica.apply(&item_event(1, None));
        replica.apply(&item_event(2, None));
        replica.reset([item(2, None), item(3, None)]);
        assert_eq!(sequences(&replica), [2, 3]);
        replica.reset([]);
        assert!(replica.is_empty());
    }

    #[test]
    fn events_without_a_version_change_nothing() {
        let mut replica = Replica::default();
        assert!(!replica.apply(&FeedEvent::GroupChange(pb::GroupChange::default())));
        assert!(!replica.apply(&FeedEvent::Sighting(Box::default())));
        assert!(!replica.apply(&FeedEvent::Feedback(Box::default())));
        assert!(replica.is_empty());
    }
}
