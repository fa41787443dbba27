//! Descriptors of `ThreatExchange`: one, several in an array or in lines, or pages of them below `data`. Tables of
//! descriptors are read by the names of their columns.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::details::{read_end, read_time, words};
use super::json_elements::{JsonElements, Place};
use super::kinds::{DeclaredType, declared, of_kind};
use super::record::raw_text;
use super::{Class, Details, Error, Input, Output, Record, SkipReason, tags};
use crate::domain::Kind;
use crate::domain::sharing::Tlp;

/// Who may see a descriptor beside its share level: named members, or a group of them.
pub const RESTRICTED: &[&str] =
    &["HAS_WHITELIST", "HAS_PRIVACY_GROUP", "HAS_PRIVACY_GROUP_AND_WHITELIST"];

/// An opinion of a member about an indicator. The indicator is an object or a text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Descriptor {
    indicator: Value,
    raw_indicator: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    indicator_type: Option<String>,
    status: Option<String>,
    severity: Option<String>,
    share_level: Option<String>,
    privacy_type: Option<String>,
    review_status: Option<String>,
    confidence: Option<Value>,
    description: Option<String>,
    tags: Value,
    first_active: Option<Value>,
    last_active: Option<Value>,
    added_on: Option<Value>,
    creation_time: Option<Value>,
    expired_on: Option<Value>,
    source_uri: Option<String>,
    should_delete: Option<bool>,
}

/// Reads descriptors. The row is the number of the descriptor.
pub fn read(input: &Input, out: &mut Output<'_>) -> Result<(), Error> {
    // The tags of one descriptor are below `data` too: a page has nothing but descriptors there.
    let place = Place::detect(input, "data", is_descriptor)?;
    let mut elements = JsonElements::of(input.reader(), place);
    let mut has_descriptors = false;
    while let Some((row, bytes)) = elements.next()? {
        has_descriptors = has_descriptors || is_descriptor(bytes);
        let descriptor: Descriptor = serde_json::from_slice(bytes).map_err(|error| {
            Error::Broken { row, reason: format!("is not a ThreatExchange descriptor: {error}") }
        })?;
        read_descriptor(row, &descriptor, out);
        if out.is_stopped() {
            break;
        }
    }
    if !has_descriptors {
        return Err(Error::NoValues("a page of ThreatExchange without descriptors"));
    }
    Ok(())
}

fn is_descriptor(bytes: &[u8]) -> bool {
    let fields: Map<String, Value> = serde_json::from_slice(bytes).unwrap_or_default();
    ["indicator", "raw_indicator"].iter().any(|name| fields.contains_key(*name))
}

fn read_descriptor(row: usize, descriptor: &Descriptor, out: &mut Output<'_>) {
    if descriptor.should_delete == Some(true) {
        return out.skipped("deleted descriptor");
    }
    let inner = |name: &str| descriptor.indicator.get(name).and_then(Value::as_str);
    let value = inner("indicator")
        .or(descriptor.indicator.as_str())
        .or(descriptor.raw_indicator.as_deref());
    let Some(value) = value else { return out.skipped("object without an indicator") };
    let kind = descriptor
        .kind
        .as_deref()
        .or(descriptor.indicator_type.as_deref())
        .or_else(|| inner("type"));
    let names = tag_names(&descriptor.tags);
    let class = class_by_tipoff_tags(&names, value).unwrap_or_else(|| match kind {
        Some("AS_NUMBER") if value.bytes().all(|byte| byte.is_ascii_digit()) => {
            of_kind(Kind::Asn, None, &format!("AS{value}"))
        }
        Some(kind) if DeclaredType::of(kind).is_some() => declared(kind, None, value),
        // Types of text, files' names, registry keys and the like.
        _ => Class::Neither(SkipReason::OtherKind),
    });
    let details = details(descriptor, &names);
    out.record(Record { row, raw: raw_text(value), class, details });
}

/// The value by the exchange's own tags, as its exports have them for what lives on a platform.
fn class_by_tipoff_tags(tags: &[String], value: &str) -> Option<Class> {
    let tagged = |name: &str| tags.iter().find_map(|tag| tags::tipoff_tag_value(tag, name));
    let kind: Kind = tagged("kind")?.parse().ok()?;
    match of_kind(kind, tagged("platform"), value) {
        Class::Indicator(read) => Some(Class::Indicator(read)),
        _ => None,
    }
}

