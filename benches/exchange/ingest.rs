//! Four clients stream batches. Each receipt comes after the batch is on disk and applied.

use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
use tipoff::config::{JournalBackend, Storage};
use tipoff::wire::pb;
use tonic::Request;
use tonic::client::Grpc;
use tonic::transport::Channel;

use crate::bare;
use crate::report::Row;
use crate::support::World;
use crate::support::process::Process;
use crate::support::raw::{AsTheyAre, channel_to};
use crate::work::{self, Used, rate, started};

const CLIENTS: u64 = 4;
const BATCH: u64 = 500;

pub async fn run(journal: JournalBackend, items: u64) -> Row {
    let mut world = work::world(1);
    world.config.storage.journal = journal;
    let mut exchange = started(&world);
    let elapsed = store(&world, &exchange, items).await;
    let stored = Stored::by(&world, &exchange, (items, elapsed));
    assert!(exchange.terminate().success());
    stored.row()
}

/// What was stored, and its cost.
pub struct Stored<'a> {
    storage: &'a Storage,
    items: u64,
    elapsed: Duration,
    used: Used,
}

impl<'a> Stored<'a> {
    /// For an exchange that has stored this many items in this time.
    pub fn by(world: &'a World, exchange: &Process, (items, elapsed): (u64, Duration)) -> Self {
        Self { storage: &world.config.storage, items, elapsed, used: Used::by(exchange.id()) }
    }

    /// A row whose limit is the same stores without the exchange. The exchange has stopped.
    pub fn row(&self) -> Row {
        let scenario = match self.storage.journal {
            JournalBackend::Sled => "ingest sled",
            JournalBackend::Files => "ingest files",
            JournalBackend::JetStream => panic!("this scenario has one node"),
        };
        let limit = bare::writes(self.storage);
        let figures = (rate(self.items, self.elapsed), rate(self.items, limit), "indicators/s");
        Row {
            rss_mb: self.used.rss_mb,
            cpu_s: self.used.cpu_s,
            disk_mb: Some(work::folder_mb(&self.storage.data)),
            ..Row::of((scenario, self.items), figures, 0.5, 100_000.0)
        }
    }
}

/// Stores this many items, and returns the time that it took.
pub async fn store(world: &World, exchange: &Process, items: u64) -> Duration {
    let (elapsed, receipts) = streamed(world, &exchange.url(), items).await;
    check(&receipts, items, pb::ItemStatus::Created);
    elapsed
}

/// Streams this many items to a server. Returns the receipts, and the time until the last one.
pub async fn streamed(world: &World, url: &str, items: u64) -> (Duration, Vec<Bytes>) {
    streamed_as("client", work::item, world, url, items).await
}

/// The same, with another name for the submissions and items.
async fn streamed_as(
    name: &str,
    item: fn(u64) -> pb::SubmittedIndicator,
    world: &World,
    url: &str,
    items: u64,
) -> (Duration, Vec<Bytes>) {
    let begin = |client: u64| items * client / CLIENTS;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (first, share) = (begin(client), begin(client + 1) - begin(client));
            let batches = work::batches_of(item, &format!("{name}-{client}"), first, share, BATCH);
            (channel_to(world, url, "p0"), batches)
        })
        .collect();
    #[allow(clippy::disallowed_methods)]
    let start = Instant::now();
    let sending: Vec<_> = clients
        .into_iter()
        .map(|(channel, batches)| tokio::spawn(stream(channel, batches)))
        .collect();
    let mut receipts = Vec::new();
    for sent in sending {
        receipts.extend(sent.await.unwrap());
    }
    (start.elapsed(), receipts)
}

async fn stream(channel: Channel, batches: Vec<Bytes>) -> Vec<Bytes> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static("/tipoff.v1.IndicatorService/StreamIndicators");
    let expected = batches.len();
    let request = Request::new(tokio_stream::iter(batches));
    let mut answers = grpc.streaming(request, path, AsTheyAre).await.unwrap().into_inner();
    let mut receipts = Vec::with_capacity(expected);
    while let Some(receipt) = answers.message().await.unwrap() {
        receipts.push(receipt);
    }
    assert_eq!(receipts.len(), expected);
    receipts
}

/// Stores every item, and then replaces it: the cost of keeping and skipping as many versions that
/// are no longer current. The limit is the rate of the first store.
pub async fn replaced(items: u64) -> Row {
    let world = work::world(1);
    let mut exchange = started(&world);
    let stored = store(&world, &exchange, items).await;
    let (elapsed, receipts) =
        streamed_as("again", work::item_again, &world, &exchange.url(), items).await;
    check(&receipts, items, pb::ItemStatus::Replaced);
    let used = Used::by(exchange.id());
    assert!(exchange.terminate().success());
    let figures = (rate(items, elapsed), rate(items, stored), "indicators/s");
    Row {
        rss_mb: used.rss_mb,
        cpu_s: used.cpu_s,
        disk_mb: Some(work::folder_mb(&world.config.storage.data)),
        ..Row::of(("replaced", items), figures, 0.3, 0.0)
    }
}

fn check(receipts: &[Bytes], items: u64, status: pb::ItemStatus) {
    let mut counted = 0;
    for receipt in receipts {
        let response = pb::StreamIndicatorsResponse::decode(receipt.clone()).unwrap();
        let items = response.receipt.unwrap().items;
        counted += items.iter().filter(|item| item.status() == status).count();
    }
    assert_eq!(counted as u64, items, "every item is {status:?} once");
}
