//! `tipoff health`, as a health check of containers runs it.

use std::net::TcpListener;
use std::thread::sleep;
use std::time::Duration;

use tipoff::config::JournalBackend;

use super::support::World;
use super::support::clock::stopwatch;
use super::support::command::{Ran, tipoff};
use super::support::process::Process;

fn health(node: &Process) -> Ran {
    Ran::of(&mut tipoff(&["health", "--config", node.config().to_str().unwrap()]))
}

#[test]
fn health_exits_0_if_the_node_is_ready_and_1_with_the_reason_if_not() {
    let world = World::new();
    let mut node = Process::prepare(&world);
    health(&node).failed(1, &format!("no answer from {}", node.ops()));
    node.start();
    node.wait_ready();
    let ran = health(&node);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "ready\n"), "{ran:?}");
    let ops = node.ops().to_string();
    let ran = Ran::of(&mut tipoff(&["health", "--json", "--ops", &ops]));
    assert_eq!(ran.lines(), [serde_json::json!({ "ops": ops, "ready": true })]);
    let ran = Ran::of(&mut tipoff(&["health", "--live", "--ops", &ops]));
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "live\n"), "{ran:?}");
    let ran = Ran::of(&mut tipoff(&["health", "--live", "--json", "--ops", &ops]));
    assert_eq!(ran.lines(), [serde_json::json!({ "ops": ops, "live": true })]);
    // The gRPC port: another protocol.
    let grpc = node.grpc().to_string();
    Ran::of(&mut tipoff(&["health", "--ops", &grpc])).failed(1, &grpc);
    assert!(node.terminate().success());
    health(&node).failed(1, "no answer");
}

#[test]
fn a_node_that_is_not_ready_is_alive_until_it_stops() {
    let mut world = World::new();
    // Its servers do not answer: the start waits for them.
    world.config.storage.journal = JournalBackend::JetStream;
    let mut node = Process::prepare(&world);
    node.add_config("[jetstream]\nservers = [\"127.0.0.1:1\"]");
    node.start();
    let ops = node.ops().to_string();
    let live = || Ran::of(&mut tipoff(&["health", "--live", "--ops", &ops]));
    let started = stopwatch();
    while live().code != Some(0) {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", live());
        sleep(Duration::from_millis(50));
    }
    health(&node).failed(1, "not ready");
    node.kill();
    assert_eq!(live().code, Some(1));
}

#[test]
fn health_gives_the_reason_of_a_node_that_is_not_ready_and_refuses_another_program() {
    for (answer, reason) in [
        (
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 27\r\n\r\ncatching up: 1 of 2 entries",
            "catching up: 1 of 2 entries",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "is not the ops listener"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ops = listener.local_addr().unwrap().to_string();
        let answers = std::thread::spawn(move || {
            use std::io::{Read, Write};
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request[..length].to_vec()).unwrap()
        });
        Ran::of(&mut tipoff(&["health", "--ops", &ops])).failed(1, reason);
        assert!(answers.join().unwrap().starts_with("GET /ready HTTP/1.1\r\n"));
    }
}
