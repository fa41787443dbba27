//! The commands for releases, the liaison's pull, accesses and holds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use support::command::{Ran, Stage, done};

fn submit(stage: &Stage, name: &str, values: &str, more: &[&str]) -> String {
    let file = stage.file(name, values);
    let arguments = [&["submit", &file, "--json"], more].concat();
    let lines = done(stage.run("birdsite", &arguments)).lines();
    lines[0]["submission_id"].as_str().unwrap().to_owned()
}

const WARRANT: &[&str] = &["--purpose", "warrant:W-17:GB"];

fn pulled(stage: &Stage) -> Vec<String> {
    let pull = [&["pull", "--snapshot", "--format", "jsonl"], WARRANT].concat();
    let lines = done(stage.run("cyber-unit", &pull)).lines();
    let mut values: Vec<_> =
        lines.iter().map(|line| line["value"].as_str().unwrap().to_owned()).collect();
    values.sort();
    values
}

#[test]
fn the_purpose_may_be_set_once_for_several_commands() {
    let stage = Stage::new();
    submit(&stage, "a.txt", "a.example\n", &["--group", "core"]);
    let release = ["release", "a.example", "--to", "cyber-unit", "--basis", "warrant W-17"];
    done(stage.run("birdsite", &release));
    let with_purpose = |purpose: &str, arguments: &[&str]| {
        Ran::of(stage.tipoff("cyber-unit", arguments).env("TIPOFF_PURPOSE", purpose))
    };
    let pull = ["pull", "--format", "jsonl"];
    assert_eq!(done(with_purpose("warrant:W-17:GB", &pull)).lines().len(), 1);
    let follow = ["subscribe", "--from", "start", "--count", "1", "--json"];
    assert_eq!(done(with_purpose("warrant:W-17:GB", &follow)).counted().len(), 1);
    let accesses = done(stage.run("birdsite", &["audit", "accesses", "--json"])).lines();
    assert_eq!(accesses.len(), 2, "{accesses:?}");
    assert!(accesses.iter().all(|access| access["reference"] == "W-17"), "{accesses:?}");
    // The flag counts before the variable.
    let public = [&pull[..], &["--purpose", "public::GB"]].concat();
    assert_eq!(done(with_purpose("warrant:W-17:GB", &public)).lines().len(), 0);
    with_purpose("order:W-17:GB", &pull).failed(2, "order");
}

#[test]
fn the_access_log_has_what_a_limited_pull_printed_and_no_more() {
    let stage = Stage::new();
    let values = "a.example\nb.example\nc.example\nd.example\ne.example\n";
    let to = ["--group", "core", "--release-to", "cyber-unit", "--release-basis", "warrant W-17"];
    submit(&stage, "a.txt", values, &to);
    let mut since = "start".to_owned();
    for (limit, accessed) in [("1", 1), ("2", 3), ("1", 4)] {
        let pull = ["pull", "--format", "jsonl", "--limit", limit, "--since", &since];
        let pulled = done(stage.run("cyber-unit", &[&pull[..], WARRANT].concat()));
        assert_eq!(pulled.lines().len().to_string(), limit);
        let accesses = done(stage.run("birdsite", &["audit", "accesses", "--json"])).lines();
        let count: usize = accesses.iter().map(|a| a["objects"].as_array().unwrap().len()).sum();
        assert_eq!(count, accessed, "{accesses:?}");
        since = pulled.err.trim().rsplit(' ').next().unwrap().to_owned();
    }
}

