//! The story that must always work, from a report in to a feed out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{World, batch, domain, soon, statuses};
use tipoff::client::From;
use tipoff::wire::pb;

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_goes_from_a_submit_to_a_subscriber_over_mutual_tls() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let facegraph = world.client(&node, "facegraph");
    let mut feed = facegraph.subscribe(From::Start, None);

    let request = batch("report-1", 1, None, vec![domain("news.example")]);
    let receipt = soon(birdsite.submit(request)).await.unwrap();
    assert_eq!(statuses(&receipt), [pb::ItemStatus::Created]);

    let item = soon(feed.next()).await.unwrap().unwrap();
    assert_eq!(item.author, "birdsite");
    assert_eq!(item.indicator.unwrap().value, "news.example");
    assert_eq!(item.version, receipt.items[0].version);
    node.stop().await;
}
