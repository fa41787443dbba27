//! Which certificates are accepted, and what becomes of connections when the files of an identity change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod chains;
mod expiry;
mod matrix;
mod revocation;
mod revoked_by_entry;
mod scanners;
mod servers;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use support::forge::{self, good};
use support::{Running, World, no_retries, soon, who};
use tipoff::client::{Client, ClientError};
use tipoff::wire::pb;
use tipoff::wire::pb::partner_service_client::PartnerServiceClient;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};

const BIRDSITE: &str = "spiffe://tipoff.test/partner/birdsite";

/// Asserts that the handshake is refused because of the certificate.
async fn refused(node: &Running, identity: &Path) {
    refused_for(node, identity, "certificate").await;
}

/// Asserts that the handshake is refused, and that the client names the reason. It is in the TLS alert.
async fn refused_for(node: &Running, identity: &Path, expected: &str) {
    match who(node, identity).await {
        Err(ClientError::Denied(reason)) => assert!(reason.contains(expected), "{reason}"),
        answer => panic!("{answer:?}"),
    }
}

/// A connection with an identity that the client does not check.
fn channel(world: &World, node: &Running, identity: &Path) -> Channel {
    let read = |folder: &Path, name: &str| fs::read(folder.join(name)).unwrap();
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read(&world.path("ca"), "ca.pem")))
        .identity(tonic::transport::Identity::from_pem(
            read(identity, "cert.pem"),
            read(identity, "key.pem"),
        ));
    Endpoint::from_shared(node.url.clone()).unwrap().tls_config(tls).unwrap().connect_lazy()
}

/// Asserts that the exchange refuses an identity also if the client does not check it.
async fn refused_without_checks(world: &World, node: &Running, identity: &Path) {
    let mut client = PartnerServiceClient::new(channel(world, node, identity));
    let call = client.who_am_i(pb::WhoAmIRequest {}).await;
    assert!(call.is_err(), "{call:?}");
}

