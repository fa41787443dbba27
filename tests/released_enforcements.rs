//! Campaign contributions and enforcements in the liaison lane: delivered when released, and
//! removed when the release ends.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::feed::{nothing, subscribed};
use support::liaison::{HOUR, now, release, retract, warrant};
use support::{World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, FeedEvent, FeedStart, Subscription};
use tipoff::clock::Clock;
use tipoff::wire::pb::release_indicators_request::What;
use tipoff::wire::pb::{self, RemovalReason, Tlp};
use tipoff::wire::timestamp;

fn core() -> pb::Sharing {
    sharing(Tlp::Amber, named(&["core"], &[]))
}

async fn put_campaign(
    author: &Client,
    key: &str,
    campaign: &str,
    actor: &str,
    to: pb::Sharing,
) -> String {
    let attribution =
        pb::Attribution { actor: actor.into(), confidence: Some(70), ..pb::Attribution::default() };
    let contribution = pb::Contribution {
        name: "Harbour network".into(),
        attribution: Some(attribution),
        ..Default::default()
    };
    let request = pb::PutCampaignRequest {
        request_id: key.into(),
        campaign_id: campaign.into(),
        sharing: Some(to),
        contribution: Some(contribution),
    };
    author.put_campaign(request).await.unwrap().campaign_id
}

async fn report(author: &Client, key: &str, id: &str, campaign: &str, count: u64, to: pb::Sharing) {
    let count = pb::EnforcementCount {
        asset: pb::AssetKind::Page.into(),
        platform: "facebook".into(),
        count,
        ..Default::default()
    };
    let enforcement = pb::Enforcement {
        id: id.into(),
        counts: vec![count],
        campaign: campaign.into(),
        ..Default::default()
    };
    let request = pb::ReportEnforcementRequest {
        request_id: key.into(),
        sharing: Some(to),
        enforcements: vec![enforcement],
    };
    author.report_enforcement(request).await.unwrap();
}

/// What a liaison holds, as text. A page, a feed and a snapshot have to agree.
async fn held(liaison: &Client) -> Vec<String> {
    let whole = liaison.full_snapshot(None).await.unwrap();
    let items = whole.items.into_iter().map(|item| FeedEvent::Item(item.into()));
    let mut snapshot: Vec<_> =
        items.chain(whole.events).filter_map(|event| text_of(&event)).collect();
    snapshot.sort();
    let (mut from, mut more, mut pulled) = (FeedStart::Beginning, true, Vec::new());
    while more {
        let page = liaison.pull(&from, None, 1_000).await.unwrap();
        (from, more) = (FeedStart::Cursor(page.cursor.clone().unwrap()), page.more);
        pulled.extend(tipoff::client::page_events(page).filter_map(|event| text_of(&event)));
    }
    pulled.sort();
    assert_eq!(pulled, snapshot, "pages and a snapshot");
    let mut feed = liaison.subscribe(FeedStart::Beginning, None);
    let mut followed = Vec::new();
    while followed.len() < snapshot.len() {
        followed.extend(text_of(&next(&mut feed).await));
    }
    nothing(&mut feed).await;
    followed.sort();
    assert_eq!(followed, snapshot, "a feed and a snapshot");
    snapshot
}

async fn next(feed: &mut Subscription) -> FeedEvent {
    soon(feed.next_event()).await.unwrap().unwrap()
}

fn text_of(event: &FeedEvent) -> Option<String> {
    Some(match event {
        FeedEvent::Item(item) => {
            let named =
                item.assessment.as_ref().is_some_and(|assessment| !assessment.campaign.is_empty());
            let of = if named { " of a campaign" } else { "" };
            format!("item {}{of}", item.indicator.as_ref().unwrap().value)
        }
        FeedEvent::Campaign(event) => {
            let contribution = event.contribution.clone().unwrap();
            let attribution = contribution.contribution.unwrap().attribution.unwrap();
            format!("{} names {}", contribution.author, attribution.actor)
        }
        FeedEvent::Enforcement(event) => {
            let view = event.enforcement.clone().unwrap();
            let enforcement = view.enforcement.unwrap();
            let of = if enforcement.campaign.is_empty() { "" } else { " of a campaign" };
            let count = enforcement.counts[0].count;
            format!("{} enforced {} {count}{of}", view.author, enforcement.id)
        }
        FeedEvent::Removal(_) => return None,
        other => panic!("not released: {other:?}"),
    })
}

