//! A whole node on JetStream.

use tipoff::config::{JetStream, JournalBackend};
use tipoff::wire::pb;

use crate::nats::{Nats, NatsOptions};
use crate::support::{World, batch, close, domain};

/// Waits until `/ready` holds a text.
async fn ready_says(node: &crate::support::Running, text: &str) {
    for _ in 0..400 {
        if node.ops_get("/ready").await.contains(text) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("/ready does not say {text}: {}", node.ops_get("/ready").await);
}

fn submit(submission: &str, value: &str) -> pb::SubmitIndicatorsRequest {
    let close = close(submission, 1).close;
    pb::SubmitIndicatorsRequest { close, ..batch(submission, 1, None, vec![domain(value)]) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_restarts_and_is_not_ready_without_its_servers() {
    let mut world = World::new();
    // The servers take clients with a certificate of their authority only.
    let tls = Some(world.config.server.identity.clone());
    let mut nats = Nats::with(NatsOptions { tls, ..NatsOptions::default() });
    let (ca, identity) = (world.config.server.identity.join("ca.pem"), world.identity("birdsite"));
    world.config.storage.journal = JournalBackend::JetStream;
    world.config.jetstream = JetStream {
        ca,
        certificate: identity.join("cert.pem"),
        key: identity.join("key.pem"),
        ..nats.table()
    };
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let first = client.submit(submit("one", "a.example")).await.unwrap();
    node.stop().await;

    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let again = client.submit(submit("one", "a.example")).await.unwrap();
    assert_eq!((again.sequence, again.replayed), (first.sequence, true));
    ready_says(&node, "200 OK").await;
    let metrics = node.ops_get("/metrics").await;
    assert!(metrics.contains("tipoff_journal_accepted_risks 0"), "{metrics}");

    nats.kill(0);
    ready_says(&node, "requests that write are refused").await;
    nats.restart(0);
    ready_says(&node, "200 OK").await;
    client.submit(submit("two", "b.example")).await.unwrap();
    node.stop().await;
}
