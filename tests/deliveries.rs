//! Which subscriptions have acknowledged a removal (`ListDeliveries`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use support::feed::{change, event, item, removal};
use support::liaison::{keys, now, release, retract, submit, warrant};
use support::process::Process;
use support::{World, batch, domain, named, sharing, soon};
use tipoff::client::{ClientError, FeedStart};
use tipoff::wire::pb::release_indicators_request::What;
use tipoff::wire::pb::{self, Tlp};

#[tokio::test(flavor = "multi_thread")]
async fn an_author_sees_which_subscriptions_have_acknowledged_past_what_it_took_back() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let birdsite = client("birdsite");
    let ips = pb::Filter { kinds: vec![pb::Kind::Ip.into()], ..pb::Filter::default() };
    let mut desk = client("facegraph").subscribe_named("desk", FeedStart::Beginning, None);
    let mut watch = client("watcher").subscribe_named("watch", FeedStart::Beginning, None);
    // One subscription does not match, one may not see the version, and one belongs to the author.
    let mut other = client("facegraph").subscribe_named("ips", FeedStart::Beginning, Some(ips));
    let mut outside = client("tubeworks").subscribe_named("all", FeedStart::Beginning, None);
    let mut own = client("birdsite").subscribe_named("own", FeedStart::Beginning, None);
    for feed in [&mut desk, &mut watch, &mut other, &mut own] {
        change(feed).await;
    }
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    let items = vec![domain("a.example"), domain("b.example")];
    let receipt = birdsite.submit(batch("a", 1, Some(core.clone()), items)).await.unwrap();
    for feed in [&mut desk, &mut watch] {
        item(feed).await;
        item(feed).await;
    }
    support::feed::nothing(&mut outside).await;
    let key = |value: &str| pb::IndicatorKey { value: value.into(), ..Default::default() };
    let request = pb::WithdrawIndicatorsRequest {
        keys: vec![key("a.example"), key("b.example")],
        ..pb::WithdrawIndicatorsRequest::default()
    };
    let sequence = birdsite.withdraw(request).await.unwrap().sequences[0];
    // Right after the receipt.
    let page = birdsite.list_deliveries(sequence).await.unwrap();
    let versions: Vec<_> = receipt.items.iter().filter_map(|item| item.version).collect();
    let mut ended = page.ended.clone();
    ended.sort_by_key(|version| (version.sequence, version.index));
    assert_eq!(ended, versions);
    let seen = |told: &tipoff::client::Deliveries| {
        let of = |one: &pb::Delivery| {
            (one.partner.clone(), one.subscription.clone(), one.removals, one.acknowledged)
        };
        told.deliveries.iter().map(of).collect::<Vec<_>>()
    };
    let row = |partner: &str, name: &str, acknowledged| {
        (partner.to_owned(), name.to_owned(), 2, acknowledged)
    };
    assert_eq!(seen(&page), [row("facegraph", "desk", false), row("watcher", "watch", false)]);

    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    let page = birdsite.list_deliveries(sequence).await.unwrap();
    assert!(!page.deliveries[0].acknowledged, "one of two removals is not enough");
    assert!(page.deliveries[0].acknowledged_at.is_some());
    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    let page = birdsite.list_deliveries(sequence).await.unwrap();
    assert_eq!(seen(&page), [row("facegraph", "desk", true), row("watcher", "watch", false)]);

    // A later subscription is not listed, because it never received the version.
    let mut late = client("watcher").subscribe_named("late", FeedStart::Beginning, None);
    change(&mut late).await;
    assert_eq!(birdsite.list_deliveries(sequence).await.unwrap().deliveries.len(), 2);
    for (partner, sequence) in [
        ("facegraph", sequence),
        ("birdsite", versions[0].sequence),
        ("birdsite", 0),
        ("birdsite", u64::MAX),
    ] {
        let nothing = client(partner).list_deliveries(sequence).await.unwrap_err();
        assert!(matches!(nothing, ClientError::NotFound(_)), "{partner} {sequence}: {nothing}");
    }
    // A replacement is listed too. Its entry is that of the batch.
    let mut anew = domain("c.example");
    birdsite.submit(batch("c", 1, Some(core.clone()), vec![anew.clone()])).await.unwrap();
    anew.assessment = Some(pb::Assessment { confidence: Some(9), ..Default::default() });
    let second = birdsite.submit(batch("d", 1, Some(core), vec![anew])).await.unwrap();
    let page = birdsite.list_deliveries(second.sequence).await.unwrap();
    assert_eq!((page.ended.len(), page.deliveries.len()), (1, 3));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_sees_that_a_liaison_was_told_of_the_end_of_a_release() {
    let world = World::new();
    let node = world.start().await;
    let (birdsite, liaison) = (world.client(&node, "birdsite"), world.client(&node, "cyber-unit"));
    let liaison = liaison.with_purpose(warrant(now()));
    let mut case = liaison.subscribe_named("case-17", FeedStart::Beginning, None);
    submit(&birdsite, "a", &["a.example", "b.example"]).await;
    let contribution = pb::Contribution { name: "Harbour".into(), ..Default::default() };
    let put = |key: &str, campaign: &str, description: &str| pb::PutCampaignRequest {
        request_id: key.into(),
        campaign_id: campaign.into(),
        contribution: Some(pb::Contribution {
            description: description.into(),
            ..contribution.clone()
        }),
        ..Default::default()
    };
    let campaign = birdsite.put_campaign(put("c", "", "")).await.unwrap().campaign_id;
    let both = || keys(&["a.example", "b.example"]);
    birdsite.release(release("r", both(), "W-17")).await.unwrap();
    let whole = What::Campaign(campaign.clone());
    birdsite.release(release("s", whole, "W-17")).await.unwrap();
    for _ in 0..3 {
        event(&mut case).await;
    }
    let sequence = birdsite.release(retract("t", both())).await.unwrap().sequences[0];
    let page = birdsite.list_deliveries(sequence).await.unwrap();
    assert_eq!(page.ended.len(), 2);
    let [one] = &page.deliveries[..] else { panic!("{page:?}") };
    let row = (one.partner.as_str(), one.subscription.as_str(), one.removals, one.acknowledged);
    assert_eq!(row, ("cyber-unit", "case-17", 2, false));
    removal(&mut case).await;
    removal(&mut case).await;
    case.acknowledge().await.unwrap();
    assert!(birdsite.list_deliveries(sequence).await.unwrap().deliveries[0].acknowledged);

    // A replacement of a released version ends the release.
    let response = birdsite.put_campaign(put("d", &campaign, "more")).await.unwrap();
    let at = response.version.unwrap().sequence;
    let page = birdsite.list_deliveries(at).await.unwrap();
    assert_eq!((page.ended.len(), page.deliveries[0].removals), (1, 1));
    removal(&mut case).await;
    case.acknowledge().await.unwrap();
    assert!(birdsite.list_deliveries(at).await.unwrap().deliveries[0].acknowledged);
    let other = world.client(&node, "facegraph").list_deliveries(sequence).await.unwrap_err();
    assert!(matches!(other, ClientError::NotFound(_)), "{other}");
    node.stop().await;
}

