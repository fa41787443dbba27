//! Fields of a record other than its value, under their various column and key names.

use super::Details;
use crate::domain::assessment::{Involvement, Technique};
use crate::domain::{Invalid, Timestamp};

/// Names of each field. If a record has several names of one field, the first in this list counts.
pub const NAMES: [&[&str]; 13] = [
    &["verdict"],
    &["confidence"],
    &["severity"],
    &["involvement"],
    &["basis"],
    &["labels", "label", "tags", "harm", "harms"],
    &["technique", "techniques", "procedure", "ttp"],
    &["first_seen", "first_observed"],
    &["last_seen", "last_observed"],
    &["valid_until"],
    &["note", "notes", "comment", "comments", "description"],
    &["references", "reference"],
    &["campaign"],
];

/// Reads the fields. `texts` returns the content of the field with one of [`NAMES`], split if it is
/// a list.
///
/// A field that is present but invalid is an error: a value that was cleared as harmless must not
/// be submitted as malicious.
pub fn read(texts: impl Fn(&[&str]) -> Vec<String>) -> Result<Details, Invalid> {
    let [
        verdict,
        confidence,
        severity,
        involvement,
        basis,
        labels,
        techniques,
        first_seen,
        last_seen,
        valid_until,
        note,
        references,
        campaign,
    ] = NAMES.map(texts);
    let techniques = techniques.iter().filter_map(|text| {
        // A procedure number may be followed by its name.
        Technique::parse(text.split_whitespace().next()?.trim_end_matches('.')).ok()
    });
    Ok(Details {
        verdict: keyword("verdict", &verdict)?,
        confidence: first(&confidence).map(percent).transpose()?,
        severity: keyword("severity", &severity)?,
        involvement: keyword::<Involvement>("involvement", &involvement)?,
        basis: keyword("basis", &basis)?,
        labels,
        techniques: techniques.collect(),
        first_seen: time("first_seen", &first_seen)?,
        last_seen: time("last_seen", &last_seen)?,
        valid_until: time("valid_until", &valid_until)?,
        note: first(&note).map(str::to_owned),
        references,
        campaign: first(&campaign).map(str::to_owned),
    })
}

fn first(texts: &[String]) -> Option<&str> {
    texts.iter().map(|text| text.trim()).find(|text| !text.is_empty())
}

fn keyword<T: std::str::FromStr<Err = Invalid>>(
    field: &'static str,
    texts: &[String],
) -> Result<Option<T>, Invalid> {
    let Some(text) = first(texts) else { return Ok(None) };
    let plain = text.to_lowercase().replace([' ', '-'], "_");
    plain.parse().map(Some).map_err(|invalid: Invalid| Invalid::new(field, invalid.reason))
}

fn percent(text: &str) -> Result<u32, Invalid> {
    match text.trim_end_matches('%').trim().parse() {
        Ok(percent @ 0..=100) => Ok(percent),
        _ => Err(Invalid::new("confidence", format!("`{text}` is not a number from 0 to 100"))),
    }
}

/// Parses a time, or a day, which means midnight UTC.
pub fn read_time(text: &str) -> Option<Timestamp> {
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let day = text.parse::<jiff::civil::DateTime>().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    });
    time.map(|time| Timestamp::from_millis(time.as_millisecond()))
}

fn time(field: &'static str, texts: &[String]) -> Result<Option<Timestamp>, Invalid> {
    let Some(text) = first(texts) else { return Ok(None) };
    let time = read_time(text).ok_or_else(|| {
        Invalid::new(field, format!("`{text}` is not a time, such as 2026-11-24T12:00:00Z"))
    })?;
    Ok(Some(time))
}
