//! The cost of a million stored indicators: restart after a SIGKILL, storage, lookups, catch-up.
//!
//! They are stored once, and all scenarios measure the same exchange.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use prost::Message;
use tipoff::domain::{Indicator, IndicatorId};
use tipoff::wire::pb;

use crate::bare;
use crate::fan_out;
use crate::ingest;
use crate::report::Row;
use crate::support::process::Process;
use crate::support::raw::{call_raw, channel_to};
use crate::support::{World, from_start};
use crate::work::{self, Used, rate, started};

const LOOKUP: &str = "/tipoff.v1.IndicatorService/LookupIndicators";
const SUBMIT: &str = "/tipoff.v1.IndicatorService/SubmitIndicators";
/// The largest number that the ingest scenario stores itself.
const MOST_INGESTED: u64 = 1_000_000;
const VALUES: u64 = 1_000;
/// Concurrent lookups, each on its own connection.
const CALLERS: u64 = 4;

/// All rows for this many stored indicators. For a number that is stored only once, also the ingest
/// row.
pub async fn run(items: u64) -> Vec<Row> {
    let world = work::world(2);
    let mut exchange = started(&world);
    let elapsed = ingest::store(&world, &exchange, items).await;
    let stored = ingest::Stored::by(&world, &exchange, (items, elapsed));
    let looked_up = lookup(&world, &exchange, items).await;
    let caught_up = catch_up(&world, &exchange, items).await;
    let used = Used::by(exchange.id());
    let size = size(&world, items, used);
    let restarted = restart(&world, &mut exchange, items);
    assert!(exchange.terminate().success());
    let mut rows = vec![looked_up, with_limit(caught_up, &world), size, restarted];
    if items > MOST_INGESTED {
        rows.insert(0, stored.row());
    }
    rows
}

/// Batches of a thousand, of which one in twenty is known.
async fn lookup(world: &World, exchange: &Process, items: u64) -> Row {
    let calls = 200;
    let key = |number: u64| {
        // Stored items are numbered from 0. Higher numbers are unknown.
        let number = if number.is_multiple_of(20) { number % items } else { items + number };
        let item = work::item(number);
        pb::IndicatorKey { kind: item.kind, platform: item.platform, value: item.value }
    };
    let request = |call: u64| {
        let keys = (call * VALUES..(call + 1) * VALUES).map(key).collect();
        let request = pb::LookupIndicatorsRequest { keys, ..Default::default() };
        Bytes::from(request.encode_to_vec())
    };
    let prepared: Vec<Vec<Bytes>> = (0..CALLERS)
        .map(|caller| (caller * calls..(caller + 1) * calls).map(request).collect())
        .collect();
    let channels: Vec<_> = (0..CALLERS).map(|_| channel_to(world, &exchange.url(), "p1")).collect();
    for channel in &channels {
        call_raw(channel, LOOKUP, prepared[0][0].clone()).await.unwrap();
    }
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let calling = channels.into_iter().zip(prepared).map(|(channel, requests)| {
        tokio::spawn(async move {
            let mut latency = Histogram::<u64>::new(3).unwrap();
            let mut known = 0;
            for request in requests {
                #[allow(clippy::disallowed_methods)]
                let start = Instant::now();
                let answer = call_raw(&channel, LOOKUP, request).await.unwrap();
                latency.record(u64::try_from(start.elapsed().as_micros()).unwrap()).unwrap();
                known += answer.len();
            }
            (latency, known)
        })
    });
    let calling: Vec<_> = calling.collect();
    let mut latency = Histogram::<u64>::new(3).unwrap();
    for caller in calling {
        let (measured, bytes) = caller.await.unwrap();
        assert!(bytes > 0, "there is an answer");
        latency.add(measured).unwrap();
    }
    let elapsed = start.elapsed();
    let values = CALLERS * calls * VALUES;
    let limit = filter_alone(items, values, key);
    let used = Used::by(exchange.id());
    let figures = (rate(values, elapsed), rate(values, limit), "values/s, at least 500 k");
    Row {
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        ..Row::of(("lookup", items), figures, 0.0, 500_000.0).with_latency(&latency)
    }
}

/// The limit: a set of ids in memory, queried by one thread that has the ids already.
fn filter_alone(items: u64, values: u64, key: impl Fn(u64) -> pb::IndicatorKey) -> Duration {
    let id = |value: &str| Indicator::read(value, None).unwrap().id();
    let stored: HashSet<IndicatorId> = (0..items).map(|n| id(&work::item(n).value)).collect();
    let ids: Vec<IndicatorId> = (0..values).map(|n| id(&key(n).value)).collect();
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let known = ids.iter().filter(|id| stored.contains(id)).count();
    let elapsed = start.elapsed();
    assert!(known > 0);
    elapsed
}

