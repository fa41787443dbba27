//! Lists that are sent again: what a close withdraws, who gets the removals, and when it withdraws nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::feed::{change, nothing, removal, subscribed, values};
use support::{Running, World, domain, named, sharing};
use tipoff::client::{
    Client, ClientError, CloseOptions, FeedStart, ReportBatch, ReportSummary, SubmissionOptions,
};
use tipoff::wire::pb::{self, RemovalReason, Tlp};

const SHRINK: CloseOptions = CloseOptions { shrink: true, unreadable: 0 };
const PLAIN: CloseOptions = CloseOptions { shrink: false, unreadable: 0 };

fn core() -> pb::Sharing {
    sharing(Tlp::Amber, named(&["core"], &[]))
}

fn options(list: &str) -> SubmissionOptions {
    SubmissionOptions { list: Some(list.into()), ..SubmissionOptions::default() }
}

fn batch(values: &[&str]) -> ReportBatch {
    let items = values.iter().map(|value| domain(value)).collect();
    ReportBatch { sharing: Some(core()), items, ..ReportBatch::default() }
}

fn numbered(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("n{number}.example")).collect()
}

/// Sends a list in one submission and closes it.
async fn send(
    client: &Client,
    list: &str,
    id: &str,
    values: &[&str],
    close: CloseOptions,
) -> Result<ReportSummary, ClientError> {
    let mut submission = client.open_submission(id, options(list));
    submission.send(batch(values)).await?;
    submission.close(close).await
}

#[allow(clippy::unnecessary_wraps)] // As the field of the summary.
fn receipt(
    withdrawn: u64,
    held_by_other_lists: u64,
    not_withdrawn: u64,
) -> Option<pb::ListReceipt> {
    Some(pb::ListReceipt {
        withdrawn,
        held_by_other_lists,
        not_withdrawn,
        ..pb::ListReceipt::default()
    })
}

/// The receipt without its entries, which depend on what the test wrote before. They are there if values were withdrawn.
fn counts(list: Option<pb::ListReceipt>) -> Option<pb::ListReceipt> {
    let list = list?;
    assert_eq!(list.withdrawn > 0, list.first_sequence > 0, "{list:?}");
    assert!(list.first_sequence <= list.last_sequence, "{list:?}");
    Some(pb::ListReceipt { first_sequence: 0, last_sequence: 0, ..list })
}

