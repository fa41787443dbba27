//! Reads a feed in tests.

use std::time::Duration;

use tipoff::client::{FeedEvent, Subscription};
use tipoff::wire::pb;

use super::soon;

/// The next event.
pub async fn event(feed: &mut Subscription) -> FeedEvent {
    soon(feed.next_event()).await.unwrap().unwrap()
}

/// The next event, which has to be an item.
pub async fn item(feed: &mut Subscription) -> pb::FeedItem {
    match event(feed).await {
        FeedEvent::Item(item) => *item,
        other => panic!("an item, and not {other:?}"),
    }
}

/// The next event, which has to be a removal.
pub async fn removal(feed: &mut Subscription) -> pb::Removal {
    match event(feed).await {
        FeedEvent::Removal(removal) => removal,
        other => panic!("a removal, and not {other:?}"),
    }
}

/// The next event, which has to be a group change: who joined, and who left.
pub async fn change(feed: &mut Subscription) -> (Vec<String>, Vec<String>) {
    match event(feed).await {
        FeedEvent::GroupChange(change) => (change.joined, change.left),
        other => panic!("a change of a group, and not {other:?}"),
    }
}

/// The values of the next items.
pub async fn values(feed: &mut Subscription, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(item(feed).await.indicator.unwrap().value);
    }
    values
}

/// Asserts that the feed stays silent for long enough to deliver what is stored.
pub async fn nothing(feed: &mut Subscription) {
    let came = tokio::time::timeout(Duration::from_millis(300), feed.next_event()).await;
    assert!(came.is_err(), "{came:?}");
}

/// Waits until a new subscription from now has its position.
pub async fn subscribed(feed: &mut Subscription) {
    nothing(feed).await;
    assert!(feed.cursor().is_some());
}
