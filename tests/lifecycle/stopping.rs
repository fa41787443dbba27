//! How a node stops while calls are open.

use std::time::Duration;

use tipoff::client::ClientError;
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;
use tipoff::wire::pb::indicator_service_client::IndicatorServiceClient;
use tonic::Code;

use crate::last;
use crate::support::raw::raw_channel;
use crate::support::{World, batch, domain, from_start, soon, streamed};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_ends_open_feeds_with_their_cursor() {
    let world = World::new();
    let mut node = world.start().await;
    let request = batch("s", 1, None, vec![domain("a.example")]);
    world.client(&node, "birdsite").submit(request).await.unwrap();
    let mut service = FeedServiceClient::new(raw_channel(&world, &node, "facegraph"));
    let mut stream = service.subscribe(from_start()).await.unwrap().into_inner();
    let group = soon(stream.message()).await.unwrap().unwrap();
    assert_eq!(group.group_changes.len(), 1);
    let first = soon(stream.message()).await.unwrap().unwrap();
    assert_eq!(first.items.len(), 1);
    node.begin_stop();
    let last = last(&mut stream).await;
    assert_eq!(last.end.unwrap().reason(), pb::EndReason::Shutdown);
    assert!(!last.cursor.unwrap().token.is_empty());
    let status = soon(stream.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    node.stopped().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_answers_the_batches_that_it_accepted() {
    let world = World::new();
    let mut node = world.start().await;
    let mut service = IndicatorServiceClient::new(raw_channel(&world, &node, "birdsite"));
    let (batches, queue) = tokio::sync::mpsc::channel(1);
    let feeding = tokio::spawn(async move {
        for number in 1.. {
            let request = batch("s", number, None, vec![domain(&format!("n{number}.example"))]);
            if batches.send(streamed(request)).await.is_err() {
                return;
            }
        }
    });
    let queue = tokio_stream::wrappers::ReceiverStream::new(queue);
    let mut receipts = service.stream_indicators(queue).await.unwrap().into_inner();
    let mut answered = 0;
    loop {
        match soon(receipts.message()).await {
            Ok(Some(response)) => {
                answered += 1;
                assert_eq!(response.receipt.unwrap().number, answered, "in order");
                if answered == 50 {
                    node.begin_stop();
                }
            }
            Ok(None) => panic!("the stream ends with a status that says why"),
            // hyper's client may lose the status if it was sending a batch at that moment. Either
            // way it knows that it may retry.
            Err(status) => {
                assert!(answered >= 50, "{status:?}");
                let error = ClientError::from(status);
                assert!(error.is_transient(), "{error:?}");
                break;
            }
        }
    }
    node.stopped().await;
    feeding.abort();
    // Every answered batch is stored.
    let node = world.start().await;
    let client = world.client(&node, "facegraph");
    for number in [1, answered] {
        let value = format!("n{number}.example");
        let key = pb::IndicatorKey { value, ..pb::IndicatorKey::default() };
        client.indicator(key).await.unwrap();
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stops_within_its_deadline_whatever_its_readers_do() {
    let mut world = World::new();
    world.config.server.drain_timeout_s = 2;
    let node = world.start().await;
    let items: Vec<_> = (0..1_000).map(|n| domain(&format!("n{n}.example"))).collect();
    let client = world.client(&node, "birdsite");
    for number in 1..=10 {
        let items = items.iter().map(|item| {
            let value = format!("b{number}.{}", item.value);
            pb::SubmittedIndicator { value, ..item.clone() }
        });
        client.submit(batch("s", number, None, items.collect())).await.unwrap();
    }
    // A reader that takes nothing.
    let mut service = FeedServiceClient::new(raw_channel(&world, &node, "facegraph"));
    let _untaken = service.subscribe(from_start()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let start = tokio::time::Instant::now();
    node.stop().await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_watchers_do_not_delay_a_node_that_stops() {
    let mut world = World::new();
    world.config.server.drain_timeout_s = 10;
    let node = world.start().await;
    let channel = raw_channel(&world, &node, "facegraph");
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let request = tonic_health::pb::HealthCheckRequest::default();
    let mut watch = health.watch(request).await.unwrap().into_inner();
    assert!(soon(watch.message()).await.unwrap().is_some());
    let start = tokio::time::Instant::now();
    node.stop().await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(soon(watch.message()).await.unwrap_err().code(), Code::Unavailable);
}
