//! Which subscriptions have acknowledged a removal (`ListDeliveries`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fs;
use std::path::Path;

use support::feed::{change, event, item, removal};
use support::liaison::{keys, now, release, retract, submit, warrant};
use support::process::Process;
use support::{World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, ClientError, Deliveries, FeedStart};
use tipoff::wire::pb::release_indicators_request::What;
use tipoff::wire::pb::{self, Tlp};

#[tokio::test(flavor = "multi_thread")]
async fn an_author_sees_which_subscriptions_have_acknowledged_its_withdrawal() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let birdsite = client("birdsite");
    let ips = pb::Filter { kinds: vec![pb::Kind::Ip.into()], ..pb::Filter::default() };
    let subscribe = |partner: &str, name: &str, filter| {
        client(partner).subscribe_named(name, FeedStart::Beginning, filter)
    };
    let mut desk = subscribe("facegraph", "desk", None);
    let mut watch = subscribe("watcher", "watch", None);
    // One subscription does not match, one may not see the version, and one belongs to the author.
    let mut other = subscribe("facegraph", "ips", Some(ips));
    let mut outside = subscribe("tubeworks", "all", None);
    let mut own = subscribe("birdsite", "own", None);
    for feed in [&mut desk, &mut watch, &mut other, &mut own] {
        change(feed).await;
    }
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    let items = vec![domain("a.example"), domain("b.example")];
    let receipt = birdsite.submit(batch("a", 1, Some(core), items)).await.unwrap();
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
    assert_eq!(rows(&page), [row("facegraph", "desk", false), row("watcher", "watch", false)]);

    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    let page = birdsite.list_deliveries(sequence).await.unwrap();
    assert!(!page.deliveries[0].acknowledged, "one of two removals is not enough");
    assert!(page.deliveries[0].acknowledged_at.is_some());
    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    let page = birdsite.list_deliveries(sequence).await.unwrap();
    assert_eq!(rows(&page), [row("facegraph", "desk", true), row("watcher", "watch", false)]);

    // A later subscription is not listed, because it never received the version.
    let mut late = subscribe("watcher", "late", None);
    change(&mut late).await;
    assert_eq!(birdsite.list_deliveries(sequence).await.unwrap().deliveries.len(), 2);
    for sequence in [versions[0].sequence, 0, u64::MAX] {
        assert_none(&birdsite, sequence).await;
    }
    assert_none(&client("facegraph"), sequence).await;
    replace(&birdsite).await;
    node.stop().await;
}

async fn assert_none(client: &Client, sequence: u64) {
    let error = client.list_deliveries(sequence).await.unwrap_err();
    assert!(matches!(error, ClientError::NotFound(_)), "{sequence}: {error}");
}

type Row = (String, String, u32, bool);

/// Partner, subscription, number of removals, and whether it has acknowledged them.
fn rows(page: &Deliveries) -> Vec<Row> {
    let row = |delivery: &pb::Delivery| {
        let (partner, name) = (delivery.partner.clone(), delivery.subscription.clone());
        (partner, name, delivery.removals, delivery.acknowledged)
    };
    page.deliveries.iter().map(row).collect()
}

fn row(partner: &str, name: &str, acknowledged: bool) -> Row {
    (partner.to_owned(), name.to_owned(), 2, acknowledged)
}

/// A replacement is listed too. Its entry is that of the batch.
async fn replace(birdsite: &Client) {
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    let mut changed = domain("c.example");
    birdsite.submit(batch("c", 1, Some(core.clone()), vec![changed.clone()])).await.unwrap();
    changed.assessment = Some(pb::Assessment { confidence: Some(9), ..Default::default() });
    let second = birdsite.submit(batch("d", 1, Some(core), vec![changed])).await.unwrap();
    let page = birdsite.list_deliveries(second.sequence).await.unwrap();
    assert_eq!((page.ended.len(), page.deliveries.len()), (1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_sees_whether_a_liaison_has_acknowledged_the_end_of_a_release() {
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
    assert_eq!(rows(&page), [row("cyber-unit", "case-17", false)]);
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
    assert_none(&world.client(&node, "facegraph"), sequence).await;
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
async fn an_acknowledgement_that_a_crash_lost_is_repeated_when_its_reader_continues() {
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
