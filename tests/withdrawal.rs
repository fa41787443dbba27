//! Endings reach every holder, and nobody else: withdrawn, expired, replaced for another audience.
//! And sightings and feedback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::feed::{change, event, item, nothing, removal, subscribed, values};
use support::{World, batch, close, domain, named, sharing};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Subscription};
use tipoff::wire::pb::{self, RemovalReason, Tlp};

const DAY: Duration = Duration::from_secs(86_400);

fn key(value: &str) -> pb::IndicatorKey {
    pb::IndicatorKey { value: value.into(), ..pb::IndicatorKey::default() }
}

fn keys(values: &[&str]) -> pb::WithdrawIndicatorsRequest {
    let keys = values.iter().map(|value| key(value)).collect();
    pb::WithdrawIndicatorsRequest { keys, ..pb::WithdrawIndicatorsRequest::default() }
}

fn core() -> pb::Sharing {
    sharing(Tlp::Amber, named(&["core"], &[]))
}

fn everyone() -> pb::Sharing {
    sharing(Tlp::Green, None)
}

async fn submit(client: &Client, id: &str, to: pb::Sharing, values: &[&str]) -> pb::Receipt {
    let items = values.iter().map(|value| domain(value)).collect();
    client.submit(batch(id, 1, Some(to), items)).await.unwrap()
}

