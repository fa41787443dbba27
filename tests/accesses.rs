//! What a liaison is given is recorded on disk before it is sent, and its author can list it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use support::clock::SetClock;
use support::feed::item;
use support::liaison::{HOUR, keys, now, release, retract, submit, submit_as, values, warrant};
use support::process::Process;
use support::{World, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedStart};
use tipoff::clock::Clock;
use tipoff::wire::pb::{self, AccessWay, PurposeKind, Tlp};
use tipoff::wire::timestamp;

type Version = (u64, u32);

fn at(version: Option<pb::Version>) -> Version {
    version.map(|at| (at.sequence, at.index)).unwrap()
}

/// The versions of an author that access records name.
fn accessed(accesses: &[pb::Access]) -> BTreeSet<Version> {
    accesses.iter().flat_map(|one| &one.objects).map(|object| at(object.version)).collect()
}

fn given(items: &[pb::FeedItem], author: &str) -> BTreeSet<Version> {
    items.iter().filter(|item| item.author == author).map(|item| at(item.version)).collect()
}

async fn every_page(liaison: &Client) -> Vec<pb::FeedItem> {
    let (mut from, mut items) = (FeedStart::Beginning, Vec::new());
    loop {
        let page = liaison.pull(&from, None, 3).await.unwrap();
        items.extend(page.items);
        from = FeedStart::Cursor(page.cursor.unwrap());
        if !page.more {
            return items;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_object_that_a_liaison_is_given_is_there_for_its_author_to_see() {
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
        assert_eq!(accessed(&accesses), given(&pulled, author), "{author}");
        for one in &accesses {
            assert_eq!((one.liaison.as_str(), one.way()), ("cyber-unit", AccessWay::Pull));
            assert_eq!(one.purpose(), PurposeKind::Warrant);
            assert!(one.accessed_at.is_some() && one.sequence > 0);
            // The reference is shown where the author's own release named it.
            let own: Vec<_> =
                one.objects.iter().map(|one| one.indicator.clone().unwrap().value).collect();
            let knows = own.iter().all(|value| ["a.example", "b.example"].contains(&&**value));
            assert_eq!(one.reference, if knows { "W-17" } else { "" }, "{own:?}");
        }
    }
    // Each delivery is recorded, also a repeated one, in every way of access.
    let before = birdsite.accesses(None, None).await.unwrap().len();
    liaison.snapshot(None).await.unwrap();
    let mut feed = liaison.subscribe(FeedStart::Beginning, None);
    for _ in 0..5 {
        item(&mut feed).await;
    }
    let accesses = birdsite.accesses(None, None).await.unwrap();
    let ways: BTreeSet<_> = accesses.iter().map(|one| one.way).collect();
    assert_eq!(ways.len(), 3);
    assert!(accesses.len() >= before + 2);
    let sequences: Vec<_> = accesses.iter().map(|one| one.sequence).collect();
    assert!(sequences.is_sorted_by(|one, next| one >= next), "the newest first");
    // Removals and empty pages are not recorded.
    let head = node.exchange.head();
    let end = liaison.pull(&FeedStart::Now, None, 10).await.unwrap();
    assert!(end.items.is_empty());
    assert_eq!(node.exchange.head(), head, "an empty answer is not recorded");
    birdsite.release(retract("r3", keys(&["c.example"]))).await.unwrap();
    soon(feed.next_event()).await.unwrap();
    assert_eq!(birdsite.accesses(None, None).await.unwrap().len(), accesses.len());
    // There are none for another liaison, or after this time.
    assert!(birdsite.accesses(Some("other-unit"), None).await.unwrap().is_empty());
    let later = Some(timestamp(now().plus(HOUR)));
    assert!(birdsite.accesses(None, later).await.unwrap().is_empty());
    assert_eq!(birdsite.accesses(Some("cyber-unit"), None).await.unwrap().len(), accesses.len());
    // A version that was withdrawn since is listed by its id only.
    let withdraw = pb::WithdrawIndicatorsRequest {
        submission_id: "a".into(),
        ..pb::WithdrawIndicatorsRequest::default()
    };
    birdsite.withdraw(withdraw).await.unwrap();
    let objects = birdsite.accesses(None, None).await.unwrap().remove(0).objects;
    assert!(objects.iter().all(|one| one.indicator.is_none() && !one.indicator_id.is_empty()));
    // No other partner sees any of it.
    assert!(world.client(&node, "tubeworks").accesses(None, None).await.unwrap().is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_many_is_written_down_whole_and_listed_page_by_page() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let many: Vec<String> = (0..1_300).map(|n| format!("n{n}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for (number, values) in many.chunks(650).enumerate() {
        submit(&birdsite, &format!("s{number}"), values).await;
    }
    let whole = |id: &str, of: &str| {
        release(id, pb::release_indicators_request::What::SubmissionId(of.into()), "W-17")
    };
    assert_eq!(birdsite.release(whole("r1", "s0")).await.unwrap().changed, 650);
    let answer = birdsite.release(whole("r2", "s1")).await.unwrap();
    assert_eq!((answer.changed, answer.sequences.len()), (650, 2), "in several entries");
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    let (_, items) = liaison.snapshot(None).await.unwrap();
    assert_eq!(items.len(), 1_300);
    let accesses = birdsite.accesses(None, None).await.unwrap();
    assert_eq!(accessed(&accesses), given(&items, "birdsite"));
    let named = accesses.iter().map(|one| one.objects.len()).sum::<usize>();
    assert_eq!(named, 1_300, "each once");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_for_a_liaison_while_its_access_cannot_be_written() {
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
    let taken = impatient().stream_snapshot(None, |part| parts.push(part)).await;
    busy(taken.unwrap_err());
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
async fn an_access_is_there_after_a_kill_right_behind_the_delivery() {
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
        let asked = release(&format!("r{round}"), keys(&[value]), "W-17");
        let asked = pb::ReleaseIndicatorsRequest { until, ..asked };
        birdsite.release(asked).await.unwrap();
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
        assert!(given(&items, "birdsite").is_subset(&new), "round {round}: {new:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accesses_are_kept_as_long_as_the_operator_says() {
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
