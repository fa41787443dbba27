//! What a record says beside its value, under whatever name a column or a key has it.

use super::Details;
use crate::domain::assessment::{Involvement, Technique};
use crate::domain::{Invalid, Timestamp};

/// The columns and keys that are read, each under its names. Of those of one line the first that is
/// there counts.
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

/// Reads them. `texts` gives what stands under one of [`NAMES`], a list in its parts. Something that
/// is there and cannot be read is an error: an indicator that was cleared must not go out as one
/// that was not.
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
        // A procedure's number may have its name behind it.
        Technique::parse(text.split_whitespace().next()?.trim_end_matches('.')).ok()
    });
    Ok(Details {
        verdict: word("verdict", &verdict)?,
        confidence: first(&confidence).map(percent).transpose()?,
        severity: word("severity", &severity)?,
        involvement: word::<Involvement>("involvement", &involvement)?,
        basis: word("basis", &basis)?,
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

fn word<T: std::str::FromStr<Err = Invalid>>(
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

/// Reads a time, or a day, which begins at midnight UTC.
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
