//! What the demo shows of a cluster: a node and a nats-server are lost and come back, and all nodes hold the same.

use std::time::Duration;

use prost::Message;
use sha2::{Digest, Sha256};

use super::super::failure::Failure;
use super::super::top::OpsClient;
use super::super::{output, text};
use super::node::Node;
use super::stage::Stage;
use super::{heading, say, show};
use crate::clock::{Clock, SystemClock};
use crate::domain::hex;
use crate::https::client;
use crate::wire::pb;

/// The partners whose view of each node is compared.
const VIEWERS: [&str; 3] = ["birdsite", "facegraph", "tubeworks"];
/// How long the nodes may take until all have applied the newest entry.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What a node holds.
#[derive(PartialEq, Eq)]
struct Holdings {
    head: u64,
    applied: u64,
    indicators: usize,
    digest: String,
}

/// Starts the node and the nats-server that were killed.
pub async fn bring_back(stage: &mut Stage) -> Result<(), Failure> {
    heading("node 1 and nats-server 1 come back")?;
    let ready = stage.restart_lost().await?;
    say(&format!("both started on their own data; node 1 is ready after {} ms", ready.as_millis()))
}

/// Prints what each node holds. Fails unless it is the same.
pub async fn compare(stage: &Stage) -> Result<(), Failure> {
    heading("All nodes hold the same")?;
    let clock = SystemClock;
    let started = clock.instant();
    wait_until_level(stage.nodes()).await?;
    let caught_up = clock.instant().duration_since(started);
    let mut all = Vec::new();
    for node in stage.nodes() {
        all.push(holdings(stage, node).await?);
    }
    let rows = stage.nodes().iter().zip(&all).map(|(node, held)| {
        [
            node.name.clone(),
            held.head.to_string(),
            held.applied.to_string(),
            held.indicators.to_string(),
            held.digest.clone(),
        ]
    });
    show(&output::table(["NODE", "HEAD", "APPLIED", "INDICATORS", "DIGEST"], rows))?;
    say("DIGEST: of the snapshots of all three platforms from that node")?;
    let [first, others @ ..] = all.as_slice() else {
        return Err(Failure::failed("the cluster has no node"));
    };
    if others.iter().any(|other| other != first) {
        return Err(Failure::failed("the nodes do not hold the same"));
    }
    let same = format!(
        "the {} nodes hold the same: {} entries, {}; level after {} ms",
        all.len(),
        first.head,
        text::count(first.indicators as u64, "indicator"),
        caught_up.as_millis()
    );
    say(&output::paint(output::GOOD, &same))
}

/// Waits until all nodes have applied the same newest entry.
async fn wait_until_level(nodes: &[Node]) -> Result<(), Failure> {
    let levelling = async {
        loop {
            let mut positions = Vec::new();
            for node in nodes {
                let (head, applied) = positions_of(node).await?;
                positions.extend([head, applied]);
            }
            if positions.iter().all(|one| *one == positions[0]) {
                return Ok(());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    let levelled = tokio::time::timeout(CATCH_UP_TIMEOUT, levelling).await;
    levelled.unwrap_or_else(|_| Err(Failure::failed("a node did not catch up")))
}

/// The head of a node's journal, and the newest entry that it applied.
async fn positions_of(node: &Node) -> Result<(u64, u64), Failure> {
    let metrics: http::Uri =
        format!("http://{}/metrics", node.ops()).parse().map_err(Failure::failed)?;
    let (samples, _) = OpsClient::new(metrics, client::TIMEOUT)?.scrape().await?;
    let value = |name: &str| {
        // Sequences of a demo are exact in a float.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let value = samples.value(name).map(|value| value as u64);
        value.ok_or_else(|| Failure::failed(format!("{}: no {name}", node.ops())))
    };
    Ok((value("tipoff_head")?, value("tipoff_index_checkpoint")?))
}

async fn holdings(stage: &Stage, node: &Node) -> Result<Holdings, Failure> {
    let (head, applied) = positions_of(node).await?;
    let (mut digest, mut indicators) = (Sha256::new(), 0);
    for partner in VIEWERS {
        let (_, mut items) = stage.client_of(partner, node)?.snapshot(None).await?;
        items.sort_by_key(|item| {
            let version = item.version.unwrap_or_default();
            (version.sequence, version.index)
        });
        for item in &items {
            let item = pb::FeedItem { cursor: None, ..item.clone() };
            digest.update(item.encode_length_delimited_to_vec());
        }
        indicators = indicators.max(items.len());
    }
    let digest = hex::encode(&digest.finalize()[..6]);
    Ok(Holdings { head, applied, indicators, digest })
}
