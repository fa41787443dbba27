//! The table of `docs/operations.md` and `/metrics` have the same metrics.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tipoff::client::FeedStart;

use crate::scrape;
use crate::support::forge;
use crate::support::promtool::promtool;
use crate::support::{World, batch, domain, ops_get, soon};

/// The metrics of an exchange of which each was used, in the Prometheus text format.
pub async fn used() -> String {
    let world = World::new();
    forge::write_crl(&world, forge::good_crl(&world));
    let node = world.start().await;
    let client = world.client(&node, "birdsite");
    client.submit(batch("s", 1, None, vec![domain("a.example"), domain("nodots")])).await.unwrap();
    let mut feed = client.subscribe_named("soc", FeedStart::Beginning, None);
    soon(feed.next()).await.unwrap().unwrap();
    drop(feed);
    world.impatient(&node, "watcher").submit(batch("s", 1, None, vec![])).await.unwrap_err();
    let _ = ops_get(node.url.replace("https://localhost", "127.0.0.1").parse().unwrap(), "/").await;
    node.refused_more_often("not_tls", 0).await;
    let metrics = soon(async {
        loop {
            let metrics = scrape(&node).await;
            if metrics.contains("tipoff_stream_duration_seconds_count") {
                return metrics;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    });
    let metrics = metrics.await;
    node.stop().await;
    metrics
}

/// The metrics of a text, by its `TYPE` lines.
pub fn exposed(metrics: &str) -> BTreeSet<String> {
    let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// Every word of a text that can only be a metric.
pub fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_metric = |word: &&str| word.starts_with("tipoff_") || word.starts_with("process_");
    words.filter(is_metric).map(str::to_owned).collect()
}

/// A file of this repository.
pub fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_has_its_line_in_the_table_and_every_line_its_metric() {
    let text = read("docs/operations.md");
    let table = text.split("| metric | watch for |").nth(1).unwrap().split("\n\n").next().unwrap();
    let first_cells = table.lines().filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    let documented: BTreeSet<_> = first_cells.flat_map(named).collect();
    let exposed = exposed(&used().await);
    let missing: Vec<_> = exposed.difference(&documented).collect();
    assert!(missing.is_empty(), "not in docs/operations.md: {missing:?}");
    let invented: Vec<_> = documented.difference(&exposed).collect();
    assert!(invented.is_empty(), "not in /metrics: {invented:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_finds_nothing_wrong_with_the_metrics() {
    let (good, report) = promtool(&["check", "metrics"], &used().await);
    assert!(good && report.is_empty(), "{report}");
    let (good, report) = promtool(&["check", "metrics"], "# TYPE bad_ms counter\nbad_ms 1\n");
    assert!(!good && report.contains("bad_ms"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_gets_open_metrics_with_units_and_an_end() {
    let world = World::new();
    let node = world.start().await;
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
    let path = format!("/metrics HTTP/1.1\r\naccept: {accept}\r\nx: ");
    let response = node.ops_get(&path).await;
    assert!(response.contains("content-type: application/openmetrics-text"), "{response}");
    assert!(response.ends_with("\n# EOF\n") && response.contains("# UNIT "), "{response}");
    let plain = node.ops_get("/metrics").await;
    assert!(plain.contains("content-type: text/plain; version=0.0.4"), "{plain}");
    node.stop().await;
}
