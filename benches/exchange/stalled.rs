//! The effect of stalled readers on others: the latency of a steady trickle, from the submit call
//! to the item at a reader, with and without stalled readers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tipoff::client::FeedStart;
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;

use crate::report::Row;
use crate::support::process::Process;
use crate::support::raw::{call_raw, channel_to};
use crate::support::{World, from_start};
use crate::work::{self, Used, started};

const SUBMIT: &str = "/tipoff.v1.IndicatorService/SubmitIndicators";
const READERS: usize = 10;
const STALLED: u64 = 5;
/// The backlog of a stalled reader: more than the windows and buffers on the way hold.
const BACKLOG: u64 = 100_000;
const EVERY: Duration = Duration::from_millis(4);
const SUBMITS: u64 = 2_000;

/// When each item was submitted, by its number.
type Submitted = Arc<Mutex<HashMap<String, Instant>>>;

pub async fn run() -> Row {
    let world = work::world(READERS);
    let mut exchange = started(&world);
    let publisher = channel_to(&world, &exchange.url(), "p0");
    for batch in work::batches("backlog", 0, BACKLOG, 500) {
        call_raw(&publisher, SUBMIT, batch).await.unwrap();
    }
    // Warm-up, so that one-time costs are not measured.
    trickle(&world, &exchange, "warm", BACKLOG).await;
    let alone = trickle(&world, &exchange, "alone", BACKLOG + SUBMITS).await;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        let mut service = FeedServiceClient::new(channel_to(&world, &exchange.url(), "p1"));
        stalled.push(service.subscribe(from_start()).await.unwrap().into_inner());
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let beside = trickle(&world, &exchange, "beside", BACKLOG + 2 * SUBMITS).await;
    drop(stalled);
    let used = Used::by(exchange.id());
    assert!(exchange.terminate().success());
    #[allow(clippy::cast_precision_loss)]
    let at = |of: &Histogram<u64>, quantile| of.value_at_quantile(quantile) as f64 / 1_000.0;
    let (value, limit) = (at(&beside, 0.99), at(&alone, 0.99));
    Row {
        // Lower is better here: at most 1.2 times the latency without them.
        met: value <= 1.2 * limit,
        p50_ms: Some(at(&beside, 0.5)),
        p99_ms: Some(value),
        p999_ms: Some(at(&beside, 0.999)),
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        ..Row::of(("stalled", STALLED), (value, limit, "ms p99, at most"), 1.2, 0.0)
    }
}

/// Submits one item every few milliseconds, without waiting for answers. Returns the latencies to
/// every reader, in microseconds.
#[allow(clippy::disallowed_methods)]
async fn trickle(world: &World, exchange: &Process, name: &str, first: u64) -> Histogram<u64> {
    let submitted = Submitted::default();
    let following: Vec<_> = (0..READERS)
        .map(|reader| {
            let client = exchange.client(world, &format!("p{reader}"));
            tokio::spawn(follow(client, Arc::clone(&submitted)))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let publisher = channel_to(world, &exchange.url(), "p0");
    let mut tick = tokio::time::interval(EVERY);
    for (number, batch) in (first..).zip(work::batches(name, first, SUBMITS, 1)) {
        tick.tick().await;
        submitted.lock().unwrap().insert(work::item(number).value, Instant::now());
        let publisher = publisher.clone();
        tokio::spawn(async move { call_raw(&publisher, SUBMIT, batch).await.unwrap() });
    }
    let mut latency = Histogram::<u64>::new(3).unwrap();
    for reader in following {
        latency.add(reader.await.unwrap()).unwrap();
    }
    latency
}

#[allow(clippy::disallowed_methods)]
async fn follow(client: tipoff::client::Client, submitted: Submitted) -> Histogram<u64> {
    let mut feed = client.subscribe(FeedStart::Now, None);
    let mut latency = Histogram::<u64>::new(3).unwrap();
    for _ in 0..SUBMITS {
        let item: pb::FeedItem = feed.next().await.unwrap().unwrap();
        let arrived = Instant::now();
        let value = item.indicator.unwrap().value;
        let start = submitted.lock().unwrap()[&value];
        let took = arrived.duration_since(start).as_micros();
        latency.record(u64::try_from(took).unwrap().max(1)).unwrap();
    }
    latency
}
