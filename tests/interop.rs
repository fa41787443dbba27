//! A client in another language, generated from the `.proto` files only.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use support::python::python;
use support::{World, batch, domain};

#[tokio::test(flavor = "multi_thread")]
async fn a_python_client_submits_and_follows_the_feed() {
    let world = World::new();
    let node = world.start().await;
    let request = batch("from-rust", 1, None, vec![domain("rust.example")]);
    world.client(&node, "birdsite").submit(request).await.unwrap();

    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut partner = Command::new(python());
    partner
        .arg(root.join("tests/interop/partner.py"))
        .args(["--server", node.url.strip_prefix("https://").unwrap()])
        .arg("--identity")
        .arg(world.identity("facegraph"))
        .arg("--proto")
        .arg(root.join("proto"))
        .args(["--items", "3"]);
    let output = tokio::task::spawn_blocking(move || partner.output()).await.unwrap().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> =
        stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    assert_eq!(lines[0], json!({"whoami": "facegraph", "groups": ["core"]}));
    let statuses = ["ITEM_STATUS_CREATED", "ITEM_STATUS_CREATED", "ITEM_STATUS_REJECTED"];
    assert_eq!(lines[1]["statuses"], json!(statuses));
    assert_eq!(lines[1]["closed"], json!(true));
    assert!(lines[1]["reason"].as_str().unwrap().contains("cannot be read"));
    assert_eq!(lines[2], json!({"replayed": true, "same": true}));
    assert_eq!(lines[3], json!({"refused": "NOT_FOUND"}));
    let followed: Vec<_> =
        lines[4..7].iter().map(|line| (line["author"].clone(), line["value"].clone())).collect();
    let expected = [
        (json!("birdsite"), json!("rust.example")),
        (json!("facegraph"), json!("python.example")),
        (json!("facegraph"), json!("https://python.example/path")),
    ];
    assert_eq!(followed, expected);
    assert_eq!(lines[7], json!({"resumable": true, "seen": 3}));
    node.stop().await;
}
