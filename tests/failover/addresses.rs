//! Which address a client uses, without a cluster.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tipoff::client::{Client, ClientError, RetryPolicy};
use tipoff::clock::{Clock, SystemClock};

use crate::support::World;
use crate::support::command::{Ran, Stage, tipoff};

/// Nobody listens on port 1.
const DEAD: &str = "https://localhost:1";

/// A server that takes connections and never sends a byte.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    (listener, url)
}

fn now() -> Instant {
    SystemClock.instant()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_passed_over_and_the_next_one_is_kept() {
    let world = World::new();
    let node = world.start().await;
    let servers = [DEAD, &node.url, DEAD];
    let client = Client::of_nodes(servers, &world.identity("birdsite")).unwrap().starting_at(DEAD);
    let started = now();
    client.who_am_i().await.unwrap();
    assert_eq!(client.server(), node.url);
    client.clone().who_am_i().await.unwrap();
    assert_eq!(client.server(), node.url, "it is kept");
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_node_takes_only_its_part_of_the_time() {
    let world = World::new();
    let node = world.start().await;
    let (_listener, silent) = silent();
    let policy = RetryPolicy { timeout: Some(Duration::from_secs(4)), ..RetryPolicy::default() };
    let client = Client::of_nodes([&silent, &node.url], &world.identity("birdsite")).unwrap();
    let client = client.starting_at(&silent).with_retry_policy(policy);
    let started = now();
    client.who_am_i().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_certificate_is_reported_with_the_address_and_not_tried_elsewhere() {
    let (world, other) = (World::new(), World::new());
    let (node, stranger) = (world.start().await, other.start().await);
    let servers = [&stranger.url, &node.url];
    let client = Client::of_nodes(servers, &world.identity("birdsite")).unwrap();
    let client = client.starting_at(&stranger.url).with_retry_policy(RetryPolicy::unlimited());
    let refused = client.who_am_i().await;
    let Err(ClientError::Denied(reason)) = refused else { panic!("{refused:?}") };
    assert!(reason.starts_with(&stranger.url), "{reason}");
    node.stop().await;
    stranger.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_needs_an_address_and_each_is_checked() {
    let world = World::new();
    let identity = world.identity("birdsite");
    for servers in [&[][..], &["https://localhost:7443", "http://localhost:7443"]] {
        let refused = Client::of_nodes(servers.iter().copied(), &identity);
        assert!(matches!(refused, Err(ClientError::Address { .. })), "{refused:?}");
    }
}

#[test]
fn commands_take_several_addresses_and_say_which_ones_they_try() {
    let stage = Stage::new();
    let (identity, url) = (stage.world.identity("birdsite"), stage.exchange.url());
    let both = format!("{DEAD},{url}");
    let whoami = |arguments: &[&str]| {
        let mut command = tipoff(&[&["whoami"], arguments].concat());
        command.env("TIPOFF_IDENTITY", &identity);
        command
    };
    for arguments in [&["--server", &both][..], &["--server", DEAD, "--server", &url]] {
        let ran = Ran::of(&mut whoami(arguments));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains(&url) && !ran.out.contains(DEAD), "{ran:?}");
    }
    let ran = Ran::of(whoami(&[]).env("TIPOFF_SERVER", &both));
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let dead = format!("{DEAD},https://localhost:2");
    let ran = Ran::of(&mut whoami(&["--server", &dead, "--timeout", "3"]));
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("https://localhost:1, https://localhost:2: "), "{ran:?}");
    assert!(ran.err.contains("trying again at https://localhost:"), "{ran:?}");
}
