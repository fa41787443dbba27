//! `docs/output.schema.json` describes what each command prints with `--json`. `TIPOFF_UPDATE_DOCS=1` writes it anew from
//! what the commands print here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod names;
mod schema;
#[path = "../support/mod.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use names::NAMES;
use schema::Shape;
use serde_json::{Value, json};
use support::command::Stage;
use support::python::python;
use tipoff::clock::{Clock, SystemClock};

/// Runs commands, and keeps the lines of each.
struct Recorder {
    stage: Stage,
    lines: BTreeMap<String, Vec<Value>>,
}

impl Recorder {
    /// Runs a command whose name is of `words` words. Its exit code may be that of a part.
    fn run(&mut self, partner: &str, words: usize, arguments: &[&str]) -> Vec<Value> {
        let ran = self.stage.run(partner, &[&["--json"], arguments].concat());
        assert!(matches!(ran.code, Some(0 | 5)), "{arguments:?}: {ran:?}");
        let lines = ran.lines();
        assert!(!lines.is_empty(), "{arguments:?} printed nothing");
        self.lines.entry(arguments[..words].join(" ")).or_default().extend(lines.clone());
        lines
    }
}

fn text<'a>(lines: &'a [Value], name: &str) -> &'a str {
    lines.iter().find_map(|line| line[name].as_str()).unwrap()
}

/// Runs each command, so that all that it can print is there.
fn record() -> BTreeMap<String, Vec<Value>> {
    let mut it = Recorder { stage: Stage::new(), lines: BTreeMap::new() };
    let [member, other, liaison] = ["birdsite", "facegraph", "cyber-unit"];
    it.run(member, 1, &["whoami"]);
    it.run(liaison, 1, &["whoami"]);
    let network = [
        "campaign",
        "put",
        "--name",
        "Harbour network",
        "--actor",
        "people linked to a government",
    ];
    let campaign = it.run(member, 2, &network);
    let campaign = text(&campaign, "campaign_id").to_owned();

    let report = "kind,platform,value,verdict,confidence,severity,involvement,techniques,labels,valid_until,tlp,account_id,\
                  former_handles,first_seen,last_seen,note\n\
        account,x,harbour_watcher,malicious,80,high,abused_service,T0090,phishing,UNTIL,GREEN,1234567,old_desk,\
        2026-01-02,2026-01-03,posts the same text\n\
        domain,,library.example,suspicious,50,,,,,,,,,,,\n\
        domain,,not a domain,malicious,,,,,,,,,,,,\n\
        network,,192.0.2.0/24,malicious,,,,,,,,,,,,\n\
        account,facebook,someone,malicious,,,,,,,,,,,,\n";
    let until = SystemClock.now().plus(Duration::from_secs(300 * 86_400)).to_string();
    let report = it.stage.file("report.csv", report.replace("UNTIL", &until));
    let counts = it.stage.file(
        "report.md",
        "# Report\n\nWe removed about 936 accounts on X.\n\n- library.example\n",
    );
    it.run(member, 1, &["submit", &report, "--dry-run"]);
    it.run(member, 1, &["submit", &counts, "--dry-run"]);
    let release = ["--release-to", liaison, "--release-basis", "W-17"];
    let submit = ["submit", &report, "--campaign", &campaign];
    let sent = it.run(member, 1, &[&submit[..], &release].concat());
    assert_eq!(sent.last().unwrap()["created"], 4, "{sent:?}");
    it.run(member, 1, &["submit", &counts]);
    let list = it.stage.file("list.txt", "one.example\ntwo.example\n");
    it.run(member, 1, &["submit", &list, "--list", "block", "--kind", "domain"]);
    let list = it.stage.file("list.txt", "one.example\n");
    it.run(member, 1, &["submit", &list, "--list", "block", "--kind", "domain", "--shrink"]);

    it.run(
        other,
        1,
        &[
            "lookup",
            "x:harbour_watcher",
            "192.0.2.7",
            "x:old_desk",
            "unknown.example",
            "just words",
        ],
    );
    let seen = ["sighting", "x:harbour_watcher", "--count", "3", "--first-seen", "2026-01-02"];
    it.run(other, 1, &seen);
    let known = it.run(other, 1, &["show", "x:harbour_watcher"]);
    it.run(other, 1, &["show", "unknown.example"]);
    let version = known[0]["assessments"][0]["version"].as_str().unwrap().to_owned();
    it.run(other, 1, &["feedback", &version, "--opinion", "agree", "--note", "seen here too"]);

    let send = ["tip", "send", "they post the same text", "--subject", "a network", "--to", other];
    let about =
        ["--indicator", "x:harbour_watcher", "--respond-by", "2027-01-01", "--urgency", "priority"];
    let tip = it.run(member, 2, &[&send[..], &about].concat());
    let tip = text(&tip, "tip_id").to_owned();
    let respond = ["tip", "respond", &tip, "--move", "investigating", "--message", "we look at it"];
    it.run(other, 2, &[&respond[..], &["--indicator", "another.example"]].concat());
    it.run(other, 2, &["tip", "list"]);
    it.run(member, 2, &["tip", "show", &tip]);
    it.run(other, 1, &["show", "x:harbour_watcher"]);

    record_reports(&mut it, &campaign, &tip);
    record_ends(&mut it, &tip);
    record_operator(&mut it);
    record_files(&mut it);
    it.lines
}

