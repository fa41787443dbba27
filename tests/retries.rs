//! The exchange marks errors that may be retried, and the client retries no others.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use prost::Message;
use support::raw::{call_raw, raw_channel};
use support::{World, batch, domain, soon};
use tipoff::client::{ClientError, FeedStart, RetryPolicy};
use tipoff::domain::filter::Filter;
use tipoff::exchange::Start;
use tipoff::wire::pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Every label of a temporary error, and whether the exchange marks it as retryable.
const LABELS: &[(&str, &str, bool)] = &[
    ("Exhausted", "calls_in_flight", true),
    ("Exhausted", "reader_too_slow", true),
    ("Exhausted", "snapshots_at_once", true),
    ("Exhausted", "storage_full", true),
    ("Quota", "message_too_large", false),
    ("Quota", "too_many_subscriptions", false),
    ("TimedOut", "timed_out", true),
    ("Unavailable", "append_rejected", true),
    ("Unavailable", "connection_age", true),
    ("Unavailable", "index_reopening", true),
    ("Unavailable", "index_storage", true),
    ("Unavailable", "read_after", true),
    ("Unavailable", "stopping", true),
    ("Unavailable", "subscriptions_unreadable", true),
    ("Unknown", "append_unknown", true),
    ("Unknown", "apply_stopped", true),
    ("Unknown", "subscription_not_stored", true),
    ("Aborted", "subscription_deleted", false),
    ("Aborted", "taken_over", false),
];

