//! The dry runs in the README and the docs print what is written there.

use std::fs;
use std::path::Path;

use super::support::command::{Ran, tipoff};

/// A command of a document, and the output that follows it there.
#[derive(Debug, Default)]
struct Example {
    command: String,
    output: Vec<String>,
}

/// The dry runs of a document that show their output.
fn dry_runs(document: &str) -> Vec<Example> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    let mut examples: Vec<Example> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            is_open =
                command.starts_with("tipoff submit samples/") && command.contains("--dry-run");
            if is_open {
                examples.push(Example { command: command.to_owned(), output: Vec::new() });
            }
        } else if line.starts_with("```") {
            is_open = false;
        } else if let Some(example) = examples.last_mut().filter(|_| is_open) {
            example.output.push(line.to_owned());
        }
    }
    examples
}

#[test]
fn the_dry_runs_in_the_docs_print_what_is_written_there() {
    let mut compared = 0;
    for document in ["README.md", "docs/for-investigators.md"] {
        for example in dry_runs(document).iter().filter(|example| !example.output.is_empty()) {
            let command = example.command.strip_prefix("tipoff ").unwrap();
            let (command, tail) = command.split_once(" | tail -n ").unwrap_or((command, "1000"));
            let arguments: Vec<&str> = command.split(' ').collect();
            let mut ran = tipoff(&arguments);
            let printed = Ran::of(ran.current_dir(env!("CARGO_MANIFEST_DIR"))).out;
            let printed: Vec<&str> = printed.lines().collect();
            let shown = printed.len().saturating_sub(tail.parse().unwrap());
            assert_eq!(&printed[shown..], example.output, "{document}: {}", example.command);
            compared += 1;
        }
    }
    assert_eq!(compared, 3);
}