async fn is_known(world: &World, node: &Running, value: &str) -> bool {
    let key = pb::IndicatorKey { value: value.into(), ..Default::default() };
    let found = world.client(node, "facegraph").lookup(&[key]).await.unwrap();
    matches!(found[0].result, Some(pb::lookup_result::Result::Known(_)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_sent_again_loses_what_it_lacks_and_readers_get_removals() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let first = send(&birdsite, "a", "s1", &["a.example", "b.example", "c.example"], PLAIN).await;
    assert_eq!(counts(first.unwrap().list), receipt(0, 0, 0), "there was no list before");
    send(&birdsite, "b", "s2", &["c.example"], PLAIN).await.unwrap();
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, None);
    change(&mut feed).await;
    values(&mut feed, 3).await;

    // Another list holds `c.example` for the same audience.
    let second = send(&birdsite, "a", "s3", &["a.example", "d.example"], PLAIN).await.unwrap();
    assert_eq!(counts(second.list), receipt(1, 1, 0));
    assert_eq!(values(&mut feed, 1).await, ["d.example"]);
    let removed = removal(&mut feed).await;
    assert_eq!((removed.reason(), removed.author.as_str()), (RemovalReason::Withdrawn, "birdsite"));
    assert!(!is_known(&world, &node, "b.example").await);
    assert!(is_known(&world, &node, "c.example").await);

    // The same submission again answers the same and changes nothing.
    let again = send(&birdsite, "a", "s3", &["a.example", "d.example"], PLAIN).await.unwrap();
    assert_eq!((again.replayed, counts(again.list)), (1, receipt(1, 1, 0)));
    nothing(&mut feed).await;

    // The value that fell out of the list is named when it comes back.
    let back = send(&birdsite, "a", "s4", &["a.example", "b.example", "d.example"], PLAIN).await;
    let back = back.unwrap();
    assert_eq!((back.created, back.unchanged), (1, 2));
    let [(1, withdrawn)] = back.resent[..] else { panic!("{:?}", back.resent) };
    assert!(withdrawn.seconds > 1_700_000_000);
    // For another audience it is new.
    let everyone = ReportBatch {
        sharing: Some(sharing(Tlp::Green, None)),
        items: vec![domain("b.example")],
        ..ReportBatch::default()
    };
    let mut other = birdsite.open_submission("s5", SubmissionOptions::default());
    other.send(everyone).await.unwrap();
    let other = other.close(PLAIN).await.unwrap();
    assert_eq!((other.resent.len(), other.list), (0, None));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_withdraws_much_is_refused_until_it_is_confirmed() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let all = numbered(0..1_200);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let whole = send(&birdsite, "a", "s1", &all, PLAIN).await.unwrap();
    assert_eq!((whole.created, whole.batches), (1_200, 3));
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    let refused = send(&birdsite, "a", "s2", &all[..100], PLAIN).await.unwrap_err();
    let ClientError::ListShrinks(message) = &refused else { panic!("{refused:?}") };
    assert!(message.contains("1100 of the 1200 values of the list `a`"), "{message}");
    nothing(&mut feed).await;
    // The same submission can be closed with `shrink`. The withdrawal takes several entries.
    let confirmed = send(&birdsite, "a", "s2", &all[..100], SHRINK).await.unwrap();
    assert_eq!(counts(confirmed.list), receipt(1_100, 0, 0));
    for _ in 0..1_100 {
        assert_eq!(removal(&mut feed).await.reason(), RemovalReason::Withdrawn);
    }
    nothing(&mut feed).await;
    // An empty list withdraws the rest.
    let empty = send(&birdsite, "a", "s3", &[], SHRINK).await.unwrap();
    assert_eq!((empty.batches, counts(empty.list)), (1, receipt(100, 0, 0)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_rejected_or_unreadable_blocks_the_withdrawal() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    send(&birdsite, "a", "s1", &["a.example", "b.example"], PLAIN).await.unwrap();
    let rejected = send(&birdsite, "a", "s2", &["a.example", "no domain"], PLAIN).await.unwrap();
    assert_eq!((rejected.rejected_items, counts(rejected.list)), (1, receipt(0, 0, 1)));
    let unreadable = CloseOptions { unreadable: 2, ..PLAIN };
    let unreadable = send(&birdsite, "a", "s3", &["a.example"], unreadable).await.unwrap();
    assert_eq!(counts(unreadable.list), receipt(0, 0, 1));
    assert!(is_known(&world, &node, "b.example").await);

    // A second verdict within a submission is rejected, and blocks too.
    let with_verdict = |verdict: pb::Verdict| pb::SubmittedIndicator {
        assessment: Some(pb::Assessment { verdict: verdict.into(), ..Default::default() }),
        ..domain("a.example")
    };
    let mut submission = birdsite.open_submission("s4", options("a"));
    for verdict in [pb::Verdict::Malicious, pb::Verdict::Malicious, pb::Verdict::NonMalicious] {
        let batch = ReportBatch { items: vec![with_verdict(verdict)], ..batch(&[]) };
        submission.send(batch).await.unwrap();
    }
    while submission.receive().await.unwrap() {}
    let summary = submission.summary().clone();
    assert_eq!((summary.replaced, summary.unchanged), (1, 1));
    let rejected = submission.take_rejected();
    assert_eq!((rejected[0].0, rejected[0].1.as_str()), (2, "verdict"));
    let closed = submission.close(PLAIN).await.unwrap();
    assert_eq!((closed.rejected_items, counts(closed.list)), (1, receipt(0, 0, 1)));

    // The next complete list withdraws it; so would `shrink` have.
    let complete = send(&birdsite, "a", "s5", &["a.example"], PLAIN).await.unwrap();
    assert_eq!(counts(complete.list), receipt(1, 0, 0));
    let refused = send(&birdsite, "not a name", "s6", &["a.example"], PLAIN).await.unwrap_err();
    let ClientError::Invalid { fields, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(fields[0].0, "batch.list");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_that_of_its_author_and_its_audience() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    send(&birdsite, "a", "s1", &["a.example", "b.example"], PLAIN).await.unwrap();
    let facegraph = world.client(&node, "facegraph");
    let other_author = send(&facegraph, "a", "s1", &["c.example"], PLAIN).await.unwrap();
    assert_eq!(counts(other_author.list), receipt(0, 0, 0));
    let mut other_audience = birdsite.open_submission("s2", options("a"));
    let sharing = Some(sharing(Tlp::Amber, named(&[], &["facegraph"])));
    other_audience.send(ReportBatch { sharing, ..batch(&["a.example"]) }).await.unwrap();
    assert_eq!(counts(other_audience.close(PLAIN).await.unwrap().list), receipt(0, 0, 0));
    for value in ["a.example", "b.example", "c.example"] {
        assert!(is_known(&world, &node, value).await, "{value}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_close_for_idleness_withdraws_nothing() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let birdsite = world.client(&node, "birdsite");
    send(&birdsite, "a", "s1", &["a.example", "b.example"], PLAIN).await.unwrap();
    let mut idle = birdsite.open_submission("s2", options("a"));
    idle.send(batch(&["c.example"])).await.unwrap();
    while idle.receive().await.unwrap() {}
    clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(node.exchange.sweeps.close_idle().await.unwrap(), 1);
    assert_eq!(node.exchange.sweeps.complete_list_closes().await.unwrap(), 0);
    for value in ["a.example", "b.example", "c.example"] {
        assert!(is_known(&world, &node, value).await);
    }
    // What the idle submission sent is part of the list.
    let next = send(&birdsite, "a", "s3", &["b.example"], PLAIN).await.unwrap();
    assert_eq!(counts(next.list), receipt(2, 0, 0));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_its_limit_a_partner_is_limited_until_the_next_hour() {
    let partners = support::PARTNERS.replacen(
        "default_group = \"core\"\n",
        "default_group = \"core\"\nmax_withdrawn_per_hour = 450\nmax_submitted_per_hour = 2000\n",
        1,
    );
    let world = World::with(&partners);
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let birdsite = world.impatient(&node, "birdsite");
    let all = numbered(0..1_600);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    send(&birdsite, "a", "s1", &all, PLAIN).await.unwrap();

    // The close is decided; its withdrawals stop at the limit, and the sweep continues them.
    let limited = send(&birdsite, "a", "s2", &all[..50], SHRINK).await.unwrap().list.unwrap();
    assert_eq!((limited.withdrawn, limited.pending), (450, 1_100));
    let hour = 3_600;
    let now = node.exchange.clock().now().as_millis() / 1_000;
    assert_eq!(limited.resumes_at.unwrap().seconds, (now / hour + 1) * hour);
    node.exchange.sweeps.complete_list_closes().await.unwrap();
    // The same again says the same, and counts nothing twice.
    let repeated = send(&birdsite, "a", "s2", &all[..50], SHRINK).await.unwrap().list;
    assert_eq!(repeated, Some(limited));
    // Another close is accepted too: it lacks one more value.
    let second = send(&birdsite, "a", "s2b", &all[1..50], SHRINK).await.unwrap().list.unwrap();
    assert_eq!((second.withdrawn, second.pending, second.resumes_at), (0, 1, limited.resumes_at));
    // A request to withdraw is refused, and can be sent again in the next hour.
    let keys = vec![pb::IndicatorKey { value: "n1.example".into(), ..Default::default() }];
    let by_hand = pb::WithdrawIndicatorsRequest { keys, ..Default::default() };
    let refused = birdsite.withdraw(by_hand).await.unwrap_err();
    assert!(
        matches!(&refused, ClientError::Busy(why) if why.contains("allows 450")),
        "{refused:?}"
    );
    let unusual = node.exchange.sweeps.unusual_activity().unwrap();
    assert_eq!((unusual[0].action, unusual[0].count, unusual[0].mean), ("submitted", 1_699, 0));
    assert_eq!(unusual.len(), 1, "450 are not 1,000");
    for _ in 0..3 {
        clock.advance(Duration::from_secs(3_600));
        node.exchange.sweeps.complete_list_closes().await.unwrap();
    }
    clock.advance(Duration::from_secs(3_600));
    let continued = send(&birdsite, "a", "s2", &all[..50], SHRINK).await.unwrap();
    assert_eq!(counts(continued.list), receipt(1_550, 0, 0));
    let second = send(&birdsite, "a", "s2b", &all[1..50], SHRINK).await.unwrap();
    assert_eq!(counts(second.list), receipt(1, 0, 0));

    // The same for submissions. A batch that begins below the limit is accepted whole.
    let mut submission = birdsite.open_submission("s3", SubmissionOptions::default());
    let mut accepted = 0;
    let refused = loop {
        submission.send(batch(&all[..500])).await.unwrap();
        match submission.receive().await {
            Ok(_) => accepted += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(accepted, 4, "2,000 in this hour");
    assert!(refused.to_string().contains("allows 2000"), "{refused}");
    let metrics = node.ops_get("/metrics").await;
    let line = "tipoff_partner_withdrawn_total{partner=\"birdsite\"} 1551";
    assert!(metrics.contains(line), "{metrics}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_close_is_answered_before_everything_is_withdrawn() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let all = numbered(0..5_200);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    send(&birdsite, "a", "s1", &all, PLAIN).await.unwrap();
    let answered = send(&birdsite, "a", "s2", &[], SHRINK).await.unwrap().list.unwrap();
    // The sweep of the node may have continued already.
    assert!((5_000..=5_200).contains(&answered.withdrawn), "{answered:?}");
    assert_eq!((answered.withdrawn + answered.pending, answered.resumes_at), (5_200, None));
    node.exchange.sweeps.complete_list_closes().await.unwrap();
    let complete = send(&birdsite, "a", "s2", &[], SHRINK).await.unwrap();
    assert_eq!(counts(complete.list), receipt(5_200, 0, 0));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_30_days_a_value_that_was_withdrawn_is_no_longer_named() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let birdsite = world.client(&node, "birdsite");
    send(&birdsite, "a", "s1", &["a.example", "b.example", "c.example"], PLAIN).await.unwrap();
    send(&birdsite, "a", "s2", &["a.example", "b.example"], PLAIN).await.unwrap();
    clock.advance(Duration::from_secs(20 * 86_400));
    send(&birdsite, "a", "s3", &["a.example"], PLAIN).await.unwrap();
    assert_eq!(node.exchange.sweeps.sweep_withdrawals().await.unwrap(), 0);
    clock.advance(Duration::from_secs(10 * 86_400 + 1));
    assert_eq!(node.exchange.sweeps.sweep_withdrawals().await.unwrap(), 1);
    let values = ["a.example", "b.example", "c.example"];
    let back = send(&birdsite, "a", "s4", &values, PLAIN).await.unwrap();
    let named: Vec<usize> = back.resent.iter().map(|(index, _)| *index).collect();
    assert_eq!((back.created, named), (2, vec![1]), "b was withdrawn 10 days ago, c 30");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_replaces_one_for_another_audience_is_named_if_it_was_withdrawn() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let submit = async |id: &str, batch: ReportBatch| {
        let mut submission = birdsite.open_submission(id, SubmissionOptions::default());
        submission.send(batch).await.unwrap();
        submission.close(PLAIN).await.unwrap()
    };
    submit("s1", batch(&["a.example"])).await;
    let keys = vec![pb::IndicatorKey { value: "a.example".into(), ..Default::default() }];
    birdsite.withdraw(pb::WithdrawIndicatorsRequest { keys, ..Default::default() }).await.unwrap();
    let partner = || named(&[], &["facegraph"]);
    let sharing = Some(sharing(Tlp::Amber, partner()));
    submit("s2", ReportBatch { sharing, ..batch(&["a.example"]) }).await;
    let replaces_audience = partner().map(|audience| pb::Audience {
        audience: Some(match audience {
            pb::sharing::Audience::Named(named) => pb::audience::Audience::Named(named),
            other => panic!("{other:?}"),
        }),
    });
    let back = submit("s3", ReportBatch { replaces_audience, ..batch(&["a.example"]) }).await;
    assert_eq!((back.replaced, back.resent.len()), (1, 1));
    node.stop().await;
}
