//! The `tipoff tip` commands: output and exit codes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value, json};
use support::command::{Ran, Stage, done};

fn json(stage: &Stage, partner: &str, arguments: &[&str]) -> Vec<Value> {
    done(stage.run(partner, &[arguments, &["--json"]].concat())).lines()
}

#[test]
fn a_tip_is_sent_listed_answered_shown_and_withdrawn() {
    let stage = Stage::new();
    let id = send(&stage);
    list(&stage, &id);
    answer(&stage, &id);
    show(&stage, &id);
    pull(&stage);
    withdraw(&stage, &id);
    stage.run("tubeworks", &["tip", "show", &id]).failed(2, "you have no such tip");
    stage.run("tubeworks", &["tip", "show", &id[..8]]).failed(2, "you have no tip");
    stage.run("tubeworks", &["tip", "show", "xyz"]).failed(2, "not a tip id");
    stage.run("watcher", &["tip", "list"]).failed(4, "");
    let to_observer = ["tip", "send", "text", "--to", "watcher"];
    stage.run("birdsite", &to_observer).failed(2, "observer");
}

/// Birdsite sends a tip to facegraph, twice under the same key.
fn send(stage: &Stage) -> String {
    let file = stage.file("found.csv", "kind,value\ndomain,a.example\ndomain,b.example\n");
    let command = [
        "tip",
        "send",
        "a network of accounts",
        "--to",
        "facegraph",
        "--subject",
        "a network",
        "--urgency",
        "imminent_harm",
        "--respond-by",
        "2040-01-01",
        "--tlp",
        "RED",
        "--indicator",
        "hxxp://c[.]example/x",
        "--file",
        &file,
    ];
    let sent = json(stage, "birdsite", &command);
    let id = sent[0]["tip_id"].as_str().unwrap().to_owned();
    assert_eq!((&sent[0]["indicators"], &sent[0]["replayed"]), (&json!(3), &json!(false)));
    let text = done(stage.run("birdsite", &command)).out;
    assert!(text.contains(&id) && text.contains("--again"), "{text}");
    // A day is over when it ends.
    assert!(text.contains("to be answered by 2040-01-01T23:59:59Z"), "{text}");
    id
}

fn list(stage: &Stage, id: &str) {
    let listed = json(stage, "facegraph", &["tip", "list"]);
    assert_eq!((&listed[0]["tip_id"], &listed[0]["tlp"]), (&json!(id), &json!("RED")));
    assert_eq!(listed[0]["threads"][0]["state"], "sent");
    assert!(json(stage, "facegraph", &["tip", "list", "--state", "closed"]).is_empty());
    assert!(json(stage, "facegraph", &["tip", "list", "--sent"]).is_empty());
    assert!(json(stage, "facegraph", &["tip", "list", "--overdue"]).is_empty());
    let text = done(stage.run("facegraph", &["tip", "list"])).out;
    assert!(text.contains(&id[..8]) && text.contains("imminent_harm"), "{text}");
}

fn answer(stage: &Stage, id: &str) {
    // By a prefix of its id.
    let answer = ["tip", "respond", &id[..8], "--move", "acknowledged", "--message", "on it"];
    let answered = json(stage, "facegraph", &answer);
    assert_eq!(
        (&answered[0]["tip_id"], &answered[0]["state"]),
        (&json!(id), &json!("acknowledged"))
    );
    assert_eq!(json(stage, "facegraph", &answer)[0]["replayed"], true);
    let again = done(stage.run("facegraph", &answer)).out;
    assert!(again.contains("is unchanged") && again.contains("--again"), "{again}");
    let refused = ["tip", "respond", id, "--move", "closed"];
    stage.run("facegraph", &refused).failed(1, "the tip is acknowledged");
    stage.run("facegraph", &["tip", "respond", id, "--move", "declined"]).failed(2, "message");
    let bad = ["tip", "respond", id, "--indicator", "d.example", "--indicator", "just words"];
    let partly = stage.run("birdsite", &bad);
    assert_eq!(partly.code, Some(5), "{partly:?}");
    assert!(partly.out.contains("rejected") && partly.out.contains("just words"), "{partly:?}");
}

