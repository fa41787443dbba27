//! The demo on three nodes and three nats-servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/nats.rs"]
mod nats;
mod support;

use support::command::{Ran, tipoff};

#[test]
fn the_story_goes_on_without_a_node_and_a_nats_server_and_all_nodes_end_with_the_same() {
    let program = nats::path().display().to_string();
    let ran = Ran::of(&mut tipoff(&["demo", "--cluster", "--nats-server", &program]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let on_one_line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut printed = ran.out.lines().map(on_one_line);
    for line in [
        "three nodes on three nats-servers",
        "nats-server: v2.",
        "node 3 is ready at ",
        "facegraph is connected to node 1, tubeworks to node 3",
        "node 1 and nats-server 1 are killed half-way",
        "SIGKILL to both after ",
        "birdsite went on at node ",
        "955 created, 0 replaced, 0 unchanged, 0 rejected",
        "facegraph 955 955 ",
        "tubeworks 955 955 ",
        "every follower has exactly what was accepted",
        "936 accounts on x: an enforcement of birdsite, sent twice and counted once",
        "facegraph received a referral from birdsite: 7 indicators",
        "desk nothing yes ",
        "monitoring ",
        "audit accesses of facegraph: cyber-unit read 4 objects by pull",
        "desk of facegraph and birdsite see it reopened",
        "harbour-library.example: 1 version withdrawn, entry ",
        "facegraph desk 1 yes ",
        "both have exactly what a snapshot returns: 957 indicators",
        "node 1 and nats-server 1 come back",
        "node 1 is ready after ",
        "All nodes hold the same",
        "the 3 nodes hold the same: ",
    ] {
        assert!(printed.any(|text| text.contains(line)), "{line:?} is not printed in {}", ran.out);
    }
}

#[test]
fn without_a_nats_server_it_says_how_to_get_one() {
    let ran = Ran::of(&mut tipoff(&["demo", "--cluster", "--nats-server", "/nowhere/nats-server"]));
    ran.failed(2, "make demo CLUSTER=1");
}
