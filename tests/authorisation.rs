//! Every method × every caller, against a table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use http::uri::PathAndQuery;
use support::World;
use support::raw::raw_channel;
use tipoff::rpc::authz::METHODS;
use tonic::client::Grpc;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt;

/// Calls a method with an empty request, and returns the status.
async fn call(channel: &Channel, method: &str) -> Status {
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path: PathAndQuery = method.parse().unwrap();
    let codec = ProstCodec::<(), ()>::default();
    let request = Request::new(tokio_stream::iter([()]));
    match grpc.streaming(request, path, codec).await {
        Err(status) => status,
        Ok(response) => {
            let mut stream = response.into_inner();
            let first =
                tokio::time::timeout(std::time::Duration::from_millis(300), stream.message());
            match first.await {
                Ok(Err(status)) => status,
                _ => Status::ok(""),
            }
        }
    }
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_is_open_to_the_roles_of_the_table_and_to_nobody_else() {
    let world = World::new();
    let node = world.start().await;
    let callers = [
        ("birdsite", "member"),
        ("watcher", "observer"),
        ("cyber-unit", "liaison"),
        ("exchange-ops", "operator"),
    ];
    for (partner, role) in callers {
        let channel = raw_channel(&world, &node, partner);
        for (method, roles) in METHODS {
            let status = call(&channel, method).await;
            let denied =
                status.code() == Code::PermissionDenied && reason(&status) == "METHOD_DENIED";
            let allowed = roles.iter().any(|known| known.as_str() == role);
            assert_eq!(denied, !allowed, "{role} {method}: {status:?}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liaison_may_follow_answer_tips_and_ask_who_it_is_and_nothing_else() {
    let open: Vec<_> = METHODS
        .iter()
        .filter(|(_, roles)| roles.iter().any(|role| role.as_str() == "liaison"))
        .map(|(method, _)| *method)
        .collect();
    assert_eq!(
        open,
        [
            "/tipoff.v1.FeedService/Subscribe",
            "/tipoff.v1.FeedService/Acknowledge",
            "/tipoff.v1.FeedService/Pull",
            "/tipoff.v1.FeedService/Snapshot",
            "/tipoff.v1.FeedService/ListSubscriptions",
            "/tipoff.v1.FeedService/DeleteSubscription",
            "/tipoff.v1.PartnerService/WhoAmI",
            "/tipoff.v1.TipService/GetTip",
            "/tipoff.v1.TipService/ListTips",
            "/tipoff.v1.TipService/RespondToTip"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_that_the_exchange_does_not_have_is_unimplemented_to_partners_alone() {
    let world = World::new();
    let node = world.start().await;
    let expected = [
        ("birdsite", Code::Unimplemented, "METHOD_UNKNOWN"),
        ("exchange-ops", Code::Unimplemented, "METHOD_UNKNOWN"),
        ("stranger", Code::PermissionDenied, "PARTNER_UNKNOWN"),
    ];
    for (partner, code, why) in expected {
        let channel = raw_channel(&world, &node, partner);
        for method in ["/tipoff.v1.IndicatorService/Nothing", "/other.Service/Method"] {
            let status = call(&channel, method).await;
            assert_eq!(status.code(), code, "{partner} {method}");
            assert_eq!(reason(&status), why, "{partner} {method}");
        }
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_the_suspended_may_call_nothing() {
    let mut world = World::new();
    world.config.access.suspended = vec!["facegraph".into()];
    let node = world.start().await;
    for (partner, why) in [("stranger", "PARTNER_UNKNOWN"), ("facegraph", "PARTNER_SUSPENDED")] {
        let channel = raw_channel(&world, &node, partner);
        for (method, _) in METHODS {
            let status = call(&channel, method).await;
            assert_eq!(status.code(), Code::PermissionDenied, "{partner} {method}");
            assert_eq!(reason(&status), why, "{partner} {method}");
        }
    }
    node.stop().await;
}
