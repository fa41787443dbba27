//! Resources of the host: file descriptors and file modes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::process::Process;
use support::raw::channel_to;
use support::{World, batch, domain, from_start, soon};
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

fn limit(process: u32) -> (u64, u64) {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1])
}

fn open_files(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

fn set_limit(process: u32, limit: usize) {
    let set = Command::new("prlimit")
        .args(["--pid", &process.to_string(), &format!("--nofile={limit}:4096")])
        .output()
        .expect("prlimit of util-linux");
    assert!(set.status.success(), "{set:?}");
}

/// Opens a connection, stays silent, and opens the next one when it is closed.
async fn stay_silent(address: String) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(&address).await {
            let _ = stream.read(&mut [0]).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_leave_the_stores_their_descriptors() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.limit_open_files(256, 256);
    exchange.start();
    let ready = exchange.wait_ready();
    let log = exchange.log();
    let warned = "the limit of open files (256) allows";
    assert!(log.contains(warned) && log.contains("connections.total = 10000"), "{log}");

    let client = exchange.client(&world, "birdsite");
    client.who_am_i().await.unwrap();
    let mut silent = JoinSet::new();
    let ops = ready["ops"].as_str().unwrap();
    for _ in 0..300 {
        silent.spawn(stay_silent(exchange.address()));
        silent.spawn(stay_silent(ops.to_owned()));
    }
    let mut most_open = 0;
    // Enough entries for the index to flush tables.
    for number in 1..=40 {
        let text = "x".repeat(900);
        let items = (0..1_000).map(|item| {
            let mut item = domain(&format!("n{number}-{item}.example"));
            item.assessment.get_or_insert_default().note = text.clone();
            item
        });
        let receipt = client.submit(batch("s", number, None, items.collect())).await;
        let receipt = receipt.unwrap_or_else(|error| panic!("{error}: {}", exchange.log()));
        assert_eq!(receipt.items.len(), 1_000);
        most_open = most_open.max(open_files(exchange.id()));
    }
    assert!(most_open <= 220, "{most_open} of 256 descriptors were in use");
    silent.shutdown().await;
    let another = exchange.client(&world, "facegraph");
    soon(another.who_am_i()).await.unwrap();
    assert!(exchange.terminate().success(), "{}", exchange.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_soft_limit_is_raised() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.limit_open_files(64, 4_096);
    exchange.start();
    exchange.wait_ready();
    assert_eq!(limit(exchange.id()), (4_096, 4_096));
    exchange.kill();
    exchange.limit_open_files(32, 32);
    let (status, log) = exchange.run_to_end();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("limit of open files") && log.contains("ulimit -n"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_accept_waits_says_so_once_and_goes_on() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.limit_open_files(4_096, 4_096);
    exchange.start();
    exchange.wait_ready();
    let early = exchange.client(&world, "birdsite");
    early.who_am_i().await.unwrap();
    set_limit(exchange.id(), 8);
    let late = exchange.client(&world, "facegraph");
    let waiting = tokio::spawn(async move { late.who_am_i().await });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!waiting.is_finished());
    early.who_am_i().await.unwrap();
    let log = exchange.log();
    assert_eq!(log.matches("no descriptor is left for a connection").count(), 1, "{log}");
    set_limit(exchange.id(), 4_096);
    soon(waiting).await.unwrap().unwrap();
    assert!(exchange.terminate().success());
}

/// A folder and everything in it.
fn everything(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(everything(&path)) } else { found.push(path) }
    }
    found
}

fn assert_private(data: &Path) {
    let found = everything(data);
    for store in ["journal", "index", "cursors"] {
        let store = data.join(store);
        assert!(found.iter().any(|path| path.is_file() && path.starts_with(&store)), "{found:?}");
    }
    for path in found {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        let expected = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{} is {mode:o}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_their_owners_can_read_the_files_on_disk() {
    let world = World::new();
    let data = &world.config.storage.data;
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let client = exchange.client(&world, "birdsite");
    client.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();
    let mut feeds = FeedServiceClient::new(channel_to(&world, &exchange.url(), "facegraph"));
    let named = pb::SubscribeRequest { name: "main".into(), ..from_start() };
    feeds.subscribe(named).await.unwrap();
    assert_private(data);
    assert!(exchange.terminate().success());
    assert_private(data);

    // As an earlier version left it, with modes open to others.
    for path in everything(data) {
        let mode = if path.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    exchange.start();
    exchange.wait_ready();
    assert_private(data);
    exchange.kill();
}