/// Asserts that the handshake succeeds, and that the call is refused with this reason.
async fn nobody(node: &Running, identity: &Path, reason: &str) {
    match who(node, identity).await {
        Err(ClientError::Denied(message)) => assert!(message.contains(reason), "{message}"),
        answer => panic!("{answer:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_certificate_is_let_in_with_and_without_a_workload() {
    let world = World::new();
    let node = world.start().await;
    let plain = forge::signed(&world, "plain", &good(&[BIRDSITE]));
    assert_eq!(who(&node, &plain).await.unwrap(), "birdsite");
    let uri = format!("{BIRDSITE}/ingest");
    let workload = forge::signed(&world, "workload", &good(&[&uri]));
    let client = Client::new(&node.url, &workload).unwrap();
    let me = client.who_am_i().await.unwrap();
    assert_eq!((me.partner.unwrap().id.as_str(), me.workload.as_str()), ("birdsite", "ingest"));
    assert_eq!(me.certificate_serial, "2a");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_certificate_gets_no_answer() {
    let world = World::new();
    let node = world.start().await;
    let ca = fs::read(world.path("ca/ca.pem")).unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    let channel = Endpoint::from_shared(node.url.clone()).unwrap().tls_config(tls).unwrap();
    let none =
        PartnerServiceClient::new(channel.connect_lazy()).who_am_i(pb::WhoAmIRequest {}).await;
    assert!(none.is_err(), "no certificate at all: {none:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_unknown_partners_are_refused_with_the_reason() {
    let world = World::new();
    let node = world.start().await;
    let twice = [BIRDSITE, "spiffe://tipoff.test/partner/facegraph"];
    let deep = format!("{BIRDSITE}/ingest/more");
    let table: [(&str, &[&str], &str); 8] = [
        ("none", &[], "no URI SAN"),
        ("two", &twice, "2 URI SANs"),
        ("fourth", &[&deep], "not `/partner/ID`"),
        ("foreign", &["spiffe://other.test/partner/birdsite"], "another trust domain"),
        ("service", &["spiffe://tipoff.test/service/birdsite"], "not `/partner/ID`"),
        ("web", &["https://tipoff.test/partner/birdsite"], "not a SPIFFE ID"),
        ("short", &["spiffe://tipoff.test/partner/b"], "not `/partner/ID`"),
        ("stranger", &["spiffe://tipoff.test/partner/stranger"], "not a partner"),
    ];
    for (name, uris, reason) in table {
        nobody(&node, &forge::signed(&world, name, &good(uris)), reason).await;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_partner_is_denied() {
    let mut world = World::new();
    world.config.access.suspended = vec!["birdsite".into()];
    let node = world.start().await;
    nobody(&node, &world.identity("birdsite"), "suspended").await;
    assert_eq!(who(&node, &world.identity("facegraph")).await.unwrap(), "facegraph");
    node.stop().await;
}

async fn refused_start(world: &World) -> String {
    let clock = std::sync::Arc::new(tipoff::clock::SystemClock);
    match tipoff::server::Node::start(world.config.clone(), clock).await {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identity_files_that_are_half_written_are_refused_by_name() {
    let world = World::new();
    let identity = &world.config.server.identity;
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        let path = identity.join(name);
        let whole = fs::read_to_string(&path).unwrap();
        let (half, marker) = (&whole[..whole.len() / 2], &whole[..16]);
        for content in
            [String::new(), half.into(), format!("{whole}{half}"), format!("{whole}{marker}")]
        {
            fs::write(&path, &content).unwrap();
            let error = refused_start(&world).await;
            assert!(error.contains(name), "{name} of {} bytes: {error}", content.len());
        }
        fs::write(&path, whole).unwrap();
    }
    let chain = identity.join("cert.pem");
    let whole = fs::read_to_string(&chain).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(&chain, format!("{whole}{broken}")).unwrap();
    let error = refused_start(&world).await;
    assert!(error.contains("certificate 2 of 2"), "{error}");
    fs::write(&chain, format!("Issued by the authority.\n{whole}\n# the end\n")).unwrap();
    world.start().await.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_loaded_and_a_broken_one_leaves_the_old_in_use() {
    let world = World::new();
    let node = world.start().await;
    let identity = world.identity("birdsite");
    fs::write(world.config.server.identity.join("cert.pem"), "no certificate").unwrap();
    node.reload(&world.config).await;
    assert_eq!(who(&node, &identity).await.unwrap(), "birdsite");

    // A key that does not match the certificate is an error too.
    world.issue_server("elsewhere.test");
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    fs::write(world.config.server.identity.join("key.pem"), key).unwrap();
    node.reload(&world.config).await;
    assert_eq!(who(&node, &identity).await.unwrap(), "birdsite");

    // A complete new identity is loaded: it no longer names localhost, and the client notices.
    world.issue_server("elsewhere.test");
    node.reload(&world.config).await;
    refused(&node, &identity).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_with_a_certificate_that_no_client_would_take() {
    let mut world = World::new();
    let mut expired = good(&[]);
    expired.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    expired.not_after = date_time_ymd(2025, 1, 1);
    let mut server = good(&[]);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let table = [
        (forge::signed_by_another(&world, "foreign-server", &server), "not signed by an authority"),
        (
            forge::signed_by_a_namesake(&world, "forged-server", &server),
            "not signed by an authority",
        ),
        (world.identity("birdsite"), "not a server certificate"),
        (forge::signed(&world, "expired-server", &expired), "has expired"),
        (world.path("nowhere"), "cannot read"),
    ];
    for (identity, reason) in table {
        world.config.server.identity = identity;
        let error = refused_start(&world).await;
        assert!(error.contains(reason), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_has_its_share_of_connections() {
    let mut world = World::new();
    world.config.connections.per_identity = 2;
    let node = world.start().await;
    let identity = world.identity("birdsite");
    let connect = async || {
        let client = Client::new(&node.url, &identity).unwrap().with_retry_policy(no_retries());
        client.who_am_i().await.map(|_| client)
    };
    let first = connect().await.unwrap();
    let _second = connect().await.unwrap();
    assert!(matches!(connect().await, Err(ClientError::Unreachable(_))));
    assert_eq!(who(&node, &world.identity("facegraph")).await.unwrap(), "facegraph");
    drop(first);
    soon(async {
        while connect().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    node.stop().await;
}
