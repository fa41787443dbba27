//! The commands as a person or a script runs them: output and exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod authority;
mod check_config;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use support::World;
use support::command::{Ran, Stage, tipoff};

/// The sample report of this repository.
const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/harbour-network.csv");

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_help_names_every_command_and_every_exit_code() {
    let help = Ran::of(&mut tipoff(&["--help"]));
    assert_eq!(help.code, Some(0));
    for command in ["demo", "serve", "pki", "whoami", "submit", "subscribe", "lookup"] {
        assert!(help.out.contains(&format!("\n  {command}  ")), "{command}: {}", help.out);
        let own = Ran::of(&mut tipoff(&[command, "--help"]));
        assert_eq!(own.code, Some(0), "{command}");
    }
    for code in ["0 done", "1 failed", "2 bad usage", "3 exchange", "4 denied", "5 done in part"] {
        assert!(on_one_line(&help.out).contains(code), "{code}: {}", help.out);
    }
    for wrong in [&["frobnicate"][..], &["submit"], &["subscribe", "--count", "many"], &["lookup"]]
    {
        Ran::of(&mut tipoff(wrong)).failed(2, "--help");
    }
}

#[test]
fn a_dry_run_shows_what_each_record_is_and_needs_no_exchange() {
    let ran = Ran::of(&mut tipoff(&["submit", "--dry-run", "--json", SAMPLE]));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let lines = ran.lines();
    let keys = [
        "file",
        "row",
        "class",
        "kind",
        "platform",
        "value",
        "raw",
        "asset",
        "count",
        "approximate",
        "verdict",
        "involvement",
        "technique",
        "reason",
    ];
    for line in &lines {
        for key in line.as_object().unwrap().keys() {
            assert!(keys.contains(&key.as_str()), "{key}");
        }
    }
    let of = |class: &str| lines.iter().filter(|line| line["class"] == class).count();
    assert_eq!((of("indicator"), of("aggregate"), of("neither")), (955, 1, 3));
    let handles = lines.iter().filter(|line| line["kind"] == "account" && line["platform"] == "x");
    assert_eq!(handles.count(), 936);
    let count = lines.iter().find(|line| line["class"] == "aggregate").unwrap();
    assert_eq!(count["count"], 936);

    let output = Ran::of(&mut tipoff(&["submit", "--dry-run", SAMPLE]));
    assert!(
        output
            .out
            .ends_with("indicators 955, counts of removed assets 1, neither 3, unreadable 0\n")
    );
}

#[test]
fn input_that_cannot_be_read_is_named() {
    let world = World::new();
    let path = |name: &str| world.path(name).display().to_string();
    let dry = |file: &str| Ran::of(&mut tipoff(&["submit", "--dry-run", file]));
    dry(&path("nowhere.csv")).failed(2, "nowhere.csv: No such file");
    dry(&path("")).failed(2, "it is a folder");
    fs::write(path("binary"), b"\x7fELF\x02\x01\0\0\xff\xfe\xfd").unwrap();
    dry(&path("binary")).failed(2, "binary");
    fs::write(path("empty"), b"").unwrap();
    let empty = dry(&path("empty"));
    assert!(matches!(empty.code, Some(0 | 2)), "{empty:?}");
    Ran::of(&mut tipoff(&["submit", "--dry-run", "--format", "xls", SAMPLE])).failed(2, "meta-ttp");
    Ran::of(&mut tipoff(&["submit", "--tlp", "PURPLE", SAMPLE])).failed(2, "PURPLE");
}

