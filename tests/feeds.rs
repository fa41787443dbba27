//! What a feed delivers: from the requested start, matching its filter, each version once, without
//! a gap.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use prost::Message;
use support::process::Process;
use support::raw::raw_channel;
use support::{World, batch, domain, from_start, item, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedStart, RetryPolicy, Subscription};
use tipoff::domain::filter::Filter;
use tipoff::exchange::{FeedEvent, Start, Step};
use tipoff::wire::pb::feed_service_client::FeedServiceClient;
use tipoff::wire::pb::{self, Kind};
use tonic::Code;

async fn next(feed: &mut Subscription) -> pb::FeedItem {
    soon(feed.next()).await.unwrap().unwrap()
}

async fn values(feed: &mut Subscription, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(next(feed).await.indicator.unwrap().value);
    }
    values
}

/// Asserts that the feed stays silent for long enough to deliver what is stored.
async fn nothing(feed: &mut Subscription) {
    let came = tokio::time::timeout(Duration::from_millis(300), feed.next()).await;
    assert!(came.is_err(), "{came:?}");
}

async fn submit(client: &Client, submission: &str, values: &[&str]) -> pb::Receipt {
    let items = values.iter().map(|value| domain(value)).collect();
    client.submit(batch(submission, 1, None, items)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_starts_at_the_beginning_now_or_after_a_cursor() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let facegraph = world.client(&node, "facegraph");
    submit(&birdsite, "s1", &["a.example", "b.example", "c.example"]).await;

    let mut live = facegraph.subscribe(FeedStart::Now, None);
    nothing(&mut live).await;
    let mut all = facegraph.subscribe(FeedStart::Beginning, None);
    let first = next(&mut all).await;
    assert_eq!(values(&mut all, 2).await, ["b.example", "c.example"]);
    let last = all.cursor().unwrap().clone();

    submit(&birdsite, "s2", &["d.example"]).await;
    assert_eq!(values(&mut live, 1).await, ["d.example"]);
    assert_eq!(values(&mut all, 1).await, ["d.example"], "replay and live are one path");
    // A cursor inside an entry resumes inside of it.
    let mut inside = facegraph.subscribe(FeedStart::Cursor(first.cursor.unwrap()), None);
    assert_eq!(values(&mut inside, 3).await, ["b.example", "c.example", "d.example"]);
    let mut after = facegraph.subscribe(FeedStart::Cursor(last), None);
    assert_eq!(values(&mut after, 1).await, ["d.example"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_reconnects_after_a_restart_misses_nothing() {
    let world = World::new();
    let node = world.start().await;
    submit(&world.client(&node, "birdsite"), "s1", &["a.example", "b.example"]).await;
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, None);
    values(&mut feed, 1).await;
    let cursor = feed.cursor().unwrap().clone();
    node.stop().await;
    let node = world.start().await;
    submit(&world.client(&node, "birdsite"), "s2", &["c.example"]).await;
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Cursor(cursor), None);
    assert_eq!(values(&mut feed, 2).await, ["b.example", "c.example"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_that_are_foreign_broken_or_ahead_are_refused() {
    let (world, other) = (World::new(), World::new());
    let (node, elsewhere) = (world.start().await, other.start().await);
    submit(&other.client(&elsewhere, "birdsite"), "s", &["a.example"]).await;
    let mut there = other.client(&elsewhere, "facegraph").subscribe(FeedStart::Beginning, None);
    values(&mut there, 1).await;
    let foreign = there.cursor().unwrap().clone();
    let client = world.client(&node, "facegraph");
    let open = async |cursor: pb::Cursor| {
        soon(client.subscribe(FeedStart::Cursor(cursor), None).next()).await.unwrap_err()
    };
    assert!(matches!(open(foreign.clone()).await, ClientError::Invalid { .. }));
    let broken = pb::Cursor { token: foreign.token.slice(..5) };
    assert!(matches!(open(broken).await, ClientError::Invalid { .. }));

    submit(&world.client(&node, "birdsite"), "s", &["a.example"]).await;
    let mut here = client.subscribe(FeedStart::Beginning, None);
    values(&mut here, 1).await;
    let mut token = here.cursor().unwrap().token.to_vec();
    token[6] = 1;
    assert!(matches!(open(pb::Cursor { token: token.into() }).await, ClientError::OutOfRange(_)));
    node.stop().await;
    elsewhere.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_versions_are_skipped_and_the_new_one_names_them_to_readers_that_saw_them() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let mut live = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, None);
    let first = submit(&birdsite, "s1", &["a.example", "b.example"]).await;
    values(&mut live, 2).await;
    let mut changed = domain("a.example");
    changed.assessment = Some(pb::Assessment { confidence: Some(90), ..pb::Assessment::default() });
    let items = vec![changed, domain("b.example")];
    let second = birdsite.submit(batch("s2", 1, None, items)).await.unwrap();
    assert_eq!(second.items[0].status(), pb::ItemStatus::Replaced);
    assert_eq!(second.items[1].status(), pb::ItemStatus::Unchanged);
    assert_eq!(second.items[1].version, first.items[1].version);

    let item = next(&mut live).await;
    assert_eq!(item.replaces, first.items[0].version);
    nothing(&mut live).await;
    // A late reader gets what is current, each version once.
    let mut late = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, None);
    let mut late_values = values(&mut late, 2).await;
    late_values.sort();
    assert_eq!(late_values, ["a.example", "b.example"]);
    nothing(&mut late).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_delivers_only_what_it_matches() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let assessed = |value: &str, kind, platform: &str, confidence, label: &str| {
        let mut item = item(kind, platform, value);
        item.assessment = Some(pb::Assessment {
            confidence: Some(confidence),
            labels: vec![label.into()],
            ..pb::Assessment::default()
        });
        item
    };
    let items = vec![
        assessed("a.example", Kind::Domain, "", 10, "phishing"),
        assessed("someone_one", Kind::Account, "x", 50, "spam"),
        assessed("someone_two", Kind::Account, "tiktok", 90, "spam"),
    ];
    birdsite.submit(batch("s", 1, None, items)).await.unwrap();
    let everyone = Some(sharing(pb::Tlp::Green, None));
    let theirs = batch("s", 1, everyone, vec![domain("b.example")]);
    world.client(&node, "facegraph").submit(theirs).await.unwrap();

    let client = world.client(&node, "facegraph");
    let filter = pb::Filter::default;
    let table: [(pb::Filter, &[&str]); 8] = [
        (filter(), &["a.example", "someone_one", "someone_two", "b.example"]),
        (pb::Filter { kinds: vec![Kind::Domain.into()], ..filter() }, &["a.example", "b.example"]),
        (pb::Filter { platforms: vec!["Twitter".into()], ..filter() }, &["someone_one"]),
        (pb::Filter { labels: vec!["spam".into()], ..filter() }, &["someone_one", "someone_two"]),
        (pb::Filter { authors: vec!["facegraph".into()], ..filter() }, &["b.example"]),
        (
            pb::Filter { groups: vec!["core".into()], ..filter() },
            &["a.example", "someone_one", "someone_two"],
        ),
        (
            pb::Filter { min_confidence: Some(50), ..filter() },
            &["someone_one", "someone_two", "b.example"],
        ),
        (
            pb::Filter { kinds: vec![Kind::Account.into()], min_confidence: Some(51), ..filter() },
            &["someone_two"],
        ),
    ];
    for (filter, expected) in table {
        let mut feed = client.subscribe(FeedStart::Beginning, Some(filter.clone()));
        assert_eq!(values(&mut feed, expected.len()).await, expected, "{filter:?}");
        nothing(&mut feed).await;
    }
    check_invalid_filters(&client).await;
    node.stop().await;
}

async fn check_invalid_filters(client: &Client) {
    let filter = pb::Filter::default;
    for (filter, field) in [
        (pb::Filter { kinds: vec![0], ..filter() }, "filter.kinds"),
        (pb::Filter { labels: vec!["made-up".into()], ..filter() }, "filter.labels"),
        (pb::Filter { groups: vec!["No".into()], ..filter() }, "filter.groups"),
        (pb::Filter { min_confidence: Some(101), ..filter() }, "filter.min_confidence"),
    ] {
        let refused =
            soon(client.subscribe(FeedStart::Beginning, Some(filter)).next()).await.unwrap_err();
        let ClientError::Invalid { fields, .. } = refused else { panic!("{refused}") };
        assert_eq!(fields[0].0, field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_feed_sends_heartbeats_whose_cursor_advances() {
    let mut world = World::new();
    world.config.requests.heartbeat_s = 1;
    let node = world.start().await;
    let filter = pb::Filter { kinds: vec![pb::Kind::Ip.into()], ..pb::Filter::default() };
    let mut feed =
        world.client(&node, "facegraph").subscribe(FeedStart::Beginning, Some(filter.clone()));
    submit(&world.client(&node, "birdsite"), "s", &["a.example"]).await;
    let quiet = tokio::time::timeout(Duration::from_millis(2_500), feed.next()).await;
    assert!(quiet.is_err());
    // The heartbeat's cursor is at the head: without the filter, nothing follows it.
    let cursor = feed.cursor().expect("a heartbeat carries a cursor").clone();
    let mut after = world.client(&node, "facegraph").subscribe(FeedStart::Cursor(cursor), None);
    nothing(&mut after).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_from_now_has_a_cursor_immediately_and_misses_nothing_over_a_restart() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    let client = |partner: &str| {
        exchange.client(&world, partner).with_retry_policy(RetryPolicy::unlimited())
    };
    let (birdsite, facegraph) = (client("birdsite"), client("facegraph"));
    facegraph.who_am_i().await.unwrap();
    let mut feed = facegraph.subscribe(FeedStart::Now, None);
    nothing(&mut feed).await;
    assert!(feed.cursor().is_some(), "a cursor comes before the first event");
    exchange.kill();
    exchange.start();
    // Stored before the reader is back.
    submit(&birdsite, "s", &["a.example"]).await;
    assert_eq!(values(&mut feed, 1).await, ["a.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_matches_nothing_reports_its_progress_during_a_long_replay() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    for number in 1..=200 {
        client.submit(batch("s", number, None, vec![domain("a.example")])).await.unwrap();
    }
    let caller = node.exchange.admit(&"facegraph".parse().unwrap()).unwrap();
    let filter = Filter { kinds: vec![tipoff::domain::Kind::Ip], ..Filter::default() };
    let mut feed = node.exchange.feeds.feed(&caller, Start::Oldest, filter).unwrap();
    // The group change, which no filter suppresses.
    let Step::Delivery(FeedEvent::GroupChange(_)) = feed.next(Duration::ZERO).await.unwrap() else {
        panic!("its own joining")
    };
    let Step::Heartbeat(cursor) = feed.next(Duration::ZERO).await.unwrap() else {
        panic!("nothing matches")
    };
    assert!(cursor.position.last_read.sequence < node.exchange.head(), "{cursor:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_large_items_comes_in_several_messages_and_a_reader_can_resume_after_each() {
    let world = World::new();
    let node = world.start().await;
    let items = (0..280).map(|number| {
        let mut item = domain(&format!("n{number}.example"));
        let note = "ж".repeat(1_900);
        item.assessment = Some(pb::Assessment { note, ..pb::Assessment::default() });
        item
    });
    let items: Vec<_> = items.collect();
    for number in 1..=2 {
        let to = named(&[], &["facegraph", ["tubeworks", "watcher"][number as usize - 1]]);
        let sharing = Some(sharing(pb::Tlp::Amber, to));
        let request = batch("s", number, sharing, items[..240].to_vec());
        world.client(&node, "birdsite").submit(request).await.unwrap();
    }
    let all: Vec<_> = (0..240).chain(0..240).map(|number| format!("n{number}.example")).collect();
    let mut service = FeedServiceClient::new(raw_channel(&world, &node, "facegraph"));
    let mut received: Vec<String> = Vec::new();
    let mut messages = 0;
    // Each message comes from a new stream that resumes after the last one.
    let mut request = from_start();
    while received.len() < all.len() {
        let mut stream = service.subscribe(request).await.unwrap().into_inner();
        let mut message = soon(stream.message()).await.unwrap().unwrap();
        if !message.group_changes.is_empty() {
            message = soon(stream.message()).await.unwrap().unwrap();
        }
        assert!(message.encoded_len() < 1_100_000, "{}", message.encoded_len());
        let cursor = message.items.last().unwrap().cursor.clone().unwrap();
        let start = Some(pb::subscribe_request::Start::Cursor(cursor));
        request = pb::SubscribeRequest { start, ..pb::SubscribeRequest::default() };
        received.extend(message.items.into_iter().map(|item| item.indicator.unwrap().value));
        messages += 1;
    }
    assert_eq!(received, all);
    assert!(messages >= 2, "{messages}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_nothing_is_ended_with_its_cursor_and_the_others_continue() {
    let mut world = World::new();
    world.config.requests.blocked_s = 1;
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let note = "ж".repeat(1_900);
    for number in 1..=12 {
        let items = (0..200).map(|item| {
            let mut item = domain(&format!("b{number}.n{item}.example"));
            item.assessment = Some(pb::Assessment { note: note.clone(), ..Default::default() });
            item
        });
        client.submit(batch("s", number, None, items.collect())).await.unwrap();
    }
    let mut service = FeedServiceClient::new(raw_channel(&world, &node, "facegraph"));
    let mut stream = service.subscribe(from_start()).await.unwrap().into_inner();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let mut other = world.client(&node, "watcher").subscribe(FeedStart::Beginning, None);
    assert_eq!(values(&mut other, 2_400).await.len(), 2_400);
    // Messages in flight arrive. Then the end comes, and its cursor is right after them.
    let mut seen = 0;
    let last = loop {
        let message = soon(stream.message()).await.unwrap().expect("the end names its reason");
        seen += message.items.len();
        if message.end.is_some() {
            break message;
        }
    };
    assert_eq!(last.end.unwrap().reason(), pb::EndReason::TooSlow);
    assert!(seen < 2_400, "it was held back");
    assert_eq!(soon(stream.message()).await.unwrap_err().code(), Code::ResourceExhausted);
    let after = FeedStart::Cursor(last.cursor.unwrap());
    let mut rest = world.client(&node, "facegraph").subscribe(after, None);
    assert_eq!(values(&mut rest, 2_400 - seen).await.len(), 2_400 - seen);
    nothing(&mut rest).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_its_own_part_of_a_sharing_and_the_author_all_of_it() {
    let world = World::new();
    let node = world.start().await;
    let audience = named(&["core"], &["tubeworks"]);
    let mut raw = domain("a[.]example");
    raw.kind = 0;
    let request = batch("s", 1, Some(sharing(pb::Tlp::Amber, audience)), vec![raw]);
    world.client(&node, "birdsite").submit(request).await.unwrap();
    let seen = async |partner: &str| {
        let mut feed = world.client(&node, partner).subscribe(FeedStart::Beginning, None);
        let item = next(&mut feed).await;
        let Some(pb::sharing::Audience::Named(named)) = item.sharing.unwrap().audience else {
            panic!("named")
        };
        (named.groups, named.partners, item.raw)
    };
    let core = || vec!["core".to_owned()];
    let tubeworks = || vec!["tubeworks".to_owned()];
    assert_eq!(seen("facegraph").await, (core(), vec![], String::new()));
    assert_eq!(seen("watcher").await, (core(), vec![], String::new()));
    assert_eq!(seen("tubeworks").await, (vec![], tubeworks(), String::new()));
    assert_eq!(seen("birdsite").await, (core(), tubeworks(), "a[.]example".to_owned()));
    node.stop().await;
}