fn audience(named: &[&str]) -> pb::Audience {
    let groups = named.iter().map(ToString::to_string).collect();
    let named = pb::NamedAudience { groups, partners: Vec::new() };
    pb::Audience { audience: Some(pb::audience::Audience::Named(named)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_reaches_its_author_and_the_readers_that_could_see_the_value() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let birdsite = client("birdsite");
    let first = submit(&birdsite, "a", core(), &["a.example", "b.example"]).await;
    submit(&birdsite, "b", everyone(), &["a.example"]).await;
    submit(&client("facegraph"), "c", core(), &["a.example"]).await;
    let mut feeds = Vec::new();
    for partner in ["facegraph", "tubeworks", "birdsite"] {
        let mut feed = client(partner).subscribe(FeedStart::Now, None);
        subscribed(&mut feed).await;
        feeds.push(feed);
    }
    // For one audience only: partners outside of it get nothing.
    let of_core = pb::WithdrawIndicatorsRequest {
        audience: Some(audience(&["core"])),
        ..keys(&["hxxp://a[.]example/page", "unheard.example", "not a domain"])
    };
    let withdrawn = birdsite.withdraw(of_core.clone()).await.unwrap();
    let count = |response: &pb::WithdrawIndicatorsResponse| {
        response.items.iter().map(|item| item.versions.len()).collect::<Vec<_>>()
    };
    assert_eq!(count(&withdrawn), [0, 0, 0], "a URL is not its domain");
    assert_eq!(withdrawn.items[2].field, "value");
    let of_core = pb::WithdrawIndicatorsRequest { keys: vec![key("a.example")], ..of_core };
    let withdrawn = birdsite.withdraw(of_core.clone()).await.unwrap();
    assert_eq!(withdrawn.items[0].versions, [first.items[0].version.unwrap()]);
    assert_eq!((withdrawn.withdrawn, withdrawn.sequences.len()), (1, 1));
    for feed in [0, 2] {
        let removal = removal(&mut feeds[feed]).await;
        assert_eq!(removal.version, first.items[0].version);
        assert_eq!(removal.reason(), RemovalReason::Withdrawn);
    }
    nothing(&mut feeds[1]).await;
    let again = birdsite.withdraw(of_core).await.unwrap();
    assert_eq!((again.withdrawn, again.sequences.len()), (0, 0), "it may be sent again");

    // For all audiences: the version for everyone ends too, and assessments of others stay.
    let rest = birdsite.withdraw(keys(&["a.example"])).await.unwrap();
    assert_eq!(rest.withdrawn, 1);
    for feed in &mut feeds {
        assert_eq!(removal(feed).await.reason(), RemovalReason::Withdrawn);
    }
    let known = client("facegraph").indicator(key("a.example")).await.unwrap();
    assert_eq!(known.assessments.len(), 1);
    let gone = client("tubeworks").indicator(key("a.example")).await.unwrap_err();
    assert!(matches!(gone, ClientError::NotFound(_)), "{gone}");
    // A later reader gets neither the version nor its removal.
    let mut late = client("facegraph").subscribe(FeedStart::Beginning, None);
    change(&mut late).await;
    assert_eq!(values(&mut late, 2).await, ["b.example", "a.example"]);
    nothing(&mut late).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_submission_is_withdrawn_except_values_that_were_submitted_again() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let many: Vec<String> = (0..1_200).map(|n| format!("n{n}.example")).collect();
    for (number, values) in (1..).zip(many.chunks(600)) {
        let items = values.iter().map(|value| domain(value)).collect();
        birdsite.submit(batch("big", number, Some(core()), items)).await.unwrap();
    }
    birdsite.submit(close("big", 2)).await.unwrap();
    let mut changed = domain("n7.example");
    changed.assessment = Some(pb::Assessment { confidence: Some(99), ..Default::default() });
    birdsite.submit(batch("other", 1, Some(core()), vec![changed])).await.unwrap();
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;

    let of = |submission: &str| pb::WithdrawIndicatorsRequest {
        submission_id: submission.into(),
        ..pb::WithdrawIndicatorsRequest::default()
    };
    let withdrawn = birdsite.withdraw(of("big")).await.unwrap();
    assert_eq!((withdrawn.withdrawn, withdrawn.sequences.len()), (1_199, 3), "in several entries");
    for _ in 0..1_199 {
        assert_eq!(removal(&mut feed).await.reason(), RemovalReason::Withdrawn);
    }
    nothing(&mut feed).await;
    let known = birdsite.indicator(key("n7.example")).await.unwrap();
    assert_eq!(known.summary.unwrap().strongest.unwrap().assessment.unwrap().confidence, Some(99));
    assert_eq!(birdsite.withdraw(of("big")).await.unwrap().withdrawn, 0);
    let unknown = birdsite.withdraw(of("no-such")).await.unwrap_err();
    assert!(matches!(unknown, ClientError::NotFound(_)), "{unknown}");
    let theirs = world.client(&node, "facegraph").withdraw(of("big")).await.unwrap_err();
    assert!(matches!(theirs, ClientError::NotFound(_)), "ids are scoped to their author: {theirs}");
    let both =
        pb::WithdrawIndicatorsRequest { submission_id: "big".into(), ..keys(&["a.example"]) };
    assert!(matches!(birdsite.withdraw(both).await, Err(ClientError::Invalid { .. })));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_object_ends_by_the_clock_and_only_once() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let birdsite = world.client(&node, "birdsite");
    let mut short = domain("short.example");
    let end = tipoff::wire::timestamp(tipoff::clock::Clock::now(&*clock).plus(DAY));
    short.assessment = Some(pb::Assessment { valid_until: Some(end), ..Default::default() });
    let items = vec![short, domain("long.example")];
    let receipt = birdsite.submit(batch("a", 1, Some(core()), items)).await.unwrap();
    let mut feed = world.client(&node, "facegraph").subscribe(FeedStart::Beginning, None);
    change(&mut feed).await;
    values(&mut feed, 2).await;
    clock.advance(DAY / 2);
    assert_eq!(node.exchange.sweeps.expire_due().await.unwrap(), 0);
    clock.advance(DAY);
    // The node checks for expired objects once a second.
    let removed = removal(&mut feed).await;
    assert_eq!(removed.version, receipt.items[0].version);
    assert_eq!(removed.reason(), RemovalReason::Expired);
    let head = node.exchange.head();
    assert_eq!(node.exchange.sweeps.expire_due().await.unwrap(), 0);
    assert_eq!(node.exchange.head(), head, "ended objects are not recorded");
    // The default validity of a domain is a year.
    clock.advance(DAY * 366);
    assert_eq!(removal(&mut feed).await.reason(), RemovalReason::Expired);
    let gone = birdsite.indicator(key("long.example")).await.unwrap_err();
    assert!(matches!(gone, ClientError::NotFound(_)), "{gone}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_a_new_audience_leaves_out_gets_a_removal_and_the_others_get_the_new_version()
{
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let birdsite = client("birdsite");
    let first = submit(&birdsite, "a", everyone(), &["a.example"]).await;
    let (mut inside, mut outside) = (
        client("facegraph").subscribe(FeedStart::Now, None),
        client("tubeworks").subscribe(FeedStart::Now, None),
    );
    subscribed(&mut inside).await;
    subscribed(&mut outside).await;
    let mut moved = batch("b", 1, Some(core()), vec![domain("a.example")]);
    let everyone = pb::audience::Audience::Everyone(pb::Everyone {});
    moved.batch.as_mut().unwrap().replaces_audience =
        Some(pb::Audience { audience: Some(everyone) });
    let second = birdsite.submit(moved).await.unwrap();
    assert_eq!(second.items[0].status(), pb::ItemStatus::Replaced);
    let new = item(&mut inside).await;
    assert_eq!(new.replaces, first.items[0].version);
    assert_eq!(new.version, second.items[0].version);
    nothing(&mut inside).await;
    let lost = removal(&mut outside).await;
    assert_eq!(
        (lost.version, lost.reason()),
        (first.items[0].version, RemovalReason::NoLongerShared)
    );
    nothing(&mut outside).await;
    let mut nobody = batch("c", 1, Some(core()), vec![domain("a.example")]);
    nobody.batch.as_mut().unwrap().replaces_audience = Some(audience(&[]));
    let refused = birdsite.submit(nobody).await.unwrap_err();
    let ClientError::Invalid { fields, .. } = &refused else { panic!("{refused}") };
    assert_eq!(fields[0].0, "batch.replaces_audience");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sightings_and_feedback_reach_only_their_audience_and_count_once() {
    let world = World::new();
    let node = world.start().await;
    let clients = ["birdsite", "facegraph", "tubeworks"].map(|id| world.client(&node, id));
    let [birdsite, _, tubeworks] = &clients;
    let receipt = submit(birdsite, "a", everyone(), &["a.example"]).await;
    let mut feeds = [birdsite, tubeworks].map(|client| client.subscribe(FeedStart::Now, None));
    for feed in &mut feeds {
        subscribed(feed).await;
    }
    report_sightings(&clients, &mut feeds).await;
    let version = receipt.items[0].version;
    give_feedback(&clients, &mut feeds, version).await;
    check_refused_feedback(&clients, version).await;
    node.stop().await;
}

/// Facegraph reports sightings. Only the author of the indicator is in their audience.
async fn report_sightings(
    [birdsite, facegraph, tubeworks]: &[Client; 3],
    feeds: &mut [Subscription; 2],
) {
    let sighting = |value: &str, count| pb::Sighting {
        indicator: Some(key(value)),
        count,
        ..pb::Sighting::default()
    };
    let request = pb::ReportSightingsRequest {
        request_id: "week-47".into(),
        sharing: Some(core()),
        sightings: vec![
            sighting("a.example", 12),
            sighting("new.example", 1),
            sighting("a.example", 0),
        ],
    };
    let counted = facegraph.report_sightings(request.clone()).await.unwrap();
    assert_eq!((counted.counted, counted.replayed), (1, false));
    let rejected: Vec<_> =
        counted.rejected.iter().map(|item| (item.index, item.field.as_str())).collect();
    assert_eq!(rejected, [(1, "indicator"), (2, "count")]);
    let again = facegraph.report_sightings(request.clone()).await.unwrap();
    assert!(again.replayed && again.sequence == counted.sequence);
    let other =
        pb::ReportSightingsRequest { sightings: vec![sighting("a.example", 13)], ..request };
    let conflict = facegraph.report_sightings(other).await.unwrap_err();
    assert!(matches!(conflict, ClientError::Conflict(_)), "{conflict}");
    let FeedEvent::Sighting(seen) = event(&mut feeds[0]).await else { panic!("a sighting") };
    let seen = seen.sighting.unwrap();
    assert_eq!((seen.author.as_str(), seen.count), ("facegraph", 12));
    nothing(&mut feeds[1]).await;
    assert_eq!(birdsite.indicator(key("a.example")).await.unwrap().seen_count, 12);
    assert_eq!(tubeworks.indicator(key("a.example")).await.unwrap().seen_count, 0);
}

fn feedback(
    id: &str,
    version: Option<pb::Version>,
    opinion: pb::Opinion,
) -> pb::GiveFeedbackRequest {
    pb::GiveFeedbackRequest {
        request_id: id.into(),
        version,
        opinion: opinion.into(),
        note: "the site of a library".into(),
        sharing: None,
    }
}

/// Facegraph gives feedback to the author of a version.
async fn give_feedback(
    [birdsite, facegraph, tubeworks]: &[Client; 3],
    feeds: &mut [Subscription; 2],
    version: Option<pb::Version>,
) {
    facegraph.give_feedback(feedback("f1", version, pb::Opinion::StronglyDisagree)).await.unwrap();
    // Feedback reaches the author regardless of its filter.
    let filter = pb::Filter { kinds: vec![pb::Kind::Ip.into()], ..pb::Filter::default() };
    let mut filtered = birdsite.subscribe(FeedStart::Beginning, Some(filter));
    change(&mut filtered).await;
    for feed in [&mut feeds[0], &mut filtered] {
        let FeedEvent::Feedback(feedback) = event(feed).await else { panic!("feedback") };
        let received = feedback.feedback.unwrap();
        assert_eq!((received.author.as_str(), received.about), ("facegraph", version));
        assert_eq!(received.opinion(), pb::Opinion::StronglyDisagree);
    }
    nothing(&mut feeds[1]).await;
    assert_eq!(birdsite.indicator(key("a.example")).await.unwrap().feedback.len(), 1);
    assert!(tubeworks.indicator(key("a.example")).await.unwrap().feedback.is_empty());
}

async fn check_refused_feedback(
    [birdsite, facegraph, _]: &[Client; 3],
    version: Option<pb::Version>,
) {
    let own =
        birdsite.give_feedback(feedback("f2", version, pb::Opinion::Agree)).await.unwrap_err();
    assert!(matches!(own, ClientError::Invalid { .. }), "{own}");
    let unknown = Some(pb::Version { sequence: 1, index: 0 });
    let unknown = facegraph.give_feedback(feedback("f3", unknown, pb::Opinion::Agree)).await;
    assert!(matches!(unknown, Err(ClientError::NotFound(_))), "{unknown:?}");
    let hidden =
        submit(birdsite, "h", sharing(Tlp::Amber, named(&[], &["tubeworks"])), &["h.example"])
            .await;
    let hidden = feedback("f4", hidden.items[0].version, pb::Opinion::Agree);
    let hidden = facegraph.give_feedback(hidden).await;
    let (hidden, unknown) = (hidden.unwrap_err(), unknown.unwrap_err());
    assert_eq!(hidden.to_string(), unknown.to_string(), "hidden versions do not exist");
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_reaches_only_partners_that_see_its_assessment() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let (birdsite, facegraph) = (client("birdsite"), client("facegraph"));
    let mut tubeworks = client("tubeworks").subscribe(FeedStart::Now, None);
    subscribed(&mut tubeworks).await;
    let to_facegraph = sharing(Tlp::Amber, named(&[], &["facegraph"]));
    let hidden = submit(&birdsite, "h", to_facegraph, &["h.example"]).await;
    let open = submit(&birdsite, "o", everyone(), &["o.example"]).await;
    assert_eq!(values(&mut tubeworks, 1).await, ["o.example"]);
    for (id, about) in [("f1", &hidden), ("f2", &open)] {
        let feedback = pb::GiveFeedbackRequest {
            request_id: id.into(),
            version: about.items[0].version,
            opinion: pb::Opinion::Agree.into(),
            sharing: Some(everyone()),
            ..pb::GiveFeedbackRequest::default()
        };
        facegraph.give_feedback(feedback).await.unwrap();
    }
    let FeedEvent::Feedback(event) = event(&mut tubeworks).await else { panic!("feedback") };
    assert_eq!(event.feedback.unwrap().about, open.items[0].version, "not on the hidden version");
    node.stop().await;
}