#[test]
fn refused_callers_and_unreachable_exchanges_have_their_own_exit_codes() {
    let world = World::new();
    let identity = world.identity("birdsite").display().to_string();
    let run = |arguments: &[&str]| Ran::of(&mut tipoff(arguments));
    run(&["whoami"]).failed(2, "--identity");
    run(&["whoami", "--identity", "/nowhere"]).failed(2, "/nowhere");
    run(&["whoami", "--identity", &identity, "--server", "http://localhost:1"])
        .failed(2, "https://");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = format!("https://localhost:{port}");
    run(&["whoami", "--identity", &identity, "--server", &nowhere]).failed(3, &nowhere);

    let stage = Stage::new();
    stage.run("stranger", &["whoami"]).failed(4, "stranger");
    stage.run("cyber-unit", &["lookup", "a.example"]).failed(4, "liaison");
    // The handshake refuses the identity of another authority.
    let mut another = stage.tipoff("birdsite", &["whoami"]);
    another.env("TIPOFF_IDENTITY", world.identity("birdsite"));
    // Either side may be the first to refuse.
    let another = Ran::of(&mut another);
    assert!(matches!(another.code, Some(3 | 4)), "{another:?}");
}

#[test]
fn whoami_shows_the_partner_and_its_role() {
    let stage = Stage::new();
    let output = stage.run("birdsite", &["whoami"]);
    assert_eq!(output.code, Some(0), "{}", output.err);
    assert!(output.out.contains("birdsite") && output.out.contains("member"), "{}", output.out);
    let ran = stage.run("birdsite", &["whoami", "--json"]);
    let [me] = &ran.lines()[..] else { panic!("{}", ran.out) };
    assert_eq!(me["partner"], "birdsite");
    assert_eq!(me["role"], "member");
    assert_eq!(me["groups"], serde_json::json!(["core"]));
    let liaison = stage.run("cyber-unit", &["whoami", "--json"]);
    assert_eq!(liaison.lines()[0]["role"], "liaison");
}

#[test]
fn a_report_is_submitted_delivered_and_found_by_lookup() {
    let stage = Stage::new();
    let submit = ["submit", "--json", "--label", "coordinated-inauthentic-behavior", SAMPLE];
    let first = stage.run("birdsite", &submit);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let sum = first.lines().pop().unwrap();
    assert_eq!((&sum["created"], &sum["rejected"]), (&955.into(), &0.into()), "{sum}");
    assert_eq!(sum["aggregates"], 1);

    // The same file again is the same submission.
    let again = stage.run("birdsite", &submit).lines().pop().unwrap();
    assert_eq!(again["submission_id"], sum["submission_id"]);
    assert_eq!(again["replayed_batches"], again["batches"]);
    // As a new submission, nothing in it is new.
    let anew = [&submit[..], &["--again"]].concat();
    let anew = stage.run("birdsite", &anew).lines().pop().unwrap();
    assert_ne!(anew["submission_id"], sum["submission_id"]);
    assert_eq!((&anew["created"], &anew["unchanged"]), (&0.into(), &955.into()), "{anew}");

    let all = stage.run("facegraph", &["subscribe", "--from", "start", "--count", "955", "--json"]);
    assert_eq!(all.code, Some(0), "{}", all.err);
    let items = all.counted();
    assert_eq!(items.len(), 955);
    assert!(items.iter().all(|item| item["author"] == "birdsite" && item["tlp"] == "AMBER"));
    assert_eq!(items[0]["audience"], serde_json::json!({ "groups": ["core"], "partners": [] }));
    assert_eq!(items[0]["raw"], "", "what the author pasted is the author's");

    // Starts at the cursor that stderr printed, and prints only what follows.
    let some = ["subscribe", "--from", "start", "--count", "950", "--json"];
    let some = stage.run("facegraph", &some);
    let cursor = some.err.trim().strip_prefix("continue with --from ").unwrap().to_owned();
    assert_eq!(items[949]["cursor"], cursor.as_str());
    let rest = ["subscribe", "--from", &cursor, "--count", "5", "--json"];
    assert_eq!(stage.run("facegraph", &rest).lines(), items[950..]);

    let kinds = ["subscribe", "--from", "start", "--kind", "domain", "--count", "2"];
    let output = stage.run("facegraph", &kinds).out;
    let lines: Vec<_> = output.lines().collect();
    let [group, first, second] = lines[..] else { panic!("{output}") };
    assert!(group.contains("core") && group.contains("joined: birdsite"), "{output}");
    assert!([first, second].iter().all(|line| line.contains("  domain  ")), "{output}");

    let value = items[0]["value"].as_str().unwrap();
    let lookup = ["lookup", "--json", &format!("x:{value}"), "nobody.example"];
    let answers = stage.run("facegraph", &lookup).lines();
    assert_eq!(answers[0]["result"], "known");
    assert_eq!(answers[0]["indicator_id"], items[0]["indicator_id"]);
    assert_eq!(answers[1]["result"], "unknown");
}

