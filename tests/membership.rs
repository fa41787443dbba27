//! Joining, leaving, enrolment and suspension: members see, partners that left get removals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::clock::SetClock;
use support::feed::{change, event, item, nothing, removal, subscribed, values};
use support::{Running, World, batch, domain, named, sharing, soon};
use tipoff::client::{Client, ClientError, FeedEvent, FeedStart};
use tipoff::wire::pb::{self, RemovalReason, Tlp};

fn group(id: &str, members: &[&str], history_all: bool) -> pb::SharingGroup {
    pb::SharingGroup {
        id: id.into(),
        name: id.into(),
        members: members.iter().map(ToString::to_string).collect(),
        history_all,
        ..pb::SharingGroup::default()
    }
}

async fn submit(client: &Client, id: &str, to: &[&str], values: &[&str]) -> pb::Receipt {
    let items = values.iter().map(|value| domain(value)).collect();
    let sharing = Some(sharing(Tlp::Amber, named(to, &[])));
    client.submit(batch(id, 1, sharing, items)).await.unwrap()
}

/// The clients of a running node: the operator's, birdsite's and facegraph's.
fn clients(world: &World, node: &Running) -> (Client, Client, Client) {
    let client = |partner| world.client(node, partner);
    (client("exchange-ops"), client("birdsite"), client("facegraph"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_leaves_a_group_gets_removals_for_what_it_saw_only_through_the_group() {
    let world = World::new();
    let node = world.start().await;
    let (operator, birdsite, facegraph) = clients(&world, &node);
    submit(&birdsite, "a", &["core"], &["a.example", "b.example"]).await;
    let to_both = sharing(Tlp::Amber, named(&["core"], &["facegraph"]));
    let request = batch("b", 1, Some(to_both), vec![domain("both.example")]);
    birdsite.submit(request).await.unwrap();
    let mut feed = facegraph.subscribe(FeedStart::Beginning, None);
    assert!(matches!(event(&mut feed).await, FeedEvent::GroupChange(_)));
    assert_eq!(values(&mut feed, 3).await, ["a.example", "b.example", "both.example"]);

    operator.put_group(group("core", &["birdsite", "watcher"], false)).await.unwrap();
    assert_eq!(change(&mut feed).await, (vec![], vec!["facegraph".to_owned()]));
    let dropped = [removal(&mut feed).await, removal(&mut feed).await];
    for removal in &dropped {
        assert_eq!(removal.reason(), RemovalReason::NoLongerShared);
        assert_eq!(removal.author, "birdsite");
    }
    nothing(&mut feed).await;
    let key = |value: &str| pb::IndicatorKey { value: value.into(), ..Default::default() };
    let gone = facegraph.indicator(key("a.example")).await.unwrap_err();
    assert!(matches!(gone, ClientError::NotFound(_)), "{gone}");
    assert!(facegraph.indicator(key("both.example")).await.is_ok(), "named in addition");

    // A cursor inside the expansion resumes inside of it.
    let inside = FeedStart::Cursor(dropped[0].cursor.clone().unwrap());
    let mut resumed = facegraph.subscribe(inside, None);
    assert_eq!(removal(&mut resumed).await.version, dropped[1].version);
    nothing(&mut resumed).await;
    // What the group gets from now on is not delivered to a partner that left.
    submit(&birdsite, "c", &["core"], &["c.example"]).await;
    nothing(&mut feed).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_joins_a_group_sees_new_objects_or_with_history_all_of_them() {
    let world = World::new();
    let node = world.start().await;
    let (operator, birdsite, facegraph) = clients(&world, &node);
    let tubeworks = world.client(&node, "tubeworks");
    operator.put_group(group("joined", &["birdsite"], false)).await.unwrap();
    operator.put_group(group("whole", &["birdsite", "facegraph"], true)).await.unwrap();
    submit(&birdsite, "a", &["joined"], &["before.example"]).await;
    let values_of: Vec<String> = (0..450).map(|n| format!("n{n}.example")).collect();
    let many: Vec<&str> = values_of.iter().map(String::as_str).collect();
    submit(&birdsite, "b", &["whole"], &many).await;
    submit(&birdsite, "c", &["whole"], &["old.example"]).await;
    let mut feed = tubeworks.subscribe(FeedStart::Now, None);
    let mut member = facegraph.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    subscribed(&mut member).await;

    operator.put_group(group("joined", &["birdsite", "tubeworks"], false)).await.unwrap();
    assert_eq!(change(&mut feed).await, (vec!["tubeworks".to_owned()], vec![]));
    nothing(&mut feed).await;
    operator
        .put_group(group("whole", &["birdsite", "facegraph", "tubeworks"], true))
        .await
        .unwrap();
    assert_eq!(change(&mut feed).await, (vec!["tubeworks".to_owned()], vec![]));
    assert_eq!(change(&mut member).await.0, ["tubeworks"], "members are notified");
    assert_eq!(values(&mut feed, 451).await.len(), 451, "in several parts");
    submit(&birdsite, "d", &["joined"], &["after.example"]).await;
    assert_eq!(values(&mut feed, 1).await, ["after.example"]);
    // A reader with a filter sees the same, filtered.
    let filter = pb::Filter { groups: vec!["joined".into()], ..pb::Filter::default() };
    let mut filtered = tubeworks.subscribe(FeedStart::Beginning, Some(filter));
    change(&mut filtered).await;
    change(&mut filtered).await;
    assert_eq!(values(&mut filtered, 1).await, ["after.example"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_partner_is_disconnected_within_a_second_and_later_continues_at_its_cursor() {
    let world = World::new();
    let node = world.start().await;
    let (operator, birdsite, facegraph) = clients(&world, &node);
    submit(&facegraph, "own", &["core"], &["own.example"]).await;
    let mut feed = facegraph.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    let suspend =
        |since| pb::SuspendPartnerRequest { id: "facegraph".into(), compromised_since: since };
    operator.suspend_partner(suspend(None)).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(1), feed.next_event()).await;
    let ended = ended.expect("within a second").unwrap_err();
    assert!(matches!(ended, ClientError::Denied(_)), "{ended}");
    assert!(matches!(facegraph.who_am_i().await, Err(ClientError::Denied(_))));
    let listed = operator.partners().await.unwrap();
    assert!(listed.iter().any(|partner| partner.id == "facegraph" && partner.suspended));
    let listed = birdsite.partners().await.unwrap();
    assert!(listed.iter().all(|partner| !partner.suspended), "an operator's business alone");
    // Its objects stay, and it gets what it missed when it is back.
    let key = pb::IndicatorKey { value: "own.example".into(), ..Default::default() };
    assert!(birdsite.indicator(key).await.is_ok());
    submit(&birdsite, "a", &["core"], &["missed.example"]).await;
    let cursor = feed.cursor().unwrap().clone();
    node.stop().await;

    let node = world.start().await;
    let (operator, _, facegraph) = clients(&world, &node);
    assert!(matches!(facegraph.who_am_i().await, Err(ClientError::Denied(_))), "over a restart");
    operator.resume_partner("facegraph").await.unwrap();
    operator.resume_partner("facegraph").await.unwrap();
    let mut feed = facegraph.subscribe(FeedStart::Cursor(cursor), None);
    assert_eq!(values(&mut feed, 1).await, ["missed.example"]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_partner_submitted_while_its_keys_were_compromised_is_withdrawn() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let (operator, birdsite, facegraph) = clients(&world, &node);
    submit(&birdsite, "good", &["core"], &["good.example"]).await;
    clock.advance(Duration::from_secs(3_600));
    let since = tipoff::wire::timestamp(tipoff::clock::Clock::now(&*clock));
    submit(&birdsite, "bad", &["core"], &["bad.example", "worse.example"]).await;
    let mut feed = facegraph.subscribe(FeedStart::Beginning, None);
    change(&mut feed).await;
    values(&mut feed, 3).await;
    let request =
        pb::SuspendPartnerRequest { id: "birdsite".into(), compromised_since: Some(since) };
    let suspended = operator.suspend_partner(request.clone()).await.unwrap();
    assert_eq!((suspended.withdrawn, suspended.sequences.len()), (2, 1));
    for _ in 0..2 {
        assert_eq!(removal(&mut feed).await.reason(), RemovalReason::Withdrawn);
    }
    let again = operator.suspend_partner(request).await.unwrap();
    assert_eq!(again.withdrawn, 0);
    let key = pb::IndicatorKey { value: "good.example".into(), ..Default::default() };
    assert!(facegraph.indicator(key).await.is_ok());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_are_enrolled_and_changes_that_the_registry_does_not_allow_are_refused() {
    let world = World::new();
    let node = world.start().await;
    let (operator, birdsite, _) = clients(&world, &node);
    let put = |id: &str, role: pb::Role, platforms: &[&str]| pb::PutPartnerRequest {
        partner: Some(pb::Partner {
            id: id.into(),
            role: role.into(),
            platforms: platforms.iter().map(ToString::to_string).collect(),
            ..pb::Partner::default()
        }),
        ..pb::PutPartnerRequest::default()
    };
    assert!(matches!(
        birdsite.put_partner(put("newcomer", pb::Role::Member, &[])).await,
        Err(ClientError::Denied(_))
    ));
    let newcomer = put("newcomer", pb::Role::Member, &["tiktok"]);
    let enrolled = operator.put_partner(newcomer.clone()).await.unwrap();
    assert!(!enrolled.unchanged && enrolled.sequence > 0);
    assert!(operator.put_partner(newcomer).await.unwrap().unchanged);
    operator.put_group(group("core", &["birdsite", "newcomer"], false)).await.unwrap();
    let client = world.client(&node, "newcomer");
    assert_eq!(client.who_am_i().await.unwrap().groups, ["core"]);
    submit(&birdsite, "a", &["core"], &["a.example"]).await;
    let mut feed = client.subscribe(FeedStart::Beginning, None);
    change(&mut feed).await;
    assert_eq!(item(&mut feed).await.author, "birdsite");

    for (request, says) in [
        (put("newcomer", pb::Role::Observer, &[]), "role never changes"),
        (put("another", pb::Role::Member, &["x"]), "another partner owns"),
        (put("another", pb::Role::Observer, &["tiktok"]), "only a member owns"),
    ] {
        let refused = operator.put_partner(request).await.unwrap_err();
        assert!(matches!(refused, ClientError::Precondition(_)), "{refused}");
        assert!(refused.to_string().contains(says), "{refused}");
    }
    for (request, field) in [
        (put("Not-An-Id", pb::Role::Member, &[]), "partner.id"),
        (put("another", pb::Role::Unspecified, &[]), "partner.role"),
    ] {
        let refused = operator.put_partner(request).await.unwrap_err();
        let ClientError::Invalid { fields, .. } = &refused else { panic!("{refused}") };
        assert_eq!(fields[0].0, field);
    }
    for (definition, says) in [
        (group("core", &["birdsite", "cyber-unit"], false), "only members and observers"),
        (group("core", &["birdsite", "exchange-ops"], false), "only members and observers"),
        (group("core", &["birdsite", "nobody"], false), "there is no partner `nobody`"),
        (group("core", &["birdsite"], true), "fixed when it is made"),
    ] {
        let refused = operator.put_group(definition).await.unwrap_err();
        assert!(refused.to_string().contains(says), "{refused}");
    }
    let own = pb::SuspendPartnerRequest { id: "exchange-ops".into(), compromised_since: None };
    let refused = operator.suspend_partner(own).await.unwrap_err();
    assert!(refused.to_string().contains("operator cannot be suspended"), "{refused}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_change_under_an_open_feed() {
    let world = World::new();
    let node = world.start().await;
    let (operator, birdsite, _) = clients(&world, &node);
    let tubeworks = world.client(&node, "tubeworks");
    let mut feed = tubeworks.subscribe(FeedStart::Now, None);
    subscribed(&mut feed).await;
    operator.put_group(group("core", &["birdsite", "tubeworks"], false)).await.unwrap();
    submit(&birdsite, "a", &["core"], &["in.example"]).await;
    change(&mut feed).await;
    assert_eq!(values(&mut feed, 1).await, ["in.example"]);
    operator.put_group(group("core", &["birdsite"], false)).await.unwrap();
    submit(&birdsite, "b", &["core"], &["out.example"]).await;
    change(&mut feed).await;
    removal(&mut feed).await;
    nothing(&mut feed).await;
    soon(tubeworks.who_am_i()).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_by_the_configuration_is_listed_and_stays_when_the_registry_resumes() {
    let mut world = World::new();
    world.config.access.suspended = vec!["facegraph".into()];
    let node = world.start().await;
    let (operator, _, facegraph) = clients(&world, &node);
    assert!(matches!(facegraph.who_am_i().await, Err(ClientError::Denied(_))));
    let listed = operator.partners().await.unwrap();
    assert!(listed.iter().any(|partner| partner.id == "facegraph" && partner.suspended));
    assert!(operator.resume_partner("facegraph").await.unwrap().still_suspended);
    assert!(!operator.resume_partner("birdsite").await.unwrap().still_suspended);

    // A misspelt id would suspend nobody: a reload keeps what was set, and a start is refused.
    let mut misspelt = world.config.clone();
    misspelt.access.suspended = vec!["facegrpah".into()];
    node.reload(&misspelt).await;
    assert!(matches!(facegraph.who_am_i().await, Err(ClientError::Denied(_))));
    node.stop().await;
    let clock = std::sync::Arc::new(tipoff::clock::SystemClock);
    let Err(error) = tipoff::server::Node::start(misspelt, clock).await else {
        panic!("it starts");
    };
    assert!(error.to_string().contains("access.suspended"), "{error}");
    assert!(error.to_string().contains("facegrpah"), "{error}");
}
