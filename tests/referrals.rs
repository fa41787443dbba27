//! Assets on another partner's platform are referred to its owner: once, and only if the owner may
//! see them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::process::Process;
use support::tips::{received, sent, state, tip_events, values, walk};
use support::{World, batch, close, domain, item, named, sharing, soon};
use tipoff::client::{Client, ClientError};
use tipoff::wire::pb::{self, Kind, TipState, Tlp};

fn page(value: &str) -> pb::SubmittedIndicator {
    item(Kind::Page, "facebook", value)
}

fn channel(value: &str) -> pb::SubmittedIndicator {
    item(Kind::Account, "youtube", value)
}

/// The number of referred assets by owner, and of those that were not referred.
fn referred(receipt: &pb::Receipt) -> (Vec<(&str, u32)>, u32) {
    let owners = receipt.referred.iter().map(|owner| (owner.partner.as_str(), owner.count));
    (owners.collect(), receipt.not_referred)
}

/// The only received tip.
async fn only_tip(client: &Client) -> pb::Tip {
    let tips = received(client).await;
    let [tip] = &tips[..] else { panic!("one tip, and not {tips:?}") };
    tip.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn assets_go_to_the_owners_who_may_see_them_and_the_rest_is_one_number() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    let (face, tube) = (world.client(&node, "facegraph"), world.client(&node, "tubeworks"));
    let items = vec![
        item(Kind::Account, "x", "ours"),
        page("one.page"),
        item(Kind::Account, "instagram", "two"),
        domain("a.example"),
        // One platform's owner is not in the group, and one platform has no owner.
        channel("three"),
        item(Kind::Account, "tiktok", "four"),
        item(Kind::CryptoAddress, "bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ];
    sender.submit(batch("report", 1, None, items)).await.unwrap();
    let more = Some(sharing(Tlp::Red, named(&[], &["facegraph"])));
    sender.submit(batch("report", 2, more, vec![page("five.page")])).await.unwrap();
    let receipt = sender.submit(close("report", 2)).await.unwrap();
    assert_eq!(referred(&receipt), (vec![("facegraph", 3)], 2));
    let again = sender.submit(close("report", 2)).await.unwrap();
    assert_eq!(referred(&again), referred(&receipt), "the same answer");

    let tip = only_tip(&face).await;
    assert!(tip.referral && tip.tlp() == Tlp::Red, "the narrowest of its markings: {tip:?}");
    assert_eq!((tip.sender.as_str(), tip.submission_id.as_str()), ("birdsite", "report"));
    let shown = face.tip(&tip.id, "").await.unwrap();
    let expected = ["one.page", "two", "five.page"].map(String::from).into();
    assert_eq!(values(&shown.indicators), expected);
    let event = tip_events(&face).await.pop().unwrap().entry.unwrap();
    assert_eq!((event.indicator_count, event.indicators.len()), (3, 3));
    assert_eq!(values(&indicators_by_pages(&face, &tip.id).await), expected);
    assert!(received(&tube).await.is_empty() && tip_events(&tube).await.is_empty());

    // The reporting partner sees the progress.
    walk(&face, &tip.id, &[TipState::Acknowledged, TipState::Actioned]).await;
    let sent = sent(&sender).await;
    assert_eq!((sent.len(), state(&sent[0], "facegraph")), (1, TipState::Actioned));
    // A withdrawn indicator is no longer part of it.
    let key = pb::IndicatorKey {
        kind: Kind::Page.into(),
        platform: "facebook".into(),
        value: "five.page".into(),
    };
    let withdraw = pb::WithdrawIndicatorsRequest { keys: vec![key], ..Default::default() };
    assert_eq!(sender.withdraw(withdraw).await.unwrap().withdrawn, 1);
    let shown = face.tip(&tip.id, "").await.unwrap();
    assert_eq!(values(&shown.indicators), ["one.page", "two"].map(String::from).into());
    node.stop().await;
}

/// The indicators of a tip, read in pages of one.
async fn indicators_by_pages(client: &Client, tip: &str) -> Vec<pb::TipIndicator> {
    let mut request =
        pb::GetTipRequest { tip_id: tip.into(), indicators_page_size: 1, ..Default::default() };
    let mut indicators = Vec::new();
    loop {
        let page = client.tip_page(request.clone()).await.unwrap();
        assert_eq!(page.indicators.len(), 1);
        indicators.extend(page.indicators);
        request.indicators_page_token = page.next_indicators_page_token;
        if request.indicators_page_token.is_empty() {
            return indicators;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_turned_referrals_off_gets_none() {
    let world = World::new();
    let node = world.start().await;
    let operator = world.client(&node, "exchange-ops");
    let turn = async |off: bool| {
        let known = operator.partners().await.unwrap();
        let mut face = known.into_iter().find(|partner| partner.id == "facegraph").unwrap();
        let (group, tlp) = (face.default_group.clone(), face.default_tlp);
        face.referrals_off = off;
        let request =
            pb::PutPartnerRequest { partner: Some(face), default_group: group, default_tlp: tlp };
        operator.put_partner(request).await.unwrap();
    };
    turn(true).await;
    let (sender, face) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    assert!(face.who_am_i().await.unwrap().partner.unwrap().referrals_off);
    sender.submit(batch("one", 1, None, vec![page("one.page")])).await.unwrap();
    let off = sender.submit(close("one", 1)).await.unwrap();
    assert_eq!(referred(&off), (vec![], 1));
    assert!(received(&face).await.is_empty());
    let others = world.client(&node, "tubeworks").partners().await.unwrap();
    assert!(others.iter().all(|partner| !partner.referrals_off), "not shown to others");
    turn(false).await;
    assert_eq!(referred(&sender.submit(close("one", 1)).await.unwrap()), (vec![], 1));
    sender.submit(batch("two", 1, None, vec![page("two.page")])).await.unwrap();
    let on = sender.submit(close("two", 1)).await.unwrap();
    assert_eq!(referred(&on), (vec![("facegraph", 1)], 0));
    assert_eq!(only_tip(&face).await.submission_id, "two");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn submissions_that_the_exchange_closes_are_referred_and_so_are_later_batches() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let (sender, face) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    sender.submit(batch("slow", 1, None, vec![page("one.page")])).await.unwrap();
    clock.advance(Duration::from_secs(16 * 60));
    assert_eq!(node.exchange.sweeps.close_idle().await.unwrap(), 1);
    soon(async {
        while received(&face).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    // The submission opens again, and its author closes it: new assets are a second referral.
    let items = vec![page("one.page"), page("two.page")];
    sender.submit(batch("slow", 2, None, items)).await.unwrap();
    let closed = sender.submit(close("slow", 2)).await.unwrap();
    assert_eq!(referred(&closed), (vec![("facegraph", 2)], 0), "both closes together");
    let tips = received(&face).await;
    assert_eq!(tips.len(), 2);
    let newest = face.tip(&tips[0].id, "").await.unwrap();
    assert_eq!(values(&newest.indicators), ["two.page".to_owned()].into());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_without_assets_refers_nothing() {
    let world = World::new();
    let node = world.start().await;
    let sender = world.client(&node, "birdsite");
    sender.submit(batch("domains", 1, None, vec![domain("a.example")])).await.unwrap();
    let before = node.exchange.index().checkpoint();
    let closed = sender.submit(close("domains", 1)).await.unwrap();
    assert_eq!(referred(&closed), (vec![], 0));
    assert_eq!(node.exchange.index().checkpoint(), before + 1, "no entry but the close");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn referrals_that_a_crash_interrupted_are_sent_later_and_never_twice() {
    let world = World::new();
    let mut process = Process::prepare(&world);
    process.start();
    process.wait_ready();
    let (sender, face) = (process.client(&world, "birdsite"), process.client(&world, "facegraph"));
    let rounds = 8u32;
    for round in 0..rounds {
        let submission = format!("report-{round}");
        let items = (0..20).map(|at| page(&format!("page.{round}.{at}"))).collect();
        sender.submit(batch(&submission, 1, None, items)).await.unwrap();
        let closing = {
            let (sender, request) = (sender.clone(), close(&submission, 1));
            tokio::spawn(async move { sender.submit(request).await })
        };
        tokio::time::sleep(Duration::from_micros(u64::from(round) * 1_500)).await;
        process.kill();
        process.start();
        // Its client retries across the restart.
        match closing.await.unwrap() {
            Ok(receipt) => assert_eq!(referred(&receipt), (vec![("facegraph", 20)], 0)),
            Err(error) => assert!(matches!(error, ClientError::Unreachable(_)), "{error:?}"),
        }
        let receipt = sender.submit(close(&submission, 1)).await.unwrap();
        assert_eq!(referred(&receipt), (vec![("facegraph", 20)], 0));
    }
    let tips = received(&face).await;
    let mut submissions: Vec<_> = tips.iter().map(|tip| tip.submission_id.clone()).collect();
    submissions.sort_unstable();
    let expected: Vec<_> = (0..rounds).map(|round| format!("report-{round}")).collect();
    assert_eq!(submissions, expected, "each once");
    assert_eq!(tip_events(&face).await.len(), rounds as usize);
    process.terminate();
}
