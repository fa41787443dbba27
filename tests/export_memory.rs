//! The memory of an export does not grow with the number of objects.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::process::Stdio;

use support::command::tipoff;
use support::memory::peak;
use support::{Running, World, batch, domain};
use tipoff::wire::pb;

/// Batches of 1,000 items.
const BATCHES: u32 = 50;

/// By how many MB a peak may differ. All objects in memory would take more than 50.
const MORE_MB: u64 = 32;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_thousand_objects_take_no_more_memory_than_a_thousand() {
    let world = World::new();
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    let mut few = Vec::new();
    for number in 1..=BATCHES {
        let items = (0..1_000).map(|item| {
            let mut submitted = domain(&format!("n{number}-{item}.example"));
            let note = "seen in the harbour network, in a long note ".repeat(5);
            submitted.assessment = Some(pb::Assessment { note, ..Default::default() });
            submitted
        });
        client.submit(batch("s", number, None, items.collect())).await.unwrap();
        if number == 1 {
            few = peaks(&world, &node, 1_000).await;
        }
    }
    let many = peaks(&world, &node, BATCHES * 1_000).await;
    eprintln!("MB: {few:?} for a batch, {many:?} for {BATCHES}");
    for ((format, few), (_, many)) in few.into_iter().zip(many) {
        assert!(few > 0 && many <= few + MORE_MB, "{format}: {few} MB, then {many} MB");
    }
    node.stop().await;
}

/// The peak of an export in each format, in MB.
async fn peaks(world: &World, node: &Running, written: u32) -> Vec<(&'static str, u64)> {
    let mut peaks = Vec::new();
    for format in ["stix", "misp", "threatexchange", "csv", "list"] {
        let out = world.path(format).display().to_string();
        let mut command = tipoff(&["export", "--format", format, "--out", &out, "--json"]);
        command.env("TIPOFF_SERVER", &node.url);
        command.env("TIPOFF_IDENTITY", world.identity("facegraph"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let peak = tokio::task::spawn_blocking(move || {
            let (ended, peak) = peak(&mut child);
            assert!(ended.success(), "{ended}");
            let summary = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
            assert!(summary.contains(&format!("\"written\":{written}}}")), "{summary}");
            peak
        });
        peaks.push((format, peak.await.unwrap() / 1024 / 1024));
    }
    peaks
}