#[test]
fn invalid_records_of_a_report_are_named_by_file_and_row_and_the_rest_is_accepted() {
    let stage = Stage::new();
    let report = stage.file(
        "mixed.csv",
        "kind,value\ndomain,good.example\ndomain,no dots here\nsha256,abc\nip,192.0.2.300\nurl,hxxps://ok[.]example/a\n",
    );
    let ran = stage.run("birdsite", &["submit", "--json", &report]);
    assert_eq!(ran.code, Some(5), "done in part: {ran:?}");
    let lines = ran.lines();
    let (sum, rejected) = lines.split_last().unwrap();
    assert_eq!((&sum["created"], &sum["rejected"]), (&2.into(), &3.into()), "{ran:?}");
    let rows: Vec<_> = rejected.iter().map(|line| line["rejected"]["row"].clone()).collect();
    assert_eq!(rows, [2, 3, 4]);
    for line in rejected {
        let rejected = &line["rejected"];
        assert_eq!(rejected["file"], report.as_str());
        assert_ne!(rejected["reason"], "");
    }
    let output = stage.run("birdsite", &["submit", &report, "--again"]);
    assert_eq!(output.code, Some(5));
    assert!(output.out.contains("mixed.csv 3: \"abc\""), "{}", output.out);

    let none = stage.file("prose.txt", "There is nothing in here.\n");
    let nothing = stage.run("birdsite", &["submit", &none]);
    assert_eq!(nothing.code, Some(2), "{nothing:?}");
    let lookup = stage.run("birdsite", &["lookup", "good.example", "just words"]);
    assert_eq!(lookup.code, Some(5));
    assert!(lookup.out.contains("unreadable"), "{}", lookup.out);
    let wrong = [
        (&["--group", "nowhere"][..], "nowhere"),
        (&["--label", "no-such-harm"], "no-such-harm"),
        (&["--tlp", "RED", "--group", "core"], "RED"),
    ];
    for (options, says) in wrong {
        let ran = stage.run("birdsite", &[&["submit", &report][..], options].concat());
        assert!(matches!(ran.code, Some(2 | 5)), "{options:?}: {ran:?}");
        assert!(ran.err.contains(says) || ran.out.contains(says), "{options:?}: {ran:?}");
    }
}

#[test]
fn a_value_is_looked_up_as_everything_that_it_can_be() {
    let stage = Stage::new();
    let digits = "0123456789abcdef".repeat(4);
    let report = stage.file(
        "kinds.csv",
        format!(
            "kind,value,platform\npdq,{digits},\nurl,https://root.example,\n\
             android_package,com.sample.app,\npage,https://www.facebook.com/PageOne,\n\
             account_id,100001,facebook\n"
        ),
    );
    let sent = stage.run("birdsite", &["submit", &report]);
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let values = [
        (digits.as_str(), "pdq"),
        ("https://root.example", "url"),
        ("com.sample.app", "android_package"),
        ("https://www.facebook.com/PageOne", "page"),
        ("facebook:100001", "account_id"),
    ];
    for (value, kind) in values {
        let ran = stage.run("facegraph", &["lookup", "--json", value]);
        let answers = ran.lines();
        assert_eq!(answers.len(), 1, "{ran:?}");
        assert_eq!((&answers[0]["result"], &answers[0]["kind"]), (&"known".into(), &kind.into()));
    }
    // With a kind, only that kind is looked up, and an unknown value gives one answer.
    let sha256 = stage.run("facegraph", &["lookup", "--json", "--kind", "sha256", &digits]).lines();
    assert_eq!(sha256[0]["result"], "unknown");
    let unknown = stage.run("facegraph", &["lookup", "--json", "nobody.example"]).lines();
    assert_eq!((unknown.len(), &unknown[0]["kind"]), (1, &"domain".into()));
}

