//! Durable subscriptions over real mutual TLS: they resume after the acknowledged cursor, whatever
//! happened to the reader or the exchange, and the newest reader holds each.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod names;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use support::process::Process;
use support::raw::{channel_to, raw_channel};
use support::{Running, World, batch, domain, from_start, soon};
use tipoff::client::{Client, RetryPolicy};
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

type Service = FeedServiceClient<Channel>;
type Feed = Streaming<pb::SubscribeResponse>;

/// A world with a short heartbeat interval.
fn world() -> World {
    let mut world = World::new();
    world.config.requests.heartbeat_s = 1;
    world
}

fn service(world: &World, node: &Running, partner: &str) -> Service {
    FeedServiceClient::new(raw_channel(world, node, partner))
}

fn named(name: &str) -> pb::SubscribeRequest {
    pb::SubscribeRequest { name: name.into(), ..from_start() }
}

async fn open(service: &mut Service, request: pb::SubscribeRequest) -> Feed {
    soon(service.subscribe(request)).await.unwrap().into_inner()
}

async fn submit(client: &Client, submission: &str, values: &[&str]) {
    let items = values.iter().map(|value| domain(value)).collect();
    client.submit(batch(submission, 1, None, items)).await.unwrap();
}

/// The next items, after any heartbeats.
async fn items(feed: &mut Feed) -> Vec<pb::FeedItem> {
    loop {
        let message = soon(feed.message()).await.unwrap().unwrap();
        if !message.items.is_empty() {
            return message.items;
        }
    }
}

async fn values(feed: &mut Feed) -> Vec<String> {
    items(feed).await.into_iter().map(|item| item.indicator.unwrap().value).collect()
}

/// The cursor of the next heartbeat. No item comes before it.
async fn heartbeat(feed: &mut Feed) -> pb::Cursor {
    let message = soon(feed.message()).await.unwrap().unwrap();
    assert!(message.items.is_empty(), "{message:?}");
    message.cursor.unwrap()
}

async fn acknowledge(
    service: &mut Service,
    name: &str,
    cursor: impl Into<Option<pb::Cursor>>,
) -> Result<pb::Cursor, Status> {
    let request = pb::AcknowledgeRequest { name: name.into(), cursor: cursor.into() };
    let answer = soon(service.acknowledge(request)).await?;
    Ok(answer.into_inner().cursor.unwrap())
}

async fn list(
    service: &mut Service,
    page_size: u32,
    page_token: &str,
) -> Vec<pb::SubscriptionStatus> {
    let request = pb::ListSubscriptionsRequest { page_size, page_token: page_token.into() };
    soon(service.list_subscriptions(request)).await.unwrap().into_inner().subscriptions
}

