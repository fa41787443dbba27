//! Lookups: each value has its own answer.

use prost::Message;
use tipoff::client::ClientError;
use tipoff::wire::pb;
use tipoff::wire::pb::lookup_result::Result::{Known, Unknown, Unreadable};
use tonic::Code;
use tonic_types::StatusExt;

use crate::support::raw::{call_raw, raw_channel};
use crate::support::{World, batch, domain};

#[tokio::test(flavor = "multi_thread")]
async fn lookups_name_the_invalid_value_and_answer_the_others_in_order() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    client.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();
    let key = |value: &str| pb::IndicatorKey { value: value.into(), ..pb::IndicatorKey::default() };
    let keys = [key("just words"), key("hxxps://a[.]example/"), key("b.example"), key("@x")];
    let results = client.lookup(&keys).await.unwrap();
    let results: Vec<_> = results.into_iter().filter_map(|result| result.result).collect();
    let [Unreadable(words), Known(known), Unknown(unknown), Unreadable(_)] = &results[..] else {
        panic!("{results:?}")
    };
    assert_eq!(words.field, "value");
    assert_eq!(known.indicator.as_ref().unwrap().value, "a.example");
    assert_eq!(unknown.indicator.as_ref().unwrap().value, "b.example");

    let channel = raw_channel(&world, &node, "birdsite");
    let method = "/tipoff.v1.IndicatorService/LookupIndicators";
    for count in [0, 1_001] {
        let keys = vec![key("a.example"); count];
        let request = pb::LookupIndicatorsRequest { keys, read_after: None };
        let status = call_raw(&channel, method, request.encode_to_vec()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{count}");
    }
    assert!(matches!(client.indicator(key("b.example")).await, Err(ClientError::NotFound(_))));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_of_any_number_and_length_are_answered_one_by_one() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    client.submit(batch("s", 1, None, vec![domain("a.example")])).await.unwrap();
    let key = |value: String| pb::IndicatorKey { value, ..pb::IndicatorKey::default() };
    // The same value many times, and values that do not fit into one request together.
    let path = "x".repeat(1_900);
    let same = (0..1_500).map(|_| key("a.example".into()));
    let long = (0..1_000).map(|number| key(format!("https://b.example/{number}/{path}")));
    let keys: Vec<_> = same.chain(long).collect();
    let results = client.lookup(&keys).await.unwrap();
    assert_eq!(results.len(), keys.len());
    for (at, result) in results.iter().enumerate() {
        match result.result.as_ref().unwrap() {
            Known(_) => assert!(at < 1_500, "{at}"),
            Unknown(_) => assert!(at >= 1_500, "{at}"),
            Unreadable(why) => panic!("{at}: {why:?}"),
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_has_exceeded_its_deadline() {
    let mut world = World::new();
    world.config.requests.unary_timeout_s = 1;
    world.config.requests.read_after_timeout_s = 30;
    let node = world.start().await;
    let channel = raw_channel(&world, &node, "birdsite");
    let key = pb::IndicatorKey { value: "a.example".into(), ..pb::IndicatorKey::default() };
    let never = pb::Version { sequence: 1_000_000, ..pb::Version::default() };
    let request = pb::LookupIndicatorsRequest { keys: vec![key], read_after: Some(never) };
    let method = "/tipoff.v1.IndicatorService/LookupIndicators";
    let status = call_raw(&channel, method, request.encode_to_vec()).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, "TIMED_OUT");
    assert!(status.get_details_retry_info().is_some(), "the same request may be sent again");
    node.stop().await;
}
