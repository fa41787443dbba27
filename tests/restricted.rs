//! Restricted labels: refused unless the restricted group exists. Then objects with such labels
//! never leave it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::feed::{change, nothing, subscribed, values};
use support::{World, batch, domain, named, sharing};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart};
use tipoff::wire::pb::{self, ItemStatus, Tlp};

const TERMS: &str = "terms of the source, version 3";

fn closed(members: &[&str]) -> pb::SharingGroup {
    pb::SharingGroup {
        id: "closed".into(),
        name: "Closed".into(),
        members: members.iter().map(ToString::to_string).collect(),
        history_all: false,
        restricted: true,
        terms: TERMS.into(),
    }
}

fn labelled(label: &str, value: &str) -> pb::SubmittedIndicator {
    let mut item = domain(value);
    let labels = vec![label.into()];
    item.assessment = Some(pb::Assessment { labels, ..pb::Assessment::default() });
    item
}

async fn submit(client: &Client, id: &str, sharing: pb::Sharing) -> pb::Receipt {
    let items = vec![labelled("csam", "a.example"), labelled("spam", "b.example")];
    client.submit(batch(id, 1, Some(sharing), items)).await.unwrap()
}

fn to_closed() -> pb::Sharing {
    sharing(Tlp::Amber, named(&["closed"], &[]))
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_closed_group_a_restricted_label_is_refused_item_by_item() {
    let world = World::new();
    let node = world.start().await;
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    let receipt = submit(&world.client(&node, "birdsite"), "a", core).await;
    assert_eq!(receipt.items[0].status(), ItemStatus::Rejected);
    assert_eq!(receipt.items[0].field, "labels");
    assert!(receipt.items[0].reason.contains("no group entitled"), "{}", receipt.items[0].reason);
    assert_eq!(receipt.items[1].status(), ItemStatus::Created, "the rest goes through");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restricted_objects_go_only_to_members_of_the_closed_group_that_confirmed_its_terms() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let (operator, birdsite, facegraph) =
        (client("exchange-ops"), client("birdsite"), client("facegraph"));
    let unfit = operator.put_group(closed(&["birdsite", "watcher"])).await.unwrap_err();
    assert!(unfit.to_string().contains("only members in a restricted"), "{unfit}");
    operator.put_group(closed(&["birdsite", "facegraph"])).await.unwrap();
    let second = pb::SharingGroup { id: "second".into(), ..closed(&["birdsite"]) };
    let second = operator.put_group(second).await.unwrap_err();
    assert!(second.to_string().contains("already"), "{second}");

    refuse_wider_sharings(&birdsite).await;
    let mut feed = facegraph.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    let receipt = submit(&birdsite, "held", to_closed()).await;
    assert_eq!(receipt.items[0].status(), ItemStatus::Created);
    nothing(&mut feed).await;
    let key = pb::IndicatorKey { value: "a.example".into(), ..Default::default() };
    assert!(matches!(facegraph.indicator(key.clone()).await, Err(ClientError::NotFound(_))));

    for (group, terms) in [("closed", "other terms"), ("core", TERMS), ("no-such", TERMS)] {
        let refused = facegraph.confirm_terms(group, terms).await.unwrap_err();
        assert!(matches!(refused, ClientError::Precondition(_)), "{refused}");
    }
    facegraph.confirm_terms("closed", TERMS).await.unwrap();
    facegraph.confirm_terms("closed", TERMS).await.unwrap();
    let mut received = values(&mut feed, 2).await;
    received.sort();
    assert_eq!(received, ["a.example", "b.example"], "submitted since it is a member");
    assert!(facegraph.indicator(key.clone()).await.is_ok());
    for outside in ["watcher", "tubeworks"] {
        let gone = client(outside).indicator(key.clone()).await;
        assert!(matches!(gone, Err(ClientError::NotFound(_))), "{outside}");
    }
    operator.put_group(closed(&["birdsite"])).await.unwrap();
    change(&mut feed).await;
    support::feed::removal(&mut feed).await;
    node.stop().await;
}

/// Restricted objects may be shared with nobody outside the closed group.
async fn refuse_wider_sharings(client: &Client) {
    for (id, sharing) in [
        ("wider", sharing(Tlp::Amber, named(&["core"], &[]))),
        ("both", sharing(Tlp::Amber, named(&["closed", "core"], &[]))),
        ("named", sharing(Tlp::Amber, named(&["closed"], &["tubeworks"]))),
        ("green", sharing(Tlp::Green, named(&["closed"], &[]))),
        ("everyone", sharing(Tlp::Green, None)),
        ("public", sharing(Tlp::Clear, None)),
        (
            "released",
            pb::Sharing {
                releases: vec![pb::Release {
                    liaison: "cyber-unit".into(),
                    basis: "a warrant".into(),
                    until: None,
                }],
                ..to_closed()
            },
        ),
    ] {
        let request = batch(id, 1, Some(sharing), vec![labelled("csam", "a.example")]);
        let receipt = client.submit(request).await.unwrap();
        assert_eq!(receipt.items[0].status(), ItemStatus::Rejected, "{id}");
        assert!(
            receipt.items[0].reason.contains("with nobody else"),
            "{}",
            receipt.items[0].reason
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sightings_of_and_feedback_on_restricted_objects_stay_in_the_closed_group() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let (operator, birdsite, facegraph) =
        (client("exchange-ops"), client("birdsite"), client("facegraph"));
    operator.put_group(closed(&["birdsite", "facegraph"])).await.unwrap();
    facegraph.confirm_terms("closed", TERMS).await.unwrap();
    let receipt = submit(&birdsite, "held", to_closed()).await;
    let sighting = |id: &str, sharing| pb::ReportSightingsRequest {
        request_id: id.into(),
        sharing: Some(sharing),
        sightings: vec![pb::Sighting {
            indicator: Some(pb::IndicatorKey { value: "a.example".into(), ..Default::default() }),
            count: 1,
            ..pb::Sighting::default()
        }],
    };
    let wide = sighting("wide", sharing(Tlp::Green, None));
    let refused = facegraph.report_sightings(wide).await.unwrap();
    assert_eq!((refused.counted, refused.rejected.len()), (0, 1));
    assert!(refused.rejected[0].reason.contains("restricted"), "{}", refused.rejected[0].reason);
    let counted = facegraph.report_sightings(sighting("closed", to_closed())).await.unwrap();
    assert_eq!(counted.counted, 1);
    let feedback = |id: &str, sharing| pb::GiveFeedbackRequest {
        request_id: id.into(),
        version: receipt.items[0].version,
        opinion: pb::Opinion::Agree.into(),
        note: String::new(),
        sharing,
    };
    let wide = feedback("wide-2", Some(sharing(Tlp::Green, None)));
    assert!(matches!(facegraph.give_feedback(wide).await, Err(ClientError::Invalid { .. })));
    facegraph.give_feedback(feedback("author", None)).await.unwrap();
    facegraph.give_feedback(feedback("closed-2", Some(to_closed()))).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_left_the_closed_group_no_longer_sees_restricted_indicators_of_a_tip() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let (operator, birdsite, facegraph) =
        (client("exchange-ops"), client("birdsite"), client("facegraph"));
    operator.put_group(closed(&["birdsite", "facegraph"])).await.unwrap();
    for member in [&birdsite, &facegraph] {
        member.confirm_terms("closed", TERMS).await.unwrap();
    }
    submit(&birdsite, "a", to_closed()).await;
    let outside = birdsite.send_tip(tip_request("o", "tubeworks")).await.unwrap();
    assert_eq!((outside.counted, outside.rejected.len()), (1, 1), "tubeworks is outside the group");
    let sent = birdsite.send_tip(tip_request("t", "facegraph")).await.unwrap();
    assert_eq!((sent.counted, sent.rejected.len()), (2, 0));
    let seen_by = async |client: &Client| {
        let tip = client.tip(&sent.tip_id, "").await.unwrap();
        let value = |listed: &pb::TipIndicator| listed.indicator.clone().unwrap().value;
        tip.indicators.iter().map(value).collect::<Vec<_>>()
    };
    assert_eq!(seen_by(&facegraph).await, ["a.example", "b.example"]);

    operator.put_group(closed(&["birdsite"])).await.unwrap();
    assert_eq!(seen_by(&facegraph).await, ["b.example"]);
    let mut late = facegraph.subscribe(FeedStart::Beginning, None);
    let received = loop {
        if let FeedEvent::Tip(event) = support::feed::event(&mut late).await {
            break event.entry.unwrap().indicators;
        }
    };
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(seen_by(&birdsite).await, ["a.example", "b.example"], "its author's own");
    check_page_sizes(&operator, &birdsite, &facegraph).await;
    node.stop().await;
}

fn key(value: &str) -> pb::IndicatorKey {
    pb::IndicatorKey { value: value.into(), ..Default::default() }
}

/// A tip about both values of [`submit`].
fn tip_request(id: &str, recipient: &str) -> pb::SendTipRequest {
    pb::SendTipRequest {
        request_id: id.into(),
        recipients: vec![recipient.into()],
        narrative: "Look at these.".into(),
        indicators: vec![key("a.example"), key("b.example")],
        ..Default::default()
    }
}

/// Hidden objects do not shorten the pages of a tip.
async fn check_page_sizes(operator: &Client, birdsite: &Client, facegraph: &Client) {
    operator.put_group(closed(&["birdsite", "facegraph"])).await.unwrap();
    let hidden: Vec<_> = (0..300).map(|n| labelled("csam", &format!("h{n}.example"))).collect();
    birdsite.submit(batch("many", 1, Some(to_closed()), hidden)).await.unwrap();
    let keys =
        (0..300).flat_map(|n| [key(&format!("h{n}.example")), key(&format!("o{n}.example"))]);
    let request =
        pb::SendTipRequest { indicators: keys.collect(), ..tip_request("m", "facegraph") };
    let many = birdsite.send_tip(request).await.unwrap();
    assert_eq!((many.counted, many.rejected.len()), (600, 0));
    operator.put_group(closed(&["birdsite"])).await.unwrap();
    let mut request = pb::GetTipRequest {
        tip_id: many.tip_id.clone(),
        indicators_page_size: 70,
        ..Default::default()
    };
    let mut pages = Vec::new();
    loop {
        let page = facegraph.tip_page(request.clone()).await.unwrap();
        pages.push(page.indicators.len());
        request.indicators_page_token = page.next_indicators_page_token;
        if request.indicators_page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [70, 70, 70, 70, 20]);
}
