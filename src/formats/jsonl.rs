//! JSON objects or strings, one per line or in an array.

use csv::StringRecord;
use serde_json::{Map, Value};

use super::columns::Columns;
use super::{Assumed, Class, Details, Record, SkipReason};
use crate::domain::Invalid;

/// Reads JSON lines or one array. In an array, the row is the number of the element.
pub fn read(text: &str, assumed: &Assumed) -> Vec<Record> {
    if text.trim_start().starts_with('[')
        && let Ok(Value::Array(elements)) = serde_json::from_str(text)
    {
        let numbered = (1..).zip(elements);
        return numbered.flat_map(|(row, element)| records_of(row, &element, assumed)).collect();
    }
    // A single object over several lines.
    if let Ok(element @ Value::Object(_)) = serde_json::from_str(text) {
        return records_of(1, &element, assumed);
    }
    let mut records = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let row = at + 1;
        match serde_json::from_str::<Value>(line) {
            Ok(element) => records.extend(records_of(row, &element, assumed)),
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

fn records_of(row: usize, element: &Value, assumed: &Assumed) -> Vec<Record> {
    let with = |raw: &str, classes: Vec<Class>| {
        let record =
            |class| Record { row, raw: raw.to_owned(), class, details: Details::default() };
        classes.into_iter().map(record).collect()
    };
    match element {
        Value::String(value) => with(value, assumed.classes(None, None, value)),
        Value::Object(fields) => object(row, fields, assumed),
        other => {
            let invalid = Invalid::new("line", "is neither an object nor a string");
            with(&other.to_string(), vec![Class::Unreadable(invalid)])
        }
    }
}

/// An object is a row whose keys are the header.
fn object(row: usize, fields: &Map<String, Value>, assumed: &Assumed) -> Vec<Record> {
    let with = |class| Record { row, raw: String::new(), class, details: Details::default() };
    if is_feed_event(fields) {
        return vec![with(Class::Neither(SkipReason::FeedEvent))];
    }
    let header: StringRecord = fields.keys().map(String::as_str).collect();
    let Some(columns) = Columns::of(&header, assumed.column.as_deref()) else {
        return vec![with(Class::Unreadable(Invalid::new("value", "is missing")))];
    };
    let values: Vec<&Value> = fields.values().collect();
    let text = |column: usize| match values.get(column) {
        Some(Value::String(text)) => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    };
    let details = columns.details_of(|column| texts(values.get(column).copied()));
    let mut records = Vec::new();
    let platform = columns.platform.and_then(text);
    for (column, kind) in &columns.values {
        let kind = kind.as_deref().or_else(|| columns.kind.and_then(text));
        for raw in texts(values.get(*column).copied()) {
            for class in assumed.classes(kind, platform, &raw) {
                records.push(Record::with(row, raw.clone(), class, details.clone()));
            }
        }
    }
    if records.is_empty() {
        records.push(with(Class::Unreadable(Invalid::new("value", "is missing"))));
    }
    records
}

/// The texts under a key: one, or each of an array.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(plain).collect(),
        Some(one) => plain(one).into_iter().collect(),
        None => Vec::new(),
    }
}

/// Whether an object is a feed event other than an item. Those are printed between the items, and
/// are not for submission.
fn is_feed_event(fields: &Map<String, Value>) -> bool {
    let names =
        ["removed", "group_change", "sighting", "feedback", "campaign", "enforcement", "tip"];
    let is_item = ["value", "indicator"].iter().any(|name| fields.contains_key(*name));
    !is_item && fields.contains_key("cursor") && names.iter().any(|name| fields.contains_key(*name))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}
