//! Counts in the answer to a tip: delivered with it, and counted once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::World;
use support::tips::{field, move_to, tip, tip_events, walk};
use tipoff::wire::pb;
use tipoff::wire::pb::TipState;

#[tokio::test(flavor = "multi_thread")]
async fn the_counts_of_an_answer_are_an_enforcement_that_counts_once() {
    let world = World::new();
    let node = world.start().await;
    let (sender, recipient) = (world.client(&node, "birdsite"), world.client(&node, "facegraph"));
    let request = tip("t1", &["facegraph", "tubeworks"]);
    let id = sender.send_tip(request).await.unwrap().tip_id;
    walk(&recipient, &id, &[TipState::Investigating]).await;
    let pages = |count, platform: &str| pb::Enforcement {
        counts: vec![pb::EnforcementCount {
            asset: pb::AssetKind::Page.into(),
            platform: platform.into(),
            count,
            already_disabled: 2,
            approximate: false,
        }],
        method: pb::EnforcementMethod::AfterTip.into(),
        ..Default::default()
    };
    let answer = |key: &str, done| pb::RespondToTipRequest {
        enforcement: Some(done),
        to_all: true,
        ..move_to(key, &id, TipState::Actioned)
    };
    let refused = recipient.respond_to_tip(answer("r1", pages(7, "youtube"))).await;
    assert_eq!(field(refused).0, "enforcement.counts.platform", "another server listens there");
    let done = answer("r1", pages(7, "facebook"));
    let first = recipient.respond_to_tip(done.clone()).await.unwrap();
    let again = recipient.respond_to_tip(done).await.unwrap();
    assert!(again.replayed && again.sequence == first.sequence);

    // The sender has the counts in its feed, in the tip and in its list. The other recipient has
    // them nowhere, although the answer is shown to it.
    let entry = tip_events(&sender).await.pop().unwrap().entry.unwrap();
    assert_eq!(entry.enforcement.as_ref().unwrap().counts[0].count, 7);
    let shown = sender.tip(&id, "facegraph").await.unwrap();
    assert_eq!(shown.entries.last().unwrap().enforcement, entry.enforcement);
    let of_tip = pb::ListEnforcementsRequest { tip_id: id.clone(), ..Default::default() };
    let listed = sender.enforcements(&of_tip).await.unwrap();
    assert_eq!((listed.len(), listed[0].author.as_str()), (1, "facegraph"));
    let other = world.client(&node, "tubeworks");
    let theirs = tip_events(&other).await.pop().unwrap().entry.unwrap();
    assert_eq!((theirs.author.as_str(), theirs.enforcement), ("facegraph", None));
    assert_eq!(other.enforcements(&of_tip).await.unwrap(), []);

    // Shared wider with the same id, it counts once.
    let wider =
        pb::Enforcement { id: listed[0].enforcement.clone().unwrap().id, ..pages(7, "facebook") };
    let report = pb::ReportEnforcementRequest {
        request_id: "wider".into(),
        sharing: None,
        enforcements: vec![wider],
    };
    recipient.report_enforcement(report).await.unwrap();
    let all = sender.enforcements(&pb::ListEnforcementsRequest::default()).await.unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    node.stop().await;
}