/// Copies the files of a folder over another folder.
fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_loses_of_an_acknowledgement_is_made_good_when_its_reader_goes_on() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let birdsite = exchange.client(&world, "birdsite");
    let mut desk =
        exchange.client(&world, "facegraph").subscribe_named("desk", FeedStart::Beginning, None);
    change(&mut desk).await;
    birdsite.submit(batch("a", 1, None, vec![domain("a.example")])).await.unwrap();
    item(&mut desk).await;
    desk.acknowledge().await.unwrap();
    exchange.terminate();
    // Cursors are written once a second. This copy is the state on disk right after the next write.
    let (cursors, before) = (world.config.storage.data.join("cursors"), world.path("before"));
    copy(&cursors, &before);
    exchange.start();
    exchange.wait_ready();
    let request = pb::WithdrawIndicatorsRequest {
        submission_id: "a".into(),
        ..pb::WithdrawIndicatorsRequest::default()
    };
    let sequence = birdsite.withdraw(request).await.unwrap().sequences[0];
    let is_acknowledged = async || {
        let page = soon(birdsite.list_deliveries(sequence)).await.unwrap();
        page.deliveries[0].acknowledged
    };
    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    assert!(is_acknowledged().await);
    exchange.kill();
    copy(&before, &cursors);
    exchange.start();
    exchange.wait_ready();
    assert!(!is_acknowledged().await);
    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    assert!(is_acknowledged().await, "delivered again, and acknowledged");
}
