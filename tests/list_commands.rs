//! A list that is sent again with `tipoff submit --list`, as a person keeps one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::command::{Ran, Stage};

fn values(numbers: impl Iterator<Item = u32>) -> String {
    numbers.map(|number| format!("a{number}.example\n")).collect()
}

/// Sends a list, and returns the last line of the output.
fn send(stage: &Stage, text: &str, options: &[&str]) -> Ran {
    let file = stage.file("list.txt", text);
    stage.run("birdsite", &[&["submit", "--json", "--list", "phishing", &file], options].concat())
}

fn is_known(stage: &Stage, value: &str) -> bool {
    stage.run("facegraph", &["lookup", "--json", value]).lines()[0]["result"] == "known"
}

#[test]
fn what_a_list_lacks_is_withdrawn_and_a_large_loss_needs_shrink() {
    let stage = Stage::new();
    let first = send(&stage, &values(0..40), &[]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(is_known(&stage, "a0.example"));

    let without_one = send(&stage, &values(1..40), &[]);
    let receipt = without_one.lines().pop().unwrap();
    assert_eq!(
        (without_one.code, &receipt["list"]["withdrawn"]),
        (Some(0), &1.into()),
        "{receipt}"
    );
    assert!(!is_known(&stage, "a0.example") && is_known(&stage, "a1.example"));

    let few = send(&stage, &values(1..5), &[]);
    assert_ne!(few.code, Some(0), "{few:?}");
    assert!(few.err.contains("35"), "{few:?}");
    assert!(is_known(&stage, "a39.example"));
    let shrunk = send(&stage, &values(1..5), &["--shrink"]);
    assert_eq!(shrunk.lines().pop().unwrap()["list"]["withdrawn"], 35, "{shrunk:?}");
    assert!(!is_known(&stage, "a39.example"));

    for nothing in ["", "# all gone\n"] {
        send(&stage, nothing, &[]).failed(2, "To empty the list, pass --shrink");
    }
    let emptied = send(&stage, "", &["--shrink"]);
    assert_eq!(emptied.lines().pop().unwrap()["list"]["withdrawn"], 4, "{emptied:?}");
}

#[test]
fn a_list_may_return_to_what_it_was_before() {
    let stage = Stage::new();
    for (numbers, has_second) in [(0..2, true), (0..1, false), (0..2, true), (0..1, false)] {
        let sent = send(&stage, &values(numbers), &[]);
        assert_eq!(sent.code, Some(0), "{sent:?}");
        assert_eq!(is_known(&stage, "a1.example"), has_second, "{sent:?}");
    }
}

#[test]
fn a_list_with_a_line_that_cannot_be_read_withdraws_nothing() {
    let stage = Stage::new();
    assert_eq!(send(&stage, &values(0..3), &[]).code, Some(0));
    for line in ["not/a/value", "the third is a2.example now"] {
        let broken = send(&stage, &format!("a0.example\na1.example\n{line}\n"), &[]);
        assert_eq!(broken.code, Some(5), "{broken:?}");
        assert_eq!(broken.lines().pop().unwrap()["list"]["not_withdrawn"], 1, "{broken:?}");
        assert!(is_known(&stage, "a2.example"), "{line}");
    }
}

#[test]
fn a_value_that_was_withdrawn_and_is_sent_again_is_named() {
    let stage = Stage::new();
    assert_eq!(send(&stage, &values(0..2), &[]).code, Some(0));
    assert_eq!(stage.run("birdsite", &["withdraw", "a0.example"]).code, Some(0));
    let again = send(&stage, &values(0..2), &["--again"]);
    let named: Vec<_> =
        again.lines().into_iter().filter(|line| line["sent_again"].is_object()).collect();
    assert_eq!(named.len(), 1, "{again:?}");
    assert_eq!(named[0]["sent_again"]["raw"], "a0.example");
}