#[test]
fn a_release_is_pulled_its_access_is_listed_and_it_is_retracted() {
    let stage = Stage::new();
    let birdsite = |arguments: &[&str]| stage.run("birdsite", arguments);
    let submission = submit(&stage, "a.txt", "a.example\nb.example\n", &["--group", "core"]);
    assert!(pulled(&stage).is_empty());
    let to = ["--to", "cyber-unit", "--basis", "warrant W-17"];
    let released = done(birdsite(&[&["release", "a.example", "--json"][..], &to].concat())).lines();
    let summary = released.last().unwrap();
    assert_eq!((&summary["released"], &summary["unchanged"]), (&json!(1), &json!(0)));
    assert_eq!(released[0]["result"], "released");
    assert_eq!(pulled(&stage), ["a.example"]);
    let whole = [&["release", "--submission", &submission][..], &to].concat();
    let text = done(birdsite(&whole)).out;
    assert!(text.contains("1 version released to cyber-unit, 1 unchanged"), "{text}");
    assert_eq!(pulled(&stage), ["a.example", "b.example"]);
    let csv = done(stage.run("cyber-unit", &[&["pull", "--format", "csv"], WARRANT].concat()));
    assert_eq!(csv.out.lines().count(), 3, "{csv:?}");
    let followed = [&["subscribe", "--from", "start", "--count", "2", "--json"], WARRANT].concat();
    assert_eq!(done(stage.run("cyber-unit", &followed)).counted().len(), 2);

    let accesses = done(birdsite(&["audit", "accesses", "--json"])).lines();
    assert!(accesses.iter().all(|access| access["reference"] == "W-17"), "{accesses:?}");
    let text = done(birdsite(&["audit", "accesses", "--liaison", "cyber-unit"])).out;
    for word in ["cyber-unit", "snapshot", "pull", "subscribe", "warrant", "W-17", "a.example"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let later = ["audit", "accesses", "--since", "2100-01-01"];
    assert!(done(birdsite(&later)).out.contains("no accesses"));

    let retract = ["release", "a.example", "unheard.example", "--to", "cyber-unit", "--retract"];
    let retracted = birdsite(&retract);
    assert_eq!(retracted.code, Some(5), "one of the two: {retracted:?}");
    assert!(retracted.out.contains("1 version retracted from cyber-unit"), "{retracted:?}");
    assert_eq!(pulled(&stage), ["b.example"]);
    // Release, retract and release again are three requests with three keys.
    done(birdsite(&[&["release", "a.example"][..], &to].concat()));
    assert_eq!(pulled(&stage), ["a.example", "b.example"]);
    assert_eq!(birdsite(&retract).code, Some(5));
    let nothing = birdsite(&retract);
    assert!(
        nothing.code == Some(1) && nothing.err.contains("nothing was retracted"),
        "{nothing:?}"
    );
    assert_eq!(pulled(&stage), ["b.example"], "and so is this");

    let with = ["--to", "tubeworks", "--release-to", "cyber-unit", "--release-basis", "by leave"];
    submit(&stage, "c.txt", "c.example\n", &with);
    assert_eq!(pulled(&stage), ["b.example", "c.example"]);
    submit(&stage, "red.txt", "red.example\n", &["--tlp", "RED", "--to", "facegraph"]);
    let refused = birdsite(&[&["release", "red.example"][..], &to].concat());
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.out.contains("TLP:RED"), "{refused:?}");
    let nobody = ["release", "a.example", "--to", "facegraph", "--basis", "b"];
    birdsite(&nobody).failed(2, "is not a liaison");
}

#[test]
fn a_report_is_released_as_it_is_submitted_with_its_counts() {
    let stage = Stage::new();
    let to = ["--group", "core", "--release-to", "cyber-unit", "--release-basis", "W-17"];
    let arguments = [&["submit", "samples/harbour-network.csv"][..], &to].concat();
    done(stage.run("birdsite", &arguments));
    let pull = [&["pull", "--snapshot", "--format", "jsonl"], WARRANT].concat();
    let lines = done(stage.run("cyber-unit", &pull)).lines();
    let acted: Vec<_> = lines.iter().filter(|line| !line["enforcement"].is_null()).collect();
    assert_eq!((lines.len(), acted.len()), (956, 1), "the indicators and the count row");
    assert_eq!(acted[0]["enforcement"]["counts"][0]["count"], 936);
    let id = acted[0]["enforcement"]["enforcement_id"].as_str().unwrap();
    let retract = ["release", "--enforcement", id, "--to", "cyber-unit", "--retract"];
    let text = done(stage.run("birdsite", &retract)).out;
    assert!(text.contains("1 version retracted from cyber-unit"), "{text}");
    assert!(text.contains("check who received the retraction: tipoff audit deliveries "), "{text}");
    let lines = done(stage.run("cyber-unit", &pull)).lines();
    assert!(lines.iter().all(|line| line["enforcement"].is_null()));
    let seen = done(stage.run("birdsite", &["audit", "accesses"])).out;
    assert!(seen.contains(&format!("enforcement {id}")), "{seen}");
}

#[test]
fn a_liaison_states_its_purpose_and_the_registry_decides_whether_it_is_allowed() {
    let stage = Stage::new();
    let liaison = |arguments: &[&str]| stage.run("cyber-unit", arguments);
    liaison(&["pull"]).failed(2, "purpose: is missing");
    liaison(&["pull", "--purpose", "warrant:W-17:FR"]).failed(2, "--purpose: must be GB");
    liaison(&["pull", "--purpose", "subpoena:S-1:GB"]).failed(4, "subpoena");
    liaison(&["lookup", "a.example", "--json"]).failed(4, "may not call");
    let me = done(liaison(&["whoami", "--json"])).lines();
    assert_eq!((&me[0]["jurisdiction"], &me[0]["purposes"][0]), (&json!("GB"), &json!("warrant")));
    let text = done(liaison(&["whoami"])).out;
    assert!(text.contains("jurisdiction") && text.contains("voluntary"), "{text}");
    let put = ["partner", "put", "cyber-unit", "--purpose", "subpoena", "--json"];
    let put = done(stage.run("exchange-ops", &put)).lines();
    assert_eq!(put[0]["purposes"], json!(["subpoena"]));
    done(liaison(&["pull", "--purpose", "subpoena:S-1:GB"]));
    liaison(&["pull", "--purpose", "warrant:W-17:GB"]).failed(4, "warrant");
    let member = ["partner", "put", "birdsite", "--purpose", "warrant"];
    stage.run("exchange-ops", &member).failed(1, "only a liaison");
}