#[test]
fn each_label_is_known_and_marked_by_its_kind() {
    use tipoff::error::{Error, Kind};
    let mut found = BTreeSet::new();
    labels(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let known = LABELS.iter().map(|(kind, label, _)| ((*kind).to_owned(), (*label).to_owned()));
    assert_eq!(found, known.collect(), "what the sources raise, and what this table knows");
    for (kind, label, is_marked) in LABELS {
        let kind = match *kind {
            "Exhausted" => Kind::Exhausted,
            "Quota" => Kind::Quota,
            "TimedOut" => Kind::TimedOut,
            "Unavailable" => Kind::Unavailable,
            "Unknown" => Kind::Unknown,
            "Aborted" => Kind::Aborted,
            other => panic!("{other}"),
        };
        let status = tipoff::rpc::status::status(&Error::new(kind, label, "why"));
        assert_eq!(delay(&status).is_some(), *is_marked, "{label}");
        assert_eq!(ClientError::from(status).is_transient(), *is_marked, "{label}");
    }
}

/// The kinds and labels that the sources raise, without their tests, of the kinds in the table.
fn labels(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            labels(&path, found);
            continue;
        }
        if path.to_str().unwrap().ends_with("tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for kind in LABELS.iter().map(|(kind, ..)| *kind).collect::<BTreeSet<_>>() {
            for (at, named) in text.match_indices(&format!("Kind::{kind},")) {
                let rest = text[at + named.len()..].trim_start();
                if let Some(label) = rest.strip_prefix('"') {
                    found.insert((kind.to_owned(), label.split('"').next().unwrap().to_owned()));
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_too_many_is_refused_immediately_even_if_the_client_retries_without_limit() {
    let mut world = World::new();
    world.config.requests.subscriptions_per_partner = 1;
    let node = world.start().await;
    let client = world.client(&node, "facegraph").with_retry_policy(RetryPolicy::unlimited());
    let mut first = client.subscribe_named("first", FeedStart::Beginning, None);
    // The group change shows that the feed has started.
    soon(first.next_event()).await.unwrap();
    let refused =
        soon(client.subscribe_named("second", FeedStart::Beginning, None).next_event()).await;
    let Err(ClientError::Quota(why)) = &refused else { panic!("{refused:?}") };
    assert!(why.contains("may have 1 subscriptions"), "{why}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_and_a_node_that_waits_are_marked_with_a_delay_and_a_quota_is_not() {
    let mut world = World::new();
    // Connects once before the disk is full, so that it is in the registry.
    world.start().await.stop().await;
    world.config.requests.subscriptions_per_partner = 1;
    world.config.requests.read_after_timeout_s = 1;
    // No disk has this much free space, so every write is refused.
    world.config.storage.min_free_mb = 1_000_000_000;
    let node = world.start().await;
    let channel = raw_channel(&world, &node, "birdsite");
    let submit = batch("s", 1, None, vec![domain("a.example")]).encode_to_vec();
    let full = call_raw(&channel, "/tipoff.v1.IndicatorService/SubmitIndicators", submit).await;
    let full = full.unwrap_err();
    assert_eq!(code_and_label(&full), (Code::ResourceExhausted, "STORAGE_FULL".into()));
    assert!(delay(&full).unwrap() >= Duration::from_secs(1), "{full:?}");

    let ahead = pb::PullRequest {
        read_after: Some(pb::Version { sequence: 1 << 40, index: 0 }),
        ..Default::default()
    };
    let ahead = call_raw(&channel, "/tipoff.v1.FeedService/Pull", ahead.encode_to_vec()).await;
    let ahead = ahead.unwrap_err();
    assert_eq!(code_and_label(&ahead), (Code::Unavailable, "READ_AFTER".into()));
    assert!(delay(&ahead).is_some(), "{ahead:?}");

    let caller = node.exchange.admit(&"birdsite".parse().unwrap()).unwrap();
    let one = "one".parse().unwrap();
    node.exchange
        .feeds
        .open_subscription(&caller, &one, Start::Now, Filter::default())
        .await
        .unwrap();
    let named = pb::SubscribeRequest { name: "two".into(), ..support::from_start() };
    let quota = call_raw(&channel, "/tipoff.v1.FeedService/Subscribe", named.encode_to_vec()).await;
    let quota = quota.unwrap_err();
    assert_eq!(code_and_label(&quota), (Code::ResourceExhausted, "TOO_MANY_SUBSCRIPTIONS".into()));
    assert!(delay(&quota).is_none(), "{quota:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_beyond_the_limit_is_marked_and_succeeds_when_there_is_a_free_slot() {
    let mut world = World::new();
    world.config.connections.in_flight = 1;
    world.config.requests.read_after_timeout_s = 2;
    let node = world.start().await;
    let pull = "/tipoff.v1.FeedService/Pull";
    // A client that has read the connection's limit waits by itself, so two calls are sent with the
    // connection.
    let mut tries = 0;
    let (channel, first, refused) = loop {
        tries += 1;
        assert!(tries <= 20, "the client knew of the limit each time");
        let channel = raw_channel(&world, &node, "facegraph");
        let ahead = Some(pb::Version { sequence: 1 << 40, index: 0 });
        let waiting = pb::PullRequest { read_after: ahead, ..Default::default() }.encode_to_vec();
        let first = tokio::spawn({
            let channel = channel.clone();
            async move { call_raw(&channel, pull, waiting).await }
        });
        let second = pb::PullRequest::default().encode_to_vec();
        let second = call_raw(&channel, pull, second);
        if let Ok(Err(refused)) = tokio::time::timeout(Duration::from_secs(1), second).await {
            break (channel, first, refused);
        }
    };
    assert_eq!(code_and_label(&refused), (Code::ResourceExhausted, "CALLS_IN_FLIGHT".into()));
    assert!(delay(&refused).is_some(), "{refused:?}");
    assert_eq!(first.await.unwrap().unwrap_err().code(), Code::Unavailable);
    call_raw(&channel, pull, pb::PullRequest::default().encode_to_vec()).await.unwrap();
    node.stop().await;
}

fn code_and_label(status: &Status) -> (Code, String) {
    let info = status.get_details_error_info();
    (status.code(), info.map(|info| info.reason).unwrap_or_default())
}

fn delay(status: &Status) -> Option<Duration> {
    status.get_details_retry_info().and_then(|info| info.retry_delay)
}
