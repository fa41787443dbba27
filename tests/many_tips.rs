//! Ten thousand open tips: a page costs only what is on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use futures_util::{StreamExt, stream};
use support::World;
use support::clock::stopwatch;
use tipoff::domain::PartnerId;
use tipoff::domain::entry::RequestId;
use tipoff::domain::tip::{TipBox, TipState, Urgency};
use tipoff::exchange::{TipQuery, TipRequest};

const TIPS: usize = 10_000;

fn query(tip_box: TipBox, states: &[TipState], token: String) -> TipQuery {
    TipQuery {
        tip_box,
        states: states.to_vec(),
        urgencies: Vec::new(),
        overdue: false,
        partner: None,
        campaign: None,
        size: 100,
        token,
        purpose: None,
    }
}

/// One tip in a hundred goes to tubeworks, the others to facegraph.
fn request(number: usize) -> TipRequest {
    let recipient = if number % 100 == 7 { "tubeworks" } else { "facegraph" };
    TipRequest {
        request: RequestId::from_stored(&format!("t{number}")),
        digest: [1; 32],
        recipients: vec![PartnerId::from_stored(recipient)],
        subject: None,
        narrative: "a network".into(),
        indicators: Vec::new(),
        rejected: Vec::new(),
        urgency: Urgency::Routine,
        respond_by: None,
        tlp: None,
        campaign: None,
        submission: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_ten_thousand_open_tips_takes_no_longer_than_one_of_few() {
    let world = World::new();
    let node = world.start().await;
    let exchange = &node.exchange;
    let caller = |partner| exchange.admit(&PartnerId::from_stored(partner)).unwrap();
    let sender = caller("birdsite");
    let send = |number: usize| {
        let (exchange, sender, request) = (exchange.clone(), sender.clone(), request(number));
        async move { exchange.commands.send_tip(&sender, request).await.unwrap() }
    };
    stream::iter((0..TIPS).map(send)).buffer_unordered(500).for_each(|_| async {}).await;

    // A full scan exceeds this bound on any machine.
    let page_of = |partner, query: &TipQuery| {
        let caller = caller(partner);
        let took = (0..5).map(|_| {
            let watch = stopwatch();
            let page = exchange.queries.list_tips(&caller, query).unwrap();
            assert_eq!(page.tips.len(), 100);
            (watch.elapsed(), page)
        });
        took.min_by_key(|(took, _)| *took).unwrap()
    };
    let (few, _) = page_of("tubeworks", &query(TipBox::Received, &[], String::new()));
    let limit = few * 5 + Duration::from_millis(5);
    for states in [&[][..], &[TipState::Sent], &[TipState::Sent, TipState::Closed]] {
        let (took, first) = page_of("facegraph", &query(TipBox::Received, states, String::new()));
        assert!(took < limit, "{took:?} of {TIPS}, and {few:?} of 100");
        let (took, _) = page_of("facegraph", &query(TipBox::Received, states, first.next));
        assert!(took < limit, "{took:?} of {TIPS} after a page, and {few:?} of 100");
    }
    // All pages together contain each tip once.
    let (mut token, mut seen) = (String::new(), std::collections::BTreeSet::new());
    loop {
        let page = exchange.queries.list_tips(&sender, &query(TipBox::Sent, &[], token)).unwrap();
        let before = seen.len();
        seen.extend(page.tips.iter().map(|tip| tip.id));
        assert_eq!(seen.len(), before + page.tips.len());
        token = page.next;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), TIPS);
    node.stop().await;
}
