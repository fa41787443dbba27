//! Revocation lists: what they refuse, and what happens when one is broken or missing.

use std::fs;
use std::time::Duration;

use rcgen::SerialNumber;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;

use crate::support::clock::SetClock;
use crate::support::forge::{self, good};
use crate::support::{World, from_start, soon, who};
use crate::{BIRDSITE, channel, refused, refused_for, refused_start};

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_is_refused_and_so_is_everyone_under_a_stale_list() {
    let world = World::new();
    let revoked = forge::signed(&world, "revoked", &good(&[BIRDSITE]));
    let mut params = good(&[BIRDSITE]);
    params.serial_number = Some(SerialNumber::from(43u64));
    let other = forge::signed(&world, "other", &params);

    forge::revoke(&world, 2090);
    let node = world.start().await;
    refused_for(&node, &revoked, "it was revoked").await;
    assert_eq!(who(&node, &other).await.unwrap(), "birdsite");
    node.stop().await;

    // The list expires while the node runs.
    forge::revoke(&world, 2035);
    let clock = SetClock::new();
    let node = world.start_with(clock.clone()).await;
    assert_eq!(who(&node, &other).await.unwrap(), "birdsite");
    assert!(node.ops_get("/ready").await.contains("200 OK"));
    clock.advance(Duration::from_secs(20 * 365 * 86_400));
    let ready = node.ops_get("/ready").await;
    assert!(ready.contains("503") && ready.contains("expired at 2035-01-01"), "{ready}");
    refused_for(&node, &other, "revocation list of the exchange").await;
    node.refused_more_often("revocation_list_expired", 0).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_a_lower_number_than_before_is_refused() {
    let world = World::new();
    forge::write_crl(&world, forge::numbered_crl(&world, 300));
    world.start().await.stop().await;
    forge::write_crl(&world, forge::numbered_crl(&world, 299));
    let error = refused_start(&world).await;
    assert!(error.contains("0x012b") && error.contains("0x012c"), "{error}");
    forge::write_crl(&world, forge::numbered_crl(&world, 301));
    world.start().await.stop().await;
}

/// Files that are not a valid `crl.pem`, with the expected error. The valid list revokes the serial
/// 42.
fn broken_crls(world: &World) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = forge::good_crl(world);
    let certificate = fs::read_to_string(world.path("ca/ca.pem")).unwrap();
    let half = &good[..good.len() / 2];
    let marker = |cut: usize| format!("{good}{}", &"-----BEGIN X509 CRL-----"[..cut]);
    let (begin, end) = ("-----BEGIN X509 CRL-----\n", "-----END X509 CRL-----\n");
    let body: Vec<_> = good.lines().filter(|line| !line.starts_with('-')).collect();
    let fewer_lines = format!("{begin}{}\n{end}", body[..body.len() - 2].join("\n"));
    let utf16 = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let text = |text: String| text.into_bytes();
    vec![
        ("expired", text(forge::expired_crl(world)), "expired at 2025-01-01T00:00:00Z"),
        ("empty", Vec::new(), "holds no X509 CRL"),
        ("zeros", vec![0; 4096], "holds no X509 CRL"),
        ("not PEM", text("revoked: 42\n".into()), "holds no X509 CRL"),
        ("DER", vec![0x30, 0x82, 0x01, 0x00, 0xff], "holds no X509 CRL"),
        ("UTF-16", utf16, "holds no X509 CRL"),
        ("cut short", text(half.into()), "cut short"),
        ("cut in a second list", text(format!("{good}{half}")), "cut short"),
        ("cut in a second list's marker", text(marker(3)), "cut short"),
        ("cut later in that marker", text(marker(20)), "cut short"),
        ("without an end", text(good.replace("-----END", "")), "cut short"),
        ("indented", text(format!("{good} {good}")), "start of its line"),
        ("another label", text(good.replace("X509 CRL", "CRL")), "holds a section CRL"),
        ("a certificate", text(certificate.clone()), "holds a section CERTIFICATE"),
        (
            "a certificate beside it",
            text(format!("{good}{certificate}")),
            "holds a section CERTIFICATE",
        ),
        ("no base64", text(format!("{begin}%%%%\n{end}")), "base64"),
        ("nothing in it", text(format!("{begin}{end}")), "list 1 of 1"),
        ("not DER", text(format!("{begin}AAAA\n{end}")), "list 1 of 1"),
        ("without its last lines", text(fewer_lines.clone()), "list 1 of 1"),
        ("one broken of two", text(format!("{good}{fewer_lines}")), "list 2 of 2"),
        (
            "of another authority",
            text(forge::foreign_crl(world, false)),
            "of an authority in ca.pem",
        ),
        ("forged", text(forge::foreign_crl(world, true)), "not signed by"),
        (
            "forged beside a good one",
            text(good.clone() + &forge::foreign_crl(world, true)),
            "not signed by",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_with_a_broken_revocation_list() {
    let mut world = World::new();
    for (name, content, reason) in broken_crls(&world) {
        forge::write_crl(&world, content);
        let error = refused_start(&world).await;
        assert!(error.contains("crl.pem") && error.contains(reason), "{name}: {error}");
    }
    let crl = world.config.server.identity.join("crl.pem");
    fs::remove_file(&crl).unwrap();
    std::os::unix::fs::symlink(world.path("nowhere"), &crl).unwrap();
    let error = refused_start(&world).await;
    assert!(error.contains("crl.pem") && error.contains("cannot read"), "{error}");

    // Without a list it starts, unless the configuration requires one.
    fs::remove_file(&crl).unwrap();
    world.config.server.crl_required = true;
    let error = refused_start(&world).await;
    assert!(error.contains("crl.pem") && error.contains("server.crl_required"), "{error}");
    world.config.server.crl_required = false;
    world.start().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_list_that_was_enforced_must_exist_at_the_next_start() {
    let world = World::new();
    forge::write_crl(&world, forge::good_crl(&world));
    world.start().await.stop().await;
    fs::remove_file(world.config.server.identity.join("crl.pem")).unwrap();
    let error = refused_start(&world).await;
    assert!(error.contains("crl.pem") && error.contains("was enforced before"), "{error}");
    let remembered = world.config.storage.data.join("revocation-enforced");
    assert!(error.contains(remembered.to_str().unwrap()), "{error}");
    fs::remove_file(remembered).unwrap();
    world.start().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_revocation_list_leaves_the_old_one_in_use_and_raises_the_alarm() {
    let world = World::new();
    let revoked = forge::signed(&world, "revoked", &good(&[BIRDSITE]));
    let mut params = good(&[BIRDSITE]);
    params.serial_number = Some(SerialNumber::from(43u64));
    let other = forge::signed(&world, "other", &params);
    let crl = world.config.server.identity.join("crl.pem");
    let node = world.start().await;
    assert_eq!(who(&node, &revoked).await.unwrap(), "birdsite", "there was never a list");
    let reload = async |alarm: bool| {
        node.reload(&world.config).await;
        let line = format!("tipoff_identity_reload_failed {}", u8::from(alarm));
        let metrics = node.ops_get("/metrics").await;
        assert!(metrics.lines().any(|shown| shown == line), "{line} is not in\n{metrics}");
    };
    let still_refused = async |name: &str| {
        reload(true).await;
        refused(&node, &revoked).await;
        assert_eq!(who(&node, &other).await.unwrap(), "birdsite", "{name}");
        forge::revoke(&world, 2090);
        reload(false).await;
    };
    forge::revoke(&world, 2090);
    reload(false).await;
    refused(&node, &revoked).await;
    for (name, content, _) in broken_crls(&world) {
        forge::write_crl(&world, content);
        still_refused(name).await;
    }
    fs::remove_file(&crl).unwrap();
    still_refused("absent").await;
    fs::remove_file(&crl).unwrap();
    fs::create_dir(&crl).unwrap();
    reload(true).await;
    refused(&node, &revoked).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_certificate_loses_its_open_connection_at_the_reload() {
    let world = World::new();
    let node = world.start().await;
    let revoked = forge::signed(&world, "revoked", &good(&[BIRDSITE]));
    let mut stream = FeedServiceClient::new(channel(&world, &node, &revoked))
        .subscribe(from_start())
        .await
        .unwrap()
        .into_inner();
    let good_identity = world.identity("facegraph");
    let good_channel = channel(&world, &node, &good_identity);
    let mut other =
        FeedServiceClient::new(good_channel).subscribe(from_start()).await.unwrap().into_inner();
    forge::revoke(&world, 2090);
    node.reload(&world.config).await;
    let ended = async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ended without an error"),
                Err(status) => return status,
            }
        }
    };
    soon(ended).await;
    refused_for(&node, &revoked, "it was revoked").await;
    let still = async { while let Ok(Some(_)) = other.message().await {} };
    let waited = tokio::time::timeout(Duration::from_millis(300), still).await;
    assert!(waited.is_err(), "the stream of another partner ended");
    node.stop().await;
}