/// What was enforced, campaigns, holds and accesses.
fn record_reports(it: &mut Recorder, campaign: &str, tip: &str) {
    let [member, other, liaison] = ["birdsite", "facegraph", "cyber-unit"];
    let enforce = ["enforcement", "put", "--count", "7 pages on facebook", "--tip", tip];
    it.run(other, 2, &[&enforce[..], &["--campaign", campaign]].concat());
    it.run(member, 2, &["enforcement", "report"]);
    it.run(member, 2, &["campaign", "list"]);
    it.run(member, 2, &["campaign", "show", campaign, "--timeline", "--indicators"]);
    it.run(member, 2, &["campaign", "show", campaign, "--graph", "json"]);
    let hold = it.run(member, 2, &["hold", "place", "x:harbour_watcher", "--reason", "case 17"]);
    let hold = text(&hold, "hold_id").to_owned();
    it.run(member, 2, &["hold", "list"]);
    it.run(member, 2, &["hold", "renew", &hold]);
    it.run(member, 2, &["hold", "lift", &hold]);

    it.run(liaison, 1, &["pull", "--purpose", "warrant:W-17:GB"]);
    it.run(member, 2, &["audit", "accesses"]);
    it.run(member, 2, &["audit", "accesses", "--by", "liaison,purpose,day"]);
}

/// Withdrawals, and who received them.
fn record_ends(it: &mut Recorder, tip: &str) {
    let [member, other, liaison] = ["birdsite", "facegraph", "cyber-unit"];
    let retract = ["release", "library.example", "--to", liaison, "--retract"];
    let again = ["release", "library.example", "no value", "--to", liaison, "--basis", "W-18"];
    it.run(member, 1, &again);
    it.run(member, 1, &retract);
    it.run(other, 1, &["subscribe", "--name", "desk", "--from", "start", "--count", "4"]);
    it.run(other, 2, &["subscription", "list"]);
    let withdrawn = it.run(member, 1, &["withdraw", "library.example", "nobody.example"]);
    let entry = withdrawn.last().unwrap()["sequences"][0].to_string();
    it.run(other, 1, &["subscribe", "--name", "desk", "--count", "1"]);
    it.run(member, 2, &["audit", "deliveries", &entry]);
    it.run(member, 2, &["tip", "withdraw", tip]);
    let put = ["enforcement", "put", "--count", "9 groups on facebook", "--id", "groups:1"];
    it.run(other, 2, &put);
    it.run(other, 2, &["enforcement", "withdraw", "groups:1"]);
}