async fn state(service: &mut Service) -> pb::SubscriptionStatus {
    let mut all = list(service, 0, "").await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn delete(service: &mut Service, name: &str) -> Result<(), Status> {
    let request = pb::DeleteSubscriptionRequest { name: name.into() };
    soon(service.delete_subscription(request)).await.map(drop)
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

fn fields(status: &Status) -> Vec<String> {
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations);
    violations.unwrap_or_default().into_iter().map(|violation| violation.field).collect()
}

/// The last message of a feed, and the status after it.
async fn end(feed: &mut Feed) -> (pb::SubscribeResponse, Status) {
    loop {
        let message = soon(feed.message()).await.unwrap().unwrap();
        if message.end.is_some() {
            return (message, soon(feed.message()).await.unwrap_err());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_continues_at_its_acknowledged_cursor_whatever_start_is_requested() {
    let world = world();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    submit(&birdsite, "s1", &["a.example", "b.example", "c.example"]).await;
    let mut facegraph = service(&world, &node, "facegraph");
    let mut feed = open(&mut facegraph, named("main")).await;
    let received = items(&mut feed).await;
    assert_eq!(received.len(), 3);
    drop(feed);

    // Nothing is acknowledged yet, so everything comes again.
    let now = pb::SubscribeRequest { start: None, ..named("main") };
    let mut feed = open(&mut facegraph, now.clone()).await;
    assert_eq!(values(&mut feed).await, ["a.example", "b.example", "c.example"]);
    let second = received[1].cursor.clone().unwrap();
    let state_now = acknowledge(&mut facegraph, "main", second.clone()).await.unwrap();
    assert_eq!(state_now, second);
    drop(feed);
    submit(&birdsite, "s2", &["d.example"]).await;
    let mut feed = open(&mut facegraph, now).await;
    let mut rest = values(&mut feed).await;
    if rest.len() == 1 {
        rest.extend(values(&mut feed).await);
    }
    assert_eq!(rest, ["c.example", "d.example"]);
    drop(feed);

    // Also after a restart of the exchange.
    node.stop().await;
    let node = world.start().await;
    let mut facegraph = service(&world, &node, "facegraph");
    assert_eq!(state(&mut facegraph).await.cursor.unwrap(), second);
    let mut feed = open(&mut facegraph, named("main")).await;
    assert_eq!(values(&mut feed).await[0], "c.example");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_exchange_still_has_its_subscriptions_and_what_was_acknowledged_a_while_before() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let birdsite = exchange.client(&world, "birdsite").with_retry_policy(RetryPolicy::unlimited());
    submit(&birdsite, "s1", &["a.example", "b.example"]).await;
    let connect = |partner| FeedServiceClient::new(channel_to(&world, &exchange.url(), partner));
    let mut facegraph = connect("facegraph");
    let mut feed = open(&mut facegraph, named("main")).await;
    let received = items(&mut feed).await;
    // A subscription that was just created: it is there although the exchange was killed
    // immediately.
    let mut fresh = open(&mut connect("watcher"), named("main")).await;
    soon(fresh.message()).await.unwrap();
    acknowledge(&mut facegraph, "main", received[0].cursor.clone()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let mut unwritten = open(&mut connect("facegraph"), named("just-now")).await;
    soon(unwritten.message()).await.unwrap();
    exchange.kill();
    exchange.start();
    exchange.wait_ready();

    let connect = |partner| FeedServiceClient::new(channel_to(&world, &exchange.url(), partner));
    let mut facegraph = connect("facegraph");
    let names: Vec<_> =
        list(&mut facegraph, 0, "").await.into_iter().map(|status| status.name).collect();
    assert_eq!(names, ["just-now", "main"]);
    let mut feed = open(&mut facegraph, named("main")).await;
    assert_eq!(values(&mut feed).await, ["b.example"]);
    let mut watcher = connect("watcher");
    assert!(state(&mut watcher).await.acknowledged_at.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_acknowledged_never_moves_back() {
    let world = world();
    let node = world.start().await;
    submit(&world.client(&node, "birdsite"), "s1", &["a.example", "b.example"]).await;
    let mut facegraph = service(&world, &node, "facegraph");
    let mut feed = open(&mut facegraph, named("main")).await;
    let received = items(&mut feed).await;
    let (first, last) = (received[0].cursor.clone().unwrap(), received[1].cursor.clone().unwrap());
    assert_eq!(acknowledge(&mut facegraph, "main", last.clone()).await.unwrap(), last);
    let acknowledged = state(&mut facegraph).await.acknowledged_at.unwrap();
    assert_eq!(acknowledge(&mut facegraph, "main", first).await.unwrap(), last);
    let state_now = state(&mut facegraph).await;
    assert_eq!(
        (state_now.cursor.unwrap(), state_now.acknowledged_at.unwrap()),
        (last, acknowledged)
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_fixed_with_its_name_in_whatever_order_it_is_written() {
    let world = world();
    let node = world.start().await;
    let mut facegraph = service(&world, &node, "facegraph");
    let with_filter = |kinds: &[pb::Kind], authors: &[&str]| pb::SubscribeRequest {
        filter: Some(pb::Filter {
            kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            authors: authors.iter().map(ToString::to_string).collect(),
            ..pb::Filter::default()
        }),
        ..named("main")
    };
    let (domains, urls) = (pb::Kind::Domain, pb::Kind::Url);
    open(&mut facegraph, with_filter(&[urls, domains], &["birdsite", "tubeworks"])).await;
    open(&mut facegraph, with_filter(&[domains, urls, domains], &["tubeworks", "birdsite"])).await;
    for other in
        [with_filter(&[urls], &["birdsite", "tubeworks"]), with_filter(&[], &[]), named("main")]
    {
        let refused = facegraph.subscribe(other).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(reason(&refused), "FILTER_DIFFERS");
        assert!(refused.message().contains("fixed with its name"), "{}", refused.message());
    }
    let filter = state(&mut facegraph).await.filter.unwrap();
    assert_eq!(filter.kinds, [i32::from(domains), i32::from(urls)]);
    assert_eq!(filter.authors, ["birdsite", "tubeworks"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_reader_takes_over_a_subscription_and_the_older_is_ended_with_its_cursor() {
    let world = world();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    submit(&birdsite, "s1", &["a.example"]).await;
    let mut facegraph = service(&world, &node, "facegraph");
    let mut older = open(&mut facegraph, named("main")).await;
    assert_eq!(values(&mut older).await, ["a.example"]);
    let mut unnamed = open(&mut facegraph, from_start()).await;
    let mut newer = open(&mut facegraph, named("main")).await;
    let (last, status) = end(&mut older).await;
    assert_eq!(last.end.unwrap().reason(), pb::EndReason::TakenOver);
    assert_eq!((status.code(), reason(&status)), (Code::Aborted, "TAKEN_OVER".into()));
    assert!(state(&mut facegraph).await.connected, "by the newer");

    // The cursor is right after the last item of the older reader.
    assert_eq!(values(&mut newer).await, ["a.example"]);
    submit(&birdsite, "s2", &["b.example"]).await;
    assert_eq!(values(&mut newer).await, ["b.example"]);
    assert_eq!(values(&mut unnamed).await, ["a.example"]);
    let start = Some(pb::subscribe_request::Start::Cursor(last.cursor.unwrap()));
    let after = pb::SubscribeRequest { start, ..pb::SubscribeRequest::default() };
    assert_eq!(values(&mut open(&mut facegraph, after).await).await, ["b.example"]);
    drop(newer);
    let released = async {
        while state(&mut facegraph).await.connected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    soon(released).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_counts_the_entries_after_the_cursor_and_an_acknowledged_heartbeat_reduces_it() {
    let world = world();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let mut facegraph = service(&world, &node, "facegraph");
    let urls = pb::Filter { kinds: vec![pb::Kind::Url.into()], ..pb::Filter::default() };
    let now = pb::SubscribeRequest { start: None, filter: Some(urls), ..named("urls") };
    let mut feed = open(&mut facegraph, now).await;
    heartbeat(&mut feed).await;
    let new = state(&mut facegraph).await;
    assert_eq!((new.lag_entries, new.connected), (0, true));
    assert!(new.acknowledged_at.is_none() && new.created_at.is_some());
    for submission in ["s1", "s2", "s3"] {
        submit(&birdsite, submission, &["a.example"]).await;
    }
    // A receipt may come a moment before the checkpoint.
    let applied = async {
        while state(&mut facegraph).await.lag_entries < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(applied).await;
    assert_eq!(state(&mut facegraph).await.lag_entries, 3);
    // The filter matches none of it, so only heartbeats show how far the reader has come.
    let caught_up = async {
        while state(&mut facegraph).await.lag_entries > 0 {
            let cursor = heartbeat(&mut feed).await;
            acknowledge(&mut facegraph, "urls", cursor).await.unwrap();
        }
    };
    soon(caught_up).await;
    assert!(state(&mut facegraph).await.acknowledged_at.is_some());

    // An entry counts if the cursor is inside of it.
    let mut all = open(&mut facegraph, named("all")).await;
    submit(&birdsite, "s4", &["c.example", "d.example"]).await;
    let inside = loop {
        let received = items(&mut all).await;
        if let Some(item) =
            received.iter().find(|item| item.indicator.as_ref().unwrap().value == "c.example")
        {
            break item.cursor.clone();
        }
    };
    acknowledge(&mut facegraph, "all", inside).await.unwrap();
    let states = list(&mut facegraph, 0, "").await;
    let lags: Vec<_> =
        states.iter().map(|status| (status.name.as_str(), status.lag_entries)).collect();
    assert_eq!(lags, [("all", 1), ("urls", 1)]);
    let metrics = node.ops_get("/metrics").await;
    let line = "tipoff_feed_lag_entries{partner=\"facegraph\",subscription=\"urls\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    node.stop().await;
}