/// A reader that reads everything from the start while another client submits. Also returns the
/// latencies of that client, without the reader and with it.
async fn catch_up(world: &World, exchange: &Process, items: u64) -> Row {
    let alone = live(world, exchange, "alone", items, Duration::from_secs(2)).await;
    let reading = Arc::new(AtomicBool::new(true));
    let beside = {
        let publisher = channel_to(world, &exchange.url(), "p0");
        let reading = Arc::clone(&reading);
        let first = 2 * items;
        tokio::spawn(async move {
            let on = || reading.load(Ordering::Relaxed);
            trickle(publisher, "beside", first, on).await
        })
    };
    let reader = channel_to(world, &exchange.url(), "p1");
    call_raw(&reader, LOOKUP, Bytes::new()).await.unwrap_err();
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let request = Bytes::from(from_start().encode_to_vec());
    fan_out::take(reader, request, items).await;
    let elapsed = start.elapsed();
    reading.store(false, Ordering::Relaxed);
    let beside = beside.await.unwrap();
    let used = Used::by(exchange.id());
    let row = Row {
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        ..Row::of(("catch-up", items), (rate(items, elapsed), f64::NAN, "items/s"), 0.3, 0.0)
            .with_latency(&beside)
    };
    let p99 = |of: &Histogram<u64>| of.value_at_quantile(0.99);
    row.only_if(p99(&beside) <= 2 * p99(&alone))
}

/// The limit of a catch-up: one thread reads and decodes the journal from its beginning.
fn with_limit(row: Row, world: &World) -> Row {
    let journal = bare::open_journal(&world.config.storage, &world.config.storage.data);
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let (mut from, mut entries) = (1, 0);
    loop {
        let read = journal.read(from, 256).unwrap();
        let Some(last) = read.last() else { break };
        from = last.sequence + 1;
        entries += read.len();
    }
    let elapsed = start.elapsed();
    assert!(entries > 0);
    let items = row.size;
    row.limited(rate(items, elapsed))
}

async fn live(
    world: &World,
    exchange: &Process,
    name: &str,
    first: u64,
    span: Duration,
) -> Histogram<u64> {
    let publisher = channel_to(world, &exchange.url(), "p0");
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    trickle(publisher, name, first, move || start.elapsed() < span).await
}

/// One call after the other, every few milliseconds. Returns the latencies in microseconds.
#[allow(clippy::disallowed_methods)]
async fn trickle(
    publisher: tonic::transport::Channel,
    name: &str,
    first: u64,
    goes_on: impl Fn() -> bool,
) -> Histogram<u64> {
    let mut latency = Histogram::<u64>::new(3).unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(2));
    for batch in work::batches(name, first, 20_000, 1) {
        if !goes_on() {
            break;
        }
        tick.tick().await;
        let start = Instant::now();
        call_raw(&publisher, SUBMIT, batch).await.unwrap();
        latency.record(u64::try_from(start.elapsed().as_micros()).unwrap()).unwrap();
    }
    latency
}

/// The bytes on disk, relative to the journal's, and the memory.
fn size(world: &World, items: u64, used: Used) -> Row {
    let data = &world.config.storage.data;
    let (all, journal) = (work::folder_mb(data), work::folder_mb(&data.join("journal")));
    Row {
        met: all <= 3.0 * journal && used.rss_mb <= 600.0,
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        disk_mb: Some(all),
        ..Row::of(("size", items), (all, journal, "MB, at most"), 3.0, 0.0)
    }
}

/// The time from the start of a process, after its predecessor was killed, until it is ready.
fn restart(world: &World, exchange: &mut Process, items: u64) -> Row {
    exchange.kill();
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    exchange.start();
    exchange.wait_ready();
    let elapsed = start.elapsed();
    let used = Used::by(exchange.id());
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let bytes = read_all(&world.config.storage.data);
    let limit = start.elapsed();
    assert!(bytes > 0);
    let figures = (elapsed.as_secs_f64(), limit.as_secs_f64(), "s, at most 5");
    Row {
        met: elapsed <= Duration::from_secs(5),
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        ..Row::of(("restart", items), figures, 0.0, 0.0)
    }
}

/// Reads every file, and returns their total size in bytes.
fn read_all(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let read = entries.map(|entry| match entry.metadata().unwrap() {
        folder if folder.is_dir() => read_all(&entry.path()),
        _ => fs::read(entry.path()).unwrap().len(),
    });
    read.sum()
}