/// The removals: of which campaign or enforcement, and why.
async fn next_removal(feed: &mut Subscription) -> (String, RemovalReason) {
    match next(feed).await {
        FeedEvent::Removal(removal) => {
            let reason = removal.reason();
            let of = [removal.campaign_id, removal.enforcement_id, removal.indicator_id];
            (of.concat(), reason)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn releasing_a_campaign_releases_everything_of_its_author_in_it_and_nothing_of_others() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph] = ["birdsite", "facegraph"].map(|id| world.client(&node, id));
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    let campaign = put_campaign(&birdsite, "b", "", "unknown", core()).await;
    put_campaign(&facegraph, "f", &campaign, "people linked to a government", core()).await;
    report(&facegraph, "d", "takedown", &campaign, 7, core()).await;
    report(&birdsite, "d", "other", &campaign, 1, core()).await;
    let mut site = domain("harbour-observer.example");
    site.assessment.get_or_insert_default().campaign.clone_from(&campaign);
    facegraph.submit(batch("s", 1, Some(core()), vec![site])).await.unwrap();
    let mut feed = liaison.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    assert_eq!(held(&liaison).await, Vec::<String>::new());

    let request = release("r1", What::Campaign(campaign.clone()), "warrant W-17");
    let answer = facegraph.release(request.clone()).await.unwrap();
    assert_eq!((answer.changed, answer.unchanged, answer.refused), (3, 0, 0));
    let all = [
        "facegraph enforced takedown 7 of a campaign",
        "facegraph names people linked to a government",
        "item harbour-observer.example of a campaign",
    ];
    assert_eq!(held(&liaison).await, all);
    let mut received = Vec::new();
    for _ in 0..3 {
        received.extend(text_of(&next(&mut feed).await));
    }
    assert_eq!(
        received,
        [all[1], all[0], all[2]],
        "the contribution comes before the items that name it"
    );
    // Nothing of another liaison, and nothing of who else receives it.
    let again =
        facegraph.release(pb::ReleaseIndicatorsRequest { request_id: "r2".into(), ..request });
    let again = again.await.unwrap();
    assert_eq!((again.changed, again.unchanged), (0, 3), "already released");

    check_accesses(&facegraph, &campaign).await;
    assert!(birdsite.accesses(None, None).await.unwrap().is_empty());

    let back = retract("r3", What::Campaign(campaign.clone()));
    assert_eq!(facegraph.release(back).await.unwrap().changed, 3);
    let gone = RemovalReason::NoLongerShared;
    assert_eq!(next_removal(&mut feed).await, (campaign.clone(), gone));
    assert_eq!(next_removal(&mut feed).await, ("takedown".into(), gone));
    assert_eq!(next_removal(&mut feed).await.1, gone);
    assert_eq!(held(&liaison).await, Vec::<String>::new());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liaison_is_told_to_drop_a_released_enforcement_that_is_withdrawn() {
    let world = World::new();
    let node = world.start().await;
    let facegraph = world.client(&node, "facegraph");
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    let campaign = put_campaign(&facegraph, "f", "", "unknown", core()).await;
    report(&facegraph, "d", "takedown", &campaign, 7, core()).await;
    report(&facegraph, "e", "hidden", "", 1, core()).await;
    let mut feed = liaison.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    facegraph.release(release("r1", What::Campaign(campaign), "warrant W-17")).await.unwrap();
    for _ in 0..2 {
        text_of(&next(&mut feed).await).unwrap();
    }
    let ids = vec!["hidden".into(), "takedown".into()];
    let request = pb::WithdrawEnforcementsRequest { ids, audience: None };
    assert_eq!(facegraph.withdraw_enforcements(request).await.unwrap().withdrawn, 2);
    assert_eq!(next_removal(&mut feed).await, ("takedown".to_owned(), RemovalReason::Withdrawn));
    assert_eq!(held(&liaison).await, ["facegraph names unknown"]);
    node.stop().await;
}

/// Each object is listed for its author, in each way of access, with its type and the reference
/// that its release names.
async fn check_accesses(author: &Client, campaign: &str) {
    let accesses = author.accesses(None, None).await.unwrap();
    assert!(accesses.iter().all(|access| access.reference == "W-17"), "{accesses:?}");
    for way in [pb::AccessWay::Pull, pb::AccessWay::Subscribe, pb::AccessWay::Snapshot] {
        let of_way = accesses.iter().filter(|access| access.way() == way);
        let objects: Vec<_> = of_way.flat_map(|access| &access.objects).collect();
        let is_listed =
            |is: &dyn Fn(&pb::AccessedObject) -> bool| objects.iter().any(|object| is(object));
        assert!(is_listed(&|object| object.campaign_id == campaign), "{way:?} {objects:?}");
        assert!(is_listed(&|object| object.enforcement_id == "takedown"), "{way:?} {objects:?}");
        assert!(is_listed(&|object| object.indicator.is_some()), "{way:?} {objects:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_of_a_released_version_is_not_released() {
    let world = World::new();
    let node = world.start().await;
    let facegraph = world.client(&node, "facegraph");
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    let campaign = put_campaign(&facegraph, "c1", "", "one", core()).await;
    report(&facegraph, "d1", "takedown", &campaign, 7, core()).await;
    let by_id = What::Enforcements(pb::EnforcementIds {
        ids: vec!["takedown".into(), "no such".into(), "no-such".into()],
    });
    let answer = facegraph.release(release("r1", by_id.clone(), "W-17")).await.unwrap();
    assert_eq!((answer.changed, answer.refused, answer.items.len()), (1, 0, 3));
    assert_eq!((answer.items[0].versions.len(), answer.items[1].field.as_str()), (1, "id"));
    assert_eq!(answer.items[2], pb::ReleasedIndicator::default());
    let mut feed = liaison.subscribe(FeedStart::Beginning, None);
    assert_eq!(
        held(&liaison).await,
        ["facegraph enforced takedown 7"],
        "of a campaign that is hidden"
    );
    facegraph.release(release("r2", What::Campaign(campaign.clone()), "W-17")).await.unwrap();
    let received = [next(&mut feed).await, next(&mut feed).await];
    assert_eq!(
        received.iter().filter_map(text_of).collect::<Vec<_>>(),
        ["facegraph enforced takedown 7 of a campaign", "facegraph names one"]
    );

    put_campaign(&facegraph, "c2", &campaign, "two", core()).await;
    assert_eq!(next_removal(&mut feed).await, (campaign.clone(), RemovalReason::Replaced));
    report(&facegraph, "d2", "takedown", &campaign, 9, core()).await;
    assert_eq!(next_removal(&mut feed).await, ("takedown".into(), RemovalReason::Replaced));
    nothing(&mut feed).await;
    assert_eq!(held(&liaison).await, Vec::<String>::new());
    // The released contribution is submitted again unchanged: there is no new version, and no
    // release.
    put_campaign(&facegraph, "c3", &campaign, "two", core()).await;
    assert_eq!(held(&liaison).await, Vec::<String>::new());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enforcement_in_an_answer_is_released_and_corrected_by_another_answer() {
    let world = World::new();
    let node = world.start().await;
    let [birdsite, facegraph] = ["birdsite", "facegraph"].map(|id| world.client(&node, id));
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    let tip = pb::SendTipRequest {
        request_id: "t".into(),
        recipients: vec!["facegraph".into(), "cyber-unit".into()],
        narrative: "These worked together.".into(),
        ..Default::default()
    };
    let tip = birdsite.send_tip(tip).await.unwrap().tip_id;
    let answer = |key: &str, count| pb::RespondToTipRequest {
        request_id: key.into(),
        tip_id: tip.clone(),
        enforcement: Some(pb::Enforcement {
            id: "takedown".into(),
            counts: vec![pb::EnforcementCount {
                asset: pb::AssetKind::Page.into(),
                platform: "facebook".into(),
                count,
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..Default::default()
    };
    let mut feed = liaison.subscribe(FeedStart::Beginning, None);
    assert!(matches!(next(&mut feed).await, FeedEvent::Tip(_)), "it is a recipient");
    facegraph.respond_to_tip(answer("one", 7)).await.unwrap();
    let by_id = What::Enforcements(pb::EnforcementIds { ids: vec!["takedown".into()] });
    facegraph.release(release("r", by_id, "W-17")).await.unwrap();
    assert_eq!(text_of(&next(&mut feed).await).unwrap(), "facegraph enforced takedown 7");
    // Its thread does not contain the answer of another recipient, but does contain what was
    // released.
    facegraph.respond_to_tip(answer("two", 9)).await.unwrap();
    assert_eq!(next_removal(&mut feed).await, ("takedown".into(), RemovalReason::Replaced));
    nothing(&mut feed).await;
    let accesses = facegraph.accesses(None, None).await.unwrap();
    let objects: Vec<_> = accesses.iter().flat_map(|access| &access.objects).collect();
    let [object] = &objects[..] else { panic!("{objects:?}") };
    assert!(object.tip_id.is_empty(), "{object:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_sent_with_an_object_ends_by_the_clock() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let facegraph = world.client(&node, "facegraph");
    let long = clock.now().plus(24 * HOUR);
    let purpose = pb::Purpose { until: Some(timestamp(long)), ..warrant(clock.now()) };
    let liaison = world.client(&node, "cyber-unit").with_purpose(purpose);
    let released = pb::Release {
        liaison: "cyber-unit".into(),
        basis: "W-17".into(),
        until: Some(timestamp(clock.now().plus(HOUR))),
    };
    let with = pb::Sharing { releases: vec![released], ..core() };
    let mut feed = liaison.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    let campaign = put_campaign(&facegraph, "c", "", "one", with.clone()).await;
    report(&facegraph, "d", "takedown", &campaign, 7, with).await;
    let all = ["facegraph enforced takedown 7 of a campaign", "facegraph names one"];
    assert_eq!(text_of(&next(&mut feed).await).unwrap(), all[1]);
    assert_eq!(text_of(&next(&mut feed).await).unwrap(), all[0]);
    assert_eq!(held(&liaison).await, all);

    clock.advance(HOUR + Duration::from_secs(1));
    assert_eq!(held(&liaison).await, Vec::<String>::new(), "the clock refuses it");
    let gone = RemovalReason::NoLongerShared;
    let mut ended = vec![next_removal(&mut feed).await, next_removal(&mut feed).await];
    ended.sort_by_key(|(id, _)| id == "takedown");
    assert_eq!(ended, [(campaign, gone), ("takedown".into(), gone)]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_marked_red_are_released_to_nobody() {
    let world = World::new();
    let node = world.start().await;
    let facegraph = world.client(&node, "facegraph");
    let red = sharing(Tlp::Red, named(&[], &["birdsite"]));
    let campaign = put_campaign(&facegraph, "c", "", "one", red.clone()).await;
    report(&facegraph, "d", "takedown", &campaign, 7, red).await;
    let whole = What::Campaign(campaign);
    let answer = facegraph.release(release("r1", whole, "W-17")).await.unwrap();
    assert_eq!((answer.changed, answer.refused), (0, 2));
    let by_id = What::Enforcements(pb::EnforcementIds { ids: vec!["takedown".into()] });
    let answer = facegraph.release(release("r2", by_id, "W-17")).await.unwrap();
    assert_eq!((answer.refused, answer.items[0].field.as_str()), (1, "tlp"));
    let liaison = world.client(&node, "cyber-unit").with_purpose(warrant(now()));
    assert_eq!(held(&liaison).await, Vec::<String>::new());
    node.stop().await;
}
