//! The node of a subscriber and a submitter is killed half-way.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use tipoff::client::{
    Client, FeedEvent, FeedStart, Replica, Report, ReportBatch, ReportSummary, RetryPolicy,
    SubmissionOptions,
};
use tipoff::wire::pb;
use tokio::sync::Notify;

use crate::cluster::Cluster;
use crate::support::{batch, domain, soon};

const ITEMS: usize = 2_000;
/// A node and its readers are back within this time.
const RECOVERY: Duration = Duration::from_secs(30);

fn value(at: usize) -> String {
    format!("site-{at}.example")
}

/// Follows a feed until it has so many distinct values. Returns the items in the order in which they came.
async fn follow(client: Client, items: usize) -> (Vec<pb::FeedItem>, Replica, u64) {
    let client = client.with_retry_policy(RetryPolicy::unlimited());
    let mut feed = client.subscribe(FeedStart::Beginning, None);
    let (mut received, mut replica) = (Vec::new(), Replica::default());
    while replica.len() < items {
        let event = feed.next_event().await.unwrap().unwrap();
        replica.apply(&event);
        if let FeedEvent::Item(item) = event {
            received.push(*item);
        }
    }
    (received, replica, feed.reconnects())
}

/// Submits values. Notifies when half of them have a receipt.
async fn submit(client: Client, half: Arc<Notify>) -> ReportSummary {
    let items = (0..ITEMS).map(|at| domain(&value(at))).collect();
    let report = Report {
        submission_id: "report".into(),
        batch: ReportBatch { items, ..ReportBatch::default() },
        options: SubmissionOptions { batch_items: 20, ..SubmissionOptions::default() },
        ..Report::default()
    };
    let progress = |done: usize| {
        if done * 2 >= ITEMS {
            half.notify_one();
        }
    };
    client.submit_report(report, progress).await.unwrap()
}

fn version(item: &pb::FeedItem) -> (u64, u32) {
    item.version.map(|version| (version.sequence, version.index)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_once_and_a_reader_gets_all_of_it_in_order() {
    let mut cluster = Cluster::start(3);
    let half = Arc::new(Notify::new());
    let reading = tokio::spawn(follow(cluster.client("facegraph", 0), ITEMS));
    let writer = cluster.client("birdsite", 0);
    let submitting = tokio::spawn(submit(writer.clone(), Arc::clone(&half)));
    half.notified().await;
    cluster.nodes[0].kill();
    let summary = tokio::time::timeout(RECOVERY, submitting).await.unwrap().unwrap();
    let (received, replica, reconnects) =
        tokio::time::timeout(RECOVERY, reading).await.unwrap().unwrap();

    assert_eq!((summary.created, summary.rejected_items), (ITEMS, 0), "{summary:?}");
    assert!(reconnects > 0, "the reader was connected to the node that was killed");
    assert_ne!(writer.server(), cluster.nodes[0].url());
    // Nothing is left out: what comes again after a reconnect was there before.
    let mut highest = (0, 0);
    let mut seen = BTreeSet::new();
    for item in &received {
        assert!(version(item) > highest || seen.contains(&version(item)), "{item:?}");
        highest = highest.max(version(item));
        seen.insert(version(item));
    }
    let values: BTreeSet<_> = received.iter().map(indicator_value).collect();
    assert_eq!(values, (0..ITEMS).map(value).collect());
    for at in [1, 2] {
        let client = cluster.client_of("facegraph", at);
        let mut current = Replica::default();
        current.reset(soon(client.snapshot(None)).await.unwrap().1);
        let versions = |replica: &Replica| replica.items().map(version).collect::<Vec<_>>();
        assert_eq!(versions(&current), versions(&replica), "stored once, node {at}");
    }
}

fn indicator_value(item: &pb::FeedItem) -> String {
    item.indicator.clone().unwrap().value
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reads_its_own_writes_from_another_node_and_pulls_on_after_a_kill() {
    let mut cluster = Cluster::start(2);
    let client = cluster.client("birdsite", 0);
    let addresses = [0, 1].map(|at| cluster.nodes[at].url());
    for round in 0..20 {
        let name = value(round);
        let request =
            batch("one-by-one", u32::try_from(round).unwrap() + 1, None, vec![domain(&name)]);
        soon(client.submit(request)).await.unwrap();
        // The other node may not have applied it yet.
        let other = client.clone().starting_at(&addresses[(round + 1) % 2]);
        let key = pb::IndicatorKey { value: name, ..pb::IndicatorKey::default() };
        let known = soon(other.lookup(&[key])).await.unwrap();
        let known = known[0].result.as_ref().unwrap();
        assert!(matches!(known, pb::lookup_result::Result::Known(_)), "{known:?}");
    }

    let reader = cluster.client("facegraph", 0);
    let (mut from, mut pulled) = (FeedStart::Beginning, Vec::new());
    loop {
        let page = soon(reader.pull(&from, None, 3)).await.unwrap();
        pulled.extend(page.items.iter().map(indicator_value));
        from = FeedStart::Cursor(page.cursor.unwrap());
        if !page.more {
            break;
        }
        if pulled.len() == 9 {
            cluster.nodes[0].kill();
        }
    }
    assert_eq!(reader.server(), addresses[1]);
    assert_eq!(pulled, (0..20).map(value).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_ends_what_was_just_shared_at_another_node() {
    let cluster = Cluster::start(2);
    let clients = [0, 1].map(|at| cluster.client_of("birdsite", at));
    for round in 0..12 {
        let number = u32::try_from(round).unwrap() + 1;
        let name = value(round);
        let request = batch("one-by-one", number, None, vec![domain(&name)]);
        let (here, there) = (round % 2, (round + 1) % 2);
        // The other node is behind when it goes on.
        cluster.nodes[there].signal(Signal::SIGSTOP);
        soon(clients[here].submit(request)).await.unwrap();
        cluster.nodes[there].signal(Signal::SIGCONT);
        let keys = vec![pb::IndicatorKey { value: name, ..pb::IndicatorKey::default() }];
        let request = pb::WithdrawIndicatorsRequest { keys, ..Default::default() };
        let withdrawn = soon(clients[there].withdraw(request)).await.unwrap();
        assert_eq!(withdrawn.withdrawn, 1, "round {round}");
    }
}
