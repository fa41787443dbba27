//! Performance compared with limits, each limit measured in the same run: `make bench`.
//!
//! The exchange runs as its own process, with real certificates and a real disk. The clients share
//! the machine with it. The ratio counts, because machines differ. No result fails a build: the
//! report shows which targets were met.

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
mod reading;
mod report;
mod selection;
mod stalled;
mod stored;
mod unary;
mod wire;
mod work;

use report::Report;
use selection::{MAX_SIZE, Selection};
use tipoff::config::JournalBackend;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [command, identity, messages] = &arguments[..]
        && [raw::COMMAND, raw::READING].contains(&command.as_str())
    {
        return raw::serve(command, identity.as_ref(), messages.as_ref());
    }
    if let [command, file] = &arguments[..]
        && [reading::COMMAND, reading::LIMIT].contains(&command.as_str())
    {
        return reading::measure(command, file.as_ref());
    }
    // `cargo bench` passes this. A run of all targets as tests skips the benches.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("run it with `make bench`");
        return;
    }
    let names: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let selection = Selection::parse(&names);
    let mut report = Report::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(&selection, &mut report));
    report.show();
}

/// Runs the selected scenarios, in a fixed order.
async fn run(selection: &Selection, report: &mut Report) {
    let quick = selection.quick;
    if selection.has("ingest") {
        for items in selection.items() {
            for journal in [JournalBackend::Sled, JournalBackend::Files] {
                report.add(ingest::run(journal, items).await);
            }
        }
    }
    if selection.has("replaced") {
        for items in selection.items() {
            report.add(ingest::replaced(items).await);
        }
    }
    if selection.has("wire") {
        for items in selection.items() {
            report.add(wire::run(items).await);
        }
    }
    if selection.has("unary") {
        for journal in [JournalBackend::Sled, JournalBackend::Files] {
            report.add(unary::run(journal, 64, if quick { 200 } else { 1_000 }).await);
        }
    }
    if selection.has("fan-out") {
        for subscribers in selection.readers() {
            let deliveries = if quick { 500_000 } else { 2_000_000 };
            report.add(fan_out::run(subscribers, deliveries).await);
        }
        if selection.size.is_none() {
            report.add(fan_out::live(100).await);
        }
    }
    if selection.has("latency") {
        report.add(latency::run(if quick { 10_000 } else { 50_000 }).await);
    }
    if selection.has("stalled") {
        report.add(stalled::run().await);
    }
    if selection.has("stored") {
        let largest = (selection.size.is_none() && !quick).then_some(MAX_SIZE);
        for items in selection.items().into_iter().chain(largest) {
            stored::run(items).await.into_iter().for_each(|row| report.add(row));
        }
    }
    if selection.has("reading") {
        for row in reading::run(quick) {
            report.add(row);
        }
    }
    if selection.has("idle") {
        report.add(idle::run(if quick { 1_000 } else { 10_000 }).await);
    }
}
