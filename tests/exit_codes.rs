//! The same mistake has the same exit code in every command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::command::{Stage, done};

#[test]
fn a_value_that_cannot_be_read_is_bad_input_and_one_of_several_is_a_part() {
    let stage = Stage::new();
    let file = stage.file("a.csv", "domain\na.example\n");
    done(stage.run("birdsite", &["submit", &file]));
    let to_liaison = ["--to", "cyber-unit", "--basis", "W-17"];
    let commands: [&[&str]; 4] = [&["lookup"], &["sighting"], &["release"], &["withdraw"]];
    for command in commands {
        let flags = if command == ["release"] { &to_liaison[..] } else { &[] };
        let run = |values: &[&str]| stage.run("birdsite", &[command, values, flags].concat());
        let unreadable = run(&["no value"]);
        assert_eq!(unreadable.code, Some(2), "{command:?}: {unreadable:?}");
        assert!(unreadable.err.contains("\"no value\""), "{command:?}: {unreadable:?}");
        let in_part = run(&["a.example", "no value"]);
        assert_eq!(in_part.code, Some(5), "{command:?}: {in_part:?}");
    }
    let shown = stage.run("birdsite", &["show", "no value"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    let liaison = stage.run("cyber-unit", &["show", "a.example"]);
    assert_eq!(liaison.code, Some(4), "{liaison:?}");
}

#[test]
fn what_finds_nothing_fails() {
    let stage = Stage::new();
    let to_liaison = ["--to", "cyber-unit", "--basis", "W-17"];
    for command in
        [&["withdraw", "a.example"][..], &["sighting", "a.example"], &["release", "a.example"]]
    {
        let flags = if command[0] == "release" { &to_liaison[..] } else { &[] };
        let ran = stage.run("birdsite", &[command, flags].concat());
        assert_eq!(ran.code, Some(1), "{command:?}: {ran:?}");
        assert!(ran.err.contains("nothing was"), "{command:?}: {ran:?}");
    }
    for command in [&["subscribe"][..], &["pull"], &["export", "--format", "csv"]] {
        let ran = stage.run("birdsite", &[command, &["--group", "nogroup"]].concat());
        assert_eq!(ran.code, Some(2), "{command:?}: {ran:?}");
        assert!(ran.err.contains("you are not in the group `nogroup`"), "{command:?}: {ran:?}");
    }
}

#[test]
fn a_tip_is_not_sent_without_the_indicators_that_it_was_to_have() {
    let stage = Stage::new();
    let nothing = stage.file("nothing.txt", "just words\n");
    let send = ["tip", "send", "a network", "--to", "facegraph"];
    for flags in [["--indicator", "no value"], ["--file", &nothing]] {
        let ran = stage.run("birdsite", &[&send[..], &flags].concat());
        assert_eq!(ran.code, Some(2), "{flags:?}: {ran:?}");
    }
    assert_eq!(done(stage.run("birdsite", &["tip", "list", "--sent", "--json"])).out, "");
}

#[test]
fn a_misspelt_platform_of_a_count_is_asked_about() {
    let stage = Stage::new();
    let put = ["enforcement", "put", "--count", "936 accounts on instagrm", "--reported"];
    let asked = stage.run("birdsite", &put);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert!(asked.err.contains("did you mean `instagram`?"), "{asked:?}");
    done(stage.run("birdsite", &[&put[..], &["--new-platform"]].concat()));
}

#[test]
fn a_name_that_does_not_exist_is_bad_input() {
    let stage = Stage::new();
    let file = stage.file("a.csv", "domain\na.example\n");
    done(stage.run("birdsite", &["submit", &file]));
    let id = "0190f3c2-0000-7000-8000-000000000000";
    let by_member: [&[&str]; 13] = [
        &["enforcement", "withdraw", "x", "--group", "nogroup"],
        &["submit", "--to", "nobody", "--again", &file],
        &["submit", "--campaign", id, "--again", &file],
        &["withdraw", "a.example", "--group", "nogroup"],
        &["release", "a.example", "--group", "nogroup", "--to", "cyber-unit", "--basis", "W-17"],
        &["release", "a.example", "--to", "nobody", "--basis", "W-17"],
        &["export", "--format", "csv", "--author", "nobody"],
        &["subscribe", "--author", "nobody"],
        &["audit", "accesses", "--liaison", "nobody"],
        &["tip", "send", "a network", "--to", "nobody"],
        &["tip", "show", id],
        &["campaign", "show", id],
        &["subscription", "delete", "nothing"],
    ];
    for arguments in by_member {
        let ran = stage.run("birdsite", arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
    }
    let by_operator: [&[&str]; 6] = [
        &["partner", "put", "facegraph", "--default-group", "nobody"],
        &["partner", "suspend", "nobody"],
        &["partner", "resume", "nobody"],
        &["group", "put", "core", "--add", "nobody"],
        &["group", "put", "core", "--remove", "nobody"],
        &["pki", "revoke", "nobody", "--reason", "gone"],
    ];
    for arguments in by_operator {
        let ran = stage.run("exchange-ops", arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains("no such partner") || ran.err.contains("`nobody`"), "{ran:?}");
    }
}

#[test]
fn an_error_names_the_flag() {
    let stage = Stage::new();
    let put = ["campaign", "put", "--name", "A campaign", "--country", "Atlantis"];
    stage.run("birdsite", &put).failed(2, "--country: ");
    let file = stage.file("a.csv", "domain\na.example\n");
    stage.run("birdsite", &["submit", "--to", "nobody", &file]).failed(2, "--to: ");
    let label = ["submit", "--label", "nonsense", &file];
    stage.run("birdsite", &label).failed(2, "--label: ");
}

#[test]
fn what_was_exported_is_shared_with_nobody_else_without_a_word() {
    let stage = Stage::new();
    let file = stage.file("a.csv", "domain\nsecret.example\n");
    done(stage.run("birdsite", &["submit", &file, "--to", "facegraph"]));
    let facegraph = |arguments: &[&str]| stage.run("facegraph", arguments);
    let pulled = done(facegraph(&["pull", "--snapshot", "--format", "csv"])).out;
    let mut copies = vec![stage.file("pulled.csv", pulled)];
    for format in ["stix", "misp", "threatexchange", "csv"] {
        let name = format!("exported.{format}");
        let path = stage.world.path(&name).display().to_string();
        let written = facegraph(&["export", "--format", format, "--out", &path]);
        assert_eq!(written.code, Some(0), "{format}: {written:?}");
        copies.push(path);
    }
    for copy in &copies {
        let from = if std::path::Path::new(copy).is_dir() { events_of(copy) } else { copy.clone() };
        let ran = facegraph(&["submit", &from]);
        assert!(
            ran.code == Some(2) && ran.err.contains("says with whom each value was shared"),
            "{from}: {ran:?}"
        );
        done(facegraph(&["submit", &from, "--to", "birdsite"]));
    }
    let looked_up = done(stage.run("tubeworks", &["lookup", "secret.example", "--json"])).lines();
    assert_eq!(looked_up[0]["result"], "unknown", "{looked_up:?}");
}

/// The event in a folder of MISP events.
fn events_of(folder: &str) -> String {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_event = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|end| end == "json") && !path.ends_with("manifest.json")
    };
    let mut events = files.filter(is_event);
    events.next().unwrap().display().to_string()
}

#[test]
fn a_misspelt_platform_in_a_file_is_asked_about() {
    let stage = Stage::new();
    let file = stage.file("a.csv", "platform,account\ntwiter,someone\n");
    stage.run("birdsite", &["submit", &file]).failed(2, "did you mean `");
    done(stage.run("birdsite", &["submit", &file, "--new-platform"]));
}