#[test]
fn a_tip_to_a_liaison_is_listed_shown_and_answered_and_its_accesses_are_listed() {
    let stage = Stage::new();
    let liaison = |arguments: &[&str]| stage.run("cyber-unit", arguments);
    let with = |arguments: &[&str]| liaison(&[arguments, WARRANT].concat());
    let send = ["tip", "send", "a threat", "--to", "cyber-unit", "--indicator", "a.example"];
    let sent = done(stage.run("birdsite", &[&send[..], &["--json"]].concat())).lines();
    let id = sent[0]["tip_id"].as_str().unwrap();
    liaison(&["tip", "list"]).failed(2, "purpose: is missing");
    liaison(&["tip", "show", id]).failed(2, "purpose: is missing");
    assert!(done(with(&["tip", "list"])).out.contains(&id[..8]));
    let shown = done(with(&["tip", "show", &id[..8]])).out;
    assert!(shown.contains("a threat") && shown.contains("a.example"), "{shown}");
    let answer = ["tip", "respond", id, "--move", "acknowledged", "--message", "on it"];
    assert!(done(with(&answer)).out.contains("is now acknowledged"));
    assert!(done(with(&answer)).out.contains("is unchanged"), "whenever its purpose ends");
    let counts = ["tip", "respond", id, "--message", "done", "--count", "7 pages on facebook"];
    with(&counts).failed(2, "enforcement");
    let shorter = ["tip", "list", "--purpose", "voluntary::GB", "--purpose-until", "2100-01-01"];
    liaison(&shorter).failed(2, "--purpose-until: ");
    stage.run("birdsite", &[&["tip", "list"][..], WARRANT].concat()).failed(2, "purpose");
    let pulled = done(with(&["pull", "--format", "jsonl"])).out;
    assert!(pulled.contains("on it"), "{pulled}");
    let accesses = done(stage.run("birdsite", &["audit", "accesses"])).out;
    for word in [&format!("tip {id}"), " tip ", "pull", "cyber-unit", "warrant"] {
        assert!(accesses.contains(word), "{word}: {accesses}");
    }
    let accesses = done(stage.run("birdsite", &["audit", "accesses", "--json"])).lines();
    assert!(accesses.iter().all(|access| access["objects"][0]["tip_id"] == id), "{accesses:?}");
}

#[test]
fn a_hold_names_the_values_of_which_it_preserves_nothing() {
    let stage = Stage::new();
    submit(&stage, "a.txt", "a.example\n", &["--group", "core"]);
    let place = ["hold", "place", "a.example", "a.exmaple", "--reason", "W-17"];
    let ran = stage.run("birdsite", &place);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert!(ran.out.contains("not kept  a.exmaple: matches none of your current"), "{ran:?}");
    assert!(ran.out.contains("keeps 1 object"), "{ran:?}");
}

#[test]
fn a_hold_is_placed_listed_renewed_and_lifted() {
    let stage = Stage::new();
    let birdsite = |arguments: &[&str]| stage.run("birdsite", arguments);
    let submission = submit(&stage, "a.txt", "a.example\nb.example\n", &["--group", "core"]);
    let place = ["hold", "place", "a.example", "--reason", "case 4711", "--json"];
    let placed = done(birdsite(&place)).lines();
    assert_eq!((&placed[0]["objects"], &placed[0]["replayed"]), (&json!(1), &json!(false)));
    assert_eq!(done(birdsite(&place)).lines()[0]["replayed"], true);
    let whole = ["hold", "place", "--submission", &submission, "--reason", "another"];
    assert!(done(birdsite(&whole)).out.contains("keeps 2 objects"));
    done(birdsite(&["withdraw", "--submission", &submission]));
    let list = done(birdsite(&["hold", "list", "--content"])).out;
    for word in ["case 4711", "another", "a.example", "b.example"] {
        assert!(list.contains(word), "{word}: {list}");
    }
    let id = placed[0]["hold_id"].as_str().unwrap();
    let copies = done(birdsite(&["hold", "list", "--content", "--json"])).lines();
    let of_first: Vec<_> = copies.iter().filter(|line| line["held_by"] == id).collect();
    assert_eq!((of_first.len(), &of_first[0]["held_value"]), (1, &json!("a.example")));
    let operator = done(stage.run("exchange-ops", &["hold", "list"])).out;
    assert!(operator.contains("birdsite") && !operator.contains("4711"), "{operator}");
    stage
        .run("exchange-ops", &["hold", "list", "--content"])
        .code
        .filter(|code| *code == 4)
        .unwrap();
    done(birdsite(&["hold", "renew", id]));
    stage.run("facegraph", &["hold", "lift", id]).failed(2, "no such hold");
    done(birdsite(&["hold", "lift", id]));
    birdsite(&["hold", "lift", id]).failed(2, "no such hold");
    birdsite(&["hold", "place", "unheard.example", "--reason", "r"]).failed(1, "nothing to keep");
}
