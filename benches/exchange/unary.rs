//! Many callers, one indicator per call, each answered when it is durable and applied.

use std::time::{Duration, Instant};

use bytes::Bytes;
use hdrhistogram::Histogram;
use tipoff::config::JournalBackend;
use tonic::transport::Channel;

use crate::raw::RawServer;
use crate::report::Row;
use crate::support::raw::{call_raw, channel_to};
use crate::work::{self, Used, rate, started};

const METHOD: &str = "/tipoff.v1.IndicatorService/SubmitIndicators";
const CONNECTIONS: u64 = 4;

pub async fn run(journal: JournalBackend, callers: u64, calls: u64) -> Row {
    let mut world = work::world(1);
    world.config.storage.journal = journal;
    let mut exchange = started(&world);
    let channels = || (0..CONNECTIONS).map(|_| channel_to(&world, &exchange.url(), "p0")).collect();
    let (elapsed, latency) = called(channels(), callers, calls).await;
    let used = Used::by(exchange.id());
    assert!(exchange.terminate().success());

    let empty = tempfile::tempdir().unwrap();
    let raw = RawServer::start(&world, empty.path());
    let channels = (0..CONNECTIONS).map(|_| channel_to(&world, &raw.url, "p0")).collect();
    let (limit, _) = called(channels, callers, calls).await;

    let (scenario, target) = match journal {
        JournalBackend::Sled => ("unary sled", 0.4),
        JournalBackend::Files => ("unary files", 0.5),
        JournalBackend::JetStream => panic!("this scenario has one node"),
    };
    let total = callers * calls;
    let figures = (rate(total, elapsed), rate(total, limit), "calls/s");
    Row {
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        ..Row::of((scenario, callers), figures, target, 0.0).with_latency(&latency)
    }
}

/// Runs all calls. Returns the total time, and the latencies in microseconds.
#[allow(clippy::disallowed_methods)]
async fn called(channels: Vec<Channel>, callers: u64, calls: u64) -> (Duration, Histogram<u64>) {
    let requests = |caller: u64| work::batches(&format!("c{caller}"), caller * calls, calls, 1);
    let prepared: Vec<Vec<Bytes>> = (0..callers).map(requests).collect();
    for channel in &channels {
        // Connected before the clock starts.
        let _ = call_raw(channel, METHOD, Bytes::new()).await;
    }
    let start = Instant::now();
    let calling: Vec<_> = prepared
        .into_iter()
        .zip(channels.iter().cycle().cloned())
        .map(|(requests, channel)| {
            tokio::spawn(async move {
                let mut latency = Histogram::<u64>::new(3).unwrap();
                for request in requests {
                    let start = Instant::now();
                    call_raw(&channel, METHOD, request).await.unwrap();
                    latency.record(u64::try_from(start.elapsed().as_micros()).unwrap()).unwrap();
                }
                latency
            })
        })
        .collect();
    let mut latency = Histogram::<u64>::new(3).unwrap();
    for caller in calling {
        latency.add(caller.await.unwrap()).unwrap();
    }
    (start.elapsed(), latency)
}
