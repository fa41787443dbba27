//! JSON objects or strings, one per line or in an array.

use serde_json::{Map, Value};

use super::{Assumed, Class, Details, Record, SkipReason, details};
use crate::domain::Invalid;

/// Reads JSON lines or one array. In an array, the row is the number of the element.
pub fn read(text: &str, assumed: &Assumed) -> Vec<Record> {
    if text.trim_start().starts_with('[')
        && let Ok(Value::Array(elements)) = serde_json::from_str(text)
    {
        return (1..).zip(elements).map(|(row, element)| record(row, &element, assumed)).collect();
    }
    // A single object over several lines.
    if let Ok(element @ Value::Object(_)) = serde_json::from_str(text) {
        return vec![record(1, &element, assumed)];
    }
    let mut records = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let row = at + 1;
        match serde_json::from_str::<Value>(line) {
            Ok(element) => records.push(record(row, &element, assumed)),
            Err(error) => {
                let reason = format!("is not JSON: {error}");
                let class = Class::Unreadable(Invalid::new("line", reason));
                let raw = line.to_owned();
                records.push(Record { row, raw, class, details: Details::default() });
            }
        }
    }
    records
}

fn record(row: usize, element: &Value, assumed: &Assumed) -> Record {
    match element {
        Value::String(value) => Record {
            row,
            raw: value.clone(),
            class: assumed.class(None, None, value),
            details: Details::default(),
        },
        Value::Object(fields) => object(row, fields, assumed),
        other => {
            let invalid = Invalid::new("line", "is neither an object nor a string");
            let class = Class::Unreadable(invalid);
            Record { row, raw: other.to_string(), class, details: Details::default() }
        }
    }
}

fn object(row: usize, fields: &Map<String, Value>, assumed: &Assumed) -> Record {
    let text = |names: &[&str]| {
        let value = names.iter().find_map(|name| fields.get(*name))?;
        value.as_str().map(str::trim).filter(|text| !text.is_empty())
    };
    let raw = text(&["value", "indicator_value", "indicator", "ioc"]).unwrap_or_default();
    let platform = text(&["platform", "chain"]);
    let class = match text(&["kind", "indicator_type", "type"]) {
        _ if raw.is_empty() && is_feed_event(fields) => Class::Neither(SkipReason::FeedEvent),
        _ if raw.is_empty() => Class::Unreadable(Invalid::new("value", "is missing")),
        kind => assumed.class(kind, platform, raw),
    };
    let texts = |names: &[&str]| match names.iter().find_map(|name| fields.get(*name)) {
        Some(Value::Array(all)) => all.iter().filter_map(plain).collect(),
        Some(one) => plain(one).into_iter().collect(),
        None => Vec::new(),
    };
    Record::with(row, raw.to_owned(), class, details::read(texts))
}

/// Whether an object is a feed event other than an item. Those are printed between the items, and
/// are not for submission.
fn is_feed_event(fields: &Map<String, Value>) -> bool {
    let names =
        ["removed", "group_change", "sighting", "feedback", "campaign", "enforcement", "tip"];
    fields.contains_key("cursor") && names.iter().any(|name| fields.contains_key(*name))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}
