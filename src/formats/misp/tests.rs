use super::*;
use crate::formats::read;

fn records(json: &str) -> Vec<Record> {
    read(json.as_bytes(), Some(crate::formats::Format::Misp)).unwrap()
}

fn values(records: &[Record]) -> Vec<String> {
    let of = |record: &Record| match &record.class {
        Class::Indicator(read) => {
            let on = read.platform().map_or_else(String::new, |on| format!("{on}:"));
            Some(format!("{} {on}{}", read.kind(), read.value()))
        }
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

#[test]
fn an_account_is_read_by_the_object_around_it() {
    let object = |name: &str, attributes: &str| {
        format!(r#"{{"Event":{{"Object":[{{"name":"{name}","Attribute":[{attributes}]}}]}}}}"#)
    };
    let text = |relation: &str, value: &str| {
        format!(
            r#"{{"type":"text","object_relation":"{relation}","value":"{value}","to_ids":true}}"#
        )
    };
    let table: [(&str, Vec<String>, &[&str]); 6] = [
        (
            "twitter-account",
            vec![text("id", "1357111317"), text("name", "Octocat"), text("followers", "7")],
            &["account_id x:1357111317", "account x:octocat"],
        ),
        (
            "telegram-account",
            vec![text("id", "1234567890"), text("username", "harbour_desk")],
            &["account_id telegram:1234567890", "account telegram:harbour_desk"],
        ),
        (
            "facebook-account",
            vec![
                text("link", "https://facebook.com/harbour.desk"),
                text("link", "https://facebook.com/login"),
            ],
            &["account facebook:harbour.desk"],
        ),
        ("user-account", vec![text("username", "desk"), text("account-type", "unix")], &[]),
        (
            "user-account",
            vec![text("username", "desk"), text("account-type", "reddit")],
            &["account reddit:desk"],
        ),
        (
            "android-app",
            vec![text("appid", "com.example.App"), text("name", "App")],
            &["android_package com.example.App"],
        ),
    ];
    for (name, attributes, expected) in table {
        assert_eq!(values(&records(&object(name, &attributes.join(",")))), expected, "{name}");
    }
}

#[test]
fn types_composites_and_references_are_told_apart() {
    let event = r#"{"Event":{"info":"A network","Attribute":[
        {"type":"domain|ip","value":"a.example|192.0.2.1","to_ids":true},
        {"type":"filename|md5","value":"a.doc|d41d8cd98f00b204e9800998ecf8427e","to_ids":"1"},
        {"type":"ip-dst|port","value":"192.0.2.2|443","to_ids":true},
        {"type":"link","category":"External analysis","value":"https://blog.example/x","to_ids":false},
        {"type":"url","category":"External analysis","value":"https://scan.example/x","to_ids":false},
        {"type":"url","category":"Network activity","value":"https://b.example/x","to_ids":true},
        {"type":"email-dst","value":"someone@mail.example","to_ids":false},
        {"type":"uri","value":"/a/b","to_ids":true},
        {"type":"regkey|value","value":"a|b","to_ids":true},
        {"type":"some-new-type","value":"x","to_ids":true}]}}"#;
    let read = records(event);
    let expected = [
        "domain a.example",
        "ip 192.0.2.1",
        "md5 d41d8cd98f00b204e9800998ecf8427e",
        "ip 192.0.2.2",
        "url https://b.example/x",
        "email someone@mail.example",
    ];
    assert_eq!(values(&read), expected);
    let reference = Class::Neither(SkipReason::Reference);
    assert_eq!(read.iter().filter(|record| record.class == reference).count(), 2);
    let recipient = read.iter().find(|record| record.raw == "someone@mail.example").unwrap();
    assert_eq!(recipient.details.involvement, Some(Involvement::Victim));
    assert_eq!(read[0].details.references, ["https://blog.example/x"]);
    assert!(!read.iter().any(|record| matches!(record.class, Class::Unreadable(_))), "{read:?}");
}

#[test]
fn verdicts_follow_detection_sightings_and_the_strongest_of_repeated_values() {
    let event = r#"{"Event":{"date":"2026-01-02","threat_level_id":"1","Attribute":[
        {"type":"domain","value":"a.example","to_ids":false,"comment":"seen"},
        {"type":"domain","value":"b.example","to_ids":false},
        {"type":"hostname","value":"b.example","to_ids":true,
         "Sighting":[{"type":"0","date_sighting":"1767398400"}]},
        {"type":"domain","value":"c.example","to_ids":true,"Sighting":[{"type":"1","date_sighting":"1767398400"}]}
        ]}}"#;
    let read = records(event);
    let verdicts: Vec<_> = read.iter().map(|record| record.details.verdict).collect();
    assert_eq!(verdicts, [Some(Verdict::Unknown), None, None, Some(Verdict::Unknown)]);
    assert_eq!(read[2].details.last_seen.unwrap().as_millis(), 1_767_398_400_000);
    assert_eq!(read[2].details.first_seen.unwrap().as_millis(), 1_767_312_000_000);
    assert_eq!(read[0].details.severity, Some(Severity::High));
    assert!(read[3].details.note.as_deref().unwrap().contains("false positive"));
}

