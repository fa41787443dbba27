//! Speed beside its limits, each limit measured in the same run: `make bench`.
//!
//! The exchange runs as a process of its own, with its real certificates and its real disk; the
//! clients share the machine with it. What counts is the ratio, since machines differ. Nothing here
//! fails a build: the report says what was met.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/support/mod.rs"]
mod support;

mod bare;
mod fan_out;
mod idle;
mod ingest;
mod latency;
mod plot;
mod raw;
mod report;
mod stalled;
mod stored;
mod unary;
mod wire;
mod work;

use std::collections::BTreeSet;

use report::Report;
use tipoff::config::JournalBackend;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The scenarios, each with the names of its rows: those may be asked for as well.
const SCENARIOS: &[(&str, &[&str])] = &[
    ("ingest", &["ingest"]),
    ("replaced", &["replaced"]),
    ("wire", &["wire"]),
    ("unary", &["unary"]),
    ("fan-out", &["fan-out", "fanout"]),
    ("latency", &["latency"]),
    ("stalled", &["stalled"]),
    ("stored", &["stored", "lookup", "catch-up", "size", "restart"]),
    ("idle", &["idle"]),
];

/// The most of a size that may be asked for.
const MOST: u64 = 10_000_000;

fn all_names() -> Vec<&'static str> {
    SCENARIOS.iter().flat_map(|(_, names)| names.iter().copied()).collect()
}

/// Says what is wrong with what was asked for, and ends.
fn refuse(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2);
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [command, identity, messages] = &arguments[..]
        && [raw::COMMAND, raw::READING].contains(&command.as_str())
    {
        return raw::serve(command, identity.as_ref(), messages.as_ref());
    }
    // `cargo bench` says so; whoever runs all targets as tests gets nothing to wait for.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("run it with `make bench`");
        return;
    }
    let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let mut chosen = BTreeSet::new();
    for name in &named {
        match SCENARIOS.iter().find(|(_, names)| names.contains(&name.as_str())) {
            Some((scenario, _)) => chosen.insert(*scenario),
            None => refuse(&format!("`{name}` is no scenario: {}", all_names().join(", "))),
        };
    }
    let wanted = |scenario: &str| named.is_empty() || chosen.contains(scenario);

    // The quick form has the sizes that tell whether anything is amiss, and takes under three minutes.
    let quick = std::env::var_os("QUICK").is_some_and(|quick| quick == "1");
    // One size alone, for who looks for what a scenario spends its time with.
    let given = std::env::var("SIZE").ok().filter(|size| !size.is_empty());
    let given = given.map(|size| match size.parse::<u64>() {
        Ok(size) if (1..=MOST).contains(&size) => size,
        _ => refuse(&format!("SIZE is `{size}`, and a whole number from 1 to {MOST}")),
    });
    if given.is_some() && named.is_empty() {
        refuse("SIZE is of one scenario, which SCENARIO names");
    }
    if given.is_some_and(|readers| wanted("fan-out") && readers > fan_out::MOST_READERS) {
        refuse(&format!("fan-out has {} readers at most", fan_out::MOST_READERS));
    }
    let sizes = match given {
        Some(size) => vec![size],
        None if quick => vec![10_000, 100_000],
        None => vec![10_000, 100_000, 1_000_000],
    };
    let mut report = Report::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if wanted("ingest") {
            for items in &sizes {
                for journal in [JournalBackend::Sled, JournalBackend::Files] {
                    report.add(ingest::run(journal, *items).await);
                }
            }
        }
        if wanted("replaced") {
            for items in &sizes {
                report.add(ingest::replaced(*items).await);
            }
        }
        if wanted("wire") {
            for items in &sizes {
                report.add(wire::run(*items).await);
            }
        }
        if wanted("unary") {
            for journal in [JournalBackend::Sled, JournalBackend::Files] {
                report.add(unary::run(journal, 64, if quick { 200 } else { 1_000 }).await);
            }
        }
        if wanted("fan-out") {
            let readers = match given {
                Some(readers) => vec![usize::try_from(readers).unwrap()],
                None if quick => vec![1, 10, 100],
                None => vec![1, 10, 100, 1_000],
            };
            for subscribers in readers {
                let deliveries = if quick { 500_000 } else { 2_000_000 };
                report.add(fan_out::run(subscribers, deliveries).await);
            }
            if given.is_none() {
                report.add(fan_out::live(100).await);
            }
        }
        if wanted("latency") {
            report.add(latency::run(if quick { 10_000 } else { 50_000 }).await);
        }
        if wanted("stalled") {
            report.add(stalled::run().await);
        }
        if wanted("stored") {
            let most = (given.is_none() && !quick).then_some(MOST);
            for items in sizes.iter().copied().chain(most) {
                stored::run(items).await.into_iter().for_each(|row| report.add(row));
            }
        }
        if wanted("idle") {
            report.add(idle::run(if quick { 1_000 } else { 10_000 }).await);
        }
    });
    report.show();
}
