//! Strangers, who hold no certificate, cannot use up the places of others.
//!
//! Measures time, so it runs alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use support::clock::stopwatch;
use support::{Running, World, who};

/// The address of attackers. Clients connect from 127.0.0.1.
const STRANGER: &str = "127.0.0.2:0";
/// The first bytes of a `ClientHello`.
const HALF_HELLO: &[u8] = &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];

fn address(node: &Running) -> SocketAddr {
    node.url.replace("https://localhost", "127.0.0.1").parse().unwrap()
}

async fn connect_from(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from.parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Whether the exchange ends a connection within five seconds.
async fn ends(mut stream: TcpStream) -> bool {
    let mut byte = [0];
    let read = stream.read(&mut byte);
    matches!(tokio::time::timeout(Duration::from_secs(5), read).await, Ok(Ok(0) | Err(_)))
}

/// Opens new connections of a partner one after the other. Returns how long the slowest call took.
async fn slowest_of(world: &World, node: &Running, calls: usize) -> Duration {
    let identity = world.identity("birdsite");
    let mut slowest = Duration::ZERO;
    for call in 0..calls {
        let start = stopwatch();
        who(node, &identity).await.unwrap_or_else(|error| panic!("call {call}: {error}"));
        slowest = slowest.max(start.elapsed());
    }
    slowest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_ends_after_the_time_of_a_handshake() {
    let mut world = World::new();
    world.config.connections.handshake_timeout_s = 1;
    let node = world.start().await;
    let start = stopwatch();
    let silent = TcpStream::connect(address(&node)).await.unwrap();
    assert!(ends(silent).await);
    assert!(start.elapsed() > Duration::from_millis(900), "{:?}", start.elapsed());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_connection_takes_the_place_of_the_oldest_silent_one() {
    let mut world = World::new();
    world.config.connections.handshakes_per_address = 8;
    let node = world.start().await;
    let mut silent = Vec::new();
    for _ in 0..8 {
        silent.push(connect_from(STRANGER, address(&node)).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut elsewhere = TcpStream::connect(address(&node)).await.unwrap();
    let start = stopwatch();
    let _ninth = connect_from(STRANGER, address(&node)).await;
    assert!(ends(silent.remove(0)).await, "the oldest makes room");
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    let mut byte = [0];
    for other in silent.iter_mut().chain([&mut elsewhere]) {
        let read = tokio::time::timeout(Duration::from_millis(10), other.read(&mut byte)).await;
        assert!(read.is_err(), "another ended too: {read:?}");
    }
    assert_eq!(who(&node, &world.identity("birdsite")).await.unwrap(), "birdsite");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_keep_nobody_out() {
    let world = World::new();
    let node = world.start().await;
    for from in [STRANGER, "127.0.0.1:0"] {
        let mut silent = Vec::new();
        for _ in 0..300 {
            silent.push(connect_from(from, address(&node)).await);
        }
        let slowest = slowest_of(&world, &node, 100).await;
        assert!(slowest < Duration::from_secs(1), "from {from}: {slowest:?}");
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_opened_without_end_keep_nobody_out() {
    let world = World::new();
    let node = world.start().await;
    let to = address(&node);
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let flood = tokio::spawn(async move {
        let mut held = std::collections::VecDeque::new();
        let mut opened = 0u32;
        while !stopped.load(Ordering::Relaxed) && opened < 20_000 {
            let mut stream = connect_from(STRANGER, to).await;
            // Every other one sends a part of its first message.
            if opened.is_multiple_of(2) {
                // Fails if the exchange has ended the connection already.
                let _ = stream.write_all(HALF_HELLO).await;
            }
            held.push_back(stream);
            if held.len() > 1_000 {
                held.pop_front();
            }
            opened += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        opened
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let slowest = slowest_of(&world, &node, 100).await;
    stop.store(true, Ordering::Relaxed);
    let opened = flood.await.unwrap();
    assert!(opened > 200, "{opened} connections are no flood");
    assert!(slowest < Duration::from_secs(1), "{slowest:?} beside {opened} connections");
    node.stop().await;
}
