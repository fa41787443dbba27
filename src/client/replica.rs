//! What a reader holds, by what its feed told it.

use std::collections::BTreeMap;

use super::FeedEvent;
use crate::wire::pb;

/// A version's place: sequence, then index.
type VersionKey = (u64, u32);

/// The current versions, by what a feed told. Whoever begins with nothing, or with a
/// [snapshot](super::Client::snapshot), and applies every event in order holds exactly what the
/// exchange would answer. Events that come again change nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replica {
    held: BTreeMap<VersionKey, pb::FeedItem>,
}

impl Replica {
    /// Takes an event, and says whether that changed anything: an item takes the place of the version
    /// that it replaces, and a removal drops its version. The others say nothing of versions.
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

    /// Takes a snapshot: what it lacks is gone.
    pub fn reset(&mut self, items: impl IntoIterator<Item = pb::FeedItem>) {
        let placed = items.into_iter().filter_map(|item| Some((place(item.version?), item)));
        self.held = placed.collect();
    }

    /// The item of a version, if it is held.
    pub fn item(&self, version: pb::Version) -> Option<&pb::FeedItem> {
        self.held.get(&place(version))
    }

    /// Everything that is held, by version.
    pub fn items(&self) -> impl ExactSizeIterator<Item = &pb::FeedItem> {
        self.held.values()
    }

    /// How many versions are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    fn insert(&mut self, item: &pb::FeedItem) -> bool {
        // The exchange never sends an item without its version; one would never be dropped again.
        let Some(version) = item.version else { return false };
        let replaced = self.drop_version(item.replaces);
        // A version never changes, so the one that is held says the same.
        if self.held.contains_key(&place(version)) {
            return replaced;
        }
        self.held.insert(place(version), item.clone());
        true
    }

    fn drop_version(&mut self, version: Option<pb::Version>) -> bool {
        version.is_some_and(|version| self.held.remove(&place(version)).is_some())
    }
}

fn place(version: pb::Version) -> VersionKey {
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

    fn taken(sequence: u64, replaces: Option<u64>) -> FeedEvent {
        FeedEvent::Item(Box::new(item(sequence, replaces)))
    }

    fn dropped(sequence: u64) -> FeedEvent {
        FeedEvent::Removal(pb::Removal { version: Some(version(sequence)), ..Default::default() })
    }

    fn held(replica: &Replica) -> Vec<u64> {
        replica.items().filter_map(|item| Some(item.version?.sequence)).collect()
    }

    #[test]
    fn an_item_takes_the_place_of_the_version_that_it_replaces() {
        let mut replica = Replica::default();
        assert!(replica.apply(&taken(1, None)));
        assert!(replica.apply(&taken(2, None)));
        assert!(replica.apply(&taken(3, Some(1))));
        assert_eq!(held(&replica), [2, 3]);
        assert!(replica.apply(&taken(5, Some(4))), "one whose predecessor was never given out");
        assert_eq!((replica.len(), held(&replica)), (3, vec![2, 3, 5]));
    }

    #[test]
    fn a_removal_drops_its_version_and_one_that_is_not_held_is_passed_over() {
        let mut replica = Replica::default();
        replica.apply(&taken(1, None));
        assert!(!replica.apply(&dropped(9)));
        assert!(replica.apply(&dropped(1)));
        assert!(!replica.apply(&dropped(1)), "it may come again");
        assert!(replica.is_empty());
        assert!(replica.apply(&taken(1, None)), "who joins a group again sees it again");
    }

    #[test]
    fn what_comes_again_changes_nothing() {
        let history = [taken(1, None), taken(2, None), dropped(2), taken(3, Some(1))];
        let mut replica = Replica::default();
        for event in &history {
            replica.apply(event);
        }
        let once = replica.clone();
        // A feed that is opened again passes over what is no longer current.
        for event in &history[2..] {
            assert!(!replica.apply(event));
        }
        assert_eq!(replica, once);
        assert_eq!(replica.item(version(3)).unwrap().author, "author-of-3");
        assert_eq!(replica.item(version(1)), None);
    }

    #[test]
    fn what_a_snapshot_lacks_is_gone() {
        let mut replica = Replica::default();
        replica.apply(&taken(1, None));
        replica.apply(&taken(2, None));
        replica.reset([item(2, None), item(3, None)]);
        assert_eq!(held(&replica), [2, 3]);
        replica.reset([]);
        assert!(replica.is_empty());
    }

    #[test]
    fn events_that_are_no_versions_hold_nothing() {
        let mut replica = Replica::default();
        assert!(!replica.apply(&FeedEvent::GroupChange(pb::GroupChange::default())));
        assert!(!replica.apply(&FeedEvent::Sighting(Box::default())));
        assert!(!replica.apply(&FeedEvent::Feedback(Box::default())));
        assert!(replica.is_empty());
    }
}
