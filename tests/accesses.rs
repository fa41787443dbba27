//! Each object that a liaison receives is recorded on disk before it is sent, and its author can
//! list the accesses.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use support::clock::SetClock;
use support::feed::item;
use support::liaison::{HOUR, keys, now, release, retract, submit, submit_as, values, warrant};
use support::process::Process;
use support::{World, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedStart, Subscription};
use tipoff::clock::Clock;
use tipoff::wire::pb::{self, AccessWay, PurposeKind, Tlp};
use tipoff::wire::timestamp;

type Version = (u64, u32);

fn at(version: Option<pb::Version>) -> Version {
    version.map(|at| (at.sequence, at.index)).unwrap()
}

/// The versions of an author that access records name.
fn accessed(accesses: &[pb::Access]) -> BTreeSet<Version> {
    accesses.iter().flat_map(|access| &access.objects).map(|object| at(object.version)).collect()
}

/// The versions of an author among received items.
fn received(items: &[pb::FeedItem], author: &str) -> BTreeSet<Version> {
    items.iter().filter(|item| item.author == author).map(|item| at(item.version)).collect()
}

async fn every_page(liaison: &Client) -> Vec<pb::FeedItem> {
    let (mut from, mut items) = (FeedStart::Beginning, Vec::new());
    loop {
        let page = liaison.pull(&from, None, 1).await.unwrap();
        items.extend(page.items);
        from = FeedStart::Cursor(page.cursor.unwrap());
        if !page.more {
            return items;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_sees_the_access_to_each_object_that_a_liaison_receives() {
    let world = World::new();
    let node = world.start().await;
    let (birdsite, facegraph) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    submit(&birdsite, "a", &["a.example", "b.example", "c.example", "d.example"]).await;
    submit(&facegraph, "f", &["f.example"]).await;
    submit_as(&facegraph, "p", sharing(Tlp::Clear, None), &["public.example"]).await;
    birdsite.release(release("r1", keys(&["a.example", "b.example"]), "W-17")).await.unwrap();
    birdsite.release(release("r2", keys(&["c.example"]), "by leave")).await.unwrap();
    facegraph.release(release("r1", keys(&["f.example"]), "see W-170")).await.unwrap();
    assert!(birdsite.accesses(None, None).await.unwrap().is_empty());

    let pulled = every_page(&liaison).await;
    assert_eq!(pulled.len(), 5);
    for (client, author) in [(&birdsite, "birdsite"), (&facegraph, "facegraph")] {
        let accesses = client.accesses(None, None).await.unwrap();
        assert_eq!(accessed(&accesses), received(&pulled, author), "{author}");
        accesses.iter().for_each(check_pull);
    }
    let (accesses, mut feed) = check_every_way(&birdsite, &liaison).await;
    // Removals and empty pages are not recorded.
    let head = node.exchange.head();
    let end = liaison.pull(&FeedStart::Now, None, 10).await.unwrap();
    assert!(end.items.is_empty());
    assert_eq!(node.exchange.head(), head, "an empty answer is not recorded");
    birdsite.release(retract("r3", keys(&["c.example"]))).await.unwrap();
    soon(feed.next_event()).await.unwrap();
    assert_eq!(birdsite.accesses(None, None).await.unwrap().len(), accesses);
    // There are none for another liaison, or after this time.
    assert!(birdsite.accesses(Some("facegraph"), None).await.unwrap().is_empty());
    let unknown = birdsite.accesses(Some("other-unit"), None).await.unwrap_err().to_string();
    assert!(unknown.contains("there is no partner `other-unit`"), "{unknown}");
    let later = Some(timestamp(now().plus(HOUR)));
    assert!(birdsite.accesses(None, later).await.unwrap().is_empty());
    assert_eq!(birdsite.accesses(Some("cyber-unit"), None).await.unwrap().len(), accesses);
    // A version that was withdrawn since is listed by its id only.
    let withdraw = pb::WithdrawIndicatorsRequest {
        submission_id: "a".into(),
        ..pb::WithdrawIndicatorsRequest::default()
    };
    birdsite.withdraw(withdraw).await.unwrap();
    let objects = birdsite.accesses(None, None).await.unwrap().remove(0).objects;
    let only_id =
        |object: &pb::AccessedObject| object.indicator.is_none() && !object.indicator_id.is_empty();
    assert!(objects.iter().all(only_id));
    // No other partner sees any of it.
    assert!(world.client(&node, "tubeworks").accesses(None, None).await.unwrap().is_empty());
    node.stop().await;
}

/// Checks an access by pull. The reference is shown where the author's own release named it.
fn check_pull(access: &pb::Access) {
    assert_eq!((access.liaison.as_str(), access.way()), ("cyber-unit", AccessWay::Pull));
    assert_eq!(access.purpose(), PurposeKind::Warrant);
    assert!(access.accessed_at.is_some() && access.sequence > 0);
    let objects = access.objects.iter();
    let values: Vec<_> = objects.map(|object| object.indicator.clone().unwrap().value).collect();
    let is_named = values.iter().all(|value| ["a.example", "b.example"].contains(&&**value));
    assert_eq!(access.reference, if is_named { "W-17" } else { "" }, "{values:?}");
}

/// Each delivery is recorded, also a repeated one, in every way of access. Returns the number of
/// access records, and the feed of the liaison.
async fn check_every_way(author: &Client, liaison: &Client) -> (usize, Subscription) {
    let before = author.accesses(None, None).await.unwrap().len();
    liaison.snapshot(None).await.unwrap();
    let mut feed = liaison.subscribe(FeedStart::Beginning, None);
    for _ in 0..5 {
        item(&mut feed).await;
    }
    let accesses = author.accesses(None, None).await.unwrap();
    let ways: BTreeSet<_> = accesses.iter().map(|access| access.way).collect();
    assert_eq!(ways.len(), 3);
    assert!(accesses.len() >= before + 2);
    let sequences: Vec<_> = accesses.iter().map(|access| access.sequence).collect();
    assert!(sequences.is_sorted_by(|newer, older| newer >= older), "newest first");
    (accesses.len(), feed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_snapshot_is_recorded_completely_and_listed_page_by_page() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let many: Vec<String> = (0..1_300).map(|n| format!("n{n}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (number, values) in many.chunks(650).enumerate() {
        submit(&birdsite, &format!("s{number}"), values).await;
    }
    let whole = |id: &str, submission: &str| {
        let submission = submission.into();
        release(id, pb::release_indicators_request::What::SubmissionId(submission), "W-17")
    };
    assert_eq!(birdsite.release(whole("r1", "s0")).await.unwrap().changed, 650);
    let answer = birdsite.release(whole("r2", "s1")).await.unwrap();
    assert_eq!((answer.changed, answer.sequences.len()), (650, 2), "in several entries");
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    let (_, items) = liaison.snapshot(None).await.unwrap();
    assert_eq!(items.len(), 1_300);
    let accesses = birdsite.accesses(None, None).await.unwrap();
    assert_eq!(accessed(&accesses), received(&items, "birdsite"));
    let count = accesses.iter().map(|access| access.objects.len()).sum::<usize>();
    assert_eq!(count, 1_300, "each once");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liaison_receives_nothing_while_its_access_cannot_be_recorded() {
    let mut world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    submit(&birdsite, "a", &["a.example"]).await;
    birdsite.release(release("r1", keys(&["a.example"]), "W-17")).await.unwrap();
    node.stop().await;
    // No disk has this much free space, so every write is refused.
    world.config.storage.min_free_mb = 1_000_000_000;
    let node = world.start().await;
    let impatient = || world.impatient(&node, "cyber-unit").with_purpose(warrant(now()));
    let busy = |error: ClientError| assert!(matches!(error, ClientError::Busy(_)), "{error}");
    busy(impatient().pull(&FeedStart::Beginning, None, 10).await.unwrap_err());
    let mut parts = Vec::new();
    let take = |part| -> Result<(), ClientError> {
        parts.push(part);
        Ok(())
    };
    busy(impatient().stream_snapshot(None, take).await.unwrap_err());
    assert!(
        !parts.iter().any(|part| matches!(part, tipoff::client::SnapshotPart::Items(_))),
        "{parts:?}"
    );
    let mut feed = impatient().subscribe(FeedStart::Beginning, None);
    busy(soon(feed.next_event()).await.unwrap_err());
    // A member continues to read: its reads are not recorded.
    let (_, items) = world.client(&node, "facegraph").snapshot(None).await.unwrap();
    assert_eq!(values(&items), ["a.example"]);
    node.stop().await;
    world.config.storage.min_free_mb = 16;
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    assert!(birdsite.accesses(None, None).await.unwrap().is_empty());
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    assert_eq!(liaison.pull(&FeedStart::Beginning, None, 10).await.unwrap().items.len(), 1);
    assert_eq!(birdsite.accesses(None, None).await.unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_record_survives_a_kill_right_after_the_delivery() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let client = |partner: &str| Client::new(&exchange.url(), &world.identity(partner)).unwrap();
    let (birdsite, liaison) =
        (client("birdsite"), client("cyber-unit").with_purpose(warrant(now())));
    submit(&birdsite, "a", &["a.example", "b.example"]).await;
    for round in 0..4u64 {
        let value = if round % 2 == 0 { "a.example" } else { "b.example" };
        let until = Some(timestamp(now().plus(HOUR * u32::try_from(round + 1).unwrap())));
        let request = release(&format!("r{round}"), keys(&[value]), "W-17");
        let request = pb::ReleaseIndicatorsRequest { until, ..request };
        birdsite.release(request).await.unwrap();
        let before = birdsite.accesses(None, None).await.unwrap().len();
        let items = if round < 2 {
            liaison.pull(&FeedStart::Beginning, None, 10).await.unwrap().items
        } else {
            let mut feed = liaison.subscribe(FeedStart::Beginning, None);
            vec![item(&mut feed).await]
        };
        exchange.kill();
        exchange.start();
        exchange.wait_ready();
        let accesses = birdsite.accesses(None, None).await.unwrap();
        assert!(!items.is_empty());
        let new = accessed(&accesses[..accesses.len() - before]);
        assert!(received(&items, "birdsite").is_subset(&new), "round {round}: {new:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_records_are_kept_for_the_configured_number_of_days() {
    const DAY: Duration = Duration::from_secs(86_400);
    let mut world = World::new();
    world.config.storage.accesses_kept_days = 10;
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let birdsite = world.client(&node, "birdsite");
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    submit_as(&birdsite, "a", core, &["a.example"]).await;
    birdsite.release(release("r1", keys(&["a.example"]), "W-17")).await.unwrap();
    for _ in 0..3 {
        let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(clock.now()));
        liaison.snapshot(None).await.unwrap();
        clock.advance(4 * DAY);
    }
    // One of the records is 12 days old.
    node.exchange.sweeps.sweep_accesses().await.unwrap();
    assert_eq!(birdsite.accesses(None, None).await.unwrap().len(), 2);
    clock.advance(30 * DAY);
    node.exchange.sweeps.sweep_accesses().await.unwrap();
    assert!(birdsite.accesses(None, None).await.unwrap().is_empty());
    assert_eq!(node.exchange.sweeps.sweep_accesses().await.unwrap(), 0);
    node.stop().await;
}
