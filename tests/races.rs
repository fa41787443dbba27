//! Concurrent changes: a reader leaves and joins a group, and content is shared and withdrawn,
//! while the reader uses every kind of read. It never gets what was accepted while it was out, and
//! it ends with what is current.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use support::clock::stopwatch;
use support::{World, batch, domain, named, sharing};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Replica};
use tipoff::wire::pb::lookup_result::Result::Known;
use tipoff::wire::pb::{self, Tlp};

const ROUNDS: usize = 120;
const READERS: usize = 4;

fn out(round: usize) -> String {
    format!("out-{round}.example")
}

fn key(value: &str) -> pb::IndicatorKey {
    pb::IndicatorKey { value: value.into(), ..pb::IndicatorKey::default() }
}

async fn put(operator: &Client, members: &[&str]) {
    let group = pb::SharingGroup {
        id: "core".into(),
        name: "Core".into(),
        members: members.iter().map(ToString::to_string).collect(),
        ..pb::SharingGroup::default()
    };
    operator.put_group(group).await.unwrap();
}

/// Each round shares an object with the reader, removes the reader while that object is withdrawn,
/// shares one that it may not see, and lets the reader join again.
async fn rounds(operator: Client, birdsite: Client) {
    let core = || Some(sharing(Tlp::Amber, named(&["core"], &[])));
    for round in 0..ROUNDS {
        let within = format!("in-{round}.example");
        let request = batch(&format!("in-{round}"), 1, core(), vec![domain(&within)]);
        birdsite.submit(request).await.unwrap();
        let withdrawal = pb::WithdrawIndicatorsRequest {
            keys: vec![key(&within)],
            ..pb::WithdrawIndicatorsRequest::default()
        };
        let (withdrawn, ()) =
            tokio::join!(birdsite.withdraw(withdrawal), put(&operator, &["birdsite"]));
        withdrawn.unwrap();
        let request = batch(&format!("out-{round}"), 1, core(), vec![domain(&out(round))]);
        birdsite.submit(request).await.unwrap();
        put(&operator, &["birdsite", "facegraph"]).await;
    }
}

/// Reads everything that the reader may not see, by every kind of read.
async fn read_hidden(client: Client, stop: Arc<AtomicBool>) -> usize {
    let values: Vec<String> = (0..ROUNDS).map(out).collect();
    let keys: Vec<_> = values.iter().map(|value| key(value)).collect();
    let mut tries = 0;
    while !stop.load(Ordering::Relaxed) {
        for (value, result) in values.iter().zip(client.lookup(&keys).await.unwrap()) {
            assert!(!matches!(result.result, Some(Known(_))), "{value} is looked up");
        }
        let (_, items) = client.snapshot(None).await.unwrap();
        for item in items {
            let value = item.indicator.unwrap().value;
            assert!(!value.starts_with("out-"), "{value} is in a snapshot");
        }
        let value = &keys[tries % ROUNDS];
        let read = client.indicator(value.clone()).await;
        assert!(matches!(read, Err(ClientError::NotFound(_))), "{read:?}");
        tries += 1;
    }
    tries
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_returns_an_object_after_access_to_it_was_lost() {
    let world = World::new();
    let node = world.start().await;
    let facegraph = world.client(&node, "facegraph");
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..READERS)
        .map(|at| {
            // A partner may run two snapshots at a time, and others wait.
            let client =
                facegraph.clone().with_retry_policy(tipoff::client::RetryPolicy::unlimited());
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(at as u64 * 3)).await;
                read_hidden(client, stop).await
            })
        })
        .collect();
    let mut feed = facegraph.subscribe(FeedStart::Beginning, None);
    let mut held = Replica::default();
    let took = stopwatch();
    let mut changes =
        Box::pin(rounds(world.client(&node, "exchange-ops"), world.client(&node, "birdsite")));
    let mut take = |event: FeedEvent| {
        if let FeedEvent::Item(item) = &event {
            let value = &item.indicator.as_ref().unwrap().value;
            assert!(!value.starts_with("out-"), "{value} is in a feed");
        }
        held.apply(&event);
    };
    loop {
        tokio::select! {
            () = &mut changes => break,
            event = feed.next_event() => take(event.unwrap().unwrap()),
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut tries = 0;
    for reader in readers {
        tries += reader.await.unwrap();
    }
    eprintln!("{ROUNDS} rounds in {:?}, read {tries} times", took.elapsed());
    assert!(tries >= READERS, "too few reads prove nothing");
    while let Ok(event) = tokio::time::timeout(Duration::from_millis(400), feed.next_event()).await
    {
        take(event.unwrap().unwrap());
    }
    let version = |item: &pb::FeedItem| item.version.map(|v| (v.sequence, v.index));
    let (_, current) = facegraph.snapshot(None).await.unwrap();
    let current: BTreeSet<_> = current.iter().map(version).collect();
    let held: BTreeSet<_> = held.items().map(version).collect();
    assert_eq!(held, current, "versions that ended during a change are removed too");
    node.stop().await;
}
