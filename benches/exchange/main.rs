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
mod ingest;
mod raw;
mod report;
mod stalled;
mod unary;
mod work;

use report::Report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [command, identity, messages] = &arguments[..]
        && command == raw::COMMAND
    {
        return raw::serve(identity.as_ref(), messages.as_ref());
    }
    // `cargo bench` says so; whoever runs all targets as tests gets nothing to wait for.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("run it with `make bench`");
        return;
    }
    let named: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |scenario: &str| named.is_empty() || named.iter().any(|name| *name == scenario);

    let mut report = Report::default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if wanted("ingest") {
            for items in [10_000, 100_000, 1_000_000] {
                report.add(ingest::run(items).await);
            }
        }
        if wanted("unary") {
            report.add(unary::run(64, 1_000).await);
        }
        if wanted("fan-out") {
            for subscribers in [1, 10, 100] {
                report.add(fan_out::run(subscribers).await);
            }
            report.add(fan_out::live(100).await);
        }
        if wanted("stalled") {
            report.add(stalled::run().await);
        }
    });
    report.write();
}
