//! STIX output is valid by OASIS's own validator, also for the real reports.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::command::{Stage, done};
use support::{data, python};

/// One value of each kind, and some that try to break out of a pattern.
const EVERY_KIND: &str = r##"{"kind":"account","value":"x:harbour_watcher"}
{"kind":"account","value":"youtube:harbour"}
{"kind":"account_id","platform":"x","value":"1234567890"}
{"kind":"page","platform":"facebook","value":"harbour.page"}
{"kind":"community","platform":"reddit","value":"harbour"}
{"kind":"channel","platform":"telegram","value":"harbour_channel"}
{"kind":"domain","value":"bücher.example"}
{"kind":"url","value":"https://a.example/it's/\\path?q='x'"}
{"kind":"email","value":"someone@mail.example"}
{"kind":"phone","value":"+1 202 555 0143"}
{"kind":"ip","value":"192.0.2.7"}
{"kind":"ip","value":"2001:db8::7"}
{"kind":"md5","value":"9e107d9d372bb6826bd81d3542a419d6"}
{"kind":"sha1","value":"2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"}
{"kind":"sha256","value":"d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"}
{"kind":"sha512","value":"07e547d9586f6a73f73fbac0435ed76951218fb7d0c8d788a309d785436bbb642e93a252a954f23912547d1e8a3b5ed6e1bfd7097821233fa0538f3db854fee6"}
{"kind":"ssdeep","value":"96:aB/+cDeF0123:xYz/+789"}
{"kind":"network","value":"192.0.2.0/24"}
{"kind":"network","value":"2001:db8::/32"}
{"kind":"asn","value":"AS64496"}
{"kind":"pdq","value":"f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"}
{"kind":"hashtag","value":"#harbour"}
{"kind":"android_package","value":"com.example.Harbour"}
{"kind":"ios_app_id","value":"id1234567890"}
{"kind":"crypto_address","platform":"bitcoin","value":"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}
"##;

/// Pulls a bundle as a partner, and validates it against the standard.
fn bundle(stage: &Stage, partner: &str, name: &str, arguments: &[&str]) -> Value {
    let ran = done(stage.run(partner, &[&["pull", "--format", "stix"][..], arguments].concat()));
    let file = stage.file(name, &ran.out);
    let validated = python::script("validate_stix.py", &[Path::new(&file)]);
    let stdout = String::from_utf8(validated.stdout).unwrap();
    let faults = String::from_utf8_lossy(&validated.stderr);
    let result: Value =
        serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stdout}{faults}"));
    let short = stdout.chars().take(2_000).collect::<String>();
    assert_eq!(result["valid"], true, "{short}");
    assert_eq!((&result["errors"], &result["warnings"]), (&json!([]), &json!([])), "{short}");
    serde_json::from_str(&ran.out).unwrap()
}

fn of_type<'a>(bundle: &'a Value, kind: &str) -> Vec<&'a Value> {
    let objects = bundle["objects"].as_array().unwrap().iter();
    objects.filter(|object| object["type"] == kind).collect()
}

