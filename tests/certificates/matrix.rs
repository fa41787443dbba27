//! Each bad certificate is refused for a reason of its own, which the metrics count and the client tells its user.

use std::path::PathBuf;

use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, date_time_ymd};
use tipoff::client::Client;

use crate::support::forge::{self, good};
use crate::support::{World, who};
use crate::{BIRDSITE, refused_for};

fn bent(bend: impl Fn(&mut CertificateParams)) -> CertificateParams {
    let mut params = good(&[BIRDSITE]);
    bend(&mut params);
    params
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_certificate_is_refused_for_its_own_counted_reason() {
    let world = World::new();
    let node = world.start().await;
    let expired = bent(|params| params.not_after = date_time_ymd(2025, 1, 1));
    let early = bent(|params| params.not_before = date_time_ymd(2089, 1, 1));
    let good = good(&[BIRDSITE]);
    let table: [(PathBuf, &str, &str); 5] = [
        (forge::signed(&world, "expired", &expired), "certificate_expired", "has expired"),
        (forge::signed(&world, "early", &early), "certificate_not_yet_valid", "not valid yet"),
        (
            forge::signed_by_another(&world, "another", &good),
            "certificate_unknown_issuer",
            "another authority signed it",
        ),
        (
            forge::self_signed(&world, "self", &good),
            "certificate_unknown_issuer",
            "another authority signed it",
        ),
        (
            forge::signed_by_a_namesake(&world, "namesake", &good),
            "certificate_bad_signature",
            "another authority signed it",
        ),
    ];
    for (identity, label, reason) in table {
        let before = node.refused_connections(label).await;
        refused_for(&node, &identity, reason).await;
        node.refused_more_often(label, before).await;
    }
    assert_eq!(who(&node, &world.identity("birdsite")).await.unwrap(), "birdsite");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_for_clients_is_refused_by_both_sides() {
    let world = World::new();
    let node = world.start().await;
    let server = bent(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let none = bent(|params| params.extended_key_usages = Vec::new());
    for (name, params) in [("server", server), ("no-usage", none)] {
        let identity = forge::signed(&world, name, &params);
        let local = Client::new(&node.url, &identity).unwrap_err().to_string();
        assert!(local.contains("not a client certificate"), "{local}");
        let before = node.refused_connections("certificate_wrong_purpose").await;
        crate::refused_without_checks(&world, &node, &identity).await;
        node.refused_more_often("certificate_wrong_purpose", before).await;
    }
    node.stop().await;
}
