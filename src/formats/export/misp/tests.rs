use std::collections::BTreeSet;

use serde_json::Value;

use super::super::samples::{every_kind, sample};
use super::*;

fn write(path: &Path, all: &[ReceivedAssessment]) -> Tally {
    let mut feed = FeedWriter::new(path, Rules::default()).unwrap();
    let mut tally = Tally::default();
    for received in all {
        feed.add(received, &mut tally).unwrap();
    }
    feed.finish(&mut tally).unwrap();
    tally
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn names(path: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(path).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// Assessments with different values, in the order of a snapshot.
fn many(count: u32) -> Vec<ReceivedAssessment> {
    let mut all: Vec<_> = (0..count).map(|number| sample(&format!("a{number}.example"))).collect();
    all.sort_by_key(|received| received.id);
    all
}

#[test]
fn manifest_hashes_and_events_name_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = every_kind();
    all.push(sample("b.example"));
    assert_eq!(write(folder.path(), &all).written, all.len() as u64);
    let manifest = read(&folder.path().join("manifest.json"));
    let hashes = fs::read_to_string(folder.path().join("hashes.csv")).unwrap();
    let mut attributes = 0;
    for (uuid, entry) in manifest.as_object().unwrap() {
        let file = read(&folder.path().join(format!("{uuid}.json")));
        let event = &file["Event"];
        assert_eq!(event["uuid"], **uuid);
        for (name, value) in entry.as_object().unwrap() {
            assert_eq!(event[name], *value, "{name}");
        }
        for attribute in event["Attribute"].as_array().unwrap() {
            let hash = hex::encode(&Md5::digest(attribute["value"].as_str().unwrap()));
            assert!(hashes.contains(&format!("{hash},{uuid}\n")), "{attribute}");
            attributes += 1;
        }
    }
    assert_eq!((attributes, hashes.lines().count()), (all.len(), all.len()));
    // A campaign has an event of its own.
    assert_eq!(manifest.as_object().unwrap().len(), 2);
    assert_eq!(names(folder.path()).len(), 4, "nothing temporary is left");
}

#[test]
fn a_feed_is_replaced_whole_and_what_is_the_same_keeps_its_bytes() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut all = every_kind();
    write(first.path(), &all);
    write(second.path(), &all);
    for name in names(first.path()) {
        let of = |folder: &TempDir| fs::read(folder.path().join(&name)).unwrap();
        assert_eq!(of(&first), of(&second), "{name}");
    }
    let before = names(first.path());
    for received in &mut all {
        received.author = "facegraph".into();
    }
    write(first.path(), &all);
    let after = names(first.path());
    assert_eq!(before.len(), after.len());
    assert_eq!(before.intersection(&after).count(), 2, "manifest.json and hashes.csv");
    write(first.path(), &[]);
    assert_eq!(names(first.path()).len(), 2);
    assert_eq!(read(&first.path().join("manifest.json")), serde_json::json!({}));
}

#[test]
fn a_large_event_is_split_and_its_attributes_keep_their_ids() {
    let (small, large) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let all = many(10_200);
    write(small.path(), &all[..9]);
    write(large.path(), &all);
    let attributes = |folder: &TempDir| {
        let manifest = read(&folder.path().join("manifest.json"));
        let mut events = Vec::new();
        for uuid in manifest.as_object().unwrap().keys() {
            let file = read(&folder.path().join(format!("{uuid}.json")));
            let attributes = file["Event"]["Attribute"].as_array().unwrap().iter();
            let uuids = attributes.map(|one| one["uuid"].as_str().unwrap().to_owned());
            events.push(uuids.collect::<BTreeSet<_>>());
        }
        events
    };
    let parts = attributes(&large);
    assert_eq!(parts.len(), 16);
    assert_eq!(parts.iter().map(BTreeSet::len).sum::<usize>(), all.len());
    assert!(parts.iter().all(|part| part.len() <= 1_000));
    let whole: BTreeSet<_> = parts.into_iter().flatten().collect();
    assert_eq!(whole.len(), all.len());
    assert!(whole.is_superset(&attributes(&small)[0]));
}

#[test]
fn a_snapshot_out_of_order_is_an_error_and_leaves_the_feed_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[sample("a.example")]);
    let before = read(&folder.path().join("manifest.json"));
    let mut all = many(10_200);
    all.reverse();
    let mut feed = FeedWriter::new(folder.path(), Rules::default()).unwrap();
    let mut tally = Tally::default();
    for received in &all {
        feed.add(received, &mut tally).unwrap();
    }
    let error = feed.finish(&mut tally).unwrap_err();
    assert!(error.to_string().contains("out of order"), "{error}");
    assert_eq!(read(&folder.path().join("manifest.json")), before);
}
