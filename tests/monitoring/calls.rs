//! Calls, slow readers and lags in metrics.

use std::time::Duration;

use tipoff::client::FeedStart;
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;

use crate::support::clock::SetClock;
use crate::support::process::Process;
use crate::support::raw::{call_raw, channel_to, raw_channel};
use crate::support::{World, batch, domain, from_start, ops_get, soon};
use crate::{scrape, value};

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_counted_by_method_and_code_and_streams_do_not_count_as_latency() {
    let world = World::new();
    let node = world.start().await;
    let client = world.impatient(&node, "birdsite");
    client.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();
    client.submit(batch("", 1, None, vec![domain("a.example")])).await.unwrap_err();
    world.impatient(&node, "watcher").submit(batch("s", 1, None, vec![])).await.unwrap_err();
    let channel = raw_channel(&world, &node, "birdsite");
    for name in ["/tipoff.v1.IndicatorService/Invented", "/tipoff.v2.Invented/Invented"] {
        call_raw(&channel, name, Vec::new()).await.unwrap_err();
    }
    let mut feed = FeedServiceClient::new(channel).subscribe(from_start()).await.unwrap();
    soon(feed.get_mut().message()).await.unwrap();
    let submit = "/tipoff.v1.IndicatorService/SubmitIndicators";
    let subscribe = "/tipoff.v1.FeedService/Subscribe";
    let ended = |method: &str, code: &str| {
        format!("tipoff_requests_total{{method=\"{method}\",code=\"{code}\"}}")
    };
    let metrics = scrape(&node).await;
    assert_eq!(value(&metrics, &ended(submit, "OK")), Some(1.0), "{metrics}");
    assert_eq!(value(&metrics, &ended(submit, "INVALID_ARGUMENT")), Some(1.0));
    assert_eq!(value(&metrics, &ended(submit, "PERMISSION_DENIED")), Some(1.0));
    assert!(value(&metrics, &ended("unknown", "UNIMPLEMENTED")) == Some(2.0), "{metrics}");
    assert!(!metrics.contains("nvented"), "callers create no series: {metrics}");
    assert_eq!(value(&metrics, &ended(subscribe, "CANCELLED")), None, "it is still open");
    let count = |series: &str, method: &str| {
        value(&metrics, &format!("tipoff_{series}_duration_seconds_count{{method=\"{method}\"}}"))
    };
    assert_eq!(count("request", submit), Some(3.0));

    // Its reader goes away.
    drop(feed);
    let metrics = soon(async {
        loop {
            let metrics = scrape(&node).await;
            if value(&metrics, &ended(subscribe, "CANCELLED")) == Some(1.0) {
                return metrics;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let count = |series: &str, method: &str| {
        value(&metrics, &format!("tipoff_{series}_duration_seconds_count{{method=\"{method}\"}}"))
    };
    assert_eq!(count("stream", subscribe), Some(1.0));
    assert_eq!(count("request", subscribe), None);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lag_has_the_age_of_the_oldest_entry_that_is_not_acknowledged() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let mut feed =
        world.client(&node, "facegraph").subscribe_named("soc", FeedStart::Beginning, None);
    let birdsite = world.client(&node, "birdsite");
    birdsite.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();
    soon(feed.next()).await.unwrap().unwrap();
    clock.advance(Duration::from_secs(90));
    birdsite.submit(batch("s", 2, None, vec![domain("b.example")])).await.unwrap();
    clock.advance(Duration::from_secs(30));
    let labels = "{partner=\"facegraph\",subscription=\"soc\"}";
    let seconds = format!("tipoff_feed_lag_seconds{labels}");
    // The first entries are older: nothing was acknowledged.
    let before = value(&scrape(&node).await, &seconds).unwrap();
    assert!((120.0..125.0).contains(&before), "{before}");
    feed.acknowledge().await.unwrap();
    let metrics = scrape(&node).await;
    assert_eq!(value(&metrics, &seconds), Some(30.0), "{metrics}");
    assert_eq!(value(&metrics, &format!("tipoff_feed_lag_entries{labels}")), Some(1.0));
    soon(feed.next()).await.unwrap().unwrap();
    feed.acknowledge().await.unwrap();
    assert_eq!(value(&scrape(&node).await, &seconds), Some(0.0));
    drop(feed);
    world.client(&node, "facegraph").delete_subscription("soc").await.unwrap();
    assert_eq!(value(&scrape(&node).await, &seconds), None);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_counted_and_named_in_the_log() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.add_config("[requests]\nblocked_s = 1\n");
    exchange.start();
    exchange.wait_ready();
    let birdsite = exchange.client(&world, "birdsite");
    for number in 1..=6 {
        let items = (0..200).map(|item| {
            let mut submitted = domain(&format!("b{number}.n{item}.example"));
            let note = "ж".repeat(1_900);
            submitted.assessment = Some(pb::Assessment { note, ..pb::Assessment::default() });
            submitted
        });
        birdsite.submit(batch("s", number, None, items.collect())).await.unwrap();
    }
    let channel = channel_to(&world, &exchange.url(), "facegraph");
    let unread = FeedServiceClient::new(channel).subscribe(from_start()).await.unwrap();
    soon(async {
        loop {
            let metrics = ops_get(exchange.ops(), "/metrics").await.unwrap();
            if value(&metrics, "tipoff_slow_readers_total") == Some(1.0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let log = exchange.log();
    let line = log.lines().find(|line| line.contains("slow reader")).unwrap();
    assert!(line.contains("facegraph") && line.contains("Subscribe"), "{line}");
    drop(unread);
    exchange.terminate();
}