#[test]
fn what_the_feed_prints_can_be_submitted_and_means_the_same() {
    let stage = Stage::new();
    let report = stage.file(
        "cleared.csv",
        "kind,value,verdict,involvement,confidence,severity,labels,note\n\
         domain,a.example,non_malicious,victim,90,low,phishing,cleared by hand\n",
    );
    assert_eq!(stage.run("birdsite", &["submit", &report]).code, Some(0));
    let printed =
        stage.run("facegraph", &["subscribe", "--from", "start", "--count", "1", "--json"]);
    let mut command = stage.tipoff("facegraph", &["submit", "-", "--group", "core"]);
    let sent = Ran::with_input(&mut command, printed.out.as_bytes());
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let both = stage.run("watcher", &["subscribe", "--from", "start", "--count", "2", "--json"]);
    let [mut first, mut second] = <[Value; 2]>::try_from(both.counted()).unwrap();
    assert_eq!((&first["author"], &second["author"]), (&"birdsite".into(), &"facegraph".into()));
    for item in [&mut first, &mut second] {
        for own in ["author", "version", "cursor", "accepted_at", "valid_until"] {
            item[own] = Value::Null;
        }
    }
    assert_eq!(first, second);
    assert_eq!(first["verdict"], "non_malicious");
}

#[test]
fn an_option_that_the_exchange_refuses_is_one_error() {
    let stage = Stage::new();
    let ran = stage.run("birdsite", &["submit", "--label", "no-such-harm", SAMPLE]);
    ran.failed(2, "all 955 items were rejected");
    assert!(ran.err.contains("no-such-harm"), "{ran:?}");
    stage.run("birdsite", &["submit", "--confidence", "101", SAMPLE]).failed(2, "--confidence");
}

#[test]
fn a_demo_that_gets_sigterm_removes_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = tipoff(&["demo", "--keep"]);
    command.env("TMPDIR", folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut reported = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        reported.push(line.unwrap());
        if reported.last().unwrap().contains("Ctrl-C") {
            break;
        }
    }
    for command in ["lookup '", "subscription list", "audit deliveries ", "withdraw '"] {
        let line = format!("  tipoff {command}");
        assert!(
            reported.iter().any(|printed| printed.starts_with(&line)),
            "{line} is not in {reported:?}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no keys are left");
}

#[test]
fn values_come_from_stdin_too() {
    let stage = Stage::new();
    let list = b"one.example\nhxxps://two[.]example/a\n@not-a-platform\n";
    let ran = Ran::with_input(&mut stage.tipoff("birdsite", &["submit", "--json", "-"]), list);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_eq!(ran.lines().pop().unwrap()["created"], 2);
    let found = Ran::with_input(&mut stage.tipoff("facegraph", &["lookup", "-"]), list);
    assert_eq!(found.out.lines().filter(|line| line.contains("  yes  ")).count(), 2, "{found:?}");
    let none = Ran::with_input(&mut stage.tipoff("facegraph", &["lookup", "-"]), b"\n\n");
    none.failed(2, "stdin contains no values");
}

#[test]
fn a_reader_that_leaves_the_pipe_ends_the_command_quietly() {
    let stage = Stage::new();
    assert_eq!(stage.run("birdsite", &["submit", SAMPLE]).code, Some(0));
    let mut command = stage.tipoff("facegraph", &["subscribe", "--from", "start"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut first = [0; 10];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    // It notices at its next write.
    assert_eq!(stage.run("birdsite", &["submit", SAMPLE, "--confidence", "90"]).code, Some(0));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
