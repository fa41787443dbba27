use std::collections::BTreeMap;
use std::slice::from_ref;

use super::*;
use crate::domain::label::Label;
use crate::domain::sharing::Audience;
use crate::domain::{Assessment, Indicator, Position, Timestamp};

fn given(value: &str, sequence: u64) -> ReceivedAssessment {
    let indicator = Indicator::read(value, None).unwrap();
    ReceivedAssessment {
        version: Position::new(sequence, 0),
        author: "birdsite".into(),
        accepted: Timestamp::from_millis(1_764_057_600_123),
        id: indicator.id(),
        assessment: Assessment {
            labels: vec![Label::from_stored("spam")],
            techniques: vec![Technique::from_stored("0.9.4"), Technique::from_stored("T0090")],
            references: vec!["https://report.example/1".into()],
            ..Assessment::of(indicator)
        },
        tlp: Tlp::AmberStrict,
        audience: Audience::Everyone,
    }
}

fn bundle(all: &[ReceivedAssessment]) -> Value {
    let mut out = Vec::new();
    let mut bundle = BundleWriter::new(&mut out);
    for given in all {
        bundle.add_assessment(given).unwrap();
    }
    bundle.close().unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn referenced_objects_come_before_the_indicator_and_only_once() {
    let written = bundle(&[given("a.example", 1), given("b.example", 2)]);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut earlier_ids = Vec::new();
    for object in written["objects"].as_array().unwrap() {
        *counts.entry(object["type"].as_str().unwrap()).or_default() += 1;
        let mut refers = vec![object["created_by_ref"].as_str()];
        let markings = object["object_marking_refs"].as_array().into_iter().flatten();
        refers.extend(markings.map(Value::as_str));
        for id in refers.into_iter().flatten() {
            assert!(earlier_ids.contains(&id), "{id} comes after an object that refers to it");
        }
        earlier_ids.push(object["id"].as_str().unwrap());
    }
    // The author, and whoever defined the extension.
    let expected =
        [("extension-definition", 1), ("identity", 2), ("indicator", 2), ("marking-definition", 1)];
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_version_has_the_same_id_in_every_bundle() {
    let (first, second) = (given("a.example", 1), given("a.example", 2));
    assert_eq!(bundle(from_ref(&first)), bundle(from_ref(&first)));
    assert_eq!(indicator_id(&first), indicator_id(&first.clone()));
    assert_ne!(indicator_id(&first), indicator_id(&second));
}

#[test]
fn an_indicator_has_the_fields_of_its_assessment() {
    let written = bundle(&[given("x:harbour", 7)]);
    let indicator = written["objects"].as_array().unwrap().last().unwrap();
    assert_eq!(indicator["name"], "account x:harbour");
    assert_eq!(indicator["created"], "2025-11-25T08:00:00.123Z");
    assert_eq!(indicator["indicator_types"], json!(["anomalous-activity"]));
    assert_eq!(indicator["labels"], json!(["spam"]));
    assert_eq!(indicator["confidence"], 50);
    let references = indicator["external_references"].as_array().unwrap();
    let sources: Vec<_> =
        references.iter().map(|one| one["source_name"].as_str().unwrap()).collect();
    assert_eq!(sources, ["meta-online-operations-kill-chain", "DISARM", "report"]);
    let extensions = indicator["extensions"].as_object().unwrap();
    let extension = extensions.values().next().unwrap();
    assert_eq!(extension["assessment_version"], "7.0");
    assert_eq!(extension["severity"], "medium");
    assert_eq!(extension["platform"], "x");
    assert_eq!(extension["audience"], json!(["everyone"]));
}

#[test]
fn an_empty_bundle_has_no_list_of_objects() {
    let written = bundle(&[]);
    assert_eq!(written["type"], "bundle");
    assert!(written.get("objects").is_none());
}
