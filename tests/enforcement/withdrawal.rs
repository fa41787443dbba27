//! Withdrawn enforcements: counted no more, and readers are told.

use tipoff::client::{ClientError, FeedEvent, FeedStart};
use tipoff::wire::pb::{self, ItemStatus, RemovalReason, Tlp};

use super::support::command::{Stage, done};
use super::support::feed::event;
use super::support::{World, sharing};
use super::{all, core, count, enforcement, listed, report, statuses};

fn withdraw(ids: &[&str]) -> pb::WithdrawEnforcementsRequest {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    pb::WithdrawEnforcementsRequest { ids, audience: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_enforcement_is_in_no_list_and_readers_are_told_to_drop_it() {
    let world = World::new();
    let node = world.start().await;
    let (facegraph, birdsite) = (world.client(&node, "facegraph"), world.client(&node, "birdsite"));
    let tubeworks = world.client(&node, "tubeworks");
    let pages = |n| vec![count(pb::AssetKind::Page, "facebook", n)];
    let mut feed = birdsite.subscribe(FeedStart::Beginning, None);
    assert!(matches!(event(&mut feed).await, FeedEvent::GroupChange(_)));
    let mut other = tubeworks.subscribe(FeedStart::Beginning, None);
    let both = vec![enforcement("a", pages(7)), enforcement("b", pages(1))];
    let first = facegraph.report_enforcement(report("1", core(), both.clone())).await.unwrap();
    let everyone = Some(sharing(Tlp::Green, None));
    let wider = report("2", everyone, vec![enforcement("b", pages(2))]);
    facegraph.report_enforcement(wider).await.unwrap();
    assert!(matches!(event(&mut other).await, FeedEvent::Enforcement(_)));

    // Of another, or unknown: nothing ends, and nothing is told.
    let of_another = birdsite.withdraw_enforcements(withdraw(&["a"])).await.unwrap();
    assert_eq!((of_another.withdrawn, of_another.sequences.len()), (0, 0));
    let answer = facegraph.withdraw_enforcements(withdraw(&["a", "never"])).await.unwrap();
    assert_eq!((answer.withdrawn, answer.sequences.len()), (1, 1));
    let version = first.items[0].version;
    assert_eq!(answer.items[0].versions, Vec::from_iter(version));
    assert_eq!(answer.items[1].versions, []);
    let again = facegraph.withdraw_enforcements(withdraw(&["a"])).await.unwrap();
    assert_eq!(again.withdrawn, 0);
    assert_eq!(listed(&birdsite, all()).await, [("b".to_owned(), 2)]);

    // One audience of two.
    let named = pb::WithdrawEnforcementsRequest {
        audience: Some(pb::Audience {
            audience: Some(pb::audience::Audience::Everyone(pb::Everyone {})),
        }),
        ..withdraw(&["b"])
    };
    assert_eq!(facegraph.withdraw_enforcements(named).await.unwrap().withdrawn, 1);
    assert_eq!(listed(&birdsite, all()).await, [("b".to_owned(), 1)]);
    assert_eq!(listed(&tubeworks, all()).await, []);

    let removal = loop {
        if let FeedEvent::Removal(removal) = event(&mut feed).await {
            break removal;
        }
    };
    assert_eq!((removal.version, removal.enforcement_id.as_str()), (version, "a"));
    assert_eq!(
        (removal.reason(), removal.author.as_str()),
        (RemovalReason::Withdrawn, "facegraph")
    );
    // A reader that never saw it is told nothing of it.
    let seen = loop {
        if let FeedEvent::Removal(removal) = event(&mut other).await {
            break removal.enforcement_id;
        }
    };
    assert_eq!(seen, "b");

    let anew = facegraph.report_enforcement(report("3", core(), both)).await.unwrap();
    assert_eq!(statuses(&anew), [ItemStatus::Created, ItemStatus::Unchanged]);
    for wrong in [withdraw(&[]), withdraw(&["a b"])] {
        let refused = facegraph.withdraw_enforcements(wrong).await.unwrap_err();
        assert!(matches!(refused, ClientError::Invalid { .. }), "{refused}");
    }
    node.stop().await;
}

#[test]
fn the_command_withdraws_by_id_and_says_what_it_did_not_find() {
    let stage = Stage::new();
    let put = ["enforcement", "put", "--count", "7 pages on facebook", "--id", "x:1"];
    done(stage.run("facegraph", &put));
    let withdrawn = stage.run("facegraph", &["enforcement", "withdraw", "x:1", "x:2"]);
    assert_eq!(withdrawn.code, Some(5), "{withdrawn:?}");
    assert!(withdrawn.out.contains("withdrawn x:1"), "{withdrawn:?}");
    assert!(withdrawn.out.contains("x:2: you have no such enforcement"), "{withdrawn:?}");
    stage.run("facegraph", &["enforcement", "withdraw", "x:1"]).failed(1, "nothing was withdrawn");
    let report = done(stage.run("facegraph", &["enforcement", "report"]));
    assert!(report.out.contains("0 enforcements by partners themselves"), "{report:?}");
    let again = done(stage.run("facegraph", &[&put[..], &["--again"]].concat()));
    assert!(again.out.contains("created x:1"), "{again:?}");
}
