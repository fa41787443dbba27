//! The protocol's words as people read and write them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::wire::{pb, timestamp};

/// A name of the protocol's enumerations in the words of the command line.
pub fn name(of: &str, prefix: &str) -> String {
    of.strip_prefix(prefix).unwrap_or(of).to_ascii_lowercase()
}

/// The words of a kind.
pub fn kind(kind: pb::Kind) -> String {
    name(kind.as_str_name(), "KIND_")
}

/// The words of what a liaison may read for.
pub fn purposes(of: &pb::Partner) -> Vec<String> {
    of.purposes().map(|kind| name(kind.as_str_name(), "PURPOSE_KIND_")).collect()
}

/// The words of a verdict.
pub fn verdict(said: &pb::Assessment) -> String {
    name(said.verdict().as_str_name(), "VERDICT_")
}

/// A marking as people write it.
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

/// A time of day, to the second, in UTC.
pub fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |t| t.to_string())
}

/// The same of a time that may be absent.
pub fn time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    time.map(|time| date(time.seconds))
}

/// Reads a time, or a day, which begins at midnight UTC.
pub fn read_time(text: &str) -> Result<prost_types::Timestamp, String> {
    let time = crate::formats::read_time(text);
    time.map(timestamp)
        .ok_or_else(|| "is not a time, such as 2026-11-24T12:00:00Z or 2026-11-24".into())
}

/// A version as `SEQUENCE.INDEX`.
pub fn version(version: &pb::Version) -> String {
    format!("{}.{}", version.sequence, version.index)
}

/// Reads one.
pub fn read_version(text: &str) -> Result<pb::Version, String> {
    let read = || {
        let (sequence, index) = text.split_once('.')?;
        Some(pb::Version { sequence: sequence.parse().ok()?, index: index.parse().ok()? })
    };
    read().ok_or_else(|| "is not a version, such as 17.0".into())
}

/// A cursor as text.
pub fn cursor(cursor: &pb::Cursor) -> String {
    URL_SAFE_NO_PAD.encode(&cursor.token)
}

/// Reads one.
pub fn read_cursor(text: &str) -> Option<pb::Cursor> {
    let token = URL_SAFE_NO_PAD.decode(text).ok()?;
    Some(pb::Cursor { token: token.into() })
}

/// A value with its platform in front, where it has one.
pub fn value(platform: &str, value: &str) -> String {
    if platform.is_empty() { value.to_owned() } else { format!("{platform}:{value}") }
}

/// Somebody else's text on one line of a terminal, whose cursor it does not move.
pub fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number of things: `1 version`, `2 versions`.
pub fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// Entries by number: `17`, `17 and 18`, `17 to 29`.
pub fn entries(sequences: &[u64]) -> String {
    match sequences {
        [] => "no entry".into(),
        [one] => format!("entry {one}"),
        [one, other] => format!("entries {one} and {other}"),
        [first, .., last] => format!("{} entries from {first} to {last}", sequences.len()),
    }
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
        let shown = |text| read_time(text).map(|time| date(time.seconds));
        assert_eq!(shown("2026-11-24").as_deref(), Ok("2026-11-24T00:00:00Z"));
        assert_eq!(shown("2026-11-24T12:00:00+02:00").as_deref(), Ok("2026-11-24T10:00:00Z"));
        for bad in ["", "yesterday", "24.11.2026"] {
            assert!(shown(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_cursor_is_written_and_read_the_same() {
        let given = pb::Cursor { token: vec![1, 250, 3].into() };
        assert_eq!(read_cursor(&cursor(&given)), Some(given));
        assert_eq!(read_cursor("no cursor"), None);
    }

    #[test]
    fn numbers_read_as_people_say_them() {
        assert_eq!(
            (count(1, "version"), count(2, "version")),
            ("1 version".into(), "2 versions".into())
        );
        assert_eq!(entries(&[7]), "entry 7");
        assert_eq!(entries(&[7, 8]), "entries 7 and 8");
        assert_eq!(entries(&[7, 8, 11]), "3 entries from 7 to 11");
    }
}
