//! Certificates that end, or are replaced, while connections are open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use rcgen::date_time_ymd;
use tipoff::clock::{Clock, SystemClock};
use tipoff::wire::pb::feed_service_client::FeedServiceClient;

use crate::support::clock::stopwatch;
use crate::support::forge::{self, good};
use crate::support::{World, from_start, soon, who};
use crate::{BIRDSITE, channel, refused_without_checks};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_the_certificate_of_its_client_expires() {
    let world = World::new();
    let node = world.start().await;
    let mut short = good(&[BIRDSITE]);
    let seconds = u64::try_from(SystemClock.now().as_millis()).unwrap() / 1_000 + 6;
    short.not_after = date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
    let identity = forge::signed(&world, "short", &short);
    let mut feed = FeedServiceClient::new(channel(&world, &node, &identity));
    let mut stream = feed.subscribe(from_start()).await.unwrap().into_inner();
    // Nothing is sent: the timer has to end it.
    let ended = async { while let Ok(Some(_)) = stream.message().await {} };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the stream goes on");
    assert!(SystemClock.now().as_millis() >= i64::try_from(seconds).unwrap() * 1_000, "too early");
    // Handshakes compare whole seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    refused_without_checks(&world, &node, &identity).await;
    node.refused_more_often("certificate_expired", 0).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_fails_while_the_certificate_of_the_server_is_replaced_a_hundred_times() {
    const SWAPS: usize = 100;
    let world = World::new();
    let node = Arc::new(world.start().await);
    let (identity, stop) = (world.identity("birdsite"), Arc::new(AtomicBool::new(false)));
    let calls = Arc::new(AtomicU32::new(0));
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (node, identity) = (Arc::clone(&node), identity.clone());
            let (stop, calls) = (Arc::clone(&stop), Arc::clone(&calls));
            let open = world.impatient(&node, "birdsite");
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    // Half of them over a new connection.
                    let called = match caller % 2 {
                        0 => who(&node, &identity).await.map(drop),
                        _ => open.who_am_i().await.map(drop),
                    };
                    called.unwrap_or_else(|error| panic!("a call failed: {error}"));
                    calls.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
        })
        .collect();
    let start = stopwatch();
    for swap in 0..SWAPS {
        world.issue_server("localhost");
        node.reload(&world.config).await;
        // At least two calls between one and the next.
        soon(async {
            while (calls.load(Ordering::Relaxed) as usize) < swap * 2 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await.unwrap();
    }
    let (calls, elapsed) = (calls.load(Ordering::Relaxed), start.elapsed());
    eprintln!("{calls} calls during {SWAPS} swaps in {elapsed:?}");
    Arc::into_inner(node).unwrap().stop().await;
}
