//! Four clients stream batches; each receipt comes after the disk has it and it is applied.

use std::time::{Duration, Instant};

use bytes::Bytes;
use prost::Message;
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

pub async fn run(items: u64) -> [Row; 2] {
    let world = work::world(1);
    let mut exchange = started(&world);
    let elapsed = store(&world, &exchange, items).await;

    let used = Used::by(exchange.id());
    assert!(exchange.terminate().success());
    let data = &world.config.storage.data;
    let disk_mb = work::folder_mb(data);
    let row = |scenario, stores| {
        let limit = bare::writes(&world.config.storage, stores);
        let figures = (rate(items, elapsed), rate(items, limit), "indicators/s");
        Row {
            rss_mb: used.rss_mb,
            cpu_s: used.cpu_s,
            disk_mb: Some(disk_mb),
            ..Row::of((scenario, items), figures, 0.7, 100_000.0)
        }
    };
    [row("ingest", bare::Stores::Sled), row("ingest stores", bare::Stores::Own)]
}

/// Has so many items stored, and tells how long that took.
pub async fn store(world: &World, exchange: &Process, items: u64) -> Duration {
    let (elapsed, receipts) = streamed(world, &exchange.url(), items).await;
    check(&receipts, items);
    elapsed
}

/// Streams so many items to a server, and gives the receipts and how long it took until the last came.
pub async fn streamed(world: &World, url: &str, items: u64) -> (Duration, Vec<Bytes>) {
    let begin = |client: u64| items * client / CLIENTS;
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (first, share) = (begin(client), begin(client + 1) - begin(client));
            let batches = work::batches(&format!("client-{client}"), first, share, BATCH);
            (channel_to(world, url, "p0"), batches)
        })
        .collect();
    #[allow(clippy::disallowed_methods)]
    let begun = Instant::now();
    let sending: Vec<_> = clients
        .into_iter()
        .map(|(channel, batches)| tokio::spawn(stream(channel, batches)))
        .collect();
    let mut receipts = Vec::new();
    for sent in sending {
        receipts.extend(sent.await.unwrap());
    }
    (begun.elapsed(), receipts)
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

fn check(receipts: &[Bytes], items: u64) {
    let mut created = 0;
    for receipt in receipts {
        let response = pb::StreamIndicatorsResponse::decode(receipt.clone()).unwrap();
        let items = response.receipt.unwrap().items;
        created += items.iter().filter(|item| item.status() == pb::ItemStatus::Created).count();
    }
    assert_eq!(created as u64, items, "every item is taken once");
}
