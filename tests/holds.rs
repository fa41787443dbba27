//! A legal hold preserves copies, whatever happens to the original, and only its author sees them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::time::Duration;

use support::World;
use support::clock::SetClock;
use support::liaison::{field, key, submit};
use tipoff::client::{Client, ClientError};
use tipoff::clock::Clock;
use tipoff::wire::pb::{self, place_hold_request::What};
use tipoff::wire::timestamp;

const DAY: Duration = Duration::from_secs(86_400);

fn keys(values: &[&str]) -> What {
    let keys = values.iter().map(|value| key(value)).collect();
    What::Indicators(pb::IndicatorKeys { keys, audience: None })
}

fn place(id: &str, what: What) -> pb::PlaceHoldRequest {
    let (request_id, reason) = (id.into(), "case 4711".into());
    pb::PlaceHoldRequest { request_id, what: Some(what), reason }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_preserves_withdrawn_objects_for_its_author_only() {
    let world = World::new();
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    let [birdsite, facegraph, operator] =
        ["birdsite", "facegraph", "exchange-ops"].map(|id| world.client(&node, id));
    let (small, large) = place_two(&birdsite, &clock).await;
    for submission in ["a", "many"] {
        let request = pb::WithdrawIndicatorsRequest {
            submission_id: submission.into(),
            ..pb::WithdrawIndicatorsRequest::default()
        };
        birdsite.withdraw(request).await.unwrap();
    }
    assert!(birdsite.indicator(key("a.example")).await.is_err(), "it is withdrawn all the same");
    let held = birdsite.held_objects(&small.id).await.unwrap();
    assert_eq!(held[0].indicator.clone().unwrap().value, "a.example");
    assert_eq!(held.len(), 1);
    assert_eq!(birdsite.held_objects(&large.id).await.unwrap().len(), 700);
    check_others(&facegraph, &operator, &small).await;
    let own = birdsite.holds().await.unwrap();
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|hold| hold.reason == "case 4711"));

    // One is renewed. The other expires by the clock and is swept.
    clock.advance(60 * DAY);
    let renewed = birdsite.renew_hold(&small.id).await.unwrap();
    assert_eq!(renewed.until, Some(timestamp(clock.now().plus(90 * DAY))));
    clock.advance(31 * DAY);
    let gone = birdsite.held_objects(&large.id).await.unwrap_err();
    assert!(matches!(gone, ClientError::NotFound(_)), "{gone}");
    assert_eq!(birdsite.holds().await.unwrap().len(), 1);
    node.exchange.sweeps.sweep_holds().await.unwrap();
    let head = node.exchange.head();
    assert_eq!(node.exchange.sweeps.sweep_holds().await.unwrap(), 0);
    assert_eq!(node.exchange.head(), head);
    birdsite.lift_hold(&small.id).await.unwrap();
    assert!(birdsite.holds().await.unwrap().is_empty());
    let gone = birdsite.lift_hold(&small.id).await.unwrap_err();
    assert!(matches!(gone, ClientError::NotFound(_)), "{gone}");
    assert!(operator.holds().await.unwrap().is_empty());
    node.stop().await;
}

/// Places a hold on one value, and one on a submission of 700.
async fn place_two(birdsite: &Client, clock: &SetClock) -> (pb::Hold, pb::Hold) {
    submit(birdsite, "a", &["a.example", "b.example"]).await;
    let many: Vec<String> = (0..700).map(|n| format!("n{n}.example")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    submit(birdsite, "many", &many).await;
    let request = place("h1", keys(&["a.example", "unheard.example", "not a value"]));
    let placed = birdsite.place_hold(request.clone()).await.unwrap();
    let hold = placed.hold.clone().unwrap();
    // A value without an assessment of the author, and text that is no value.
    let rejected: Vec<_> = placed.rejected.iter().map(|item| item.index).collect();
    assert_eq!((hold.objects, rejected), (1, vec![1, 2]));
    assert_eq!(hold.until, Some(timestamp(clock.now().plus(90 * DAY))));
    let again = birdsite.place_hold(request.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.hold, placed.hold);
    let other = pb::PlaceHoldRequest { reason: "another case".into(), ..request };
    let conflict = birdsite.place_hold(other).await.unwrap_err();
    assert!(matches!(conflict, ClientError::Conflict(_)), "{conflict}");
    let large = birdsite.place_hold(place("h2", What::SubmissionId("many".into()))).await.unwrap();
    assert_eq!((large.hold.clone().unwrap().objects, large.sequences.len()), (700, 2));
    (hold, large.hold.unwrap())
}

/// Other partners do not have a hold. The operator sees only that it exists.
async fn check_others(facegraph: &Client, operator: &Client, hold: &pb::Hold) {
    assert!(facegraph.holds().await.unwrap().is_empty());
    let unknown = "00000000-0000-0000-0000-000000000000";
    let none = facegraph.held_objects(unknown).await.unwrap_err().to_string();
    for refused in [
        facegraph.held_objects(&hold.id).await.map(|_| ()).unwrap_err(),
        facegraph.renew_hold(&hold.id).await.map(|_| ()).unwrap_err(),
        facegraph.lift_hold(&hold.id).await.unwrap_err(),
    ] {
        assert_eq!(refused.to_string(), none, "holds of others do not exist");
    }
    let seen = operator.holds().await.unwrap();
    assert_eq!(seen.iter().map(|hold| hold.objects).sum::<u64>(), 701);
    assert!(
        seen.iter().all(|hold| hold.author == "birdsite" && hold.reason.is_empty()),
        "{seen:?}"
    );
    let denied = operator.held_objects(&hold.id).await.unwrap_err();
    assert!(matches!(denied, ClientError::Denied(_)), "{denied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_fields_of_a_hold_are_named_and_an_empty_hold_is_refused() {
    let world = World::new();
    let node = world.start().await;
    let birdsite = world.client(&node, "birdsite");
    submit(&birdsite, "a", &["a.example"]).await;
    let good = || place("h1", keys(&["a.example"]));
    let wrong = [
        (pb::PlaceHoldRequest { request_id: "?".into(), ..good() }, "request_id"),
        (pb::PlaceHoldRequest { what: None, ..good() }, "what"),
        (pb::PlaceHoldRequest { what: Some(keys(&[])), ..good() }, "indicators.keys"),
        (pb::PlaceHoldRequest { reason: String::new(), ..good() }, "reason"),
        (pb::PlaceHoldRequest { reason: "x".repeat(501), ..good() }, "reason"),
    ];
    for (request, named) in wrong {
        assert_eq!(field(&birdsite.place_hold(request).await.unwrap_err()), named);
    }
    assert_eq!(field(&birdsite.lift_hold("no id").await.unwrap_err()), "hold_id");
    for partner in ["birdsite", "facegraph"] {
        let value = if partner == "birdsite" { "unheard.example" } else { "a.example" };
        let none = world.client(&node, partner).place_hold(place("h2", keys(&[value]))).await;
        assert!(matches!(none, Err(ClientError::NotFound(_))), "{none:?}");
    }
    node.stop().await;
}
