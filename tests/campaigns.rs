//! Campaigns: random ids, contributions of each partner, members of a campaign, visibility.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::feed::subscribed;
use support::{Running, World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Subscription};
use tipoff::wire::pb::timeline_event::Event;
use tipoff::wire::pb::{self, ItemStatus, Tlp};

#[allow(clippy::unnecessary_wraps)] // As the field of the message.
fn to(groups: &[&str], partners: &[&str]) -> Option<pb::Sharing> {
    Some(sharing(Tlp::Amber, named(groups, partners)))
}

fn contribution(
    key: &str,
    id: &str,
    name: &str,
    sharing: Option<pb::Sharing>,
) -> pb::PutCampaignRequest {
    pb::PutCampaignRequest {
        request_id: key.into(),
        campaign_id: id.into(),
        contribution: Some(pb::Contribution { name: name.into(), ..Default::default() }),
        sharing,
    }
}

async fn create(client: &Client, key: &str, sharing: Option<pb::Sharing>) -> String {
    client.put_campaign(contribution(key, "", "Harbour", sharing)).await.unwrap().campaign_id
}

fn item_in(value: &str, campaign: &str) -> pb::SubmittedIndicator {
    let mut item = domain(value);
    let campaign = campaign.to_owned();
    item.assessment = Some(pb::Assessment { campaign, ..pb::Assessment::default() });
    item
}

async fn get(client: &Client, id: &str) -> Result<pb::GetCampaignResponse, ClientError> {
    client.campaign(pb::GetCampaignRequest { id: id.into(), ..Default::default() }).await
}

fn three(world: &World, node: &Running) -> [Client; 3] {
    ["birdsite", "facegraph", "tubeworks"].map(|partner| world.client(node, partner))
}

