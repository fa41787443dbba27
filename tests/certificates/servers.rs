//! Servers that a client does not take for the exchange.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use tipoff::client::{Client, ClientError};

use crate::BIRDSITE;
use crate::support::forge::{self, good};
use crate::support::python::python;
use crate::support::{World, no_retries};

/// A TLS server in Python, which speaks up to a version of TLS and completes handshakes.
struct RogueServer {
    process: Child,
    url: String,
}

impl RogueServer {
    fn start(identity: &Path, highest: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/tls_server.py");
        let mut process = Command::new(python())
            .arg(script)
            .arg(identity)
            .arg(highest)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
        Self { process, url: format!("https://localhost:{}", port.trim()) }
    }
}

impl Drop for RogueServer {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

async fn refusal(world: &World, server: &RogueServer) -> String {
    let identity = world.identity("birdsite");
    let client = Client::new(&server.url, &identity).unwrap().with_retry_policy(no_retries());
    match client.who_am_i().await {
        Err(ClientError::Denied(reason)) => reason,
        answer => panic!("{answer:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_1_3_is_refused() {
    let world = World::new();
    let server = RogueServer::start(&world.config.server.identity, "1.2");
    let reason = refusal(&world, &server).await;
    assert!(reason.contains("speaks no TLS 1.3"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_certificate_is_not_for_servers_is_refused() {
    let world = World::new();
    let mut params = good(&[]);
    params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
    for (name, usages) in
        [("none", Vec::new()), ("client", vec![ExtendedKeyUsagePurpose::ClientAuth])]
    {
        params.extended_key_usages = usages;
        let identity = forge::signed(&world, name, &params);
        let server = RogueServer::start(&identity, "1.3");
        let reason = refusal(&world, &server).await;
        assert!(reason.contains("certificate of the exchange is not trusted"), "{name}: {reason}");
    }
    // Only the usage was wrong.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let identity = forge::signed(&world, "good", &params);
    let server = RogueServer::start(&identity, "1.3");
    let identity = world.identity("birdsite");
    let client = Client::new(&server.url, &identity).unwrap().with_retry_policy(no_retries());
    let error = client.who_am_i().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(_)), "it speaks no gRPC: {error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_certificate_is_always_reported_as_refused() {
    let world = World::new();
    let node = world.start().await;
    let identity = forge::signed_by_another(&world, "foreign", &good(&[BIRDSITE]));
    // An address may have more handshakes than these at the same time.
    let attempts = (0..100).map(|_| {
        let client = Client::new(&node.url, &identity).unwrap().with_retry_policy(no_retries());
        tokio::spawn(async move { client.who_am_i().await })
    });
    for attempt in attempts.collect::<Vec<_>>() {
        let answer = attempt.await.unwrap();
        assert!(matches!(answer, Err(ClientError::Denied(_))), "{answer:?}");
    }
    node.stop().await;
}
