//! The time from the submit call to the item at a subscriber, at a steady rate that does not wait
//! for answers.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tipoff::client::{Client, FeedStart};

use crate::report::Row;
use crate::support::World;
use crate::support::process::Process;
use crate::support::raw::{call_raw, channel_to};
use crate::work::{self, Used, started};

const SUBMIT: &str = "/tipoff.v1.IndicatorService/SubmitIndicators";
const SUBSCRIBERS: usize = 10;
/// Five per millisecond are 5,000 per second.
const EVERY: Duration = Duration::from_millis(1);
const ITEMS_A_CALL: u64 = 5;
/// How often a call is tried.
const TRIES: usize = 5_000;
/// Warm-up, which is left out of the figures.
const WARM: u64 = 2_500;

/// When each value was submitted.
type Submitted = Arc<Mutex<HashMap<String, Instant>>>;

pub async fn run(items: u64) -> Row {
    let world = work::world(SUBSCRIBERS);
    let mut exchange = started(&world);
    let submitted = Submitted::default();
    let following: Vec<_> = (0..SUBSCRIBERS)
        .map(|at| {
            let client = exchange.client(&world, &format!("p{at}"));
            tokio::spawn(follow(client, items + WARM, Arc::clone(&submitted)))
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    offer(&world, &exchange, items + WARM, &submitted).await;
    let mut latency = Histogram::<u64>::new(3).unwrap();
    for reader in following {
        latency.add(reader.await.unwrap()).unwrap();
    }
    let used = Used::by(exchange.id());
    let limit = at_rest(&world, &exchange).await;
    assert!(exchange.terminate().success());
    #[allow(clippy::cast_precision_loss)]
    let at = |quantile| latency.value_at_quantile(quantile) as f64 / 1_000.0;
    Row {
        met: at(0.5) <= 2.0 && at(0.99) <= 10.0,
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        ..Row::of(("latency", 5_000), (at(0.5), limit, "ms p50, at most 2"), 0.0, 0.0)
            .with_latency(&latency)
    }
}

#[allow(clippy::disallowed_methods)]
async fn offer(world: &World, exchange: &Process, items: u64, submitted: &Submitted) {
    let publisher = channel_to(world, &exchange.url(), "p0");
    let mut tick = tokio::time::interval(EVERY);
    let mut calls = Vec::new();
    let lost = Arc::new(AtomicBool::new(false));
    for (number, batch) in (0..).zip(work::batches("offered", 0, items, ITEMS_A_CALL)) {
        let values = (number * ITEMS_A_CALL..(number + 1) * ITEMS_A_CALL).map(work::item);
        let values: Vec<_> = values.map(|item| item.value).collect();
        tick.tick().await;
        let now = Instant::now();
        submitted.lock().unwrap().extend(values.into_iter().map(|value| (value, now)));
        let (publisher, lost) = (publisher.clone(), Arc::clone(&lost));
        calls.push(tokio::spawn(async move {
            // Calls above the limit of a connection are refused, for example after a slow fsync.
            // The client retries them, as it retries calls in flight when a connection breaks. The
            // time is measured from the first try.
            for _ in 0..TRIES {
                let Err(refused) = call_raw(&publisher, SUBMIT, batch.clone()).await else {
                    return;
                };
                if refused.code() != tonic::Code::ResourceExhausted {
                    lost.store(true, Ordering::Relaxed);
                }
                tokio::time::sleep(EVERY).await;
            }
            panic!("a call was refused {TRIES} times");
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
    if lost.load(Ordering::Relaxed) {
        eprintln!(
            "latency: a connection broke, and the log of the exchange is:\n{}",
            exchange.log()
        );
    }
}

#[allow(clippy::disallowed_methods)]
async fn follow(client: Client, items: u64, submitted: Submitted) -> Histogram<u64> {
    let mut feed = client.subscribe(FeedStart::Now, None);
    let mut latency = Histogram::<u64>::new(3).unwrap();
    for number in 0..items {
        let item = feed.next().await.unwrap().unwrap();
        let arrived = Instant::now();
        let start = submitted.lock().unwrap()[&item.indicator.unwrap().value];
        if number >= WARM {
            let took = u64::try_from(arrived.duration_since(start).as_micros()).unwrap();
            latency.record(took.max(1)).unwrap();
        }
    }
    latency
}

/// The limit, in milliseconds: one fsync and one unary round trip, each the median of many on an
/// idle machine.
#[allow(clippy::disallowed_methods)]
async fn at_rest(world: &World, exchange: &Process) -> f64 {
    let folder = &world.config.storage.data;
    let mut file = File::create(folder.join("fsync")).unwrap();
    let mut syncs = Histogram::<u64>::new(3).unwrap();
    for _ in 0..200 {
        let start = Instant::now();
        file.write_all(&[0; 512]).unwrap();
        file.sync_data().unwrap();
        syncs.record(u64::try_from(start.elapsed().as_micros()).unwrap().max(1)).unwrap();
    }
    let channel = channel_to(world, &exchange.url(), "p0");
    let mut calls = Histogram::<u64>::new(3).unwrap();
    for _ in 0..500 {
        let start = Instant::now();
        call_raw(&channel, "/tipoff.v1.PartnerService/WhoAmI", Bytes::new()).await.unwrap();
        calls.record(u64::try_from(start.elapsed().as_micros()).unwrap().max(1)).unwrap();
    }
    #[allow(clippy::cast_precision_loss)]
    let median = |of: &Histogram<u64>| of.value_at_quantile(0.5) as f64 / 1_000.0;
    median(&syncs) + median(&calls)
}
