//! Names of subscriptions: their owner, their deletion, and which are refused.

use tipoff::wire::pb;
use tonic::Code;

use crate::support::{World, from_start};
use crate::{
    acknowledge, delete, end, fields, heartbeat, items, list, named, open, reason, service, state,
    submit, values, world,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_subscription_ends_its_reader_and_is_gone_for_good() {
    let world = world();
    let node = world.start().await;
    submit(&world.client(&node, "birdsite"), "s1", &["a.example"]).await;
    let mut facegraph = service(&world, &node, "facegraph");
    let mut feed = open(&mut facegraph, named("main")).await;
    let cursor = items(&mut feed).await.remove(0).cursor;
    delete(&mut facegraph, "main").await.unwrap();
    let (last, status) = end(&mut feed).await;
    assert_eq!(last.end.unwrap().reason(), pb::EndReason::TakenOver);
    assert_eq!((status.code(), reason(&status)), (Code::Aborted, "SUBSCRIPTION_DELETED".into()));
    for gone in [
        delete(&mut facegraph, "main").await.unwrap_err(),
        acknowledge(&mut facegraph, "main", cursor).await.unwrap_err(),
    ] {
        assert_eq!((gone.code(), reason(&gone)), (Code::NotFound, "SUBSCRIPTION_UNKNOWN".into()));
    }
    node.stop().await;
    let node = world.start().await;
    let mut facegraph = service(&world, &node, "facegraph");
    assert!(list(&mut facegraph, 0, "").await.is_empty());
    // The name can be used with another filter.
    let filter = Some(pb::Filter { min_confidence: Some(1), ..pb::Filter::default() });
    open(&mut facegraph, pb::SubscribeRequest { filter, ..named("main") }).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_of_the_same_name_is_another_partners_own() {
    let world = world();
    let node = world.start().await;
    submit(&world.client(&node, "birdsite"), "s1", &["a.example"]).await;
    let (mut facegraph, mut watcher) =
        (service(&world, &node, "facegraph"), service(&world, &node, "watcher"));
    let mut theirs = open(&mut facegraph, named("main")).await;
    let cursor = items(&mut theirs).await.remove(0).cursor;
    let filter = Some(pb::Filter { min_confidence: Some(10), ..pb::Filter::default() });
    let mut ours = open(&mut watcher, pb::SubscribeRequest { filter, ..named("main") }).await;
    assert_eq!(values(&mut ours).await, ["a.example"]);
    acknowledge(&mut facegraph, "main", cursor).await.unwrap();
    assert!(state(&mut watcher).await.acknowledged_at.is_none());
    open(&mut facegraph, named("second")).await;
    delete(&mut watcher, "main").await.unwrap();
    assert_eq!(list(&mut facegraph, 0, "").await.len(), 2);
    let page = list(&mut facegraph, 1, "main").await;
    assert_eq!((page.len(), page[0].name.as_str()), (1, "second"));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_names_and_cursors_are_refused_and_the_field_named() {
    let (world, other) = (world(), World::new());
    let (node, elsewhere) = (world.start().await, other.start().await);
    let mut facegraph = service(&world, &node, "facegraph");
    let mut feed = open(&mut facegraph, named("main")).await;
    let here = heartbeat(&mut feed).await;
    for bad in ["", "a b", "ä", "a/b", &"n".repeat(65)] {
        let mut refused = vec![
            acknowledge(&mut facegraph, bad, here.clone()).await.unwrap_err(),
            delete(&mut facegraph, bad).await.unwrap_err(),
        ];
        if !bad.is_empty() {
            refused.push(facegraph.subscribe(named(bad)).await.unwrap_err());
        }
        for refused in refused {
            assert_eq!(refused.code(), Code::InvalidArgument, "{bad}");
            assert_eq!(fields(&refused), ["name"], "{bad}");
        }
    }
    let mut there = open(&mut service(&other, &elsewhere, "facegraph"), from_start()).await;
    let foreign = heartbeat(&mut there).await;
    let broken = pb::Cursor { token: here.token.slice(..9) };
    for bad in [Some(foreign.clone()), Some(broken), None] {
        let refused = acknowledge(&mut facegraph, "main", bad).await.unwrap_err();
        assert_eq!(
            (refused.code(), fields(&refused)),
            (Code::InvalidArgument, vec!["cursor".into()])
        );
    }
    let start = Some(pb::subscribe_request::Start::Cursor(foreign));
    let request = pb::SubscribeRequest { start, ..named("new") };
    assert_eq!(facegraph.subscribe(request).await.unwrap_err().code(), Code::InvalidArgument);
    let mut token = here.token.to_vec();
    // In the sequence, after layout, journal and epoch.
    token[14] = 1;
    let ahead = pb::Cursor { token: token.into() };
    let refused = acknowledge(&mut facegraph, "main", ahead).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused)), (Code::OutOfRange, "CURSOR_AHEAD".into()));
    let state_now = state(&mut facegraph).await;
    assert!(state_now.acknowledged_at.is_none(), "nothing was acknowledged: {state_now:?}");
    node.stop().await;
    elsewhere.stop().await;
}
