//! What `tipoff export` writes, and what it leaves out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use support::command::{Ran, Stage, done};

const FORMATS: [&str; 5] = ["stix", "misp", "threatexchange", "csv", "list"];

/// A world in which birdsite shared one value of each marking, and some that nobody should block.
fn stage() -> Stage {
    let stage = Stage::new();
    let share = |name: &str, lines: &str, arguments: &[&str]| {
        let file = stage.file(name, lines);
        done(stage.run("birdsite", &[&["submit", &file], arguments].concat()));
    };
    share("amber.txt", "amber-1.example\namber-2.example\n+1 202 555 0143\n", &[]);
    share("strict.txt", "strict-1.example\n", &["--tlp", "AMBER+STRICT"]);
    share("red.txt", "scarlet-1.example\n", &["--tlp", "RED", "--to", "facegraph"]);
    share("public.txt", "public-1.example\n", &["--tlp", "CLEAR"]);
    let harmless = r#"{"value":"victim-1.example","involvement":"victim"}
{"value":"shortener-1.example","involvement":"abused_service"}
{"value":"bystander-1.example","involvement":"third_party"}
{"value":"cleared-1.example","verdict":"non_malicious"}
"#;
    share("harmless.jsonl", harmless, &[]);
    // Another partner calls one of birdsite's values harmless.
    let disputed =
        stage.file("disputed.jsonl", r#"{"value":"amber-2.example","verdict":"non_malicious"}"#);
    done(stage.run("facegraph", &["submit", &disputed]));
    stage
}

/// Exports as facegraph to a file or folder below `name`, and returns what was said.
fn export(stage: &Stage, format: &str, name: &str, arguments: &[&str]) -> Ran {
    let out = stage.world.path(name).display().to_string();
    let command = ["export", "--format", format, "--out", &out];
    done(stage.run("facegraph", &[&command, arguments].concat()))
}

/// The bytes of a file, or of each file of a folder.
fn bytes(path: &Path) -> BTreeMap<String, Vec<u8>> {
    if path.is_file() {
        return [(String::new(), fs::read(path).unwrap())].into();
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let read = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    entries.map(read).collect()
}

fn text(stage: &Stage, name: &str) -> String {
    let all = bytes(&stage.world.path(name));
    all.into_values().map(|one| String::from_utf8(one).unwrap()).collect()
}

#[test]
fn red_is_never_exported_and_strict_only_if_asked_for() {
    let stage = stage();
    for format in FORMATS {
        let summary = export(&stage, format, format, &[]).err;
        let written = text(&stage, format);
        assert!(written.contains("amber-1.example") && written.contains("public-1.example"));
        assert!(!written.contains("scarlet") && !written.contains("strict-1"), "{written}");
        assert!(summary.contains("1 object left out: TLP:RED"), "{summary}");
        assert!(summary.contains("1 object left out: TLP:AMBER+STRICT"), "{summary}");

        let name = format!("{format}-strict");
        let summary = export(&stage, format, &name, &["--include-strict"]).err;
        let written = text(&stage, &name);
        assert!(written.contains("strict-1.example") && !written.contains("scarlet"), "{written}");
        assert!(summary.contains("TLP:RED") && !summary.contains("AMBER+STRICT"), "{summary}");
    }
    // The marking stays with what is exported.
    let of = |name: &str| text(&stage, name);
    assert!(of("list").starts_with("# TLP:AMBER\n"));
    assert!(of("list-strict").starts_with("# TLP:AMBER+STRICT\n"));
    assert!(of("csv").contains(",AMBER,,,group:core,birdsite,"));
    assert!(of("misp-strict").contains("tlp:amber+strict") && of("misp").contains("tlp:clear"));
    assert!(of("stix").contains("TLP:CLEAR") && !of("stix").contains("TLP:RED"));
    assert!(of("threatexchange").contains("\"share_level\":\"WHITE\""));
}

#[test]
fn a_list_has_no_value_that_somebody_calls_harmless() {
    let stage = stage();
    let summary = export(&stage, "list", "block.txt", &[]).err;
    let list = text(&stage, "block.txt");
    let (marking, values) = list.split_once('\n').unwrap();
    assert_eq!(marking, "# TLP:AMBER");
    let mut values: Vec<_> = values.lines().collect();
    values.sort_unstable();
    assert_eq!(values, ["+12025550143", "amber-1.example", "public-1.example"]);
    for count in
        ["2 values left out: a partner calls it non-malicious", "1 value left out: a partner"]
    {
        assert!(summary.contains(count), "{summary}");
    }
    // Also if only birdsite's assessments are asked for, or confident ones: facegraph's still speaks against the value.
    for (name, filter) in
        [("author", ["--author", "birdsite"]), ("confident", ["--min-confidence", "50"])]
    {
        export(&stage, "list", name, &filter);
        assert!(!text(&stage, name).contains("amber-2.example"), "{name}");
        assert!(text(&stage, name).contains("amber-1.example"), "{name}");
    }
    export(&stage, "list", "none", &["--author", "facegraph"]);
    assert!(!text(&stage, "none").contains(".example"));
    let summary = export(&stage, "list", "all.txt", &["--include-harmless", "--json"]);
    let left_out = json!({ "tlp_red": 1, "tlp_amber_strict": 1 });
    assert_eq!(summary.lines(), [json!({ "written": 8, "left_out": left_out, "lost": {} })]);
    assert_eq!(text(&stage, "all.txt").lines().count(), 9);
    // The other formats say what each value is.
    export(&stage, "csv", "all.csv", &["--kind", "domain"]);
    let table = text(&stage, "all.csv");
    assert!(table.contains("victim-1.example,domain,,suspicious,50,medium,victim,"), "{table}");
    assert!(!table.contains("+1202"), "only the kind that was asked for");
}

#[test]
fn a_list_lacks_a_value_also_if_what_speaks_against_it_may_not_be_exported() {
    let stage = stage();
    let share = |name: &str, line: &str, arguments: &[&str]| {
        let file = stage.file(name, line);
        done(stage.run("birdsite", &[&["submit", &file], arguments].concat()));
    };
    let red = ["--tlp", "RED", "--to", "facegraph"];
    share("1.jsonl", r#"{"value":"amber-1.example","involvement":"victim"}"#, &red);
    let strict = ["--tlp", "AMBER+STRICT"];
    share("2.jsonl", r#"{"value":"public-1.example","verdict":"non_malicious"}"#, &strict);
    let ran = export(&stage, "list", "block.txt", &[]);
    assert_eq!(text(&stage, "block.txt"), "# TLP:AMBER\n+12025550143\n");
    let why = "2 values left out: an assessment that may not be exported calls it harmless";
    assert!(ran.err.contains(why), "{ran:?}");
    let counts = export(&stage, "list", "block.txt", &["--json"]).lines().remove(0);
    assert_eq!(counts["left_out"]["withheld"], 2, "{counts}");
    // The other formats have the assessments that may be exported, and nothing of the others.
    export(&stage, "csv", "all.csv", &[]);
    let table = text(&stage, "all.csv");
    assert!(table.contains("amber-1.example,domain,,suspicious,50,medium,attacker,"), "{table}");
    assert_eq!(table.matches("amber-1.example").count(), 1);
    export(&stage, "list", "all.txt", &["--include-harmless"]);
    assert!(text(&stage, "all.txt").contains("amber-1.example\n"));
}

#[test]
fn files_have_the_mode_of_other_new_files_unless_they_may_have_strict_objects() {
    let stage = stage();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let usual = mode(Path::new(&stage.file("usual.txt", "")));
    let mut files = Vec::new();
    for (arguments, expected) in [(&[][..], usual), (&["--include-strict"][..], 0o600)] {
        for format in FORMATS {
            let name = format!("{format}-{}", arguments.len());
            export(&stage, format, &name, arguments);
            let path = stage.world.path(&name);
            if path.is_dir() {
                files.extend(
                    fs::read_dir(&path).unwrap().map(|entry| (entry.unwrap().path(), expected)),
                );
            } else {
                files.push((path, expected));
            }
        }
    }
    assert!(files.len() > 12, "{files:?}");
    for (path, expected) in files {
        assert_eq!(mode(&path), expected, "{}", path.display());
    }
}

/// Sends a signal to an export as soon as its temporary file exists. Returns its exit code: the export may be faster.
fn stopped_export(stage: &Stage, folder: &Path, signal: Signal) -> Option<i32> {
    let out = folder.join("all.csv").display().to_string();
    let mut command = stage.tipoff("facegraph", &["export", "--format", "csv", "--out", &out]);
    let mut export = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let has_ended = |export: &mut Child| export.try_wait().unwrap().is_some();
    while hidden(folder) == 0 && !has_ended(&mut export) {
        std::hint::spin_loop();
    }
    let id = Pid::from_raw(i32::try_from(export.id()).unwrap());
    // It has not been waited for, so the id is still its own.
    kill(id, signal).unwrap();
    export.wait().unwrap().code()
}

/// The number of temporary files.
fn hidden(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    entries.filter(|name| name.as_encoded_bytes().starts_with(b".")).count()
}

#[test]
fn an_export_that_is_stopped_leaves_no_file_and_one_that_is_killed_until_the_next() {
    let stage = stage();
    let values: String = (0..3_000).map(|number| format!("many-{number}.example\n")).collect();
    done(stage.run("birdsite", &["submit", &stage.file("many.txt", values)]));
    let folder = stage.world.path("out");
    fs::create_dir(&folder).unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let codes = (0..20).map(|_| {
            let code = stopped_export(&stage, &folder, signal);
            assert_eq!(hidden(&folder), 0, "{signal}: {code:?}");
            code
        });
        assert!(codes.into_iter().any(|code| code == Some(1)), "no export was interrupted");
    }
    let was_killed = |_| {
        let code = stopped_export(&stage, &folder, Signal::SIGKILL);
        code.is_none() && hidden(&folder) == 1
    };
    assert!((0..20).any(was_killed), "no export was killed while it had its file");
    export(&stage, "csv", "out/all.csv", &[]);
    assert_eq!(hidden(&folder), 0);
}

#[test]
fn the_same_content_gives_the_same_bytes_and_stdout_the_same_as_a_file() {
    let stage = stage();
    for format in FORMATS {
        export(&stage, format, "first", &[]);
        // In place of the first, which stays if nothing changed.
        export(&stage, format, "second", &[]);
        export(&stage, format, "second", &[]);
        let (first, second) = (stage.world.path("first"), stage.world.path("second"));
        assert_eq!(bytes(&first), bytes(&second), "{format}");
        for path in [first, second] {
            if path.is_dir() {
                fs::remove_dir_all(path).unwrap();
                continue;
            }
            let out = done(stage.run("facegraph", &["export", "--format", format])).out;
            assert_eq!(out.as_bytes(), fs::read(&path).unwrap(), "{format}");
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_feed_loses_the_events_that_are_no_longer_current() {
    let stage = stage();
    export(&stage, "misp", "feed", &[]);
    let before = bytes(&stage.world.path("feed"));
    assert!(text(&stage, "feed").contains("public-1.example"));
    done(stage.run("birdsite", &["withdraw", "public-1.example"]));
    export(&stage, "misp", "feed", &[]);
    let after = bytes(&stage.world.path("feed"));
    assert!(!text(&stage, "feed").contains("public-1.example"));
    assert_eq!(before.len(), after.len() + 1, "the only public event is gone");
    let unchanged = after.iter().filter(|(name, bytes)| before.get(*name) == Some(bytes)).count();
    assert_eq!(unchanged, after.len() - 2, "all but manifest.json and hashes.csv");
}

#[test]
fn a_table_that_was_exported_says_the_same_when_another_partner_submits_it() {
    let stage = stage();
    let details = r#"{"value":"=x@mail.example","note":"=1+1, \"quoted\"","confidence":70,"severity":"high",
        "labels":["phishing","spam"],"techniques":["T0090"],"first_seen":"2026-01-01T10:00:00.5Z",
        "references":["https://report.example/1","https://report.example/2"],"basis":"public"}"#;
    let details = stage.file("details.jsonl", details.replace('\n', ""));
    done(stage.run("birdsite", &["submit", &details]));
    let rows = |partner: &str, author: &str| {
        let command = ["export", "--format", "csv", "--group", "core", "--author", author];
        let table = done(stage.run(partner, &command)).out;
        let file = stage.file(&format!("{author}.csv"), &table);
        let mut rows = csv::Reader::from_reader(table.as_bytes());
        // All but the sharing, the author and the time of acceptance.
        let assessment =
            |row: csv::StringRecord| row.iter().take(16).collect::<Vec<_>>().join("\u{1f}");
        let mut assessments: Vec<_> = rows.records().map(|row| assessment(row.unwrap())).collect();
        assessments.sort();
        (file, assessments)
    };
    let (file, given) = rows("facegraph", "birdsite");
    assert!(given.len() == 8 && given.iter().any(|row| row.contains("victim")), "{given:?}");
    done(stage.run("facegraph", &["submit", &file, "--group", "core"]));
    let (_, again) = rows("watcher", "facegraph");
    assert_eq!(given, again);
}

#[test]
fn a_liaison_exports_what_was_released_to_it_with_its_campaign() {
    let stage = stage();
    let member = |arguments: &[&str]| done(stage.run("birdsite", arguments));
    let put = ["campaign", "put", "--name", "Harbour network", "--group", "core", "--json"];
    let campaign = member(&put).lines()[0]["campaign_id"].as_str().unwrap().to_owned();
    let file = stage.file("campaign.txt", "campaign-1.example\n");
    member(&["submit", &file, "--campaign", &campaign]);
    member(&["release", "--campaign", &campaign, "--to", "cyber-unit", "--basis", "W-17"]);

    let types = |partner: &str, arguments: &[&str]| {
        let command = [&["export", "--format", "stix"], arguments].concat();
        let bundle: Value = serde_json::from_str(&done(stage.run(partner, &command)).out).unwrap();
        let mut types: BTreeMap<String, usize> = BTreeMap::new();
        for object in bundle["objects"].as_array().unwrap() {
            *types.entry(object["type"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        types
    };
    let of_liaison = types("cyber-unit", &["--purpose", "warrant:W-17:GB"]);
    let of_member = types("facegraph", &["--campaign", &campaign]);
    for all in [&of_liaison, &of_member] {
        assert_eq!((all["campaign"], all["relationship"]), (1, 1), "{all:?}");
    }
    // What is public, and what was released.
    assert_eq!((of_liaison["indicator"], of_member["indicator"]), (2, 1));
    stage.run("cyber-unit", &["export", "--format", "stix"]).failed(2, "purpose");
    let summary = done(stage.run("facegraph", &["export", "--format", "csv"])).err;
    assert!(summary.contains("1 campaign by id only"), "{summary}");
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_fetched() {
    let stage = stage();
    let folder = stage.world.path("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    let path = |name: &str| stage.world.path(name).display().to_string();
    let (folder, file) = (path("folder"), stage.file("kept.csv", "old"));
    let table: [(&[&str], i32, &str); 10] = [
        (&["csv", "--group", "nobody"], 2, "not in the group `nobody`. Your groups: core"),
        (&["csv", "--out", &folder], 2, "is a folder"),
        (&["csv", "--out", &path("no/file")], 1, "No such file or directory"),
        (&["csv", "--out", "/dev/null"], 2, "not a regular file"),
        (&["misp"], 2, "name it with --out"),
        (&["misp", "--out", &folder], 2, "name a new or empty folder"),
        (&["misp", "--out", &file], 2, "a MISP feed is a folder"),
        (&["stix", "--json"], 2, "--out"),
        (&["list", "--out", &file, "--label", "phising"], 2, "label"),
        (&["list", "--out", &file, "--campaign", "hydra"], 2, "campaign"),
    ];
    for (arguments, code, says) in table {
        let command = [&["export", "--format"], arguments].concat();
        stage.run("facegraph", &command).failed(code, says);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    let empty = ["export", "--format", "csv", "--kind", "asn", "--out", &file];
    let empty = done(stage.run("facegraph", &empty));
    assert!(empty.err.contains("nothing that you may see matches"), "{empty:?}");
    assert_eq!(
        fs::read_to_string(&file).unwrap().lines().count(),
        1,
        "a header replaces the old file"
    );
}
