//! Protocol values as people read and write them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::{Offset, TimeZone};

use crate::domain::text::escaped_line;
use crate::wire::{pb, timestamp};

/// The lower-case name of a protobuf enum value, without its prefix.
pub fn enum_name(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase()
}

/// A kind of indicator.
pub fn kind(kind: pb::Kind) -> String {
    enum_name(kind.as_str_name(), "KIND_")
}

/// The purposes for which a liaison may read.
pub fn purposes(partner: &pb::Partner) -> Vec<String> {
    partner.purposes().map(|kind| enum_name(kind.as_str_name(), "PURPOSE_KIND_")).collect()
}

/// The verdict of an assessment.
pub fn verdict(assessment: &pb::Assessment) -> String {
    enum_name(assessment.verdict().as_str_name(), "VERDICT_")
}

/// A TLP marking.
pub fn tlp(tlp: pb::Tlp) -> &'static str {
    match tlp {
        pb::Tlp::Unspecified => "",
        pb::Tlp::Red => "RED",
        pb::Tlp::AmberStrict => "AMBER+STRICT",
        pb::Tlp::Amber => "AMBER",
        pb::Tlp::Green => "GREEN",
        pb::Tlp::Clear => "CLEAR",
    }
}

/// The verdict, with the role in the abuse if it is not the attacker's: `malicious, victim`.
pub fn verdict_and_role(assessment: &pb::Assessment) -> String {
    match assessment.involvement() {
        pb::Involvement::Attacker | pb::Involvement::Unspecified => verdict(assessment),
        role => format!(
            "{}, {}",
            verdict(assessment),
            enum_name(role.as_str_name(), "INVOLVEMENT_").replace('_', " ")
        ),
    }
}

/// Names of values of an enumeration.
pub fn enum_names<'a>(names: impl Iterator<Item = &'a str>, prefix: &str) -> Vec<String> {
    names.map(|name| enum_name(name, prefix)).collect()
}

/// An instant in seconds since the epoch, as RFC 3339 in UTC.
pub fn instant(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |t| t.to_string())
}

/// The day of an instant in milliseconds since the epoch, in UTC.
pub fn day(millis: i64) -> String {
    let day = jiff::Timestamp::from_millisecond(millis).map(|time| time.strftime("%F").to_string());
    day.unwrap_or_else(|_| millis.to_string())
}

/// A timestamp for people: RFC 3339 with the offset of the local time zone, as flags take it.
pub fn local_time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    time.map(|time| in_zone(time.seconds, TimeZone::system()))
}

fn in_zone(seconds: i64, zone: TimeZone) -> String {
    match jiff::Timestamp::from_second(seconds) {
        Ok(time) if zone.to_offset(time) == Offset::UTC => time.to_string(),
        Ok(time) => time.to_zoned(zone).strftime("%FT%T%:z").to_string(),
        Err(_) => seconds.to_string(),
    }
}

/// A timestamp, as RFC 3339 in UTC.
pub fn time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    time.map(|time| instant(time.seconds))
}

/// Parses a time, or a day, which means midnight UTC.
pub fn read_time(text: &str) -> Result<prost_types::Timestamp, String> {
    let time = crate::formats::read_time(text);
    time.map(timestamp)
        .ok_or_else(|| "is not a time, such as 2026-11-24T12:00:00Z or 2026-11-24".into())
}

/// Parses a deadline: a time, or a day, which means its end in UTC.
pub fn read_end(text: &str) -> Result<prost_types::Timestamp, String> {
    let time = crate::formats::read_end(text);
    time.map(timestamp)
        .ok_or_else(|| "is not a time, such as 2026-11-24T12:00:00Z or 2026-11-24".into())
}

/// A version as `SEQUENCE.INDEX`.
pub fn version(version: &pb::Version) -> String {
    format!("{}.{}", version.sequence, version.index)
}

/// Parses a version.
pub fn read_version(text: &str) -> Result<pb::Version, String> {
    let read = || {
        let (sequence, index) = text.split_once('.')?;
        Some(pb::Version { sequence: sequence.parse().ok()?, index: index.parse().ok()? })
    };
    read().ok_or_else(|| "is not a version, such as 17.0".into())
}

/// A cursor as URL-safe base64.
pub fn cursor(cursor: &pb::Cursor) -> String {
    URL_SAFE_NO_PAD.encode(&cursor.token)
}

/// Parses a cursor.
pub fn read_cursor(text: &str) -> Option<pb::Cursor> {
    let token = URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(pb::Cursor { token: token.into() })
}

/// A value with its platform, if any, as a prefix.
pub fn value(platform: &str, value: &str) -> String {
    if platform.is_empty() { value.to_owned() } else { format!("{platform}:{value}") }
}

/// A text from another partner on one line. What a terminal would act on is escaped.
pub fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    escaped_line(&words).into_owned()
}

/// A count with its noun: `1 version`, `2 versions`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Sequences of entries: `entry 17`, `entries 17 and 18`, `3 entries from 17 to 29`.
pub fn entries(sequences: &[u64]) -> String {
    match sequences {
        [] => "no entry".into(),
        [one] => format!("entry {one}"),
        [one, other] => format!("entries {one} and {other}"),
        [first, .., last] => format!("{} entries from {first} to {last}", sequences.len()),
    }
}

/// Sequences of entries as `audit deliveries` takes them: `17`, `17-29`. `None` without an entry.
pub fn entry_range(sequences: &[u64]) -> Option<String> {
    let (first, last) = (sequences.iter().min()?, sequences.iter().max()?);
    Some(if first == last { first.to_string() } else { format!("{first}-{last}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_and_read_the_same() {
        let written = version(&pb::Version { sequence: 17, index: 3 });
        assert_eq!(written, "17.3");
        assert_eq!(read_version(&written), Ok(pb::Version { sequence: 17, index: 3 }));
        for bad in ["", "17", "17.", ".3", "a.b", "-1.0", "17.3.1"] {
            assert!(read_version(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_is_read_as_an_instant_or_as_a_day() {
        let shown = |text| read_time(text).map(|time| instant(time.seconds));
        assert_eq!(shown("2026-11-24").as_deref(), Ok("2026-11-24T00:00:00Z"));
        assert_eq!(shown("2026-11-24T12:00:00+02:00").as_deref(), Ok("2026-11-24T10:00:00Z"));
        for bad in ["", "yesterday", "24.11.2026"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_time_for_people_has_their_zone_and_is_read_as_the_same_instant() {
        let seconds = 1_795_521_600; // 2026-11-24T12:00:00Z
        let zone = |hours| TimeZone::fixed(jiff::tz::offset(hours));
        assert_eq!(in_zone(seconds, TimeZone::UTC), "2026-11-24T12:00:00Z");
        let local = in_zone(seconds, zone(-5));
        assert_eq!(local, "2026-11-24T07:00:00-05:00");
        assert_eq!(read_time(&local).map(|time| time.seconds), Ok(seconds));
    }

    #[test]
    fn a_cursor_is_written_and_read_the_same() {
        let given = pb::Cursor { token: vec![1, 250, 3].into() };
        assert_eq!(read_cursor(&cursor(&given)), Some(given));
        assert_eq!(read_cursor("no cursor"), None);
    }

    #[test]
    fn counts_and_entries_are_written_in_words() {
        assert_eq!(
            (count(1, "version"), count(2, "version")),
            ("1 version".into(), "2 versions".into())
        );
        assert_eq!(entries(&[7]), "entry 7");
        assert_eq!(entries(&[7, 8]), "entries 7 and 8");
        assert_eq!(entries(&[7, 8, 11]), "3 entries from 7 to 11");
    }
}
