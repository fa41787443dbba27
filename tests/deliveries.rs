//! The evidence that a removal was told: which subscriptions have acknowledged past it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::feed::{change, item, removal};
use support::{World, batch, domain, named, sharing};
use tipoff::client::{ClientError, From};
use tipoff::wire::pb::{self, Tlp};

#[tokio::test(flavor = "multi_thread")]
async fn an_author_sees_which_subscriptions_have_acknowledged_past_what_it_took_back() {
    let world = World::new();
    let node = world.start().await;
    let client = |partner: &str| world.client(&node, partner);
    let birdsite = client("birdsite");
    let ips = pb::Filter { kinds: vec![pb::Kind::Ip.into()], ..pb::Filter::default() };
    let mut desk = client("facegraph").subscribe_named("desk", From::Start, None);
    let mut watch = client("watcher").subscribe_named("watch", From::Start, None);
    // One does not ask for it, one may not see it, and one is the author's own.
    let mut other = client("facegraph").subscribe_named("ips", From::Start, Some(ips));
    let mut outside = client("tubeworks").subscribe_named("all", From::Start, None);
    let mut own = client("birdsite").subscribe_named("own", From::Start, None);
    for feed in [&mut desk, &mut watch, &mut other, &mut own] {
        change(feed).await;
    }
    let core = sharing(Tlp::Amber, named(&["core"], &[]));
    let items = vec![domain("a.example"), domain("b.example")];
    let said = birdsite.submit(batch("a", 1, Some(core.clone()), items)).await.unwrap();
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
    // At once, right behind the receipt.
    let told = birdsite.list_deliveries(sequence).await.unwrap();
    let versions: Vec<_> = said.items.iter().filter_map(|item| item.version).collect();
    let mut ended = told.ended.clone();
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
    assert_eq!(seen(&told), [row("facegraph", "desk", false), row("watcher", "watch", false)]);

    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    let told = birdsite.list_deliveries(sequence).await.unwrap();
    assert!(!told.deliveries[0].acknowledged, "one of two is not past both");
    assert!(told.deliveries[0].acknowledged_at.is_some());
    removal(&mut desk).await;
    desk.acknowledge().await.unwrap();
    let told = birdsite.list_deliveries(sequence).await.unwrap();
    assert_eq!(seen(&told), [row("facegraph", "desk", true), row("watcher", "watch", false)]);

    // A subscription that is made later was never to be told.
    let mut late = client("watcher").subscribe_named("late", From::Start, None);
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
    // What takes the place of a version is told too, and its entry is the batch's own.
    let mut anew = domain("c.example");
    birdsite.submit(batch("c", 1, Some(core.clone()), vec![anew.clone()])).await.unwrap();
    anew.assessment = Some(pb::Assessment { confidence: Some(9), ..Default::default() });
    let second = birdsite.submit(batch("d", 1, Some(core), vec![anew])).await.unwrap();
    let told = birdsite.list_deliveries(second.sequence).await.unwrap();
    assert_eq!((told.ended.len(), told.deliveries.len()), (1, 3));
    node.stop().await;
}
