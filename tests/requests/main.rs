//! Invalid requests: each fault is named, and valid parts are accepted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod lookups;
#[path = "../support/mod.rs"]
mod support;

use futures_util::{StreamExt, stream};
use prost::Message;
use support::raw::{call_raw, raw_channel};
use support::{World, batch, close, domain, item, named, sharing, statuses};
use tipoff::client::{Client, ClientError};
use tipoff::config::JournalBackend;
use tipoff::domain::filter::Filter;
use tipoff::exchange::{SUBSCRIPTIONS_PER_PARTNER, Start};
use tipoff::wire::pb::{self, Kind, Tlp};
use tonic::Code;
use tonic_types::StatusExt;

async fn invalid(client: &Client, request: pb::SubmitIndicatorsRequest) -> (String, String) {
    match client.submit(request).await {
        Err(ClientError::Invalid { fields, .. }) => fields[0].clone(),
        answer => panic!("{answer:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_invalid_value_is_named_and_the_others_are_accepted() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let invalid = [invalid_values(), invalid_assessments()].concat();
    let mut items = Vec::new();
    for (number, (item, _)) in invalid.iter().enumerate() {
        items.push(domain(&format!("good-{number}.example")));
        items.push(item.clone());
    }
    let receipt = client.submit(batch("s", 1, None, items)).await.unwrap();
    assert_eq!(receipt.items.len(), invalid.len() * 2);
    for (number, (_, field)) in invalid.iter().enumerate() {
        let (good, bad) = (&receipt.items[number * 2], &receipt.items[number * 2 + 1]);
        assert_eq!(good.status(), pb::ItemStatus::Created, "{number}");
        assert_eq!(bad.index as usize, number * 2 + 1);
        assert_eq!(bad.status(), pb::ItemStatus::Rejected, "{number}: {bad:?}");
        assert_eq!(&bad.field, field, "{number}: {bad:?}");
        assert!(!bad.reason.is_empty());
    }
    node.stop().await;
}

/// Items with an invalid kind, platform or value, and the field that is named.
fn invalid_values() -> Vec<(pb::SubmittedIndicator, &'static str)> {
    vec![
        (item(Kind::Domain, "", "nodots"), "value"),
        (item(Kind::Domain, "", ""), "value"),
        (item(Kind::Domain, "x", "a.example"), "platform"),
        (item(Kind::Domain, "", &"a".repeat(3_000)), "value"),
        (item(Kind::Domain, "", "a\u{7}.example"), "value"),
        (item(Kind::Account, "", "someone"), "platform"),
        (item(Kind::Account, "x", "two words"), "value"),
        (item(Kind::Account, "tiktok", "https://twitter.com/someone"), "platform"),
        (item(Kind::Account, "?!", "someone"), "platform"),
        (item(Kind::Url, "", "https://"), "value"),
        (item(Kind::Email, "", "no-at.example"), "value"),
        (item(Kind::Phone, "", "555 0123"), "value"),
        (item(Kind::Ip, "", "192.0.2.300"), "value"),
        (item(Kind::Md5, "", "abc"), "value"),
        (item(Kind::Sha1, "", &"g".repeat(40)), "value"),
        (item(Kind::Sha256, "", &"a".repeat(63)), "value"),
        (item(Kind::Pdq, "", "ff"), "value"),
        (item(Kind::Tlsh, "", "T1ff"), "value"),
        (item(Kind::Hashtag, "", "#"), "value"),
        (item(Kind::AndroidPackage, "", "nodots"), "value"),
        (item(Kind::IosAppId, "", "no id"), "value"),
        (item(Kind::CryptoAddress, "bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"), "value"),
        (item(Kind::CryptoAddress, "", "whatever"), "platform"),
        (item(Kind::Unspecified, "", "just words"), "value"),
        (pb::SubmittedIndicator { kind: 99, ..domain("a.example") }, "kind"),
    ]
}

/// Items with an invalid assessment, and the field that is named.
fn invalid_assessments() -> Vec<(pb::SubmittedIndicator, &'static str)> {
    let assessed = |assessment: pb::Assessment| {
        let mut item = domain("assessed.example");
        item.assessment = Some(assessment);
        item
    };
    let none = pb::Assessment::default;
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    vec![
        (assessed(pb::Assessment { confidence: Some(101), ..none() }), "confidence"),
        (assessed(pb::Assessment { verdict: 77, ..none() }), "verdict"),
        (assessed(pb::Assessment { labels: vec!["csam".into()], ..none() }), "labels"),
        (assessed(pb::Assessment { labels: vec!["made-up".into()], ..none() }), "labels"),
        (assessed(pb::Assessment { techniques: vec!["9".into()], ..none() }), "techniques"),
        (assessed(pb::Assessment { valid_until: time(1), ..none() }), "valid_until"),
        (assessed(pb::Assessment { valid_until: time(9_000_000_000), ..none() }), "valid_until"),
        (assessed(pb::Assessment { first_seen: time(i64::MAX), ..none() }), "first_seen"),
        (
            assessed(pb::Assessment { first_seen: time(9), last_seen: time(8), ..none() }),
            "last_seen",
        ),
        (assessed(pb::Assessment { note: "x".repeat(2_001), ..none() }), "note"),
        (
            assessed(pb::Assessment { references: vec!["ftp://a.example".into()], ..none() }),
            "references",
        ),
        (
            assessed(pb::Assessment {
                note: "é".repeat(1_990),
                references: vec![format!("https://a.example/{}", "c".repeat(99))],
                ..none()
            }),
            "item",
        ),
        (assessed(pb::Assessment { campaign: "hydra".into(), ..none() }), "campaign"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_invalid_as_a_whole_is_refused_and_the_field_named() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let to = |tlp, audience| Some(sharing(tlp, audience));
    let everyone = || Some(pb::sharing::Audience::Everyone(pb::Everyone {}));
    let one = || vec![domain("a.example")];
    let released = |liaison: &str| {
        let release = pb::Release { liaison: liaison.into(), ..pb::Release::default() };
        Some(pb::Sharing { releases: vec![release], ..pb::Sharing::default() })
    };
    let table = [
        (batch("", 1, None, one()), "submission_id"),
        (batch("no spaces", 1, None, one()), "submission_id"),
        (batch("s", 0, None, one()), "batch.number"),
        (batch("s", 1, None, Vec::new()), "batch.items"),
        (batch("s", 1, None, vec![domain("a.example"); 1_001]), "batch.items"),
        (batch("s", 1, to(Tlp::Amber, named(&[], &[])), one()), "sharing.audience"),
        (batch("s", 1, to(Tlp::Amber, everyone()), one()), "sharing.audience"),
        (batch("s", 1, to(Tlp::Red, None), one()), "sharing.audience"),
        (batch("s", 1, to(Tlp::Red, named(&["core"], &[])), one()), "sharing.audience"),
        (
            batch("s", 1, to(Tlp::Amber, named(&["elsewhere"], &[])), one()),
            "sharing.audience.groups",
        ),
        (
            batch("s", 1, to(Tlp::Amber, named(&[], &["nobody"])), one()),
            "sharing.audience.partners",
        ),
        (
            batch("s", 1, to(Tlp::Amber, named(&[], &["cyber-unit"])), one()),
            "sharing.audience.partners",
        ),
        (
            batch("s", 1, to(Tlp::Amber, named(&[], &["exchange-ops"])), one()),
            "sharing.audience.partners",
        ),
        (batch("s", 1, released("facegraph"), one()), "sharing.releases"),
        (pb::SubmitIndicatorsRequest { submission_id: "s".into(), ..Default::default() }, "batch"),
        (close("s", 0), "close.batches"),
    ];
    for (request, field) in table {
        assert_eq!(invalid(&client, request.clone()).await.0, field, "{request:?}");
    }
    // A partner without a group has no default audience, and may not name a group of others.
    let outside = world.client(&node, "tubeworks");
    assert_eq!(invalid(&outside, batch("s", 1, None, one())).await.0, "sharing.audience");
    let (field, reason) =
        invalid(&outside, batch("s", 1, to(Tlp::Amber, named(&["core"], &[])), one())).await;
    assert_eq!(
        (field.as_str(), reason.as_str()),
        ("sharing.audience.groups", "you are not in a group `core`")
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_accepted_once_and_a_conflict_is_an_error() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let request = batch("s", 1, None, vec![domain("a.example"), domain("nodots")]);
    let first = client.submit(request.clone()).await.unwrap();
    let again = client.submit(request.clone()).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(pb::Receipt { replayed: false, ..again }, first);
    let other = batch("s", 1, None, vec![domain("b.example")]);
    assert!(matches!(client.submit(other).await, Err(ClientError::Conflict(_))));
    // A submission of another partner with the same id is a different one.
    let theirs = world.client(&node, "facegraph").submit(request).await.unwrap();
    assert!(!theirs.replayed);
    assert_eq!(statuses(&theirs)[0], pb::ItemStatus::Created, "it never tells that others hold it");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submission_is_closed_when_every_batch_is_there() {
    let world = World::new();
    let node = world.start().await;
    let client = world.impatient(&node, "birdsite");
    let one = |number| batch("s", number, None, vec![domain(&format!("n{number}.example"))]);
    assert!(matches!(client.submit(close("s", 1)).await, Err(ClientError::NotFound(_))));
    client.submit(one(1)).await.unwrap();
    client.submit(one(3)).await.unwrap();
    let missing = client.submit(close("s", 3)).await.unwrap_err();
    assert!(missing.to_string().contains("batch 2 has not come"), "{missing}");
    client.submit(one(2)).await.unwrap();
    assert!(client.submit(close("s", 3)).await.unwrap().closed);
    assert!(client.submit(close("s", 3)).await.unwrap().closed, "twice is once");
    let late = client.submit(one(4)).await.unwrap_err();
    assert!(matches!(&late, ClientError::Precondition(why) if why.contains("closed")), "{late}");
    assert!(client.submit(one(2)).await.unwrap().replayed, "its receipts are kept");
    // A batch and the close in one request.
    let both = pb::SubmitIndicatorsRequest {
        close: Some(pb::SubmissionClose { batches: 1, ..Default::default() }),
        ..batch("t", 1, None, vec![domain("t.example")])
    };
    assert!(client.submit(both).await.unwrap().closed);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_copies_of_one_batch_get_the_same_receipt() {
    let world = World::new();
    let node = world.start().await;
    for round in 0..20 {
        let request = batch("s", round + 1, None, vec![domain(&format!("n{round}.example"))]);
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (client, request) = (world.client(&node, "birdsite"), request.clone());
                tokio::spawn(async move { client.submit(request).await.unwrap() })
            })
            .collect();
        let mut receipts = Vec::new();
        for task in tasks {
            receipts.push(task.await.unwrap());
        }
        let first = receipts.iter().filter(|receipt| !receipt.replayed).count();
        assert_eq!(first, 1, "the others are replays");
        let versions: Vec<_> = receipts.iter().map(|receipt| receipt.items[0].version).collect();
        assert!(versions.iter().all(|version| *version == versions[0]), "{versions:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_are_malformed_or_too_large_harm_nobody() {
    let world = World::new();
    let node = world.start().await;
    let channel = raw_channel(&world, &node, "birdsite");
    let method = "/tipoff.v1.IndicatorService/SubmitIndicators";
    for bytes in [vec![0xff; 40], vec![0x0a, 0x7f, 1], b"\x12\x05hello".to_vec()] {
        let status = call_raw(&channel, method, bytes).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(status.get_details_bad_request().is_some(), "{status:?}");
    }
    let items = vec![item(pb::Kind::Domain, "", &"a".repeat(3_000)); 600];
    let large = batch("s", 1, None, items).encode_to_vec();
    assert!(large.len() > 1 << 20);
    let status = call_raw(&channel, method, large).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, "MESSAGE_TOO_LARGE");
    // The same connection continues.
    let good = batch("s", 1, None, vec![domain("a.example")]).encode_to_vec();
    let answer = call_raw(&channel, method, good).await.unwrap();
    let receipt = pb::SubmitIndicatorsResponse::decode(&answer[..]).unwrap().receipt.unwrap();
    assert_eq!(statuses(&receipt), [pb::ItemStatus::Created]);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_author_may_assess_a_value_differently_for_each_audience() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let others = ["facegraph", "tubeworks", "watcher"];
    for number in 1..=7u32 {
        let to = others.iter().enumerate();
        let to: Vec<_> = to.filter(|(at, _)| number >> at & 1 == 1).map(|(_, id)| *id).collect();
        let mut item = domain("a.example");
        item.assessment = Some(pb::Assessment { note: "ж".repeat(1_900), ..Default::default() });
        let sharing = Some(sharing(Tlp::Amber, named(&[], &to)));
        client.submit(batch("s", number, sharing, vec![item])).await.unwrap();
    }
    let key = pb::IndicatorKey { value: "a.example".into(), ..pb::IndicatorKey::default() };
    let mine = client.indicator(key.clone()).await.unwrap();
    assert_eq!((mine.assessments.len(), mine.omitted), (7, 0));
    assert_eq!(mine.summary.unwrap().authors, 1);
    let theirs = world.client(&node, "watcher").indicator(key).await.unwrap();
    assert_eq!((theirs.assessments.len(), theirs.omitted), (4, 0));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_disk_space_is_resource_exhausted_until_there_is_more() {
    use std::os::unix::fs::MetadataExt;
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        eprintln!("NOT RUN, since this is not root and cannot mount: a disk that fills");
        return;
    }
    for journal in [JournalBackend::Sled, JournalBackend::Files] {
        goes_on_when_there_is_room(journal).await;
    }
}

async fn goes_on_when_there_is_room(journal: JournalBackend) {
    let mut world = World::new();
    world.config.storage.journal = journal;
    let disk = support::disk::Tmpfs::mount(&world.path("disk"), "64m");
    world.config.storage.data = disk.at.join("data");
    world.config.storage.min_free_mb = 24;
    let node = world.start().await;
    let client = world.impatient(&node, "birdsite");
    let one = |number| batch("s", number, None, vec![domain(&format!("n{number}.example"))]);
    client.submit(one(1)).await.unwrap();
    std::fs::write(disk.at.join("filler"), vec![1; 42 << 20]).unwrap();
    let refused = client.submit(one(2)).await.unwrap_err();
    assert!(matches!(&refused, ClientError::Busy(why) if why.contains("room")), "{refused}");
    let key = pb::IndicatorKey { value: "n1.example".into(), ..pb::IndicatorKey::default() };
    assert!(client.indicator(key).await.is_ok(), "reads go on");
    std::fs::remove_file(disk.at.join("filler")).unwrap();
    client.submit(one(2)).await.unwrap();
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_has_a_bounded_number_of_subscriptions_and_another_its_own() {
    let world = World::new();
    let node = world.start().await;
    let caller = |partner: &str| node.exchange.admit(&partner.parse().unwrap()).unwrap();
    let open = async |partner: &str, name: &str| {
        let (caller, name) = (caller(partner), name.parse().unwrap());
        let opened =
            node.exchange.feeds.open_subscription(&caller, &name, Start::Now, Filter::default());
        opened.await.map(drop)
    };
    for number in 0..SUBSCRIPTIONS_PER_PARTNER {
        open("facegraph", &format!("s{number}")).await.unwrap();
    }
    let refused = open("facegraph", "one-too-many").await.unwrap_err();
    assert_eq!(refused.label(), "too_many_subscriptions");
    assert!(refused.message().contains("100"), "{refused}");
    open("facegraph", "s7").await.unwrap();
    open("watcher", "s7").await.unwrap();
    node.exchange
        .feeds
        .delete_subscription(&caller("facegraph"), &"s7".parse().unwrap())
        .await
        .unwrap();
    open("facegraph", "one-more").await.unwrap();
    assert_eq!(node.exchange.feeds.subscriptions_of(caller("facegraph").partner()).len(), 100);
    assert_eq!(node.exchange.feeds.every_subscription().count(), 101);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_beyond_the_limit_of_a_connection_wait_for_their_turn() {
    let world = World::new();
    let node = world.start().await;
    let channel = raw_channel(&world, &node, "birdsite");
    let calls = (1..=3_000).map(|number| {
        let channel = channel.clone();
        async move {
            let item = domain(&format!("n{number}.example"));
            let request = batch("many", number, None, vec![item]).encode_to_vec();
            call_raw(&channel, "/tipoff.v1.IndicatorService/SubmitIndicators", request).await
        }
    });
    let answers: Vec<_> = stream::iter(calls).buffer_unordered(500).collect().await;
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert!(refused.is_empty(), "{} refused, as with {}", refused.len(), refused[0]);
}
