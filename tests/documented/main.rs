//! Every command in the README and the docs runs on a real exchange, and prints what is written there.
//!
//! Each document has a stage: who its reader is, and what was there before. `TIPOFF_UPDATE_DOCS=1` writes what the
//! commands print into the documents, in place of output that differs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod compare;
mod console;
#[path = "../support/nats.rs"]
mod nats;
mod shell;
mod spans;
mod stage;
mod stages;
#[path = "../support/mod.rs"]
mod support;

use std::fs;

use compare::Ids;
use console::{Document, Step, documents, root};
use stage::{NOT_RUN, Stage};
use tipoff::clock::{Clock, SystemClock};

/// Runs the commands of a document in order, and fails with everything that differs.
fn run_document(name: &str, stage: &Stage) {
    let document = Document::read(name);
    let mut shell = stage.shell();
    let mut ids = Ids::default();
    let (mut faults, mut edits) = (Vec::new(), Vec::new());
    let (mut run, mut compared) = (0, 0);
    for step in document.steps() {
        let command = compare::move_dates(&ids.substitute(&stage.real(&step.command)), today());
        let Some(ran) = stage::run(&mut shell, &step, &command) else { continue };
        run += 1;
        let printed: Vec<String> = ran.lines.iter().map(|line| stage.documented(line)).collect();
        let at = format!("{name}:{}: {}", step.line, step.command);
        if ran.code != step.exit_code() {
            faults.push(format!("{at}\nexit code {}:\n{}", ran.code, printed.join("\n")));
        }
        if step.output.is_empty() {
            continue;
        }
        compared += 1;
        if !ids.matches(&step.output, &printed) {
            let shown = step.output.join("\n");
            faults.push(format!("{at}\nshows:\n{shown}\nprinted:\n{}", printed.join("\n")));
            let printed: Vec<String> = printed.iter().map(|line| ids.documented(line)).collect();
            edits.push((step, printed));
        }
    }
    shell.stop_exchange();
    println!("{name}: {run} commands run, the output of {compared} compared");
    if std::env::var_os("TIPOFF_UPDATE_DOCS").is_some() {
        update(&document, &edits);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::from_millisecond(SystemClock.now().as_millis()).unwrap();
    now.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Writes what was printed in place of what the document shows.
fn update(document: &Document, edits: &[(Step, Vec<String>)]) {
    let mut text = document.text.clone();
    for (step, printed) in edits.iter().rev() {
        let lines: String = printed.iter().map(|line| format!("{}\n", line.trim_end())).collect();
        text.replace_range(step.output_range.clone(), &lines);
    }
    fs::write(root().join(&document.name), text).unwrap();
}

/// One test for each document, so that they run at the same time.
macro_rules! documents {
    ($($test:ident: $name:literal,)+) => {
        $(
            #[test]
            fn $test() {
                run_document($name, &stages::$test());
            }
        )+

        const TESTED: &[&str] = &[$($name),+];
    };
}

documents! {
    readme: "README.md",
    certificates: "certs/README.md",
    cluster: "docs/cluster.md",
    configuration: "docs/configuration.md",
    contributing: "CONTRIBUTING.md",
    for_investigators: "docs/for-investigators.md",
    for_liaisons: "docs/for-liaisons.md",
    for_operators: "docs/for-operators.md",
    for_platforms: "docs/for-platforms.md",
    formats: "docs/formats.md",
    interop: "docs/interop.md",
    labels: "docs/labels.md",
    operations: "docs/operations.md",
    performance: "docs/performance.md",
    testing: "docs/testing.md",
}

#[test]
fn every_command_of_every_document_is_run_or_has_a_reason_not_to_be() {
    let mut not_run: Vec<&str> = NOT_RUN.map(|(part, _)| part).to_vec();
    let mut commands = 0;
    for document in documents() {
        let steps = document.steps();
        let name = document.name.as_str();
        assert_eq!(
            steps.is_empty(),
            !TESTED.contains(&name),
            "{name}: it has commands and no test, or the reverse"
        );
        assert_eq!(
            document.commands_elsewhere(),
            [""; 0],
            "{name}: commands belong into blocks of `console`"
        );
        for step in &steps {
            not_run.retain(|part| !step.command.contains(part));
        }
        commands += steps.len();
    }
    println!("{commands} commands in {} documents", TESTED.len());
    assert_eq!(not_run, [""; 0], "no command is left out for these reasons");
}