/// What operators do, and what a node says.
fn record_operator(it: &mut Recorder) {
    let [member, other, operator] = ["birdsite", "facegraph", "exchange-ops"];
    it.run(
        operator,
        2,
        &[
            "partner",
            "put",
            "newsite",
            "--role",
            "member",
            "--platform",
            "newsite",
            "--new-platform",
            "--max-submitted-per-hour",
            "5000",
            "--max-withdrawn-per-hour",
            "100",
        ],
    );
    it.run(operator, 2, &["partner", "suspend", "newsite", "--compromised-since", "2026-01-01"]);
    it.run(operator, 2, &["partner", "resume", "newsite"]);
    it.run(operator, 2, &["partner", "list"]);
    it.run(
        operator,
        2,
        &["group", "put", "closed", "--restricted", "--terms", "keep it here", "--member", member],
    );
    it.run(member, 2, &["group", "list"]);
    it.run(member, 2, &["group", "confirm", "closed", "--terms", "keep it here"]);
    it.run(operator, 2, &["pki", "revoke", "tubeworks", "--reason", "a laptop was stolen"]);
    it.run(operator, 2, &["pki", "show"]);
    // A node on which something happens, and a subscription that is behind.
    let lookup = || it.stage.tipoff(other, &["lookup", "a.example"]);
    let mut lookups: Vec<_> = (0..20).map(|_| lookup()).collect();
    let looking_up = thread::spawn(move || {
        for lookup in &mut lookups {
            assert!(lookup.output().unwrap().status.success());
        }
    });
    let ops = it.stage.exchange.ops().to_string();
    it.run(operator, 1, &["health", "--ops", &ops]);
    it.run(operator, 1, &["health", "--live", "--ops", &ops]);
    it.run(operator, 1, &["top", "--metrics", &format!("http://{ops}/metrics"), "--interval", "1"]);
    looking_up.join().unwrap();
    it.run(other, 2, &["subscription", "delete", "desk"]);
}

/// The authority of an exchange, and the journal of a stopped node.
fn record_files(it: &mut Recorder) {
    let operator = "exchange-ops";
    let folder = |it: &Recorder, name: &str| it.stage.world.path(name).display().to_string();
    let (ca, node) = (folder(it, "new-ca"), folder(it, "node"));
    it.run(operator, 2, &["pki", "init", &ca]);
    it.run(operator, 2, &["pki", "issue", "birdsite", "--ca", &ca, "--out", &node]);
    let revoke =
        ["pki", "revoke", "--certificate", &format!("{node}/cert.pem"), "--reason", "lost"];
    it.run(operator, 2, &[&revoke[..], &["--ca", &ca, "--offline"]].concat());
    it.run(operator, 2, &["pki", "show", "--ca", &ca]);
    assert!(it.stage.exchange.terminate().success());
    let data = it.stage.world.config.storage.data.display().to_string();
    it.run(operator, 2, &["journal", "show", "--data", &data]);
    it.run(operator, 2, &["journal", "migrate", "--to", "files", "--data", &data]);
}

#[test]
fn the_schema_describes_what_each_command_prints() {
    let lines = record();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/output.schema.json");
    let mut unnamed = Vec::new();
    let mut describe = |name: &str| {
        let described = NAMES.iter().find(|(known, _)| *known == name);
        if described.is_none() {
            unnamed.push(name.to_owned());
        }
        described.map_or_else(String::new, |(_, description)| (*description).to_owned())
    };
    let mut shapes: BTreeMap<&String, Shape> = BTreeMap::new();
    for (command, lines) in &lines {
        let shape = shapes.entry(command).or_default();
        for line in lines {
            shape.add(line);
        }
    }
    let mut nullable = BTreeSet::new();
    for shape in shapes.values() {
        shape.add_nullable(&mut nullable);
    }
    for shape in shapes.values_mut() {
        shape.let_be_null(&nullable);
    }
    let commands =
        shapes.iter().map(|(command, shape)| (*command, shape.schema(false, &mut describe)));
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What each command of tipoff prints with --json: one object a line",
        "description": "Ignore names that are not here: later versions add some.",
        "$defs": commands.collect::<BTreeMap<_, _>>(),
    });
    unnamed.sort();
    unnamed.dedup();
    assert!(unnamed.is_empty(), "names without a description: {unnamed:?}");
    let text = schema.to_string();
    let unused = NAMES.iter().filter(|(name, _)| !text.contains(&format!("\"{name}\":")));
    let unused: Vec<_> = unused.collect();
    assert!(unused.is_empty(), "descriptions of names that no command prints: {unused:?}");
    if std::env::var_os("TIPOFF_UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{schema:#}\n")).unwrap();
    }

    // The lines, against the committed schema, by a validator that others wrote.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines.json");
    fs::write(&file, serde_json::to_vec(&lines).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/json_output/validate.py");
    let ran = Command::new(python()).arg(script).arg(&path).arg(&file).output().unwrap();
    let printed = String::from_utf8_lossy(&ran.stdout) + String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{printed}");
    assert!(printed.contains(&format!("{} commands", lines.len())), "{printed}");
}
