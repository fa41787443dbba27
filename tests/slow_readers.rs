//! A reader that takes nothing costs little memory, slows nobody, and is ended with its cursor.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::time::Duration;

use support::clock::stopwatch;
use support::process::Process;
use support::raw::channel_to;
use support::{World, batch, domain, from_start, soon};
use tipoff::client::FeedStart;
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;

const STALLED: u64 = 40;
const BATCHES: u32 = 16;
const ITEMS: usize = 200;

/// The resident memory of a process, in bytes.
fn resident(process: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn large(number: u32, item: usize) -> pb::SubmittedIndicator {
    let mut submitted = domain(&format!("b{number}.n{item}.example"));
    let note = "ж".repeat(1_900);
    submitted.assessment = Some(pb::Assessment { note, ..pb::Assessment::default() });
    submitted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_reader_costs_less_than_two_megabytes_and_the_others_continue() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let birdsite = exchange.client(&world, "birdsite");
    for number in 1..=BATCHES {
        let items = (0..ITEMS).map(|item| large(number, item)).collect();
        birdsite.submit(batch("s", number, None, items)).await.unwrap();
    }
    let all = BATCHES as usize * ITEMS;
    let read_all = async |partner: &str| {
        let clock = stopwatch();
        let mut feed = exchange.client(&world, partner).subscribe(FeedStart::Beginning, None);
        for _ in 0..all {
            soon(feed.next()).await.unwrap().unwrap();
        }
        clock.elapsed()
    };
    // Shared structures are allocated by now.
    read_all("watcher").await;
    let alone = read_all("watcher").await;
    let before = resident(&exchange);

    let mut stalled = Vec::new();
    for number in 0..STALLED {
        let partner = ["facegraph", "birdsite"][usize::from(number % 2 == 0)];
        // Each reader has its own connection, like readers in several processes.
        let channel = channel_to(&world, &exchange.url(), partner);
        let mut service = FeedServiceClient::new(channel);
        stalled.push(service.subscribe(from_start()).await.unwrap().into_inner());
    }
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let each = resident(&exchange).saturating_sub(before) / STALLED;
    let beside = read_all("watcher").await;
    eprintln!(
        "{} KB for each stalled reader; {alone:?} alone, {beside:?} beside them",
        each / 1024
    );
    assert!(each <= 2 * 1024 * 1024, "{} KB for each stalled reader", each / 1024);
    // Generous, because this is no benchmark: `make bench` compares the p99.
    assert!(beside < alone * 3 + Duration::from_secs(1), "{beside:?} where {alone:?} was enough");
    drop(stalled);
}
