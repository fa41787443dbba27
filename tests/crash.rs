//! SIGKILL in a loop while four clients submit: every acknowledged item is there after each
//! restart, and a subscriber that resumes misses none.
//!
//! `TIPOFF_CRASH_ROUNDS` sets the number of rounds (default 25).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use support::process::Process;
use support::{World, batch, domain, soon};
use tipoff::client::{Client, FeedStart, RetryPolicy};
use tipoff::config::JournalBackend;
use tipoff::wire::pb;
use tokio::task::JoinHandle;

const CLIENTS: usize = 4;
const BATCH: u32 = 20;

type Acknowledged = Arc<Mutex<Vec<String>>>;

/// A policy that retries until the exchange is back.
fn without_limit() -> RetryPolicy {
    RetryPolicy {
        first_delay: Duration::from_millis(10),
        max_delay: Duration::from_millis(100),
        max_retries: None,
        timeout: None,
    }
}

fn rounds() -> u32 {
    std::env::var("TIPOFF_CRASH_ROUNDS").map_or(25, |rounds| rounds.parse().unwrap())
}

/// Submits numbered batches until it is stopped, and records what was acknowledged.
fn submitter(
    client: Client,
    name: usize,
    acknowledged: Acknowledged,
    stop: Arc<AtomicBool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut number = 0;
        while !stop.load(Ordering::Relaxed) {
            number += 1;
            let values: Vec<_> =
                (0..BATCH).map(|item| format!("c{name}-b{number}-i{item}.example")).collect();
            let items = values.iter().map(|value| domain(value)).collect();
            let receipt =
                client.submit(batch(&format!("client-{name}"), number, None, items)).await.unwrap();
            let created =
                receipt.items.iter().all(|item| matches!(item.status(), pb::ItemStatus::Created));
            assert!(created, "each value is sent once: {receipt:?}");
            acknowledged.lock().unwrap().extend(values);
        }
    })
}

/// Follows from the start across restarts, and records each version once.
fn subscriber(client: Client, seen: Arc<Mutex<HashSet<String>>>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut feed = client.subscribe(FeedStart::Beginning, None);
        let mut versions = BTreeSet::new();
        loop {
            let item = feed.next().await.unwrap().unwrap();
            let version = item.version.unwrap();
            versions.insert((version.sequence, version.index));
            seen.lock().unwrap().insert(item.indicator.unwrap().value);
        }
    })
}

async fn assert_known(client: &Client, values: &[String]) {
    let keys: Vec<_> = values
        .iter()
        .map(|value| pb::IndicatorKey { value: value.clone(), ..pb::IndicatorKey::default() })
        .collect();
    let results = client.lookup(&keys).await.unwrap();
    for (value, result) in values.iter().zip(results) {
        let known = matches!(result.result, Some(pb::lookup_result::Result::Known(_)));
        assert!(known, "{value} was acknowledged and is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_no_subscriber_misses_any_of_it_with_sled() {
    nothing_acknowledged_is_lost(JournalBackend::Sled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_no_subscriber_misses_any_of_it_with_files() {
    nothing_acknowledged_is_lost(JournalBackend::Files).await;
}

async fn nothing_acknowledged_is_lost(journal: JournalBackend) {
    let seed = rand::rng().random();
    eprintln!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::new();
    world.config.storage.journal = journal;
    let mut exchange = Process::prepare(&world);
    exchange.start();
    let client =
        |partner: &str| exchange.client(&world, partner).with_retry_policy(without_limit());

    let acknowledged = Acknowledged::default();
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let submitters: Vec<_> = (0..CLIENTS)
        .map(|name| {
            let (acknowledged, stop) = (Arc::clone(&acknowledged), Arc::clone(&stop));
            submitter(client("birdsite"), name, acknowledged, stop)
        })
        .collect();
    let following = subscriber(client("facegraph"), Arc::clone(&seen));
    let checker = client("facegraph");

    let mut checked = 0;
    for round in 0..rounds() {
        // Half of the kills hit the start, the others the work after it, however long a start
        // takes.
        let wait = if round % 2 == 0 {
            0..50
        } else {
            next_receipt(&acknowledged).await;
            0..350
        };
        tokio::time::sleep(Duration::from_millis(random.random_range(wait))).await;
        exchange.kill();
        let before: Vec<String> = acknowledged.lock().unwrap().clone();
        exchange.start();
        if round % 2 == 1 {
            assert_known(&checker, &before[checked..]).await;
            checked = before.len();
        }
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Relaxed);
    for submitter in submitters {
        submitter.await.unwrap();
    }
    let all = acknowledged.lock().unwrap().clone();
    assert!(all.len() > 1_000, "only {} items were acknowledged: that proves little", all.len());
    assert_known(&checker, &all).await;
    assert_follows(&all, &seen).await;
    following.abort();
    eprintln!("{} rounds, {} items acknowledged, none lost", rounds(), all.len());
}

/// Waits until another batch is acknowledged.
async fn next_receipt(acknowledged: &Acknowledged) {
    let before = acknowledged.lock().unwrap().len();
    soon(async {
        while acknowledged.lock().unwrap().len() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

/// Waits until the subscriber has seen all of these values.
async fn assert_follows(values: &[String], seen: &Mutex<HashSet<String>>) {
    let caught_up = tokio::time::timeout(Duration::from_secs(30), async {
        while !values.iter().all(|value| seen.lock().unwrap().contains(value)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let missed = || values.iter().filter(|value| !seen.lock().unwrap().contains(*value)).count();
    assert!(caught_up.await.is_ok(), "the subscriber misses {} items", missed());
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_answers_what_waits_and_ends_streams_with_their_cursor() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    let client = exchange.client(&world, "birdsite").with_retry_policy(without_limit());
    let acknowledged = Acknowledged::default();
    let stop = Arc::new(AtomicBool::new(false));
    let submitting = submitter(client, 0, Arc::clone(&acknowledged), Arc::clone(&stop));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let status = exchange.terminate();
    assert!(status.success(), "{status}: {}", exchange.log());
    exchange.start();
    stop.store(true, Ordering::Relaxed);
    submitting.await.unwrap();
    let all = acknowledged.lock().unwrap().clone();
    assert!(!all.is_empty());
    assert_known(&exchange.client(&world, "facegraph"), &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused_by_name() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let (status, log) = Process::prepare(&world).run_to_end();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("in use by another process"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_index_is_rebuilt_with_the_same_answers() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    let client = exchange.client(&world, "birdsite").with_retry_policy(without_limit());
    let values: Vec<_> = (0..300).map(|n| format!("n{n}.example")).collect();
    for (number, values) in (1..).zip(values.chunks(50)) {
        let items = values.iter().map(|value| domain(value)).collect();
        client.submit(batch("s", number, None, items)).await.unwrap();
    }
    let key = pb::IndicatorKey { value: values[7].clone(), ..pb::IndicatorKey::default() };
    let before = client.indicator(key.clone()).await.unwrap();
    exchange.kill();
    std::fs::remove_dir_all(world.config.storage.data.join("index")).unwrap();
    exchange.start();
    assert_eq!(client.indicator(key).await.unwrap(), before);
    assert_known(&client, &values).await;
}
