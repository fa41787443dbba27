//! What was submitted, and keys, are not in the log, whatever its level.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::command::{Stage, done};
use support::process::Process;

/// Values, texts and names that appear nowhere else.
const VALUES: [&str; 13] = [
    "quiet-harbour-4711.example",
    "pier_watcher_4711",
    "+12025550147",
    "d0b4fe9c1f6b1ffee1b3ac9c28b05b3c3d7f1c7f0b8cd2a8d8dfd8a4c4a54711",
    "note-about-4711",
    "narrative-about-4711",
    "subject-about-4711",
    "answer-about-4711",
    "warrant-4711",
    "campaign-name-4711",
    "opinion-about-4711",
    "hold-reason-4711",
    "https://blog.example/4711",
];

#[test]
fn no_value_no_text_and_no_key_is_in_the_log_at_the_finest_level() {
    let stage = Stage::with(|world| {
        let mut exchange = Process::prepare(world);
        exchange.set_env("TIPOFF_LOG", "trace");
        exchange
    });
    let [domain, handle, phone, digest, note, narrative, subject, answer, warrant, rest @ ..] =
        VALUES;
    let [campaign, opinion, hold, reference] = rest;
    let birdsite = |arguments: &[&str]| done(stage.run("birdsite", arguments));
    let facegraph = |arguments: &[&str]| done(stage.run("facegraph", arguments));

    let table = format!(
        "value,platform,note,references\n{domain},,{note},{reference}\n{handle},facebook,{note},\n{phone},,,\n\
         {digest},,,\n"
    );
    birdsite(&["submit", &stage.file("values.csv", table)]);
    birdsite(&["campaign", "put", "--name", campaign, "--description", note]);
    facegraph(&["lookup", domain, &format!("facebook:{handle}"), phone, digest]);
    facegraph(&["pull"]);
    facegraph(&["export", "--format", "csv"]);
    facegraph(&["sighting", domain]);
    let pulled = facegraph(&["pull", "--format", "jsonl"]).lines();
    let version = pulled.iter().find_map(|line| line["version"].as_str()).unwrap().to_owned();
    facegraph(&["feedback", &version, "--opinion", "agree", "--note", opinion]);
    birdsite(&["hold", "place", domain, "--reason", hold]);
    birdsite(&[
        "tip",
        "send",
        narrative,
        "--to",
        "facegraph",
        "--subject",
        subject,
        "--indicator",
        domain,
    ]);
    let tips = facegraph(&["tip", "list", "--json"]);
    let tip = tips.lines()[0]["tip_id"].as_str().unwrap_or_else(|| panic!("{tips:?}")).to_owned();
    facegraph(&["tip", "respond", &tip, "--move", "declined", "--message", answer]);
    birdsite(&["release", domain, "--to", "cyber-unit", "--basis", warrant]);
    let purpose = format!("warrant:{warrant}:GB");
    done(stage.run("cyber-unit", &["pull", "--purpose", &purpose]));
    birdsite(&["withdraw", domain]);
    // What is refused is not logged either.
    let bad = stage.file("bad.csv", format!("domain\n{domain}/not-a-domain-4711\n"));
    stage.run("birdsite", &["submit", &bad]);
    stage.run("watcher", &["submit", &stage.file("more.txt", format!("{domain}\n"))]);

    let log = stage.exchange.log();
    assert!(log.len() > 100_000 && log.contains("TRACE"), "{} bytes are no trace log", log.len());
    for value in VALUES.into_iter().chain(["not-a-domain-4711"]) {
        let found = log.lines().find(|line| line.contains(value));
        assert!(found.is_none(), "{value}: {found:?}");
    }
    let folders = [
        stage.world.config.server.identity.join("key.pem"),
        stage.world.identity("birdsite").join("key.pem"),
        stage.world.path("ca/ca-key.pem"),
    ];
    let keys: String = folders.map(|key| std::fs::read_to_string(key).unwrap()).concat();
    for line in keys.lines().filter(|line| !line.starts_with('-')) {
        assert!(!log.contains(line), "a key is in the log");
    }
    eprintln!("{} KB of log", log.len() >> 10);
}
