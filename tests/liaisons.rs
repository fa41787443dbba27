//! The liaison lane: a liaison sees what was released to it and nothing else, until the release
//! ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::feed::{item, nothing, removal, subscribed};
use support::liaison::{
    HOUR, field, keys, now, release, retract, submit, submit_as, values, warrant,
};
use support::{World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedStart, Subscription};
use tipoff::clock::Clock;
use tipoff::wire::pb::release_indicators_request::What;
use tipoff::wire::pb::{self, PurposeKind, RemovalReason, Tlp};
use tipoff::wire::timestamp;

/// The values that a liaison reads by pull, feed and snapshot. They have to agree.
async fn read_every_way(liaison: &Client) -> Vec<String> {
    let (_, snapshot) = liaison.snapshot(None).await.unwrap();
    let snapshot = values(&snapshot);
    let (mut from, mut pulled) = (FeedStart::Beginning, Vec::new());
    loop {
        let page = liaison.pull(&from, None, 1_000).await.unwrap();
        assert!(page.sightings.is_empty() && page.feedback.is_empty());
        pulled.extend(page.items);
        from = FeedStart::Cursor(page.cursor.unwrap());
        if !page.more {
            break;
        }
    }
    assert_eq!(values(&pulled), snapshot, "pages and a snapshot");
    let mut feed = liaison.subscribe(FeedStart::Beginning, None);
    let mut followed = Vec::new();
    for _ in 0..snapshot.len() {
        followed.push(item(&mut feed).await);
    }
    nothing(&mut feed).await;
    assert_eq!(values(&followed), snapshot, "a feed and a snapshot");
    snapshot
}

