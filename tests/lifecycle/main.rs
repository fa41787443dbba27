//! Start, reload, and changes at run time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod reload;
mod stopping;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use support::process::Process;
use support::raw::{channel_to, raw_channel};
use support::{World, batch, domain, from_start, soon, streamed};
use tipoff::client::{ClientError, FeedStart, RetryPolicy};
use tipoff::clock::{Clock, SystemClock};
use tipoff::domain::Timestamp;
use tipoff::journal::database;
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;
use tipoff::wire::pb::indicator_service_client::IndicatorServiceClient;
use tonic::Code;

/// The system clock, moved forward by a test.
#[derive(Debug, Default)]
struct MovedClock(AtomicI64);

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(SystemClock.now().as_millis() + self.0.load(Ordering::Relaxed))
    }

    fn instant(&self) -> Instant {
        SystemClock.instant()
    }
}

/// The last message of a stream, after any heartbeats.
async fn last(stream: &mut tonic::Streaming<pb::SubscribeResponse>) -> pb::SubscribeResponse {
    loop {
        let message = soon(stream.message()).await.unwrap().unwrap();
        if message.end.is_some() {
            return message;
        }
    }
}

/// HTTP/2 treats a peer that leaves many small frames unread as an attacker, and closes the
/// connection. A partner that sends small batches as fast as it can only has to wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_sends_many_small_batches_is_slowed_down_and_not_disconnected() {
    const BATCHES: u32 = 6_000;
    let world = World::new();
    let node = world.start().await;
    let mut service = IndicatorServiceClient::new(raw_channel(&world, &node, "birdsite"));
    let batches = tokio_stream::iter(
        (1..=BATCHES).map(|number| streamed(batch("s", number, None, vec![domain("a.example")]))),
    );
    let mut receipts = service.stream_indicators(batches).await.unwrap().into_inner();
    for number in 1..=BATCHES {
        let response = soon(receipts.message()).await.unwrap().unwrap();
        assert_eq!(response.receipt.unwrap().number, number);
    }
    assert!(soon(receipts.message()).await.unwrap().is_none());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_on_an_old_connection_ends_with_its_cursor_and_continues_on_a_new_one() {
    let mut world = World::new();
    world.config.connections.max_age_s = 1;
    world.config.connections.max_age_grace_s = 2;
    let node = world.start().await;
    let mut service = FeedServiceClient::new(raw_channel(&world, &node, "facegraph"));
    let mut stream = service.subscribe(from_start()).await.unwrap().into_inner();
    let last = last(&mut stream).await;
    assert_eq!(last.end.unwrap().reason(), pb::EndReason::Shutdown);
    assert!(last.cursor.is_some());
    // Our client reconnects transparently.
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Now, None);
    let submitting = world.client(&node, "birdsite");
    let later = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        submitting.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();
    };
    let (item, ()) = tokio::join!(soon(feed.next()), later);
    assert_eq!(item.unwrap().unwrap().indicator.unwrap().value, "a.example");
    assert!(feed.reconnects() > 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_loads_a_new_certificate_from_its_folder() {
    let world = World::new();
    let node = world.start().await;
    let folder = world.identity("birdsite");
    let client = world.client(&node, "birdsite");
    let first = client.who_am_i().await.unwrap().certificate_serial;
    let usage =
        tipoff::tls::authority::Usage::Partner { id: "birdsite".parse().unwrap(), workload: None };
    tokio::time::sleep(Duration::from_millis(20)).await;
    let begins = world.authority.issue(&usage, 30, SystemClock.now(), &folder).unwrap().begins;
    tokio::time::sleep(begins.since(SystemClock.now())).await;
    assert_ne!(client.who_am_i().await.unwrap().certificate_serial, first);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_open_feeds_immediately_and_a_resumed_partner_may_connect_again() {
    let world = World::new();
    let node = world.start().await;
    let mut service = FeedServiceClient::new(raw_channel(&world, &node, "facegraph"));
    let mut stream = service.subscribe(from_start()).await.unwrap().into_inner();
    let mut config = world.config.clone();
    config.access.suspended = vec!["facegraph".into()];
    node.reload(&config).await;
    let last = last(&mut stream).await;
    assert_eq!(last.end.unwrap().reason(), pb::EndReason::Suspended);
    let status = soon(stream.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let client = world.client(&node, "facegraph");
    assert!(matches!(client.who_am_i().await, Err(ClientError::Denied(_))));
    node.reload(&world.config).await;
    client.who_am_i().await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_ends_a_stream_of_batches_too() {
    let world = World::new();
    let node = world.start().await;
    let mut service = IndicatorServiceClient::new(raw_channel(&world, &node, "birdsite"));
    let (batches, queue) = tokio::sync::mpsc::channel(1);
    let one =
        |number| streamed(batch("s", number, None, vec![domain(&format!("n{number}.example"))]));
    batches.send(one(1)).await.unwrap();
    let queue = tokio_stream::wrappers::ReceiverStream::new(queue);
    let mut receipts = service.stream_indicators(queue).await.unwrap().into_inner();
    assert!(soon(receipts.message()).await.unwrap().is_some());
    let mut config = world.config.clone();
    config.access.suspended = vec!["birdsite".into()];
    node.reload(&config).await;
    let status = soon(receipts.message()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let _ = batches.send(one(2)).await;
    let key = pb::IndicatorKey { value: "n2.example".into(), ..pb::IndicatorKey::default() };
    let late = world.client(&node, "facegraph").indicator(key).await;
    assert!(matches!(late, Err(ClientError::NotFound(_))), "{late:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_is_idle_is_closed_by_the_exchange_and_opens_again() {
    let world = World::new();
    let clock = Arc::new(MovedClock::default());
    let node = world.start_with(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let client = world.client(&node, "birdsite");
    let one = |number| batch("s", number, None, vec![domain(&format!("n{number}.example"))]);
    client.submit(one(1)).await.unwrap();
    assert_eq!(node.exchange.sweeps.close_idle().await.unwrap(), 0);
    clock.0.fetch_add(16 * 60 * 1_000, Ordering::Relaxed);
    assert_eq!(node.exchange.sweeps.close_idle().await.unwrap(), 1);
    assert_eq!(node.exchange.sweeps.close_idle().await.unwrap(), 0);
    client.submit(one(2)).await.unwrap();
    clock.0.fetch_add(16 * 60 * 1_000, Ordering::Relaxed);
    assert_eq!(node.exchange.sweeps.close_idle().await.unwrap(), 1);
    // After a week the receipts are deleted, and the submission cannot be reopened.
    clock.0.fetch_add(8 * 86_400 * 1_000, Ordering::Relaxed);
    for number in [1, 3] {
        let late = client.submit(one(number)).await;
        assert!(matches!(late, Err(ClientError::Precondition(_))), "{late:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_adds_new_partners_and_changes_no_existing_one() {
    let mut world = World::new();
    world.start().await.stop().await;
    let node = world.start().await;
    let green = Some(support::sharing(pb::Tlp::Green, None));
    let earlier = batch("s", 1, green.clone(), vec![domain("earlier.example")]);
    world.client(&node, "birdsite").submit(earlier).await.unwrap();
    node.stop().await;
    let mut added = world.config.clone();
    let mut newcomer = added.partners[0].clone();
    newcomer.id = "newcomer".into();
    newcomer.platforms = vec!["newplace".into()];
    newcomer.default_group = None;
    added.partners.push(newcomer);
    added.partners[1].name = Some("Another name".into());
    world.config = added;
    let node = world.start().await;
    let client = world.client(&node, "newcomer");
    assert_eq!(client.who_am_i().await.unwrap().partner.unwrap().platforms, ["newplace"]);
    let partners = client.partners().await.unwrap();
    let facegraph = partners.iter().find(|partner| partner.id == "facegraph").unwrap();
    assert_eq!(facegraph.name, "facegraph", "the registry is not changed");
    assert_eq!(partners.len(), 7);
    assert!(client.groups().await.unwrap().is_empty(), "it is a member of none, and sees none");
    assert_eq!(world.client(&node, "exchange-ops").groups().await.unwrap().len(), 1);
    // A partner starts to exist at an entry: it does not see what was shared with every partner
    // before.
    let later = batch("s", 2, green, vec![domain("later.example")]);
    world.client(&node, "birdsite").submit(later).await.unwrap();
    let mut feed = client.subscribe(FeedStart::Beginning, None);
    let first = soon(feed.next()).await.unwrap().unwrap();
    assert_eq!(first.indicator.unwrap().value, "later.example");
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, None);
    let first = soon(feed.next()).await.unwrap().unwrap();
    assert_eq!(first.indicator.unwrap().value, "earlier.example");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_waits_for_the_version_it_names() {
    let mut world = World::new();
    world.config.requests.read_after_timeout_s = 1;
    let node = world.start().await;
    let request = batch("s", 1, None, vec![domain("a.example")]);
    let receipt = world.client(&node, "birdsite").submit(request).await.unwrap();
    let version = receipt.items[0].version;
    let mut service = IndicatorServiceClient::new(raw_channel(&world, &node, "facegraph"));
    let key = pb::IndicatorKey { value: "a.example".into(), ..pb::IndicatorKey::default() };
    let mut request = pb::LookupIndicatorsRequest { keys: vec![key], read_after: version };
    service.lookup_indicators(request.clone()).await.unwrap();
    request.read_after = Some(pb::Version { sequence: 1_000, index: 0 });
    let status = service.lookup_indicators(request).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ops_listener_shows_metrics_liveness_and_readiness() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    client.submit(batch("s", 1, None, vec![domain("a.example"), domain("nodots")])).await.unwrap();
    let _ =
        world.impatient(&node, "exchange-ops").subscribe(FeedStart::Beginning, None).next().await;
    let get = |path| node.ops_get(path);
    assert!(get("/live").await.starts_with("HTTP/1.1 200"));
    assert!(get("/ready").await.starts_with("HTTP/1.1 200"));
    assert!(get("/elsewhere").await.starts_with("HTTP/1.1 404"));
    let metrics = get("/metrics").await;
    for line in [
        "tipoff_submitted_total 1",
        "tipoff_rejected_total{partner=\"birdsite\",label=\"item\"} 1",
        "tipoff_denied_total{method=\"/tipoff.v1.FeedService/Subscribe\",label=\"method_denied\"} 1",
        "tipoff_append_seconds_count 1",
        "tipoff_head 9",
        "tipoff_index_checkpoint 9",
        "tipoff_certificate_expiry_timestamp_seconds",
        "tipoff_disk_bytes{store=\"journal\"}",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    assert!(!metrics.contains("a.example"), "no values in metrics");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reconnects_to_an_exchange_that_restarted() {
    let world = World::new();
    let mut exchange = support::process::Process::prepare(&world);
    exchange.start();
    let patience =
        RetryPolicy { max_delay: Duration::from_millis(200), ..RetryPolicy::unlimited() };
    let client = exchange.client(&world, "birdsite").with_retry_policy(patience);
    client.who_am_i().await.unwrap();
    exchange.kill();
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.submit(batch("s", 1, None, vec![domain("a.example")])).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    exchange.start();
    soon(waiting).await.unwrap().unwrap();
    exchange.kill();
    let impatient = client.with_retry_policy(support::no_retries());
    assert!(matches!(impatient.who_am_i().await, Err(ClientError::Unreachable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_damaged_subscriptions_reports_and_refuses_them_and_serves_the_rest() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    let named = || pb::SubscribeRequest { name: "main".into(), ..from_start() };
    let url = exchange.url();
    let connect = || FeedServiceClient::new(channel_to(&world, &url, "facegraph"));
    let damage = |change: fn(&sled::Db)| {
        let folder = world.config.storage.data.join("cursors");
        change(&database::open(&folder, 1 << 20).unwrap());
    };
    exchange.start();
    exchange.wait_ready();
    connect().subscribe(named()).await.unwrap();
    assert!(exchange.terminate().success());

    damage(|db| drop(db.insert(b"facegraph\0main\0\0\0", b"damaged").unwrap()));
    exchange.start();
    exchange.wait_ready();
    let refused = connect().subscribe(named()).await.unwrap_err();
    assert_eq!(
        refused.code(),
        Code::Unavailable,
        "it is not made anew: its reader would miss some"
    );
    let list = pb::ListSubscriptionsRequest::default();
    assert_eq!(connect().list_subscriptions(list).await.unwrap_err().code(), Code::Unavailable);
    soon(connect().subscribe(from_start()).await.unwrap().into_inner().message()).await.unwrap();
    assert!(
        exchange.log().contains("subscription `main` of partner `facegraph`"),
        "{}",
        exchange.log()
    );
    assert!(exchange.log().contains("restore the folder from a backup"), "{}", exchange.log());
    assert!(exchange.terminate().success());

    // Moved away, as the log advises.
    let folder = world.config.storage.data.join("cursors");
    std::fs::rename(&folder, folder.with_extension("damaged")).unwrap();
    exchange.start();
    exchange.wait_ready();
    connect().subscribe(named()).await.unwrap();
    exchange.kill();
}