fn details(descriptor: &Descriptor, tags: &[String]) -> Details {
    let scalar = |value: &Option<Value>| match value {
        Some(Value::String(text)) => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let time = |value: &Option<Value>| scalar(value).as_deref().and_then(read_time);
    let is_restricted =
        descriptor.privacy_type.as_deref().is_some_and(|name| RESTRICTED.contains(&name));
    // The exchange's own exports say when a value was first seen, or nothing of it.
    let is_tipoff_export = tags.iter().any(|tag| tags::is_tipoff_tag(tag));
    let added = || {
        let added = time(&descriptor.added_on).or_else(|| time(&descriptor.creation_time));
        added.filter(|_| !is_tipoff_export)
    };
    let mut details = Details {
        verdict: descriptor.status.as_deref().and_then(words::verdict),
        confidence: scalar(&descriptor.confidence).as_deref().and_then(words::confidence),
        severity: descriptor.severity.as_deref().and_then(words::severity),
        first_seen: time(&descriptor.first_active).or_else(added),
        last_seen: time(&descriptor.last_active),
        valid_until: scalar(&descriptor.expired_on).as_deref().and_then(read_end),
        references: descriptor
            .source_uri
            .iter()
            .filter(|url| super::details::is_web_address(url))
            .cloned()
            .collect(),
        tlp: words::stricter(
            descriptor.share_level.as_deref().and_then(words::tlp),
            // Its own exports have the exact marking as a tag.
            (is_restricted && !is_tipoff_export).then_some(Tlp::Amber),
        ),
        ..Details::default()
    };
    tags::add_note(&mut details, descriptor.description.as_deref().unwrap_or_default());
    tags::add(tags.iter().map(String::as_str), &mut details);
    if descriptor.review_status.as_deref() == Some("REVIEWED_AUTOMATICALLY") {
        tags::add_note(&mut details, "Reviewed by a program only.");
    }
    super::details::drop_later_first_seen(&mut details);
    details
}

/// The names of tags: texts, or objects with one, in a list or below `data`.
fn tag_names(tags: &Value) -> Vec<String> {
    let list = tags.get("data").unwrap_or(tags);
    let name =
        |tag: &Value| tag.get("text").or(Some(tag)).and_then(Value::as_str).map(str::to_owned);
    match list {
        Value::Array(all) => all.iter().filter_map(name).collect(),
        Value::String(text) => text.split(',').map(|tag| tag.trim().to_owned()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assessment::{Severity, Verdict};
    use crate::formats::{Format, read};

    #[test]
    fn a_page_of_descriptors_is_read_with_what_each_says() {
        let page = r#"{"data":[
            {"id":"1","indicator":{"indicator":"test.example","type":"DOMAIN","id":"9"},"type":"DOMAIN",
             "status":"MALICIOUS","severity":"SEVERE","share_level":"AMBER","confidence":80,
             "description":"a test","tags":{"data":[{"id":"2","text":"phishing"},{"id":"3","text":"wave two"}]},
             "first_active":"2026-01-02T00:00:00+0000","expired_on":"2027-01-02"},
            {"id":"2","indicator":"a text","type":"TEXT_STRING","status":"UNKNOWN","share_level":"WHITE"},
            {"id":"3","indicator":"d41d8cd98f00b204e9800998ecf8427e","type":"HASH_MD5","should_delete":true}
        ],"paging":{"next":"https://graph.example/next"}}"#;
        let records = read(page.as_bytes(), None).unwrap();
        let [first, second] = records.as_slice() else { panic!("{records:?}") };
        assert!(matches!(&first.class, Class::Indicator(read) if read.value() == "test.example"));
        let details = &first.details;
        assert_eq!(
            (details.verdict, details.severity),
            (Some(Verdict::Malicious), Some(Severity::High))
        );
        assert_eq!((details.tlp, details.confidence), (Some(Tlp::Amber), Some(80)));
        assert_eq!(details.labels, ["phishing"]);
        assert_eq!(details.note.as_deref(), Some("a test\nTags: wave two"));
        assert_eq!(details.first_seen.unwrap().as_millis(), 1_767_312_000_000);
        assert_eq!(details.valid_until.unwrap().as_millis(), 1_798_934_399_999);
        assert_eq!(second.class, Class::Neither(SkipReason::OtherKind));
    }

    #[test]
    fn one_descriptor_and_a_table_of_them_read_the_same() {
        let one = r#"{"id":"1","raw_indicator":"192.0.2.1","type":"IP_ADDRESS","status":"NON_MALICIOUS",
            "privacy_type":"HAS_PRIVACY_GROUP","tags":{"data":[{"id":"2","text":"spam"}]}}"#;
        let table = "indicator,type,status,share_level,tags\n192.0.2.1,IP_ADDRESS,NON_MALICIOUS,AMBER,spam\n";
        for (text, format) in [(one, None), (one, Some(Format::ThreatExchange)), (table, None)] {
            let records = read(text.as_bytes(), format).unwrap();
            let [record] = records.as_slice() else { panic!("{records:?}") };
            assert_eq!(record.details.verdict, Some(Verdict::NonMalicious), "{text}");
            assert_eq!(
                (record.details.tlp, &record.details.labels[0][..]),
                (Some(Tlp::Amber), "spam")
            );
        }
    }
}
