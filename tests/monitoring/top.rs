//! `tipoff top` shows a running node.

use std::net::TcpListener;
use std::process::Command;

use serde_json::Value;
use tipoff::client::{Client, FeedStart, Subscription};
use tokio::task::JoinHandle;

use crate::support::command::{Ran, done, tipoff};
use crate::support::forge;
use crate::support::process::Process;
use crate::support::{World, batch, domain, soon};

/// An exchange with subscriptions and a revocation list.
fn exchange(world: &World) -> Process {
    forge::write_crl(world, forge::good_crl(world));
    let mut exchange = Process::prepare(world);
    exchange.start();
    exchange.wait_ready();
    exchange
}

fn metrics(exchange: &Process) -> String {
    format!("http://{}/metrics", exchange.ops())
}

/// Submits without a pause, until it is dropped.
fn load(client: Client) -> JoinHandle<()> {
    tokio::spawn(async move {
        for number in 1.. {
            let items = vec![domain(&format!("n{number}.example")), domain("nodots")];
            client.submit(batch("s", number, None, items)).await.unwrap();
        }
    })
}

/// Lets a subscription of this name fall behind: its reader takes one item of many.
async fn busy(world: &World, exchange: &Process, name: &str) -> (Subscription, JoinHandle<()>) {
    let reader = exchange.client(world, "facegraph");
    let mut feed = reader.subscribe_named(name, FeedStart::Beginning, None);
    let load = load(exchange.client(world, "birdsite"));
    soon(feed.next()).await.unwrap().unwrap();
    (feed, load)
}

fn top(exchange: &Process, arguments: &[&str]) -> Ran {
    let metrics = metrics(exchange);
    let mut command = tipoff(&["top", "--metrics", &metrics, "--interval", "1"]);
    command.args(arguments);
    tokio::task::block_in_place(|| Ran::of(&mut command))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_json_object_has_the_rates_of_an_interval_and_what_the_node_is_like() {
    let world = World::new();
    let exchange = exchange(&world);
    let name = "n".repeat(60);
    let (_feed, load) = busy(&world, &exchange, &name).await;
    let ran = done(top(&exchange, &["--json"]));
    load.abort();
    let shown: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(ran.out.lines().count(), 1);
    assert_eq!((&shown["ready"], &shown["reason"]), (&true.into(), &Value::Null), "{shown}");
    assert_eq!(shown["version"], env!("CARGO_PKG_VERSION"));
    let rate = |name: &str| shown["per_second"][name].as_f64().unwrap();
    assert!(rate("submitted") > 1.0, "{shown}");
    // One item of each batch is rejected.
    assert!((rate("submitted") - rate("rejected")).abs() < 1e-6, "{shown}");
    assert!((rate("requests") - rate("submitted")).abs() <= 2.0, "{shown}");
    assert!(rate("failed") == 0.0 && rate("denied") == 0.0, "{shown}");
    let method = &shown["methods"][0];
    assert_eq!(method["method"], "IndicatorService/SubmitIndicators");
    let (p50, p99) = (method["p50_ms"].as_f64().unwrap(), method["p99_ms"].as_f64().unwrap());
    assert!(p50 > 0.0 && p50 <= p99, "{shown}");
    let subscription = &shown["subscriptions"][0];
    assert_eq!(subscription["subscription"], name.as_str());
    assert!(subscription["lag_entries"].as_u64() > Some(1), "{shown}");
    assert!(subscription["lag_s"].as_f64().unwrap() > 0.5, "{shown}");
    assert_eq!(shown["open_streams"], 1);
    assert!(shown["disk"]["free_bytes"].as_u64() > Some(1_000_000), "{shown}");
    assert_eq!(shown["expiries"][0]["what"], "certificate");
    assert_eq!(shown["expiries"][1]["expires_at"], "2090-01-01T00:00:00Z");
    assert!(shown["expiries"][1]["issuer"].as_str().unwrap().contains("tipoff.test root"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_table_fits_eighty_columns_and_has_no_colours_in_a_pipe() {
    let world = World::new();
    let exchange = exchange(&world);
    let name = "n".repeat(60);
    let (_feed, load) = busy(&world, &exchange, &name).await;
    let shown = done(top(&exchange, &["--once"])).out;
    load.abort();
    for line in shown.lines() {
        assert!(line.chars().count() <= 80, "{line}\n{shown}");
    }
    for part in [
        "  ready\n",
        "SUBMITTED/S",
        "IndicatorService/SubmitIndicators",
        "facegraph/nnn",
        "certificate",
        "in 4 weeks",
        "FREE",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_shows_the_node_in_place_and_fits_its_size() {
    let world = World::new();
    let exchange = exchange(&world);
    let birdsite = exchange.client(&world, "birdsite");
    for number in 0..30 {
        let mut feed = birdsite.subscribe_named(format!("s{number}"), FeedStart::Beginning, None);
        soon(feed.next_event()).await.unwrap();
    }
    // `script` gives it a terminal.
    let command = format!(
        "stty rows 24 cols 80; timeout --foreground -s INT 4 {} top --metrics {} --interval 1",
        env!("CARGO_BIN_EXE_tipoff"),
        metrics(&exchange)
    );
    let log = world.path("typescript");
    let mut script = Command::new("script");
    script.args(["-qefc", &command]).arg(&log).env("TERM", "xterm").env_remove("NO_COLOR");
    let ran = tokio::task::block_in_place(|| Ran::of(&mut script));
    let clear = "\u{1b}[2J";
    let (_, screens) = ran.out.split_once(clear).unwrap();
    let screens: Vec<_> = screens.split(clear).collect();
    assert!(screens.len() >= 2, "{} screens: {ran:?}", screens.len());
    for screen in screens {
        assert!(screen.contains("ready") && screen.contains("SUBSCRIPTION"), "{screen}");
        assert!(screen.trim_end().lines().count() <= 24, "{screen}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_be_reached_is_exit_code_3_and_other_answers_are_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}/metrics");
    for flag in ["--once", "--json", "--interval=1"] {
        let ran = Ran::of(&mut tipoff(&["top", "--metrics", &url, flag]));
        ran.failed(3, &url);
        assert!(ran.err.contains("refused") && !ran.err.contains("7443"), "{ran:?}");
    }
    let ran = Ran::of(&mut tipoff(&["top", "--metrics", "https://127.0.0.1:1/metrics"]));
    ran.failed(2, "is not the address of metrics");
    let world = World::new();
    let exchange = exchange(&world);
    let url = metrics(&exchange).replace("/metrics", "/live");
    let ran = tokio::task::block_in_place(|| Ran::of(&mut tipoff(&["top", "--metrics", &url])));
    ran.failed(1, "has no metrics of Tipoff");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_not_ready_is_shown_with_its_reason() {
    let mut world = World::new();
    // Adds the partners to the registry, while it can.
    world.start().await.stop().await;
    world.config.storage.min_free_mb = 1_000_000_000;
    let node = world.start().await;
    let metrics = format!("http://{}/metrics", node.ops);
    let mut command = tipoff(&["top", "--metrics", &metrics, "--interval", "1", "--once"]);
    let shown = tokio::task::block_in_place(|| done(Ran::of(&mut command))).out;
    assert!(shown.contains("not ready") && shown.contains("disk space are free"), "{shown}");
    node.stop().await;
}
