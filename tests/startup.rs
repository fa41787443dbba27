//! A start over a long journal: what the node answers meanwhile, and how it is stopped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::TcpListener;
use std::time::Duration;

use nix::sys::signal::Signal;
use support::process::Process;
use support::{World, domain, no_retries, ops_get, soon};
use tipoff::client::{ClientError, Report, ReportBatch, SubmissionOptions};

/// Enough entries, with few items each, that a replay takes a while.
const ITEMS: usize = 20_000;
const ITEMS_OF_AN_ENTRY: usize = 20;

fn report(items: usize) -> Report {
    let items = (0..items).map(|number| domain(&format!("n{number}.example"))).collect();
    Report {
        submission_id: "s".into(),
        batch: ReportBatch { items, ..ReportBatch::default() },
        options: SubmissionOptions { list: None, batch_items: ITEMS_OF_AN_ENTRY },
        ..Report::default()
    }
}

/// A data folder with a journal and no index.
async fn with_a_journal_to_replay() -> World {
    let world = World::new();
    let node = world.start().await;
    world.client(&node, "birdsite").submit_report(report(ITEMS), |_| {}).await.unwrap();
    node.stop().await;
    std::fs::remove_dir_all(world.config.storage.data.join("index")).unwrap();
    world
}

/// The replay progress that a node reports: position and target.
fn catching_up(answer: &str) -> Option<(u64, u64)> {
    let (_, says) = answer.split_once("catching up: ")?;
    let (at, of) = says.split_once(" of ")?;
    Some((at.parse().unwrap(), of.split_once(" entries").unwrap().0.parse().unwrap()))
}

async fn ready(node: &Process) -> String {
    loop {
        match ops_get(node.ops(), "/ready").await {
            Ok(answer) => return answer,
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Waits until the node reports that it is catching up.
async fn until_it_catches_up(node: &Process) -> (u64, u64) {
    let catching_up = async {
        loop {
            let answer = ready(node).await;
            assert!(answer.starts_with("HTTP/1.1 503"), "it was ready at once: {answer}");
            if let Some(progress) = catching_up(&answer) {
                return progress;
            }
        }
    };
    soon(catching_up).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_replays_is_live_reports_its_progress_and_refuses_clients_until_it_is_ready() {
    let world = with_a_journal_to_replay().await;
    let mut node = Process::prepare(&world);
    node.start();
    let (first, of) = until_it_catches_up(&node).await;
    assert!(first < of && of > (ITEMS / ITEMS_OF_AN_ENTRY) as u64, "{first} of {of}");
    let live = ops_get(node.ops(), "/live").await.unwrap();
    assert!(live.starts_with("HTTP/1.1 200"), "{live}");
    let metrics = ops_get(node.ops(), "/metrics").await.unwrap();
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    let client = node.client(&world, "birdsite");
    let refused = client.clone().with_retry_policy(no_retries()).who_am_i().await;
    assert!(matches!(refused, Err(ClientError::Unreachable(_))), "{refused:?}");
    let progress = async {
        let mut seen = vec![first];
        loop {
            let answer = ready(&node).await;
            let Some((at, _)) = catching_up(&answer) else {
                break (seen, answer);
            };
            assert!(at >= *seen.last().unwrap(), "{at} after {seen:?}");
            seen.push(at);
        }
    };
    let (seen, _) = tokio::time::timeout(Duration::from_secs(120), progress).await.unwrap();
    assert!(seen.last() > seen.first(), "it moves: {seen:?}");
    let bound = node.wait_ready();
    assert_eq!(bound["ops"], node.ops().to_string());
    let answer = ready(&node).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("ready\n"), "{answer}");
    client.who_am_i().await.unwrap();
    assert!(node.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_during_its_replay_continues_it_at_the_next_start() {
    let world = with_a_journal_to_replay().await;
    let mut node = Process::prepare(&world);
    node.start();
    until_it_catches_up(&node).await;
    node.signal(Signal::SIGTERM);
    let stopped = soon(tokio::task::spawn_blocking(move || {
        let ended = node.wait();
        (node, ended)
    }));
    let (mut node, ended) = stopped.await.unwrap();
    assert!(ended.success(), "{ended}: {}", node.log());
    assert!(!node.log().contains("exchange ready"), "{}", node.log());
    node.start();
    node.wait_ready();
    let key = tipoff::wire::pb::IndicatorKey { value: "n7.example".into(), ..Default::default() };
    node.client(&world, "birdsite").indicator(key).await.unwrap();
    assert!(node.terminate().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_is_named_before_anything_is_opened() {
    let world = World::new();
    for listener in ["ops", "grpc"] {
        let node = Process::prepare(&world);
        let address = if listener == "ops" { node.ops() } else { node.grpc() };
        let holder = TcpListener::bind(address).unwrap();
        let (ended, log) = node.run_to_end();
        assert_eq!(ended.code(), Some(1), "{log}");
        assert!(log.contains(&format!("cannot listen on {address}")), "{log}");
        assert!(
            !world.config.storage.data.exists(),
            "{listener}: the data folder was opened before"
        );
        drop(holder);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_that_lost_its_journal_is_refused_and_one_that_lost_its_mark_is_named() {
    let world = World::new();
    let node = world.start().await;
    world.client(&node, "birdsite").submit_report(report(3), |_| {}).await.unwrap();
    node.stop().await;
    let data = &world.config.storage.data;
    let (journal, aside) = (data.join("journal"), data.join("aside"));

    std::fs::rename(&journal, &aside).unwrap();
    let (status, log) = Process::prepare(&world).run_to_end();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("journal is missing or empty"), "{log}");
    assert!(!log.contains("rebuilt"), "{log}");
    assert!(!journal.exists(), "nothing was created in its place");

    let (index, index_aside) = (data.join("index"), data.join("index-aside"));
    std::fs::rename(&index, &index_aside).unwrap();
    let (status, log) = Process::prepare(&world).run_to_end();
    assert_eq!(status.code(), Some(1), "the subscriptions are of a journal too: {log}");
    std::fs::remove_dir_all(&index).unwrap_or_default();
    std::fs::rename(&index_aside, &index).unwrap();

    std::fs::remove_dir_all(&journal).unwrap_or_default();
    std::fs::rename(&aside, &journal).unwrap();
    std::fs::remove_file(journal.join("mark")).unwrap();
    let mut node = Process::prepare(&world);
    node.start();
    node.wait_ready();
    assert!(node.log().contains("`mark` is missing"), "{}", node.log());
    assert!(!node.log().contains("rebuilt"), "the index is as far as the journal: {}", node.log());
    assert!(node.terminate().success());
}