#[tokio::test(flavor = "multi_thread")]
async fn different_attributions_of_a_campaign_are_shown_side_by_side() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, tubeworks] = three(&world, &node);
    let id = create(&birdsite, "1", to(&["core"], &[])).await;
    let mut theirs = contribution("1", &id, "Harbour watchers", to(&["core"], &[]));
    let attribution = |actor: &str, confidence| pb::Attribution {
        actor: actor.into(),
        country: "CN".into(),
        confidence: Some(confidence),
        basis: "payments".into(),
    };
    theirs.contribution.as_mut().unwrap().attribution = Some(attribution("a marketing firm", 70));
    assert_eq!(facegraph.put_campaign(theirs).await.unwrap().status(), ItemStatus::Created);
    let mut ours = contribution("2", &id, "Harbour", to(&["core"], &[]));
    ours.contribution.as_mut().unwrap().attribution = Some(attribution("nobody knows", 20));
    let ours = birdsite.put_campaign(ours).await.unwrap();
    assert_eq!(ours.status(), ItemStatus::Replaced);

    let watcher = world.client(&node, "watcher");
    let seen = get(&watcher, &id).await.unwrap();
    let actors: Vec<_> = seen
        .contributions
        .iter()
        .map(|view| {
            let contribution = view.contribution.clone().unwrap();
            (view.author.as_str(), view.founds, contribution.attribution.unwrap().actor)
        })
        .collect();
    assert_eq!(
        actors,
        [
            ("facegraph", false, "a marketing firm".to_owned()),
            ("birdsite", true, "nobody knows".to_owned())
        ]
    );
    assert_eq!(seen.numbers.unwrap().authors, 2);
    let listed = watcher.campaigns().await.unwrap();
    assert_eq!((listed.len(), listed[0].id.as_str(), listed[0].contributions), (1, &*id, 2));
    assert_eq!(listed[0].newest.as_ref().unwrap().version, ours.version);

    // A partner that sees nothing of it gets the same answer as for an unknown campaign.
    for unknown in [id.as_str(), "6f1a1d5c-8a3e-4d0f-9b57-000000000000", "harbour"] {
        let error = get(&tubeworks, unknown).await.unwrap_err();
        assert!(matches!(error, ClientError::NotFound(_)), "{unknown}: {error}");
        assert_eq!(error.to_string(), get(&tubeworks, &id).await.unwrap_err().to_string());
        let put =
            tubeworks.put_campaign(contribution("x", unknown, "a", to(&[], &["birdsite"]))).await;
        assert_eq!(put.unwrap_err().to_string(), error.to_string());
    }
    assert_eq!(tubeworks.campaigns().await.unwrap(), []);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_created_once_per_key_also_after_a_restart() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, _] = three(&world, &node);
    let first =
        birdsite.put_campaign(contribution("1", "", "Harbour", to(&["core"], &[]))).await.unwrap();
    let again =
        birdsite.put_campaign(contribution("1", "", "Harbour", to(&["core"], &[]))).await.unwrap();
    assert!(again.replayed && !first.replayed);
    assert_eq!((&again.campaign_id, again.version), (&first.campaign_id, first.version));
    let other = birdsite.put_campaign(contribution("1", "", "Pier", to(&["core"], &[]))).await;
    assert!(matches!(other, Err(ClientError::Conflict(_))), "{other:?}");
    let theirs = create(&facegraph, "1", to(&["core"], &[])).await;
    assert_ne!(theirs, first.campaign_id, "keys are scoped to their author, and ids are random");
    let same = contribution("2", &first.campaign_id, "Harbour", to(&["core"], &[]));
    assert_eq!(birdsite.put_campaign(same).await.unwrap().status(), ItemStatus::Unchanged);
    node.stop().await;

    let node = world.start().await;
    let [birdsite, ..] = three(&world, &node);
    let again =
        birdsite.put_campaign(contribution("1", "", "Harbour", to(&["core"], &[]))).await.unwrap();
    assert_eq!((again.replayed, again.campaign_id), (true, first.campaign_id));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_fields_are_named() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, ..] = three(&world, &node);
    let good = || contribution("1", "", "a", to(&["core"], &[]));
    let with = |content: pb::Contribution| pb::PutCampaignRequest {
        contribution: Some(content),
        ..good()
    };
    let table = [
        (pb::PutCampaignRequest { request_id: "a b".into(), ..good() }, "request_id"),
        (pb::PutCampaignRequest { contribution: None, ..good() }, "contribution"),
        (with(pb::Contribution::default()), "contribution.name"),
        (
            pb::PutCampaignRequest { sharing: to(&["other"], &[]), ..good() },
            "sharing.audience.groups",
        ),
    ];
    for (request, field) in table {
        match birdsite.put_campaign(request).await.unwrap_err() {
            ClientError::Invalid { fields, .. } => assert_eq!(fields[0].0, field),
            other => panic!("{other}"),
        }
    }
    let page = pb::CampaignPage { page_token: "x".into(), ..Default::default() };
    let id = create(&birdsite, "1", to(&["core"], &[])).await;
    let request = pb::GetCampaignRequest { id, timeline: Some(page), ..Default::default() };
    assert!(birdsite.campaign(request).await.unwrap_err().to_string().contains("page_token"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_names_only_campaigns_that_its_author_sees_and_its_readers_see_only_their_own() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, tubeworks] = three(&world, &node);
    let id = create(&birdsite, "1", to(&["core"], &[])).await;
    let everyone = || Some(sharing(Tlp::Green, None));
    let items = vec![item_in("a.example", &id), domain("b.example")];
    let mut feeds = [
        facegraph.subscribe(FeedStart::Beginning, None),
        tubeworks.subscribe(FeedStart::Beginning, None),
        birdsite.subscribe(FeedStart::Beginning, None),
    ];
    birdsite.submit(batch("s", 1, everyone(), items)).await.unwrap();

    // One batch for all three. Each gets what it may see, by feed, snapshot, get and lookup.
    for (feed, knows) in feeds.iter_mut().zip([true, false, true]) {
        let mut named = Vec::new();
        while named.len() < 2 {
            if let Some(FeedEvent::Item(item)) = soon(feed.next_event()).await.unwrap() {
                named.push(item.assessment.unwrap().campaign);
            }
        }
        let known = if knows { id.as_str() } else { "" };
        assert_eq!(named, [known, ""]);
    }
    for (client, knows) in [(&facegraph, true), (&tubeworks, false), (&birdsite, true)] {
        let known = if knows { id.as_str() } else { "" };
        let key = pb::IndicatorKey { value: "a.example".into(), ..Default::default() };
        let view = client.indicator(key.clone()).await.unwrap();
        assert_eq!(view.assessments[0].assessment.as_ref().unwrap().campaign, known);
        let (_, items) = client.snapshot(None).await.unwrap();
        let item = items.iter().find(|i| i.indicator.as_ref().unwrap().value == "a.example");
        assert_eq!(item.unwrap().assessment.as_ref().unwrap().campaign, known);
        let found = client.lookup(&[key]).await.unwrap();
        let Some(pb::lookup_result::Result::Known(summary)) = &found[0].result else { panic!() };
        let strongest = summary.strongest.as_ref().unwrap();
        assert_eq!(strongest.assessment.as_ref().unwrap().campaign, known);
    }

    // A hidden and an unknown campaign give the same answer, item by item.
    let never = "6f1a1d5c-8a3e-4d0f-9b57-000000000000";
    let items = [&*id, never, "harbour"].map(|id| item_in("c.example", id)).to_vec();
    let receipt = tubeworks.submit(batch("s", 1, everyone(), items)).await.unwrap();
    for item in &receipt.items {
        assert_eq!(item.status(), ItemStatus::Rejected);
        assert_eq!((&*item.field, &*item.reason), ("campaign", "is not a campaign that you see"));
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_follows_a_campaign_gains_and_loses_it_with_access_to_it() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, tubeworks] = three(&world, &node);
    let operator = world.client(&node, "exchange-ops");
    let id = create(&birdsite, "1", to(&[], &["facegraph"])).await;
    let everyone = || Some(sharing(Tlp::Green, None));
    let items = vec![item_in("a.example", &id), domain("b.example")];
    birdsite.submit(batch("s", 1, everyone(), items)).await.unwrap();
    let filter = || Some(pb::Filter { campaigns: vec![id.clone()], ..Default::default() });

    // Tubeworks sees the item, but not that it belongs to the campaign.
    let mut feed = tubeworks.subscribe(FeedStart::Beginning, filter());
    subscribed(&mut feed).await;
    assert!(tubeworks.snapshot(filter()).await.unwrap().1.is_empty());
    let group = |members: &[&str]| pb::SharingGroup {
        id: "harbour".into(),
        name: "Harbour".into(),
        members: members.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    operator.put_group(group(&["facegraph", "tubeworks"])).await.unwrap();
    // Facegraph contributes to another audience. Tubeworks gets the contribution, and the items
    // that named the campaign before.
    let response =
        facegraph.put_campaign(contribution("1", &id, "Harbour", to(&["harbour"], &[]))).await;
    gains(&mut feed, &id, response.unwrap().version).await;
    assert_eq!(tubeworks.snapshot(filter()).await.unwrap().1.len(), 1);

    // Later items arrive immediately. Items without the campaign do not.
    let items = vec![domain("c.example"), item_in("d.example", &id)];
    birdsite.submit(batch("s", 2, everyone(), items)).await.unwrap();
    let Some(FeedEvent::Item(item)) = soon(feed.next_event()).await.unwrap() else { panic!() };
    assert_eq!(item.indicator.unwrap().value, "d.example");

    operator.put_group(group(&["facegraph"])).await.unwrap();
    loses(&mut feed).await;
    assert!(matches!(get(&tubeworks, &id).await, Err(ClientError::NotFound(_))));
    node.stop().await;
}

/// The feed delivers the contribution and the item that named the campaign before.
async fn gains(feed: &mut Subscription, campaign: &str, version: Option<pb::Version>) {
    let mut received = Vec::new();
    while received.len() < 2 {
        match soon(feed.next_event()).await.unwrap().unwrap() {
            FeedEvent::Campaign(event) => {
                let contribution = event.contribution.unwrap();
                assert_eq!(contribution.version, version);
                received.push("campaign".to_owned());
            }
            FeedEvent::Item(item) => {
                assert_eq!(item.assessment.unwrap().campaign, campaign);
                received.push(item.indicator.unwrap().value);
            }
            FeedEvent::GroupChange(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(received, ["campaign", "a.example"]);
}

/// The feed removes the items that the reader got through the campaign, after it left the group.
async fn loses(feed: &mut Subscription) {
    let mut removals = 0;
    while removals < 2 {
        match soon(feed.next_event()).await.unwrap().unwrap() {
            FeedEvent::Removal(removal) => {
                assert_eq!(removal.reason(), pb::RemovalReason::NoLongerMatches);
                removals += 1;
            }
            FeedEvent::GroupChange(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_shows_its_indicators_its_timeline_and_its_clusters() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph, tubeworks] = three(&world, &node);
    let id = create(&birdsite, "1", Some(sharing(Tlp::Green, None))).await;
    let core = || to(&["core"], &[]);
    let items = ["a.example", "b.example", "c.example"].map(|value| item_in(value, &id));
    birdsite.submit(batch("s", 1, core(), items.to_vec())).await.unwrap();
    let everyone = Some(sharing(Tlp::Green, None));
    facegraph.submit(batch("s", 1, everyone, vec![item_in("d.example", &id)])).await.unwrap();
    let sightings = ["a.example", "d.example"].map(|value| pb::Sighting {
        indicator: Some(pb::IndicatorKey { value: value.into(), ..Default::default() }),
        count: 2,
        ..Default::default()
    });
    let request = pb::ReportSightingsRequest {
        request_id: "seen".into(),
        sharing: core(),
        sightings: sightings.to_vec(),
    };
    facegraph.report_sightings(request).await.unwrap();

    check_indicators_and_clusters(&birdsite, &id).await;
    check_timeline(&birdsite, &id).await;
    // Tubeworks sees one object, and no edges.
    let theirs = tubeworks.campaign(page_request(&id, "")).await.unwrap();
    assert_eq!(theirs.numbers.unwrap().indicators, 1);
    assert_eq!(theirs.clusters.unwrap().bonds, []);
    node.stop().await;
}

/// Requests a page of three indicators, and the clusters.
fn page_request(campaign: &str, token: &str) -> pb::GetCampaignRequest {
    pb::GetCampaignRequest {
        id: campaign.into(),
        indicators: Some(pb::CampaignPage { page_size: 3, page_token: token.into() }),
        clusters: true,
        ..Default::default()
    }
}

async fn check_indicators_and_clusters(client: &Client, campaign: &str) {
    let first = client.campaign(page_request(campaign, "")).await.unwrap();
    assert_eq!(first.numbers.as_ref().unwrap().indicators, 4);
    let values = |page: &pb::CampaignIndicators| {
        let values = page.assessments.iter().map(|item| item.indicator.clone().unwrap().value);
        values.collect::<Vec<_>>()
    };
    let listed = first.indicators.unwrap();
    assert_eq!(values(&listed), ["a.example", "b.example", "c.example"]);
    let request = page_request(campaign, &listed.next_page_token);
    let second = client.campaign(request).await.unwrap();
    let listed = second.indicators.unwrap();
    assert_eq!((values(&listed), listed.next_page_token.as_str()), (vec!["d.example".into()], ""));
    let clusters = first.clusters.unwrap();
    let edges: Vec<_> = clusters
        .bonds
        .iter()
        .map(|edge| (edge.kind(), edge.author.as_str(), edge.indicators.len()))
        .collect();
    assert_eq!(
        edges,
        [(pb::BondKind::Submission, "birdsite", 3), (pb::BondKind::Sightings, "facegraph", 2)]
    );
}

async fn check_timeline(client: &Client, campaign: &str) {
    let timeline = client.campaign_timeline(campaign).await.unwrap();
    let count = |is: fn(&pb::timeline_event::Event) -> bool| {
        timeline.iter().filter(|event| is(event.event.as_ref().unwrap())).count()
    };
    assert_eq!(count(|event| matches!(event, Event::Contribution(view) if view.founds)), 1);
    assert_eq!(count(|event| matches!(event, Event::Indicators(_))), 2, "a day of each author");
    assert_eq!(count(|event| matches!(event, Event::Sighting(_))), 2);
    let times: Vec<_> = timeline.iter().map(|event| event.at.unwrap()).collect();
    assert!(times.is_sorted_by_key(|at| (at.seconds, at.nanos)));
}
