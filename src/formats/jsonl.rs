//! JSON objects or strings, one per line or in an array.

use std::fmt;
use std::io::BufReader;

use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::json_rows::JsonRows;
use super::limited::{LimitedReader, RecordLimit};
use super::lines::Lines;
use super::record::raw_text;
use super::{Assumed, Class, Details, Error, Input, Output, Record};
use crate::domain::Invalid;

/// Bytes that one object may have.
const MAX_OBJECT_BYTES: u64 = 16 * 1024 * 1024;

/// Reads JSON lines, one array, or objects over several lines. The row is the line, or the number of the element.
pub fn read(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let first = input.head().trim_start();
    let first_line = first.lines().next().unwrap_or_default();
    if first.starts_with('[') && serde_json::from_str::<Vec<IgnoredAny>>(first_line).is_err() {
        return read_array(input, assumed, out);
    }
    if first.starts_with('{') && serde_json::from_str::<IgnoredAny>(first_line).is_err() {
        return read_objects(input, assumed, out);
    }
    read_lines(input, assumed, out)
}

fn read_lines(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let mut lines = Lines::of(input.reader());
    let mut rows = JsonRows::of(assumed, out);
    while let Some(line) = lines.next()? {
        let text = line.text.trim();
        if rows.is_stopped() {
            break;
        }
        if text.is_empty() {
            continue;
        }
        match serde_json::from_str::<Value>(text) {
            // All of an array is on this line.
            Ok(Value::Array(elements)) if line.number == 1 => {
                for element in &elements {
                    rows.read(element);
                }
            }
            Ok(element) => {
                rows.start_at(line.number);
                rows.read(&element);
            }
            Err(error) => {
                let class =
                    Class::Unreadable(Invalid::new("line", format!("is not JSON: {error}")));
                let (row, raw) = (line.number, raw_text(text));
                rows.record(Record { row, raw, class, details: Details::default() });
            }
        }
    }
    Ok(())
}

/// Reads an array element by element.
fn read_array(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let (text, limit) = LimitedReader::of(input.reader(), MAX_OBJECT_BYTES);
    let mut rows = JsonRows::of(assumed, out);
    let mut parser = serde_json::Deserializer::from_reader(BufReader::new(text));
    let parsed = Array { limit, rows: &mut rows }.deserialize(&mut parser);
    // An array that is left before its end is an error to the parser.
    if rows.is_stopped() { Ok(()) } else { parsed.map_err(|error| broken(&error)) }
}

/// Reads objects one after the other, whatever their lines.
fn read_objects(input: &Input, assumed: &Assumed, out: &mut Output<'_>) -> Result<(), Error> {
    let (text, limit) = LimitedReader::of(input.reader(), MAX_OBJECT_BYTES);
    let parser = serde_json::Deserializer::from_reader(BufReader::new(text));
    let mut rows = JsonRows::of(assumed, out);
    for object in parser.into_iter::<Value>() {
        rows.read(&object.map_err(|error| broken(&error))?);
        if rows.is_stopped() {
            break;
        }
        limit.begin();
    }
    Ok(())
}

fn broken(error: &serde_json::Error) -> Error {
    Error::Broken { row: error.line(), reason: format!("is not JSON: {error}") }
}

/// An array whose elements are read as they are parsed.
struct Array<'r, 'a, 'out> {
    limit: RecordLimit,
    rows: &'r mut JsonRows<'a, 'out>,
}

impl<'de> DeserializeSeed<'de> for Array<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Array<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while !self.rows.is_stopped()
            && let Some(element) = array.next_element::<Value>()?
        {
            self.rows.read(&element);
            self.limit.begin();
        }
        Ok(())
    }
}
