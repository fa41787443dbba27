//! What a liaison is given of tips is recorded on disk before it is sent, and its author can list
//! it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeSet;

use support::feed::event;
use support::liaison::{cyber_unit, now, warrant};
use support::process::Process;
use support::tips::{full, key, received, reply, tip_events, walk};
use support::{World, soon};
use tipoff::client::{Client, ClientError, FeedStart};
use tipoff::exchange::MAX_OBJECTS_PER_ACCESS;
use tipoff::wire::pb::{self, AccessWay, PurposeKind, TipState};

/// The tips in access records, with the delivered entry and the way of access.
fn of_tips(accesses: &[pb::Access]) -> BTreeSet<(String, u64, AccessWay)> {
    let objects = accesses.iter().flat_map(|access| {
        let (liaison, purpose) = (access.liaison.as_str(), access.purpose());
        assert_eq!((liaison, purpose), ("cyber-unit", PurposeKind::Warrant));
        assert_eq!(access.reference, "", "no release named it");
        access.objects.iter().map(|object| {
            assert!(object.indicator.is_none() && object.indicator_id.is_empty());
            (object.tip_id.clone(), object.version.unwrap().sequence, access.way())
        })
    });
    objects.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_sees_the_access_to_each_part_of_a_tip_that_a_liaison_receives() {
    let world = World::new();
    let node = world.start().await;
    let (sender, face) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let liaison = cyber_unit(&world, &node);
    let sent = sender.send_tip(full("t1", &["facegraph", "cyber-unit"])).await.unwrap();
    let (id, first) = (sent.tip_id, sent.sequence);
    assert!(sender.accesses(None, None).await.unwrap().is_empty());
    // In each way of access.
    let by = |ways: &[AccessWay], entries: &[u64]| -> BTreeSet<_> {
        let each = |way: &AccessWay| {
            let (way, id) = (*way, id.clone());
            entries.iter().map(move |entry| (id.clone(), *entry, way))
        };
        ways.iter().flat_map(each).collect()
    };
    received(&liaison).await;
    assert_eq!(
        of_tips(&sender.accesses(None, None).await.unwrap()),
        by(&[AccessWay::Tip], &[first])
    );
    liaison.tip(&id, "").await.unwrap();
    assert_eq!(tip_events(&liaison).await.len(), 1);
    let mut feed = liaison.subscribe(FeedStart::Beginning, None);
    event(&mut feed).await;
    let ways = [AccessWay::Tip, AccessWay::Pull, AccessWay::Subscribe];
    let accesses = sender.accesses(None, None).await.unwrap();
    assert_eq!((of_tips(&accesses), accesses.len()), (by(&ways, &[first]), 4));
    assert!(accesses.iter().all(|access| access.accessed_at.is_some()));
    assert!(accesses.windows(2).all(|two| two[0].sequence > two[1].sequence));

    // What another partner adds is recorded for that partner. A liaison's own answers are not
    // recorded.
    let mut shown = reply("to-all", &id, "look here");
    (shown.to_all, shown.indicators) = (true, vec![key("shown.example")]);
    let second = face.respond_to_tip(shown).await.unwrap().sequence;
    event(&mut feed).await;
    walk(&liaison, &id, &[TipState::Acknowledged]).await;
    event(&mut feed).await;
    liaison.tip(&id, "").await.unwrap();
    let theirs = of_tips(&face.accesses(None, None).await.unwrap());
    assert_eq!(theirs, by(&[AccessWay::Subscribe, AccessWay::Tip], &[second]));
    assert_eq!(of_tips(&sender.accesses(None, None).await.unwrap()), by(&ways, &[first]));
    assert!(world.client(&node, "tubeworks").accesses(None, None).await.unwrap().is_empty());
    // An empty list and an empty page are not recorded.
    let head = node.exchange.head();
    liaison.tips(pb::ListTipsRequest { overdue: true, ..Default::default() }).await.unwrap();
    liaison.pull(&FeedStart::Now, None, 10).await.unwrap();
    assert_eq!(node.exchange.head(), head, "an empty answer is not recorded");
    // They are listed after a withdrawal too.
    sender.withdraw_tip(&id).await.unwrap();
    assert_eq!(of_tips(&sender.accesses(None, None).await.unwrap()), by(&ways, &[first]));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liaison_receives_nothing_of_a_tip_while_its_access_cannot_be_recorded() {
    let mut world = World::new();
    let node = world.start().await;
    let sent = world.client(&node, "birdsite").send_tip(full("t1", &["cyber-unit"])).await;
    let id = sent.unwrap().tip_id;
    node.stop().await;
    // No disk has this much free space, so every write is refused.
    world.config.storage.min_free_mb = 1_000_000_000;
    let node = world.start().await;
    let impatient = || world.impatient(&node, "cyber-unit").with_purpose(warrant(now()));
    let busy = |error: ClientError| assert!(matches!(error, ClientError::Busy(_)), "{error}");
    busy(impatient().pull(&FeedStart::Beginning, None, 10).await.unwrap_err());
    busy(soon(impatient().subscribe(FeedStart::Beginning, None).next_event()).await.unwrap_err());
    busy(impatient().tip(&id, "").await.unwrap_err());
    busy(impatient().tips(pb::ListTipsRequest::default()).await.unwrap_err());
    // Its sender continues to read: its reads are not recorded.
    world.client(&node, "birdsite").tip(&id, "").await.unwrap();
    node.stop().await;
    world.config.storage.min_free_mb = 16;
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    assert!(sender.accesses(None, None).await.unwrap().is_empty());
    cyber_unit(&world, &node).tip(&id, "").await.unwrap();
    assert_eq!(sender.accesses(None, None).await.unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_record_of_a_tip_survives_a_kill_right_after_the_read() {
    let world = World::new();
    let mut exchange = Process::prepare(&world);
    exchange.start();
    exchange.wait_ready();
    let client = |partner: &str| Client::new(&exchange.url(), &world.identity(partner)).unwrap();
    let (sender, liaison) = (client("birdsite"), client("cyber-unit").with_purpose(warrant(now())));
    let id = sender.send_tip(full("t1", &["cyber-unit"])).await.unwrap().tip_id;
    for round in 1..3 {
        if round == 1 {
            liaison.tip(&id, "").await.unwrap();
        } else {
            received(&liaison).await;
        }
        exchange.kill();
        exchange.start();
        exchange.wait_ready();
        let accesses = sender.accesses(None, None).await.unwrap();
        assert_eq!(accesses.len(), round);
        assert!(accesses.iter().all(|access| access.objects[0].tip_id == id), "{accesses:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_tip_to_a_liaison_is_no_larger_than_what_one_access_holds() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let liaison = cyber_unit(&world, &node);
    let request = pb::SendTipRequest {
        indicators: (0..1_000).map(|at| key(&format!("{at}.example"))).collect(),
        ..full("t1", &["cyber-unit"])
    };
    let tip_id = sender.send_tip(request).await.unwrap().tip_id;
    let request_page = pb::GetTipRequest {
        tip_id: tip_id.clone(),
        indicators_page_size: 1_000,
        ..Default::default()
    };
    let page = liaison.tip_page(request_page.clone()).await.unwrap();
    assert_eq!(page.indicators.len(), MAX_OBJECTS_PER_ACCESS - 1 - 100);
    assert!(!page.next_indicators_page_token.is_empty());
    assert_eq!(liaison.tip(&tip_id, "").await.unwrap().indicators.len(), 1_000);
    assert_eq!(sender.accesses(None, None).await.unwrap().len(), 3, "one for each page");
    assert_eq!(sender.tip_page(request_page).await.unwrap().indicators.len(), 1_000);
    node.stop().await;
}
