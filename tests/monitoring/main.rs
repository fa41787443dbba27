//! What an operator sees of a node: metrics, readiness, the log of the disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls;
mod deployed;
mod disk;
mod documented;
mod lists;
#[path = "../support/mod.rs"]
mod support;
mod top;
mod traces;

use support::Running;

/// The body of `/metrics`.
async fn scrape(node: &Running) -> String {
    let response = node.ops_get("/metrics").await;
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    body.to_owned()
}

/// The value of a series, as it is written in `/metrics`.
fn value(metrics: &str, series: &str) -> Option<f64> {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
    Some(line.parse().unwrap())
}
