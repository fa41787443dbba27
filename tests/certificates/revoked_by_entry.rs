//! Certificates that an operator revokes, with and without the built-in authority.

use rcgen::SerialNumber;
use tipoff::client::ClientError;
use tipoff::wire::pb;
use tipoff::wire::pb::feed_service_client::FeedServiceClient;
use tipoff::wire::pb::revoke_certificate_request::Certificates;
use tonic::Status;

use crate::support::command::{Stage, done};
use crate::support::forge::{self, good};
use crate::support::{Running, World, from_start, soon, who};
use crate::{BIRDSITE, channel, nobody, refused_for};

fn serial(text: &str) -> Certificates {
    Certificates::Serial(text.to_owned())
}

fn partner(id: &str) -> Certificates {
    Certificates::Partner(id.to_owned())
}

async fn revoke(
    world: &World,
    node: &Running,
    certificates: impl Into<Option<Certificates>>,
) -> Result<pb::RevokeCertificateResponse, ClientError> {
    let reason = "a laptop was stolen".to_owned();
    let certificates = certificates.into();
    let request = pb::RevokeCertificateRequest { certificates, reason };
    world.client(node, "exchange-ops").revoke_certificate(request).await
}

/// The error that ends a stream.
async fn end(stream: &mut tonic::Streaming<pb::SubscribeResponse>) -> Status {
    soon(async {
        loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ended without an error"),
                Err(status) => return status,
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_serial_number_ends_open_connections_and_stays_refused_after_a_restart() {
    let world = World::new();
    let node = world.start().await;
    let stolen = forge::signed(&world, "stolen", &good(&[BIRDSITE]));
    let mut params = good(&[BIRDSITE]);
    params.serial_number = Some(SerialNumber::from(43u64));
    let other = forge::signed(&world, "other", &params);
    let subscribe = async |identity| {
        let mut feed = FeedServiceClient::new(channel(&world, &node, identity));
        feed.subscribe(from_start()).await.unwrap().into_inner()
    };
    let (mut of_stolen, mut of_other) = (subscribe(&stolen).await, subscribe(&other).await);

    let first = revoke(&world, &node, serial("00:2A")).await.unwrap();
    assert!(!first.unchanged && first.revoked_at.is_some());
    end(&mut of_stolen).await;
    refused_for(&node, &stolen, "it was revoked").await;
    node.refused_more_often("certificate_revoked", 0).await;
    assert_eq!(who(&node, &other).await.unwrap(), "birdsite");
    let still = async { while let Ok(Some(_)) = of_other.message().await {} };
    let waited = tokio::time::timeout(std::time::Duration::from_millis(300), still).await;
    assert!(waited.is_err(), "the stream of another certificate ended");

    let again = revoke(&world, &node, serial("2a")).await.unwrap();
    assert_eq!((again.unchanged, again.revoked_at), (true, first.revoked_at));
    let listed = world.client(&node, "exchange-ops").revocations().await.unwrap();
    let listed: Vec<_> =
        listed.iter().map(|one| (one.revoked_by.as_str(), one.reason.as_str())).collect();
    assert_eq!(listed, [("exchange-ops", "a laptop was stolen")]);
    node.stop().await;

    let node = world.start().await;
    refused_for(&node, &stolen, "it was revoked").await;
    assert_eq!(who(&node, &other).await.unwrap(), "birdsite");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_partner_revokes_each_certificate_that_it_has() {
    let world = World::new();
    let node = world.start().await;
    let known = world.identity("birdsite");
    let unknown = forge::signed(&world, "unknown", &good(&[&format!("{BIRDSITE}/ingest")]));
    assert_eq!(who(&node, &known).await.unwrap(), "birdsite");
    revoke(&world, &node, partner("birdsite")).await.unwrap();
    for identity in [&known, &unknown] {
        refused_for(&node, identity, "it was revoked").await;
    }
    // A certificate without a partner is refused for that.
    nobody(&node, &forge::signed(&world, "none", &good(&[])), "no URI SAN").await;
    assert_eq!(who(&node, &world.identity("facegraph")).await.unwrap(), "facegraph");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_does_not_lock_itself_out() {
    let world = World::new();
    let node = world.start().await;
    let own = world.client(&node, "exchange-ops").who_am_i().await.unwrap().certificate_serial;
    for (certificates, reason) in [
        (Some(serial(&own)), "lock you out"),
        (Some(partner("exchange-ops")), "lock you out"),
        (Some(partner("nobody-here")), "no such partner"),
        (Some(serial("2g")), "not a serial number"),
        (None, "name a serial number or a partner"),
    ] {
        let refused = revoke(&world, &node, certificates.clone()).await.unwrap_err().to_string();
        assert!(refused.contains(reason), "{certificates:?}: {refused}");
    }
    assert_eq!(who(&node, &world.identity("exchange-ops")).await.unwrap(), "exchange-ops");
    node.stop().await;
}

#[test]
fn the_authority_signs_a_list_tells_the_exchange_and_issues_a_good_certificate_next() {
    let stage = Stage::new();
    let (ca, list) = (stage.world.path("ca"), stage.world.path("server/crl.pem"));
    let (ca, list) = (ca.to_str().unwrap(), list.to_str().unwrap());
    done(stage.run("birdsite", &["whoami"]));
    let options = ["--reason", "a laptop was stolen", "--ca", ca, "--out", list];
    let revoke = [&["pki", "revoke", "birdsite"][..], &options].concat();
    let revoked = done(stage.run("exchange-ops", &revoke));
    assert!(revoked.out.contains("the certificates of birdsite are revoked"), "{revoked:?}");
    assert!(revoked.out.contains("wrote list 1 with 1 certificate to"), "{revoked:?}");
    stage.run("birdsite", &["whoami"]).failed(4, "revoked");

    let shown = done(stage.run("exchange-ops", &["pki", "show", "--ca", ca]));
    let state = |name: &str| {
        let line = shown.out.lines().find(|line| line.contains(name)).unwrap();
        line.contains("revoked")
    };
    assert!(state("birdsite") && !state("exchange-ops") && !state("localhost"), "{shown:?}");

    let fresh = stage.world.path("fresh");
    let fresh = fresh.to_str().unwrap();
    done(stage.run("birdsite", &["pki", "issue", "birdsite", "--ca", ca, "--out", fresh]));
    done(stage.run("birdsite", &["whoami", "--identity", fresh]));

    // Also without the folder of the authority, and again.
    for _ in 0..2 {
        done(stage.run("exchange-ops", &["pki", "revoke", "birdsite", "--reason", "once more"]));
        stage.run("birdsite", &["whoami", "--identity", fresh]).failed(4, "revoked");
        let issue = ["pki", "issue", "birdsite", "--ca", ca, "--out", fresh, "--replace"];
        done(stage.run("birdsite", &issue));
        done(stage.run("birdsite", &["whoami", "--identity", fresh]));
    }
    let listed = done(stage.run("exchange-ops", &["pki", "show"])).out;
    assert!(listed.contains("birdsite") && listed.contains("once more"), "{listed}");

    // A number that the authority never issued, and the server's own.
    let by_serial = |serial: &str, options: &[&str]| {
        let revoke = ["pki", "revoke", "--serial", serial, "--reason", "a test"];
        stage.run("exchange-ops", &[&revoke[..], options].concat())
    };
    by_serial("2a", &["--ca", ca]).failed(2, "--unknown-serial");
    by_serial("2a", &["--ca", ca, "--offline"]).failed(2, "no record");
    let record = done(stage.run("exchange-ops", &["pki", "show", "--ca", ca])).out;
    let of_server = record.lines().find(|line| line.contains("localhost")).unwrap();
    let of_server = of_server.split(' ').next().unwrap();
    by_serial(of_server, &["--ca", ca]).failed(2, "is the certificate of the server");
    by_serial(of_server, &[]).failed(1, "the certificate of the exchange itself");
    let unchecked = done(by_serial("2b", &[]));
    assert!(unchecked.err.contains("was not checked"), "{unchecked:?}");

    // What the exchange refuses is in no list.
    let own = ["pki", "revoke", "exchange-ops", "--ca", ca, "--out", list, "--reason", "a test"];
    stage.run("exchange-ops", &own).failed(1, "lock you out");
    let unknown = ["pki", "revoke", "nobody-here", "--ca", ca, "--reason", "a test"];
    stage.run("exchange-ops", &unknown).failed(2, "no such partner");

    // Nobody asks whether an authority or a server is revoked.
    for (file, reason) in
        [("ca.pem", "certificate of an authority"), ("cert.pem", "no client certificate")]
    {
        let path = stage.world.path("server").join(file).display().to_string();
        let revoke = ["pki", "revoke", "--certificate", &path, "--reason", "a test"];
        stage.run("exchange-ops", &revoke).failed(2, reason);
    }

    // One certificate, by its file; without the exchange.
    let certificate = format!("{fresh}/cert.pem");
    let offline =
        ["pki", "revoke", "--certificate", &certificate, "--offline", "--reason", "a test"];
    let offline = done(stage.run("exchange-ops", &[&offline[..], &["--ca", ca]].concat()));
    assert!(offline.out.contains("wrote list 2 with 2 certificates"), "{offline:?}");
    assert!(offline.err.contains("crl.pem"), "{offline:?}");
    done(stage.run("birdsite", &["whoami", "--identity", fresh]));

    // The list is signed also if the exchange does not answer.
    let mut unreachable = stage.tipoff("exchange-ops", &revoke);
    let unreachable =
        crate::support::command::Ran::of(unreachable.env("TIPOFF_SERVER", "https://localhost:1"));
    assert_eq!(unreachable.code, Some(3), "{unreachable:?}");
    assert!(unreachable.out.contains("wrote list 3"), "{unreachable:?}");
    stage.run("exchange-ops", &["pki", "revoke", "--reason", "x"]).failed(2, "required");

    // A list of another authority, or a newer one, is not overwritten.
    let offline =
        ["pki", "revoke", "--serial", "2a", "--reason", "a test", "--offline", "--unknown-serial"];
    let offline = [&offline[..], &["--ca", ca]].concat();
    let newer = std::fs::read(stage.world.path("ca/crl.pem")).unwrap();
    std::fs::write(list, &newer).unwrap();
    std::fs::remove_file(stage.world.path("ca/crl.pem")).unwrap();
    let with_out = [&offline[..], &["--out", list]].concat();
    stage.run("exchange-ops", &with_out).failed(2, "newer list");
    assert_eq!(std::fs::read(list).unwrap(), newer);
    let foreign = forge::foreign_crl(&stage.world, false);
    std::fs::write(list, &foreign).unwrap();
    stage.run("exchange-ops", &with_out).failed(2, "another authority");
    std::fs::write(stage.world.path("ca/crl.pem"), &foreign).unwrap();
    stage.run("exchange-ops", &offline).failed(2, "another authority");
    let empty = ["pki", "revoke", "birdsite", "--reason", " ", "--offline", "--ca", ca];
    stage.run("exchange-ops", &empty).failed(2, "--reason is empty");
}
