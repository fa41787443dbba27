//! JSON objects or strings, one a line or in an array.

use serde_json::{Map, Value};

use super::columns::declared;
use super::{Class, Details, Record, cell};
use crate::domain::Invalid;
use crate::domain::assessment::Technique;

/// Reads JSON lines, or one array. In an array the row is the element's number.
pub fn read(text: &str) -> Vec<Record> {
    if text.trim_start().starts_with('[')
        && let Ok(Value::Array(elements)) = serde_json::from_str(text)
    {
        return (1..).zip(elements).map(|(row, element)| record(row, &element)).collect();
    }
    let mut records = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let row = at + 1;
        match serde_json::from_str::<Value>(line) {
            Ok(element) => records.push(record(row, &element)),
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

fn record(row: usize, element: &Value) -> Record {
    match element {
        Value::String(value) => Record {
            row,
            raw: value.clone(),
            class: cell::read_with_platform(value, None),
            details: Details::default(),
        },
        Value::Object(fields) => object(row, fields),
        other => {
            let invalid = Invalid::new("line", "is neither an object nor a string");
            let class = Class::Unreadable(invalid);
            Record { row, raw: other.to_string(), class, details: Details::default() }
        }
    }
}

fn object(row: usize, fields: &Map<String, Value>) -> Record {
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| fields.get(*name))?;
        found.as_str().map(str::trim).filter(|text| !text.is_empty())
    };
    let list = |names: &[&str]| match names.iter().find_map(|name| fields.get(*name)) {
        Some(Value::Array(all)) => {
            all.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
        }
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    let raw = text(&["value", "indicator_value", "indicator", "ioc"]).unwrap_or_default();
    let platform = text(&["platform", "chain"]);
    let class = match text(&["kind", "indicator_type", "type"]) {
        _ if raw.is_empty() => Class::Unreadable(Invalid::new("value", "is missing")),
        Some(kind) => declared(kind, platform, raw),
        None => cell::read_with_platform(raw, platform),
    };
    let confidence = fields.get("confidence").and_then(Value::as_u64);
    let details = Details {
        techniques: list(&["techniques", "technique"])
            .iter()
            .filter_map(|text| Technique::parse(text).ok())
            .collect(),
        involvement: text(&["involvement"]).and_then(|word| word.parse().ok()),
        labels: list(&["labels", "label", "tags"]),
        confidence: confidence.and_then(|percent| u32::try_from(percent).ok()),
        note: text(&["note", "comment", "description"]).map(str::to_owned),
    };
    Record { row, raw: raw.to_owned(), class, details }
}
