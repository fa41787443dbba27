//! A data folder is restored from an older copy and continues: readers that were further get an
//! error, and miss nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use support::process::Process;
use support::{World, batch, domain, soon};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Replica, Subscription};
use tipoff::wire::pb;

/// Replaces a folder with a copy of another.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    support::disk::copy(from, to);
}

async fn submit(client: &Client, values: &[&str]) {
    for value in values {
        let item = vec![domain(&format!("{value}.example"))];
        soon(client.submit(batch(value, 1, None, item))).await.unwrap();
    }
}

/// Reads until it holds this many versions.
async fn follow(feed: &mut Subscription, held: &mut Replica, versions: usize) {
    while held.len() != versions {
        held.apply(&soon(feed.next_event()).await.unwrap().unwrap());
    }
}

fn values(held: &Replica) -> BTreeSet<&str> {
    let values = held.items().map(|item| item.indicator.as_ref().unwrap().value.as_str());
    values.map(|value| value.trim_end_matches(".example")).collect()
}

/// Asserts that a cursor is refused because its entries were lost.
fn assert_refused<T: std::fmt::Debug>(answer: &Result<T, ClientError>) {
    let Err(ClientError::OutOfRange(why)) = answer else { panic!("{answer:?}") };
    assert!(why.contains("take a snapshot"), "{why}");
    assert!(why.contains("restored from an older copy") || why.contains("no longer has"), "{why}");
}

/// Takes a snapshot that replaces the state, and the feed after it.
async fn take_snapshot(client: &Client, held: &mut Replica) -> pb::Cursor {
    let (cursor, items) = soon(client.snapshot(None)).await.unwrap();
    held.reset(items);
    cursor
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_whose_cursor_is_past_the_copy_gets_an_error_and_converges_by_a_snapshot() {
    let world = World::new();
    let (data, backup) = (world.config.storage.data.clone(), world.path("backup"));
    let mut node = Process::prepare(&world);
    node.start();
    node.wait_ready();
    let (birdsite, facegraph) = (node.client(&world, "birdsite"), node.client(&world, "facegraph"));
    submit(&birdsite, &["a", "b"]).await;
    let mut held = Replica::default();
    let mut feed = facegraph.subscribe(FeedStart::Beginning, None);
    follow(&mut feed, &mut held, 2).await;
    let early = feed.cursor().cloned().unwrap();
    let (mut desk_held, mut desk) =
        (Replica::default(), facegraph.subscribe_named("desk", FeedStart::Beginning, None));
    follow(&mut desk, &mut desk_held, 2).await;
    soon(desk.acknowledge()).await.unwrap();
    assert!(node.terminate().success());
    copy(&data, &backup);

    // The original continues, and its readers with it.
    node.start();
    node.wait_ready();
    submit(&birdsite, &["c", "d", "e"]).await;
    follow(&mut feed, &mut held, 5).await;
    follow(&mut desk, &mut desk_held, 5).await;
    soon(desk.acknowledge()).await.unwrap();
    let late = feed.cursor().cloned().unwrap();
    assert!(node.terminate().success());

    // The copy is restored, and continues past their cursors.
    copy(&backup, &data);
    node.start();
    node.wait_ready();
    assert_refused(&soon(facegraph.pull(&FeedStart::Cursor(late.clone()), None, 10)).await);
    submit(&birdsite, &["f", "g", "h", "i", "j"]).await;
    refuses(&facegraph, late).await;
    // Connected readers detect it too, also the one with a subscription.
    assert_refused(&first_error(&mut feed).await);
    assert_refused(&soon(desk.next_event()).await);
    // Cursors from before the copy are still valid.
    let page = soon(facegraph.pull(&FeedStart::Cursor(early), None, 10)).await.unwrap();
    assert_eq!(page.items.len(), 5);

    let cursor = take_snapshot(&facegraph, &mut held).await;
    assert_eq!(values(&held), ["a", "b", "f", "g", "h", "i", "j"].into());
    let mut feed = facegraph.subscribe(FeedStart::Cursor(cursor.clone()), None);
    let here = soon(facegraph.acknowledge("desk", cursor.clone())).await.unwrap();
    assert_eq!(here, Some(cursor.clone()));
    let mut desk = facegraph.subscribe_named("desk", FeedStart::Cursor(cursor), None);
    let mut desk_held = held.clone();
    submit(&birdsite, &["k"]).await;
    follow(&mut feed, &mut held, 8).await;
    follow(&mut desk, &mut desk_held, 8).await;
    let mut snapshot = Replica::default();
    take_snapshot(&facegraph, &mut snapshot).await;
    assert_eq!(values(&held), values(&snapshot));
    assert_eq!(values(&desk_held), values(&snapshot));
    assert!(node.terminate().success());
}

/// Reads until the first error.
async fn first_error(feed: &mut Subscription) -> Result<(), ClientError> {
    loop {
        soon(feed.next_event()).await?;
    }
}

/// Asserts that every read refuses a cursor whose entries were lost.
async fn refuses(client: &Client, cursor: pb::Cursor) {
    let start = FeedStart::Cursor(cursor.clone());
    assert_refused(&soon(client.pull(&start, None, 10)).await);
    assert_refused(&soon(client.subscribe(start, None).next_event()).await);
    assert_refused(&soon(client.acknowledge("desk", cursor)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_past_a_journal_that_was_restored_alone_gets_an_error_and_then_continues() {
    let world = World::new();
    let (data, backup) = (world.config.storage.data.clone(), world.path("backup"));
    let mut node = Process::prepare(&world);
    node.start();
    node.wait_ready();
    let (birdsite, facegraph) = (node.client(&world, "birdsite"), node.client(&world, "facegraph"));
    submit(&birdsite, &["a"]).await;
    assert!(node.terminate().success());
    copy(&data.join("journal"), &backup);
    node.start();
    node.wait_ready();
    submit(&birdsite, &["b", "c"]).await;
    let mut desk = facegraph.subscribe_named("desk", FeedStart::Beginning, None);
    let mut held = Replica::default();
    follow(&mut desk, &mut held, 3).await;
    soon(desk.acknowledge()).await.unwrap();
    drop(desk);
    assert!(node.terminate().success());

    copy(&backup, &data.join("journal"));
    node.start();
    node.wait_ready();
    submit(&birdsite, &["d", "e", "f", "g"]).await;
    let listed = soon(facegraph.subscriptions()).await.unwrap();
    assert!(listed[0].lag_entries > 4, "every entry counts: {listed:?}");
    assert_refused(
        &soon(facegraph.subscribe_named("desk", FeedStart::Beginning, None).next_event()).await,
    );
    let cursor = take_snapshot(&facegraph, &mut held).await;
    assert_eq!(values(&held), ["a", "d", "e", "f", "g"].into());
    soon(facegraph.acknowledge("desk", cursor.clone())).await.unwrap();
    let mut desk = facegraph.subscribe_named("desk", FeedStart::Beginning, None);
    submit(&birdsite, &["h"]).await;
    let next = loop {
        if let FeedEvent::Item(item) = soon(desk.next_event()).await.unwrap().unwrap() {
            break item;
        }
    };
    assert_eq!(next.indicator.unwrap().value, "h.example", "the feed starts after the snapshot");
    assert!(node.terminate().success());
}