fn show(stage: &Stage, id: &str) {
    let shown = &json(stage, "birdsite", &["tip", "show", id])[0];
    assert_eq!(shown["entries"].as_array().unwrap().len(), 3);
    assert_eq!(shown["entries"][1]["moves"][0]["to"], "acknowledged");
    assert_eq!(shown["indicators"].as_array().unwrap().len(), 4);
    let text = done(stage.run("birdsite", &["tip", "show", &id[..8], "--to", "facegraph"])).out;
    for part in ["a network", "facegraph   acknowledged", "→ acknowledged", "on it", "d.example"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

/// The feeds of both parties contain the tip.
fn pull(stage: &Stage) {
    for partner in ["birdsite", "facegraph"] {
        let pulled = json(stage, partner, &["pull"]);
        let tip_lines: Vec<_> = pulled.iter().filter(|line| line["tip"].is_object()).collect();
        assert_eq!(tip_lines.len(), 3, "{tip_lines:?}");
        assert_eq!(tip_lines[1]["entry"]["message"], "on it");
    }
    let text = done(stage.run("facegraph", &["pull"])).out;
    assert!(text.contains("→ acknowledged") && text.contains("on it"), "{text}");
}

fn withdraw(stage: &Stage, id: &str) {
    let withdrawn = json(stage, "birdsite", &["tip", "withdraw", &id[..8]]);
    assert_eq!(withdrawn[0]["replayed"], false);
    let again = done(stage.run("birdsite", &["tip", "withdraw", id])).out;
    assert!(again.contains("already withdrawn before"), "{again}");
    let shown = done(stage.run("facegraph", &["tip", "show", id])).out;
    assert!(shown.contains("withdrawn") && !shown.contains("network"), "{shown}");
    stage.run("facegraph", &["tip", "respond", id, "--message", "but"]).failed(1, "withdrawn");
}

#[test]
fn a_narrative_is_read_from_a_file_and_from_stdin() {
    let stage = Stage::new();
    let file = stage.file("narrative.txt", "what we saw\n");
    json(&stage, "birdsite", &["tip", "send", "--narrative-file", &file, "--to", "facegraph"]);
    let mut command =
        stage.tipoff("birdsite", &["tip", "send", "-", "--to", "tubeworks", "--key", "k1"]);
    done(Ran::with_input(&mut command, b"what we saw besides\n"));
    let sent = json(&stage, "birdsite", &["tip", "list", "--sent"]);
    let narrative = |tip: &Value| {
        let id = tip["tip_id"].as_str().unwrap();
        json(&stage, "birdsite", &["tip", "show", id])[0]["narrative"].clone()
    };
    assert_eq!(narrative(&sent[0]), "what we saw besides");
    assert_eq!(narrative(&sent[1]), "what we saw");
    assert_eq!(json(&stage, "birdsite", &["tip", "list", "--sent", "--limit", "1"]).len(), 1);
    let with = ["tip", "list", "--sent", "--with", "facegraph"];
    assert_eq!(json(&stage, "birdsite", &with).len(), 1);
}

#[test]
fn submit_reports_its_referrals_and_an_operator_can_turn_them_off() {
    let stage = Stage::new();
    let report = stage.file(
        "report.csv",
        "kind,platform,value\npage,facebook,some.page\naccount,tiktok,someone\ndomain,,a.example\n",
    );
    let off = ["partner", "put", "facegraph", "--referrals", "off"];
    let put = json(&stage, "exchange-ops", &off);
    assert_eq!(put[0]["referrals"], "off");
    let submitted = json(&stage, "birdsite", &["submit", &report]).pop().unwrap();
    assert_eq!((&submitted["referred"], &submitted["not_referred"]), (&json!({}), &json!(2)));
    json(&stage, "exchange-ops", &["partner", "put", "facegraph", "--referrals", "on"]);
    let other = stage.file("other.csv", "kind,platform,value\npage,facebook,other.page\n");
    let text = done(stage.run("birdsite", &["submit", &other])).out;
    assert!(text.contains("referred 1 to facegraph; 0 not referred"), "{text}");
    let listed = done(stage.run("facegraph", &["tip", "list"])).out;
    assert!(listed.contains("referral of submission cli-"), "{listed}");
}