#[test]
fn every_kind_of_indicator_is_written_as_the_standard_requires() {
    let stage = Stage::new();
    let everything = stage.file("kinds.jsonl", EVERY_KIND);
    let ran =
        done(stage.run("birdsite", &["submit", &everything, "--tlp", "AMBER+STRICT", "--json"]));
    let sum = ran.lines().pop().unwrap();
    let snapshot = bundle(&stage, "facegraph", "kinds.json", &["--snapshot"]);
    let indicators = of_type(&snapshot, "indicator");
    assert_eq!(indicators.len() as u64, sum["created"].as_u64().unwrap(), "{ran:?}");
    assert_eq!(indicators.len(), EVERY_KIND.lines().count(), "{ran:?}");
    let ids: BTreeSet<_> = indicators.iter().map(|object| object["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), indicators.len());
    let [marking] = of_type(&snapshot, "marking-definition")[..] else { panic!("{snapshot}") };
    assert_eq!(marking["name"], "TLP:AMBER+STRICT");

    // An object that is withdrawn within a pull is not in its bundle. After it, it is listed as a
    // removal.
    let cursor = done(stage.run("facegraph", &["pull", "--format", "stix"])).err;
    let cursor = cursor.trim().rsplit(' ').next().unwrap().to_owned();
    done(stage.run("birdsite", &["withdraw", "192.0.2.7"]));
    let whole = bundle(&stage, "facegraph", "whole.json", &[]);
    assert_eq!(of_type(&whole, "indicator").len(), indicators.len() - 1);
    let ran = done(stage.run("facegraph", &["pull", "--format", "stix", "--since", &cursor]));
    assert!(ran.err.contains("drop version ") && ran.err.contains("withdrawn"), "{ran:?}");
    assert!(serde_json::from_str::<Value>(&ran.out).unwrap().get("objects").is_none(), "{ran:?}");
}

#[test]
fn campaigns_and_enforcements_are_written_with_their_relationships() {
    let stage = Stage::new();
    let facegraph = |arguments: &[&str]| done(stage.run("facegraph", arguments));
    let campaign = &put_campaign(&stage);
    let sites = stage.file("sites.txt", "harbour-observer.example\nquay-herald.example\n");
    facegraph(&["submit", &sites, "--campaign", campaign, "--group", "core"]);
    let takedown = ["enforcement", "put", "--count", "7 pages on facebook", "--campaign", campaign];
    let before = ["--already-disabled", "2 pages on facebook", "--id", "takedown"];
    facegraph(&[&takedown[..], &before, &["--group", "core"]].concat());
    let other = ["enforcement", "put", "--count", "3 groups on facebook", "--id", "apart"];
    facegraph(&[&other[..], &["--group", "core"]].concat());

    let takedown = "facegraph removed: page on facebook: 7, of which 2 were disabled before.";
    let other = "facegraph removed: group on facebook: 3.";
    let notes = check_campaign(&bundle(&stage, "birdsite", "member.json", &[]));
    assert_eq!(notes, [(takedown.to_owned(), true), (other.to_owned(), false)].into());

    // A liaison's snapshot contains what was released of it.
    facegraph(&["release", "--campaign", campaign, "--to", "cyber-unit", "--basis", "W-17"]);
    let purpose = ["--snapshot", "--purpose", "warrant:W-17:GB"];
    let notes = check_campaign(&bundle(&stage, "cyber-unit", "liaison.json", &purpose));
    assert_eq!(notes, [(takedown.to_owned(), true)].into());
}

/// Creates a campaign with a value in every field.
fn put_campaign(stage: &Stage) -> String {
    let command = [
        "campaign",
        "put",
        "--name",
        "Harbour network",
        "--description",
        "One network of many names.",
        "--actor",
        "people linked to a government",
        "--country",
        "GB",
        "--confidence",
        "70",
        "--basis",
        "shared infrastructure",
        "--technique",
        "T0090",
        "--target",
        "voters",
        "--reference",
        "https://report.example/harbour",
        "--json",
        "--group",
        "core",
    ];
    let created = done(stage.run("facegraph", &command)).lines();
    let campaign = created[0]["campaign_id"].as_str();
    campaign.unwrap_or_else(|| panic!("{created:?}")).to_owned()
}

/// Checks a campaign in a bundle with its actor, techniques and relationships. Returns its notes,
/// and whether each refers to the campaign.
fn check_campaign(bundle: &Value) -> BTreeMap<String, bool> {
    let [campaign] = of_type(bundle, "campaign")[..] else { panic!("{bundle}") };
    assert_eq!(
        (&campaign["name"], &campaign["external_references"][0]["external_id"]),
        (&json!("Harbour network"), &json!("T0090"))
    );
    let description = campaign["description"].as_str().unwrap();
    assert!(description.ends_with("Aimed at: voters."), "{description}");
    let [actor] = of_type(bundle, "threat-actor")[..] else { panic!("{bundle}") };
    let relationships = of_type(bundle, "relationship");
    let targets = |kind: &str| {
        let of_kind = relationships.iter().filter(|object| object["relationship_type"] == kind);
        of_kind.map(|object| (&object["target_ref"], &object["confidence"])).collect::<Vec<_>>()
    };
    assert_eq!(targets("attributed-to"), [(&actor["id"], &json!(70))]);
    assert_eq!(targets("indicates"), vec![(&campaign["id"], &Value::Null); 2]);
    assert_eq!(targets("located-at").len(), 1);
    let notes = of_type(bundle, "note").into_iter().map(|note| {
        let content = note["content"].as_str().unwrap().to_owned();
        (content, note["object_refs"][0] == campaign["id"])
    });
    notes.collect()
}

#[test]
fn the_real_reports_are_valid_bundles() {
    let stage = Stage::new();
    let meta = data::folder().join("meta");
    let mut reports: Vec<_> = fs::read_dir(meta.join("Q1_2023")).unwrap().collect();
    reports.extend(fs::read_dir(meta.join("Q3_2024")).unwrap());
    let files: Vec<_> = reports.into_iter().map(|file| file.unwrap().path()).collect();
    let mut arguments = vec!["submit", "--json", "--tlp", "CLEAR"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let ran = done(stage.run("birdsite", &arguments));
    let created: u64 = ran.lines().iter().filter_map(|line| line["created"].as_u64()).sum();
    let snapshot = bundle(&stage, "watcher", "reports.json", &["--snapshot"]);
    let indicators = of_type(&snapshot, "indicator");
    assert_eq!(indicators.len() as u64, created, "{:?}", ran.out.lines().last());
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for indicator in indicators {
        for reference in indicator["external_references"].as_array().into_iter().flatten() {
            *named.entry(reference["source_name"].as_str().unwrap()).or_default() += 1;
        }
    }
    assert!(named["meta-online-operations-kill-chain"] > 100, "{named:?}");
}