#[tokio::test(flavor = "multi_thread")]
async fn every_read_shows_a_liaison_what_was_released_to_it_or_is_public() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    submit(&birdsite, "a", &["a.example", "b.example", "c.example"]).await;
    submit_as(&birdsite, "p", sharing(Tlp::Clear, None), &["public.example"]).await;
    submit_as(&birdsite, "e", sharing(Tlp::Green, None), &["everyone.example"]).await;
    let released = pb::Release {
        liaison: "cyber-unit".into(),
        basis: "a warrant".into(),
        until: Some(timestamp(now().plus(HOUR))),
    };
    let with_release = pb::Sharing {
        releases: vec![released],
        ..sharing(Tlp::Amber, named(&["core"], &["tubeworks"]))
    };
    submit_as(&birdsite, "r", with_release, &["released.example"]).await;
    assert_eq!(read_every_way(&liaison).await, ["public.example", "released.example"]);

    let answer = birdsite.release(release("r1", keys(&["b.example"]), "W-17")).await.unwrap();
    assert_eq!((answer.changed, answer.unchanged, answer.refused), (1, 0, 0));
    let seen = ["b.example", "public.example", "released.example"];
    assert_eq!(read_every_way(&liaison).await, seen);
    // Under the purpose `public` it gets public objects only.
    let public = pb::Purpose { kind: PurposeKind::Public.into(), ..warrant(now()) };
    let public = world.client(&node, "cyber-unit").with_purpose(public);
    assert_eq!(read_every_way(&public).await, ["public.example"]);

    // It sees author, content, marking and its own release, and not who else receives the object.
    let (_, items) = liaison.snapshot(None).await.unwrap();
    for item in &items {
        assert_eq!((item.author.as_str(), item.raw.as_str()), ("birdsite", ""));
        let sharing = item.sharing.clone().unwrap();
        match sharing.audience.unwrap() {
            pb::sharing::Audience::Named(named) => {
                assert!(named.groups.is_empty() && named.partners.is_empty(), "{named:?}");
                assert_eq!(sharing.releases.len(), 1);
            }
            pb::sharing::Audience::Public(_) => assert!(sharing.releases.is_empty()),
            pb::sharing::Audience::Everyone(_) => panic!("not released"),
        }
    }
    // Versions of other authors, and later versions for others, are not included.
    submit(&world.client(&node, "facegraph"), "f", &["b.example", "d.example"]).await;
    submit_as(&birdsite, "other", sharing(Tlp::Green, None), &["b.example"]).await;
    assert_eq!(read_every_way(&liaison).await, seen);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_reaches_an_open_stream_and_so_does_its_end() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let birdsite = world.client(&node, "birdsite");
    let end = Some(timestamp(clock.now().plus(24 * HOUR)));
    let purpose = pb::Purpose { until: end, ..warrant(clock.now()) };
    let liaison = world.client(&node, "cyber-unit").with_purpose(purpose);
    let submitted = submit(&birdsite, "a", &["a.example", "b.example", "c.example"]).await;
    let mut feed = liaison.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    let [a, b, c] = [0, 1, 2].map(|index: usize| submitted.items[index].version);
    birdsite.release(release("r1", What::SubmissionId("a".into()), "W-17")).await.unwrap();
    for version in [a, b, c] {
        let received = item(&mut feed).await;
        assert_eq!((received.version, received.replaces), (version, None));
        let own = &received.sharing.unwrap().releases[0];
        assert_eq!((own.basis.as_str(), own.until), ("W-17", None));
    }
    // Retracted.
    let answer = birdsite.release(retract("r2", keys(&["a.example"]))).await.unwrap();
    assert_eq!(answer.changed, 1);
    assert_removed(&mut feed, a, RemovalReason::NoLongerShared).await;
    // Replaced: the release covers the version, not its replacement.
    let mut changed = domain("b.example");
    changed.assessment = Some(pb::Assessment { confidence: Some(3), ..Default::default() });
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    birdsite.submit(batch("b", 1, Some(core), vec![changed])).await.unwrap();
    assert_removed(&mut feed, b, RemovalReason::Replaced).await;
    // Released until a time. A release with another basis delivers the version again.
    let until = Some(timestamp(clock.now().plus(HOUR)));
    let shorter =
        pb::ReleaseIndicatorsRequest { until, ..release("r3", keys(&["c.example"]), "an hour") };
    birdsite.release(shorter).await.unwrap();
    let again = item(&mut feed).await;
    assert_eq!(again.version, c);
    assert_eq!(again.sharing.unwrap().releases[0].until, until);
    clock.advance(Duration::from_secs(3_599));
    assert_eq!(node.exchange.sweeps.end_due_releases().await.unwrap(), 0);
    assert_eq!(values(&liaison.snapshot(None).await.unwrap().1), ["c.example"]);
    clock.advance(Duration::from_secs(1));
    // The clock denies it immediately. The node writes the entry within a second.
    assert!(liaison.snapshot(None).await.unwrap().1.is_empty());
    assert_removed(&mut feed, c, RemovalReason::NoLongerShared).await;
    let head = node.exchange.head();
    assert_eq!(node.exchange.sweeps.end_due_releases().await.unwrap(), 0);
    assert_eq!(node.exchange.head(), head, "ended objects are not recorded");
    // A member of the audience gets no removal, and its author continues.
    assert!(birdsite.indicator(support::liaison::key("c.example")).await.is_ok());
    birdsite.release(release("r4", keys(&["c.example"]), "again")).await.unwrap();
    assert_eq!(item(&mut feed).await.version, c);
    // A withdrawal ends the version, and the holders get a removal.
    let withdraw =
        pb::WithdrawIndicatorsRequest { submission_id: "a".into(), ..Default::default() };
    birdsite.withdraw(withdraw).await.unwrap();
    // It gets no removal of the versions that it lost before.
    assert_removed(&mut feed, c, RemovalReason::Withdrawn).await;
    nothing(&mut feed).await;
    node.stop().await;
}

