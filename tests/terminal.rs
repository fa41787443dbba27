//! What people see on a terminal of 80 and of 180 columns. `TIPOFF_UPDATE_DOCS=1` writes the expected pictures anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use regex::Regex;
use support::command::{Stage, done};
use support::terminal::shown;

/// Who runs which commands.
const COMMANDS: &[(&str, &[&str])] = &[
    ("birdsite", &["whoami"]),
    ("facegraph", &["lookup", "x:harbour_watcher", "library.example", "unknown.example"]),
    ("facegraph", &["show", "x:harbour_watcher"]),
    ("facegraph", &["show", "unknown.example"]),
    ("facegraph", &["tip", "list"]),
    ("birdsite", &["tip", "list", "--sent"]),
    ("birdsite", &["campaign", "list"]),
    ("birdsite", &["group", "list"]),
    ("exchange-ops", &["partner", "list"]),
    ("facegraph", &["subscription", "list"]),
    ("birdsite", &["hold", "list"]),
    ("birdsite", &["audit", "accesses"]),
    ("birdsite", &["enforcement", "report"]),
];

/// An exchange on which something has happened.
fn stage() -> Stage {
    let stage = Stage::new();
    let run = |partner: &str, arguments: &[&str]| done(stage.run(partner, arguments));
    let created = run("birdsite", &["--json", "campaign", "put", "--name", "Harbour network"]);
    let campaign = created.lines()[0]["campaign_id"].as_str().unwrap().to_owned();
    let text = "kind,platform,value,verdict,confidence,note\n\
                account,x,harbour_watcher,malicious,80,one of a network of accounts that post the same text\n\
                domain,,library.example,suspicious,50,\n";
    let file = stage.file("report.csv", text);
    let release = ["--release-to", "cyber-unit", "--release-basis", "W-17"];
    run("birdsite", &[&["submit", &file, "--campaign", &campaign][..], &release].concat());
    run("facegraph", &["sighting", "x:harbour_watcher", "--count", "3"]);
    let subject = ["--subject", "a network that works to sow discord on several platforms"];
    let about = ["--indicator", "x:harbour_watcher", "--urgency", "priority"];
    let tip = ["tip", "send", "accounts that post the same text", "--to", "facegraph"];
    run("birdsite", &[&tip[..], &subject, &about].concat());
    run("facegraph", &["subscribe", "--name", "desk", "--from", "start", "--count", "2"]);
    run("birdsite", &["hold", "place", "x:harbour_watcher", "--reason", "case 17"]);
    run("cyber-unit", &["pull", "--purpose", "warrant:W-17:GB"]);
    let count = ["--count", "936 accounts", "--campaign", &campaign];
    run("birdsite", &[&["enforcement", "put"][..], &count].concat());
    stage
}

/// Replaces what differs in each run by something of the same length.
fn steady(text: &str) -> String {
    let patterns = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-24T12:00:00Z"),
        (r"\b\d{4}-\d\d\b", "2026-11"),
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "01234567-89ab-4cde-8f01-23456789abcd",
        ),
        (r"\b[0-9a-f]{8}\b", "01234567"),
        (r"localhost:\d{5}", "localhost:17443"),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, fixed)| {
        Regex::new(pattern).unwrap().replace_all(&text, *fixed).into_owned()
    })
}

#[test]
fn tables_fit_the_terminal() {
    let stage = stage();
    for columns in [80, 180] {
        let mut picture = String::new();
        for (partner, arguments) in COMMANDS {
            let mut command = stage.tipoff(partner, arguments);
            let text =
                shown(command.env("NO_COLOR", "1").env("PAGER", "cat").env("TZ", "UTC"), columns);
            writeln!(picture, "$ tipoff {}\n{}", arguments.join(" "), steady(&text)).unwrap();
        }
        // What a partner wrote, and what `whoami` says of the exchange, is left to the terminal.
        let widest = picture
            .lines()
            .filter(|line| !line.starts_with("  note "))
            .max_by_key(|line| line.chars().count());
        assert!(widest.unwrap().chars().count() <= usize::from(columns), "{widest:?}");
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/pictures/{columns}.txt"));
        if std::env::var_os("TIPOFF_UPDATE_DOCS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &picture).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        let differs = picture.lines().zip(expected.lines()).find(|(one, other)| one != other);
        assert_eq!(differs, None, "{columns} columns");
        assert_eq!(picture.lines().count(), expected.lines().count(), "{columns} columns");
    }
}

#[test]
fn colours_and_the_pager_are_for_terminals_and_the_user_decides() {
    let stage = stage();
    let list = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut command = stage.tipoff("facegraph", &["tip", "list"]);
        command.args(flags).env_remove("NO_COLOR").env("PAGER", "cat");
        shown(command.envs(variables.iter().copied()), 120)
    };
    let plain = list(&[], &[("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(!list(&["--color", "never"], &[]).contains('\u{1b}'));
    let piped = done(stage.run("facegraph", &["tip", "list"])).out;
    assert!(!piped.contains('\u{1b}'), "{piped}");
    let piped = done(stage.run("facegraph", &["tip", "list", "--color", "always"])).out;
    assert!(piped.contains("\u{1b}["), "{piped}");

    // The columns are the same with colours: they take no place.
    let colored = list(&[], &[]);
    assert!(colored.contains("\u{1b}["), "{colored}");
    let escapes = Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    assert_eq!(escapes.replace_all(&colored, ""), plain);

    let pager = [("PAGER", "sed s/^/paged:/")];
    assert!(list(&[], &pager).starts_with("paged:"));
    assert!(!list(&["--no-pager"], &pager).contains("paged:"));
    // A pager that does not exist loses nothing.
    assert_eq!(list(&[], &[("PAGER", "no-such-pager"), ("NO_COLOR", "1")]), plain);
}

#[test]
fn what_takes_several_requests_shows_its_progress_on_a_terminal_unless_quiet() {
    let stage = Stage::new();
    let values: Vec<_> = (0..=1_000).map(|n| format!("n{n}.example")).collect();
    let lookup = |values: &[String], more: &[&str]| {
        let values = values.iter().map(String::as_str);
        let arguments: Vec<_> = ["lookup"].into_iter().chain(values).chain(more.to_vec()).collect();
        shown(&mut stage.tipoff("facegraph", &arguments), 180)
    };
    assert!(lookup(&values, &["--no-pager"]).contains("looking up"));
    assert!(!lookup(&values, &["--no-pager", "--quiet"]).contains("looking up"));
    assert!(!lookup(&values[..1], &[]).contains("looking up"), "one request");
    let redirected = done(stage.run("facegraph", &["lookup", "n1.example"]));
    assert_eq!(redirected.err, "");
    let pull = |more: &[&str]| {
        let arguments = [&["pull", "--no-pager", "--snapshot"], more].concat();
        shown(&mut stage.tipoff("facegraph", &arguments), 180)
    };
    assert!(pull(&[]).contains("receiving"));
    assert!(!pull(&["--quiet"]).contains("receiving"));
}
