use std::ops::ControlFlow;

use serde_json::{Value, json};

use crate::domain::assessment::{Involvement, Technique, Verdict};
use crate::domain::sharing::Tlp;
use crate::formats::{Assumed, Class, Input, Reading, Record, read_input};

fn read(bundle: &Value) -> (Vec<Record>, Reading) {
    let input = Input::from_bytes(bundle.to_string().as_bytes()).unwrap();
    let mut records = Vec::new();
    let reading = read_input(&input, None, &Assumed::default(), &mut |record| {
        records.push(record);
        ControlFlow::Continue(())
    });
    (records, reading.unwrap())
}

fn bundle(objects: &[Value]) -> Value {
    json!({ "type": "bundle", "id": "bundle--1", "objects": objects })
}

fn indicator(number: u32, pattern: &str, rest: &Value) -> Value {
    let mut object = json!({
        "type": "indicator", "spec_version": "2.1", "id": format!("indicator--{number}"),
        "created": "2026-01-02T00:00:00Z", "modified": "2026-01-02T00:00:00Z",
        "pattern": pattern, "pattern_type": "stix", "valid_from": "2026-01-02T00:00:00Z",
    });
    for (name, value) in rest.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

fn values(records: &[Record]) -> Vec<(String, Option<Verdict>)> {
    let of = |record: &Record| match &record.class {
        Class::Indicator(read) => {
            let on = read.platform().map_or_else(String::new, |on| format!("{on}:"));
            Some((format!("{on}{}", read.value()), record.details.verdict))
        }
        _ => None,
    };
    records.iter().filter_map(of).collect()
}

fn skipped(reading: &Reading) -> Vec<(&str, u64)> {
    reading.skipped.iter().map(|(what, count)| (what.as_str(), *count)).collect()
}

#[test]
fn an_indicator_is_read_with_what_it_says() {
    let object = indicator(
        1,
        "[domain-name:value = 'a.example']",
        &json!({
            "indicator_types": ["malicious-activity"], "confidence": 80, "labels": ["phishing", "wave two"],
            "description": "a test", "valid_until": "2027-01-02T00:00:00Z",
            "external_references": [
                { "source_name": "DISARM", "external_id": "T0090" },
                { "source_name": "mitre-attack", "external_id": "T1566" },
                { "source_name": "blog", "url": "https://blog.example/x" },
            ],
            "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
        }),
    );
    let (records, _) = read(&bundle(&[object]));
    let [Record { details, .. }] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((details.verdict, details.confidence), (Some(Verdict::Malicious), Some(80)));
    assert_eq!(
        (details.tlp, &details.labels[..]),
        (Some(Tlp::Green), &["phishing".to_owned()][..])
    );
    assert_eq!(details.techniques.iter().map(Technique::as_str).collect::<Vec<_>>(), ["T0090"]);
    assert_eq!(details.references, ["https://blog.example/x"]);
    assert_eq!(details.note.as_deref(), Some("a test\nTags: wave two"));
    assert_eq!(details.first_seen.unwrap().as_millis(), 1_767_312_000_000);
    assert_eq!(details.valid_until.unwrap().as_millis(), 1_798_848_000_000);
}

#[test]
fn an_observable_alone_accuses_nobody() {
    let objects = [
        json!({ "type": "domain-name", "id": "domain-name--1", "value": "alone.example" }),
        json!({ "type": "domain-name", "id": "domain-name--2", "value": "based.example" }),
        json!({ "type": "domain-name", "id": "domain-name--3", "value": "observed.example" }),
        json!({ "type": "domain-name", "id": "domain-name--4", "value": "a.example" }),
        json!({ "type": "user-account", "id": "user-account--1", "account_type": "twitter", "account_login": "desk", "user_id": "123" }),
        json!({ "type": "user-account", "id": "user-account--2", "account_type": "unix", "account_login": "root" }),
        json!({ "type": "file", "id": "file--1", "name": "a", "hashes": { "MD5": "d41d8cd98f00b204e9800998ecf8427e" } }),
        json!({ "type": "autonomous-system", "id": "autonomous-system--1", "number": 64496 }),
        json!({ "type": "ipv4-addr", "id": "ipv4-addr--1", "value": "192.0.2.0/24" }),
        json!({ "type": "mutex", "id": "mutex--1", "name": "x" }),
        json!({ "type": "observed-data", "id": "observed-data--1", "first_observed": "2026-01-02T00:00:00Z",
                "last_observed": "2026-01-03T00:00:00Z", "object_refs": ["domain-name--3"],
                "object_marking_refs": ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"] }),
        json!({ "type": "relationship", "id": "relationship--1", "relationship_type": "based-on",
                "source_ref": "indicator--1", "target_ref": "domain-name--2" }),
        indicator(
            1,
            "[domain-name:value = 'a.example']",
            &json!({ "indicator_types": ["malicious-activity"] }),
        ),
    ];
    let (records, reading) = read(&bundle(&objects));
    let unknown = Some(Verdict::Unknown);
    let expected = [
        ("a.example", Some(Verdict::Malicious)),
        ("alone.example", unknown),
        ("based.example", Some(Verdict::Malicious)),
        ("observed.example", unknown),
        ("x:desk", unknown),
        ("x:123", unknown),
        ("d41d8cd98f00b204e9800998ecf8427e", unknown),
        ("AS64496", unknown),
        ("192.0.2.0/24", unknown),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(value, verdict)| ((*value).to_owned(), *verdict)).collect();
    assert_eq!(values(&records), expected);
    let observed = records.iter().find(|record| record.raw.contains("observed.example")).unwrap();
    assert_eq!(observed.details.tlp, Some(Tlp::Red), "it is not shared wider than its observation");
    assert_eq!(observed.details.last_seen.unwrap().as_millis(), 1_767_398_400_000);
    assert_eq!(skipped(&reading), [("mutex", 1), ("user-account", 1)]);
}

#[test]
fn others_say_more_of_an_indicator_wherever_they_stand() {
    let marking = "marking-definition--00000000-0000-4000-8000-000000000001";
    let objects = [
        indicator(
            1,
            "[domain-name:value = 'a.example']",
            &json!({ "object_marking_refs": [marking] }),
        ),
        indicator(
            2,
            "[domain-name:value = 'b.example']",
            &json!({ "indicator_types": ["malicious-activity"] }),
        ),
        json!({ "type": "marking-definition", "id": marking, "definition_type": "tlp", "definition": { "tlp": "amber" } }),
        json!({ "type": "campaign", "id": "campaign--1", "name": "Harbour network" }),
        json!({ "type": "relationship", "id": "relationship--1", "relationship_type": "indicates",
                "source_ref": "indicator--1", "target_ref": "campaign--1" }),
        json!({ "type": "sighting", "id": "sighting--1", "sighting_of_ref": "indicator--1",
                "first_seen": "2026-02-02T00:00:00Z", "last_seen": "2026-02-03T00:00:00Z" }),
        json!({ "type": "opinion", "id": "opinion--1", "opinion": "strongly-disagree", "object_refs": ["indicator--2"] }),
        json!({ "type": "malware", "id": "malware--1", "name": "x" }),
        json!({ "type": "relationship", "id": "relationship--2", "relationship_type": "indicates",
                "source_ref": "indicator--1", "target_ref": "malware--1" }),
    ];
    let (records, reading) = read(&bundle(&objects));
    let [a, b] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(a.details.tlp, Some(Tlp::Amber));
    assert_eq!(a.details.campaign.as_deref(), Some("Harbour network"));
    assert_eq!(a.details.first_seen.unwrap().as_millis(), 1_769_990_400_000);
    assert_eq!(b.details.verdict, Some(Verdict::Unknown));
    assert!(b.details.note.as_deref().unwrap().contains("disagrees"));
    assert_eq!(skipped(&reading), [("malware", 1), ("relationship indicates", 1)]);
}

#[test]
fn the_strictest_of_all_that_an_object_belongs_to_counts() {
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    let green = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    let domain = |id: &str| json!({ "type": "domain-name", "id": id, "value": "a.example" });
    let report = |tlp: &str| {
        json!({ "type": "report", "id": format!("report--{tlp}"), "name": "a",
                "object_marking_refs": [tlp], "object_refs": ["domain-name--1"] })
    };
    let observation = |tlp: &str| {
        json!({ "type": "observed-data", "id": format!("observed-data--{tlp}"),
                "object_marking_refs": [tlp], "object_refs": ["domain-name--1"] })
    };
    for order in [[red, green], [green, red]] {
        for of in [&report as &dyn Fn(&str) -> Value, &observation] {
            let [first, second] = order;
            let objects = [of(first), domain("domain-name--1"), of(second)];
            let (records, _) = read(&bundle(&objects));
            assert_eq!(records[0].details.tlp, Some(Tlp::Red), "{objects:?}");
        }
    }
}

#[test]
fn what_was_taken_back_or_is_in_another_language_is_counted() {
    let mut newer = indicator(3, "[domain-name:value = 'new.example']", &json!({}));
    newer["modified"] = "2026-03-02T00:00:00Z".into();
    let objects = [
        indicator(1, "[domain-name:value = 'a.example']", &json!({ "revoked": true })),
        indicator(2, "rule x {}", &json!({ "pattern_type": "yara" })),
        indicator(3, "[domain-name:value = 'old.example']", &json!({})),
        newer,
        indicator(4, "[file:path = '/tmp/x']", &json!({})),
        indicator(5, "[domain-name:value = 'a' AND url:value = 'b']", &json!({})),
        indicator(6, "[domain-name:value", &json!({})),
    ];
    let (records, reading) = read(&bundle(&objects));
    assert_eq!(values(&records), [("new.example".to_owned(), None)]);
    assert!(
        records
            .iter()
            .any(|record| matches!(&record.class, Class::Unreadable(i) if i.field == "pattern"))
    );
    let expected = [
        ("indicator with a pattern of yara", 1),
        ("older version of an indicator", 1),
        ("pattern with AND over several objects", 1),
        ("revoked indicator", 1),
    ];
    assert_eq!(skipped(&reading), expected);
}

#[test]
fn stix_2_0_is_read_where_only_its_shape_differs() {
    let objects = [
        json!({ "type": "indicator", "id": "indicator--1", "labels": ["compromised"],
                "pattern": "[url:value = 'https://a.example/x']", "valid_from": "2026-01-02T00:00:00Z" }),
        json!({ "type": "observed-data", "id": "observed-data--1", "first_observed": "2026-01-02T00:00:00Z",
                "last_observed": "2026-01-02T00:00:00Z", "number_observed": 1, "objects": {
                    "0": { "type": "domain-name", "value": "b.example", "resolves_to_refs": ["1"] },
                    "1": { "type": "ipv4-addr", "value": "192.0.2.1" },
                    "2": { "type": "file", "hashes": { "SHA-1": "da39a3ee5e6b4b0d3255bfef95601890afd80709" } } } }),
    ];
    let (records, _) = read(
        &json!({ "type": "bundle", "id": "bundle--1", "spec_version": "2.0", "objects": objects }),
    );
    assert_eq!(records[0].details.verdict, Some(Verdict::Suspicious));
    assert_eq!(records[0].details.involvement, Some(Involvement::Victim));
    let observed: Vec<_> = values(&records)[1..].iter().map(|(value, _)| value.clone()).collect();
    assert_eq!(observed, ["b.example", "192.0.2.1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"]);
}

#[test]
fn an_object_that_is_broken_does_not_spoil_the_others() {
    let objects = [
        json!({ "type": "indicator", "id": 5 }),
        indicator(1, "[domain-name:value = 'a.example']", &json!({})),
    ];
    let (records, _) = read(&bundle(&objects));
    assert!(
        matches!(&records[0].class, Class::Unreadable(i) if i.field == "object"),
        "{records:?}"
    );
    assert_eq!(values(&records).len(), 1);
}

mod round_trip {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::assessment::{Assessment, Basis, Confidence, Severity, Technique};
    use crate::domain::label::Label;
    use crate::domain::sharing::Audience;
    use crate::domain::{Indicator, Kind, ReceivedAssessment, Timestamp};
    use crate::formats::export::stix::BundleWriter;

    /// One value of each kind, and some that try to break out of a pattern.
    const VALUES: &[(Kind, Option<&str>, &str)] = &[
        (Kind::Account, Some("x"), "harbour_watcher"),
        (Kind::Account, Some("youtube"), "channel/UCabcdefghijklmnopqrstuv"),
        (Kind::Account, Some("mastodon.example"), "desk"),
        (Kind::AccountId, Some("x"), "1234567890"),
        (Kind::AccountId, Some("bluesky"), "did:plc:abcdefghijklmnopqrstuvwx"),
        (Kind::Page, Some("facebook"), "harbour.page"),
        (Kind::Community, Some("reddit"), "harbour"),
        (Kind::Channel, Some("telegram"), "harbour_channel"),
        (Kind::Domain, None, "xn--bcher-kva.example"),
        (Kind::Url, None, r"https://a.example/it's/\path?q='x'"),
        (Kind::Email, None, "someone@mail.example"),
        (Kind::Phone, None, "+12025550143"),
        (Kind::Ip, None, "192.0.2.7"),
        (Kind::Ip, None, "2001:db8::7"),
        (Kind::Network, None, "192.0.2.0/24"),
        (Kind::Network, None, "2001:db8::/32"),
        (Kind::Asn, None, "AS64496"),
        (Kind::Md5, None, "9e107d9d372bb6826bd81d3542a419d6"),
        (Kind::Sha1, None, "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"),
        (Kind::Sha256, None, "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"),
        (Kind::Ssdeep, None, "96:aB/+cDeF0123:xYz/+789"),
        (Kind::Pdq, None, "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"),
        (Kind::Hashtag, None, "#harbour"),
        (Kind::AndroidPackage, None, "com.example.Harbour"),
        (Kind::IosAppId, None, "id1234567890"),
        (Kind::CryptoAddress, Some("bitcoin"), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ];

    prop_compose! {
        fn assessments()(
            value in prop::sample::select(VALUES),
            verdict in prop::sample::select(Verdict::ALL),
            severity in prop::sample::select(Severity::ALL),
            involvement in prop::sample::select(Involvement::ALL),
            basis in prop::sample::select(Basis::ALL),
            confidence in 0_u32..=100,
            note in prop::option::of("[a-z][a-z .]{0,20}[a-z]"),
            label in prop::option::of(prop::sample::select(vec!["phishing", "spam"])),
            technique in prop::option::of(prop::sample::select(vec!["T0090", "0.9.4"])),
            seen in prop::option::of(1_700_000_000_000_i64..1_760_000_000_000),
        ) -> Assessment {
            let (kind, platform, text) = value;
            let mut assessment = Assessment::of(Indicator::parse(kind, platform, text).unwrap());
            assessment.verdict = Some(verdict);
            assessment.severity = Some(severity);
            assessment.involvement = Some(involvement);
            assessment.basis = Some(basis);
            assessment.confidence = Some(Confidence::new(confidence).unwrap());
            assessment.note = note.map(Into::into);
            assessment.labels = label.map(Label::from_stored).into_iter().collect();
            assessment.techniques = technique.map(Technique::from_stored).into_iter().collect();
            assessment.first_seen = seen.map(Timestamp::from_millis);
            assessment.last_seen = seen.map(|time| Timestamp::from_millis(time + 1_000));
            assessment.references = vec!["https://report.example/x".into()];
            assessment
        }
    }

    proptest! {
        #[test]
        fn what_was_written_reads_back_the_same(assessment in assessments(), tlp in prop::sample::select(Tlp::ALL)) {
            let received = ReceivedAssessment {
                id: assessment.indicator.id(),
                version: crate::domain::entry::Position { sequence: 7, index: 1 },
                author: "birdsite".into(),
                tlp,
                audience: Audience::Everyone,
                accepted: Timestamp::from_millis(1_770_000_000_000),
                assessment: assessment.clone(),
            };
            let mut bytes = Vec::new();
            let mut bundle = BundleWriter::new(&mut bytes);
            bundle.add_assessment(&received).unwrap();
            bundle.close().unwrap();
            let (records, reading) = read(&serde_json::from_slice(&bytes).unwrap());
            prop_assert!(reading.skipped.is_empty(), "{:?}", reading.skipped);
            let [record] = records.as_slice() else { return Err(TestCaseError::fail(format!("{records:?}"))) };
            prop_assert_eq!(&record.class, &Class::Indicator(assessment.indicator.clone()));
            let details = &record.details;
            prop_assert_eq!(details.verdict, assessment.verdict);
            prop_assert_eq!(details.severity, assessment.severity);
            prop_assert_eq!(details.involvement, assessment.involvement);
            prop_assert_eq!(details.basis, assessment.basis);
            prop_assert_eq!(details.confidence, assessment.confidence.map(|one| u32::from(one.percent())));
            prop_assert_eq!(details.note.as_deref(), assessment.note.as_deref());
            prop_assert_eq!(&details.techniques, &assessment.techniques);
            let labels: Vec<_> = assessment.labels.iter().map(Label::as_str).collect();
            prop_assert_eq!(&details.labels, &labels);
            prop_assert_eq!(details.first_seen, assessment.first_seen);
            prop_assert_eq!(details.last_seen, assessment.last_seen);
            prop_assert_eq!(details.valid_until, Some(assessment.expires_at(received.accepted)));
            prop_assert_eq!(&details.references[..], &["https://report.example/x".to_owned()][..]);
            prop_assert_eq!(details.tlp, Some(tlp));
        }

        #[test]
        fn nothing_panics_on_any_object(text in "[\\[\\]{}:,\"a-z0-9 ]{0,60}", name in "(type|id|pattern|labels|hashes|objects|extensions|definition)") {
            let object = format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{{"type":"indicator","id":"indicator--1","{name}":{}}},{text}]}}"#, serde_json::json!(text));
            let _ = crate::formats::read(object.as_bytes(), Some(crate::formats::Format::Stix));
        }
    }
}
