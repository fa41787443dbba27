//! A follower ends with what is current, whatever was replaced meanwhile and however often the
//! connection broke.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::{Running, World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, FeedEvent, FeedStart, Subscription};
use tipoff::wire::pb;

type Version = (u64, u32);

fn version(version: Option<&pb::Version>) -> Version {
    let version = version.unwrap();
    (version.sequence, version.index)
}

fn assessed(value: &str, confidence: u32) -> pb::SubmittedIndicator {
    let mut item = domain(value);
    item.assessment =
        Some(pb::Assessment { confidence: Some(confidence), ..pb::Assessment::default() });
    item
}

#[allow(clippy::unnecessary_wraps)] // As the request takes it.
fn sure() -> Option<pb::Filter> {
    Some(pb::Filter { min_confidence: Some(50), ..pb::Filter::default() })
}

/// The state of a reader, built from its feed.
#[derive(Debug, Default)]
struct Held(BTreeMap<Version, String>);

impl Held {
    fn take(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Item(item) => {
                if let Some(old) = &item.replaces {
                    self.0.remove(&version(Some(old)));
                }
                let value = item.indicator.unwrap().value;
                self.0.insert(version(item.version.as_ref()), value);
            }
            FeedEvent::Removal(removal) => {
                self.0.remove(&version(removal.version.as_ref()));
            }
            // These events carry no versions.
            _ => {}
        }
    }

    fn versions(&self) -> BTreeSet<Version> {
        self.0.keys().copied().collect()
    }
}

/// Reads until the feed is silent.
async fn rest(feed: &mut Subscription, held: &mut Held) {
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(100), feed.next_event()).await
    {
        held.take(event.unwrap().unwrap());
    }
}

async fn current(node: &Running, world: &World, filter: Option<pb::Filter>) -> BTreeSet<Version> {
    let mut feed = world.client(node, "facegraph").subscribe(FeedStart::Beginning, filter);
    let mut held = Held::default();
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(100), feed.next_event()).await
    {
        let event = event.unwrap().unwrap();
        let drops = matches!(event, FeedEvent::Removal(_));
        assert!(!drops, "a new reader has nothing to drop");
        held.take(event);
    }
    held.versions()
}

async fn submit(client: &Client, number: u32, items: Vec<pb::SubmittedIndicator>) -> Version {
    let receipt = client.submit(batch("s", number, None, items)).await.unwrap();
    version(receipt.items[0].version.as_ref())
}

/// The next event that is not a group change.
async fn next(feed: &mut Subscription) -> FeedEvent {
    loop {
        match soon(feed.next_event()).await.unwrap().unwrap() {
            FeedEvent::GroupChange(_) => {}
            event => return event,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_successor_was_skipped_is_removed() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let first = submit(&birdsite, 1, vec![assessed("a.example", 60)]).await;
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, None);
    assert!(matches!(next(&mut feed).await, FeedEvent::Item(_)));
    let cursor = feed.cursor().unwrap().clone();
    drop(feed);
    let second = submit(&birdsite, 2, vec![assessed("a.example", 70)]).await;
    let third = submit(&birdsite, 3, vec![assessed("a.example", 80)]).await;

    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Cursor(cursor), None);
    let FeedEvent::Removal(removal) = next(&mut feed).await else { panic!("a removal first") };
    assert_eq!(version(removal.version.as_ref()), first);
    assert_eq!(removal.reason(), pb::RemovalReason::Replaced);
    assert_eq!(removal.author, "birdsite");
    let FeedEvent::Item(item) = next(&mut feed).await else { panic!("then the item") };
    assert_eq!(item.indicator.unwrap().id, removal.indicator_id);
    assert_eq!(version(item.version.as_ref()), third);
    assert_eq!(version(item.replaces.as_ref()), second);
    // After the removal only the item comes, and the removal does not come again.
    let after = FeedStart::Cursor(removal.cursor.unwrap());
    let mut feed = world.client(&node, "facegraph").subscribe(after, None);
    assert!(matches!(next(&mut feed).await, FeedEvent::Item(_)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_successor_does_not_match_the_filter_is_removed() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, sure());
    let first = submit(&birdsite, 1, vec![assessed("a.example", 60)]).await;
    assert!(matches!(next(&mut feed).await, FeedEvent::Item(_)));
    submit(&birdsite, 2, vec![assessed("a.example", 30)]).await;
    let FeedEvent::Removal(removal) = next(&mut feed).await else { panic!("a removal") };
    assert_eq!(version(removal.version.as_ref()), first);
    assert_eq!(removal.reason(), pb::RemovalReason::NoLongerMatches);
    // It never matched, so the reader is not notified of the change.
    submit(&birdsite, 3, vec![assessed("a.example", 20)]).await;
    submit(&birdsite, 4, vec![assessed("b.example", 90)]).await;
    assert!(matches!(next(&mut feed).await, FeedEvent::Item(_)));
    node.stop().await;
}

/// Random histories with few values, confidences and audiences, in small batches. A reader reads
/// some, loses its connection, and resumes from its cursor.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_and_goes_ends_with_what_is_current() {
    for seed in 0..12u64 {
        let mut random = StdRng::seed_from_u64(seed);
        let world = World::new();
        let node = world.start().await;
        let birdsite = world.client(&node, "birdsite");
        let filter = if seed % 2 == 0 { sure() } else { None };
        let reader = world.client(&node, "facegraph");
        let mut held = Held::default();
        let mut from = FeedStart::Beginning;
        for number in 1..=40 {
            let items = (0..random.random_range(1..5u32)).map(|_| {
                let value = format!("n{}.example", random.random_range(0..6u32));
                assessed(&value, [20, 40, 60, 80][random.random_range(0..4usize)])
            });
            let items: Vec<_> = items.collect();
            // Some of it is not visible to this reader.
            let to =
                [named(&["core"], &[]), named(&[], &["facegraph"]), named(&[], &["tubeworks"])];
            let to = to[random.random_range(0..3usize)].clone();
            let request = batch("s", number, Some(sharing(pb::Tlp::Amber, to)), items);
            birdsite.submit(request).await.unwrap();
            if random.random_bool(0.3) {
                let mut feed = reader.subscribe(from.clone(), filter.clone());
                for _ in 0..random.random_range(0..9u32) {
                    let event = tokio::time::timeout(Duration::from_millis(30), feed.next_event());
                    let Ok(event) = event.await else { break };
                    held.take(event.unwrap().unwrap());
                }
                // The cursor is that of the last item that was processed.
                from = feed.cursor().map_or(from, |cursor| FeedStart::Cursor(cursor.clone()));
            }
        }
        let mut feed = reader.subscribe(from, filter.clone());
        rest(&mut feed, &mut held).await;
        let current = current(&node, &world, filter).await;
        assert_eq!(held.versions(), current, "seed {seed}: {held:?}");
        node.stop().await;
    }
}