#[test]
fn markings_come_from_tags_and_else_from_the_distribution() {
    let event = |event: &str, attribute: &str| {
        format!(
            r#"{{"Event":{{{event}"Attribute":[{{{attribute}"type":"domain","value":"a.example"}}]}}}}"#
        )
    };
    let tag = r#""Tag":[{"name":"tlp:white"},{"name":"phishing"}],"#;
    let table = [
        (event(tag, ""), Some(Tlp::Clear)),
        (event(tag, r#""Tag":[{"name":"tlp:amber"}],"#), Some(Tlp::Amber)),
        (event(&format!(r#"{tag}"distribution":"0","#), ""), Some(Tlp::Clear)),
        (event(r#""distribution":"0","#, r#""distribution":"5","#), Some(Tlp::Red)),
        (event(r#""distribution":3,"#, r#""distribution":"1","#), Some(Tlp::Amber)),
        (event(r#""distribution":"4","#, ""), Some(Tlp::AmberStrict)),
        (event(r#""distribution":"3","#, ""), None),
        (event("", ""), None),
    ];
    for (json, tlp) in table {
        assert_eq!(records(&json)[0].details.tlp, tlp, "{json}");
    }
    assert_eq!(records(&event(tag, ""))[0].details.labels, ["phishing"]);
}

#[test]
fn deleted_attributes_and_proposals_are_counted() {
    let event = r#"{"Event":{"ShadowAttribute":[{"type":"domain","value":"p.example"}],"Attribute":[
        {"type":"domain","value":"a.example","deleted":true},
        {"type":"domain","value":"b.example","deleted":"0","ShadowAttribute":[{"value":"x"}]}],
        "Object":[{"name":"file","deleted":1,"Attribute":[{"type":"md5","value":"x"}]}]}}"#;
    let input = Input::from_bytes(event.as_bytes()).unwrap();
    let mut found = Vec::new();
    let assumed = crate::formats::Assumed::default();
    let reading = crate::formats::read_input(&input, None, &assumed, &mut |record| {
        found.push(record);
        std::ops::ControlFlow::Continue(())
    });
    let skipped = reading.unwrap().skipped;
    assert_eq!(values(&found), ["domain b.example"]);
    let counts: Vec<_> = skipped.iter().map(|(what, count)| (what.as_str(), *count)).collect();
    assert_eq!(
        counts,
        [("deleted attribute", 1), ("deleted object", 1), ("proposal (ShadowAttribute)", 2)]
    );
}

#[test]
fn what_the_exchange_exported_says_all_by_its_own_tags() {
    let event = r#"{"Event":{"info":"an export","date":"2026-01-02","threat_level_id":"1","Attribute":[
        {"type":"text","value":"reddit:harbour","to_ids":false,"comment":"a note\nReference: https://report.example/1",
         "Tag":[{"name":"tipoff:verdict=\"suspicious\""},{"name":"tipoff:kind=\"community\""},
                {"name":"tipoff:platform=\"reddit\""},{"name":"tipoff:involvement=\"third_party\""},
                {"name":"tipoff:technique=\"T0090\""},{"name":"tlp:amber"}]}]}}"#;
    let read = records(event);
    assert_eq!(values(&read), ["community reddit:harbour"]);
    let details = &read[0].details;
    assert_eq!((details.verdict, details.tlp), (Some(Verdict::Suspicious), Some(Tlp::Amber)));
    assert_eq!(details.involvement, Some(Involvement::ThirdParty));
    assert_eq!(
        (details.note.as_deref(), details.severity, details.first_seen),
        (Some("a note"), None, None)
    );
    assert_eq!(details.references, ["https://report.example/1"]);
    assert_eq!(details.techniques[0].as_str(), "T0090");
}

#[test]
fn the_manifest_of_a_feed_is_refused_with_what_to_give_instead() {
    let manifest = br#"{"57c4445b-c548-4654-af0b-4be3950d210f":{"Orgc":{"name":"x"},"info":"y"}}"#;
    let error = read(manifest, None).unwrap_err().to_string();
    assert!(error.contains("manifest") && error.contains("event files"), "{error}");
}

proptest::proptest! {
    #[test]
    fn nothing_panics_on_any_event(value in "\\PC{0,40}", kind in "(domain\\|ip|filename\\|md5|url|link|text|email-src)", flag in "(true|false|\"1\"|null|7|\\[\\]|\\{\\})") {
        let value = serde_json::to_string(&value).unwrap();
        let event = format!(r#"{{"Event":{{"info":{flag},"Attribute":[{{"type":"{kind}","value":{value},"to_ids":{flag},"Tag":{flag}}}]}}}}"#);
        let _ = read(event.as_bytes(), Some(crate::formats::Format::Misp));
    }
}