async fn assert_removed(
    feed: &mut Subscription,
    version: Option<pb::Version>,
    reason: RemovalReason,
) {
    let removal = removal(feed).await;
    assert_eq!((removal.version, removal.reason()), (version, reason));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_counts_once_per_key_and_refuses_what_may_not_be_released() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    let red = sharing(Tlp::Red, named(&[], &["facegraph"]));
    submit_as(&birdsite, "red", red, &["red.example", "both.example"]).await;
    let creation = pb::PutCampaignRequest {
        request_id: "c1".into(),
        contribution: Some(pb::Contribution { name: "c1".into(), ..Default::default() }),
        ..Default::default()
    };
    let campaign = birdsite.put_campaign(creation).await.unwrap().campaign_id;
    let mut assessed = vec![domain("a.example"), domain("both.example")];
    for item in &mut assessed {
        let campaign = campaign.clone();
        item.assessment = Some(pb::Assessment { campaign, ..Default::default() });
    }
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    birdsite.submit(batch("a", 1, Some(core), assessed)).await.unwrap();
    let request = release(
        "r1",
        keys(&["red.example", "a.example", "unheard.example", "not a value", "both.example"]),
        "W-17",
    );
    let answer = birdsite.release(request.clone()).await.unwrap();
    let outcomes: Vec<_> =
        answer.items.iter().map(|item| (item.versions.len(), item.field.as_str())).collect();
    assert_eq!(outcomes, [(0, "tlp"), (1, ""), (0, ""), (0, "value"), (1, "tlp")]);
    assert!(answer.items[0].reason.contains("named partners only"), "{answer:?}");
    assert_eq!((answer.changed, answer.unchanged, answer.refused), (2, 0, 2));
    let again = birdsite.release(request.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(pb::ReleaseIndicatorsResponse { replayed: false, ..again }, answer);
    let other = pb::ReleaseIndicatorsRequest { basis: "W-18".into(), ..request.clone() };
    let conflict = birdsite.release(other).await.unwrap_err();
    assert!(matches!(conflict, ClientError::Conflict(_)), "{conflict}");
    let new_key = pb::ReleaseIndicatorsRequest { request_id: "r2".into(), ..request };
    assert_eq!(birdsite.release(new_key).await.unwrap().unchanged, 2, "already in this state");
    let of_campaign = retract("r3", What::Campaign(campaign.clone()));
    assert_eq!(birdsite.release(of_campaign).await.unwrap().changed, 2);
    let nothing = retract("r4", What::SubmissionId("a".into()));
    assert_eq!(birdsite.release(nothing).await.unwrap().changed, 0);

    check_invalid_releases(&birdsite).await;
    // A submission of another partner is not found, and assessments of others cannot be released.
    let facegraph = world.client(&node, "facegraph");
    let theirs = facegraph.release(release("r1", What::SubmissionId("a".into()), "W-17")).await;
    assert!(matches!(theirs, Err(ClientError::NotFound(_))), "{theirs:?}");
    let of_others = facegraph.release(release("r9", keys(&["a.example"]), "W-17")).await;
    assert_eq!(of_others.unwrap().changed, 0);
    node.stop().await;
}

async fn check_invalid_releases(client: &Client) {
    let good = || release("r9", keys(&["a.example"]), "W-17");
    let past = Some(prost_types::Timestamp { seconds: 1, nanos: 0 });
    let wrong = [
        (pb::ReleaseIndicatorsRequest { request_id: String::new(), ..good() }, "request_id"),
        (pb::ReleaseIndicatorsRequest { what: None, ..good() }, "what"),
        (pb::ReleaseIndicatorsRequest { what: Some(keys(&[])), ..good() }, "indicators.keys"),
        (pb::ReleaseIndicatorsRequest { liaisons: vec![], ..good() }, "liaisons"),
        (pb::ReleaseIndicatorsRequest { liaisons: vec!["facegraph".into()], ..good() }, "liaisons"),
        (pb::ReleaseIndicatorsRequest { liaisons: vec!["nobody".into()], ..good() }, "liaisons"),
        (pb::ReleaseIndicatorsRequest { basis: " ".into(), ..good() }, "basis"),
        (pb::ReleaseIndicatorsRequest { basis: "x".repeat(501), ..good() }, "basis"),
        (pb::ReleaseIndicatorsRequest { until: past, ..good() }, "until"),
        (pb::ReleaseIndicatorsRequest { retract: true, ..good() }, "retract"),
    ];
    for (request, named) in wrong {
        let refused = client.release(request).await.unwrap_err();
        assert_eq!(field(&refused), named, "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_purpose_that_the_registry_allows_a_liaison_reads_nothing() {
    let world = World::new();
    let node = world.start().await;
    let liaison = world.client(&node, "cyber-unit");
    check_invalid_purposes(&liaison).await;
    let good = || warrant(now());
    for kind in [PurposeKind::Subpoena, PurposeKind::Emergency] {
        let not_allowed = pb::Purpose { kind: kind.into(), ..good() };
        let client = liaison.clone().with_purpose(not_allowed);
        let denied = client.pull(&FeedStart::Beginning, None, 10).await.unwrap_err();
        assert!(matches!(&denied, ClientError::Denied(why) if why.contains("warrant")), "{denied}");
    }
    // No reference is needed where there is no legal document, and only liaisons read for a
    // purpose.
    for kind in [PurposeKind::Voluntary, PurposeKind::Public] {
        let purpose = pb::Purpose { kind: kind.into(), reference: String::new(), ..good() };
        let client = liaison.clone().with_purpose(purpose);
        client.pull(&FeedStart::Beginning, None, 10).await.unwrap();
    }
    for partner in ["birdsite", "watcher"] {
        let client = world.client(&node, partner).with_purpose(good());
        let refused = client.pull(&FeedStart::Beginning, None, 10).await.unwrap_err();
        assert_eq!(field(&refused), "purpose");
    }
    let me = liaison.who_am_i().await.unwrap().partner.unwrap();
    assert_eq!(me.jurisdiction, "GB");
    let kinds: Vec<_> = me.purposes().collect();
    assert_eq!(kinds, [PurposeKind::Warrant, PurposeKind::Voluntary, PurposeKind::Public]);
    node.stop().await;
}

/// Every read refuses an invalid purpose, and names the field.
async fn check_invalid_purposes(liaison: &Client) {
    let good = || warrant(now());
    let year = Some(timestamp(now().plus(367 * 24 * HOUR)));
    let past = Some(timestamp(now()));
    let wrong = [
        (None, "purpose"),
        (Some(pb::Purpose { kind: 0, ..good() }), "purpose.kind"),
        (Some(pb::Purpose { reference: " ".into(), ..good() }), "purpose.reference"),
        (Some(pb::Purpose { reference: "x".repeat(201), ..good() }), "purpose.reference"),
        (Some(pb::Purpose { jurisdiction: "FR".into(), ..good() }), "purpose.jurisdiction"),
        (Some(pb::Purpose { jurisdiction: String::new(), ..good() }), "purpose.jurisdiction"),
        (Some(pb::Purpose { until: None, ..good() }), "purpose.until"),
        (Some(pb::Purpose { until: past, ..good() }), "purpose.until"),
        (Some(pb::Purpose { until: year, ..good() }), "purpose.until"),
    ];
    for (purpose, named) in wrong {
        let client = match purpose {
            Some(purpose) => liaison.clone().with_purpose(purpose),
            None => liaison.clone(),
        };
        let refused = [
            client.pull(&FeedStart::Beginning, None, 10).await.map(|_| ()).unwrap_err(),
            client.snapshot(None).await.map(|_| ()).unwrap_err(),
            client
                .subscribe(FeedStart::Beginning, None)
                .next_event()
                .await
                .map(|_| ())
                .unwrap_err(),
        ];
        for error in refused {
            assert_eq!(field(&error), named, "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_purpose_and_continues_at_its_cursor_under_another() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let birdsite = world.client(&node, "birdsite");
    submit(&birdsite, "a", &["a.example", "b.example"]).await;
    birdsite.release(release("r1", keys(&["a.example"]), "W-17")).await.unwrap();
    let liaison = world.client(&node, "cyber-unit");
    let mut feed = liaison.clone().with_purpose(warrant(clock.now())).subscribe_named(
        "main",
        FeedStart::Beginning,
        None,
    );
    assert_eq!(item(&mut feed).await.indicator.unwrap().value, "a.example");
    feed.acknowledge().await.unwrap();
    clock.advance(HOUR);
    let ended = soon(feed.next_event()).await.unwrap_err();
    assert_eq!(field(&ended), "purpose.until", "reopened with an expired purpose: {ended}");
    birdsite.release(release("r2", keys(&["b.example"]), "W-17")).await.unwrap();
    let mut feed = liaison.with_purpose(warrant(clock.now())).subscribe_named(
        "main",
        FeedStart::Beginning,
        None,
    );
    assert_eq!(item(&mut feed).await.indicator.unwrap().value, "b.example");
    nothing(&mut feed).await;
    // The registry removes the kind: that ends the stream too.
    let operator = world.client(&node, "exchange-ops");
    let mut known = operator.partners().await.unwrap();
    known.retain(|partner| partner.id == "cyber-unit");
    known[0].purposes = vec![PurposeKind::Public.into()];
    let put = pb::PutPartnerRequest { partner: known.pop(), ..Default::default() };
    operator.put_partner(put).await.unwrap();
    let ended = soon(feed.next_event()).await.unwrap_err();
    assert!(matches!(ended, ClientError::Denied(_)), "{ended}");
    node.stop().await;
}
