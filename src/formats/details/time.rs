//! Times and days as people and programs write them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::domain::Timestamp;

/// Spellings of a day beside `2026-11-24`. A day of the month never comes before a month in digits, or after it:
/// 3/4/2026 is two days, depending on the country.
const DAYS: &[&str] =
    &["%Y%m%d", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y"];

/// Spellings of a day with a time beside RFC 3339. They are in UTC.
const TIMES: &[&str] =
    &["%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%a, %d %b %Y %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f"];

/// The first second that a number counts as seconds since 1970: the year 2001. Smaller ones are something else.
const MIN_EPOCH_SECONDS: i64 = 1_000_000_000;

/// Parses a time, or a day, which means its start in UTC.
pub fn read_time(text: &str) -> Option<Timestamp> {
    match Moment::parse(text)? {
        Moment::Time(time) => Some(time),
        Moment::Day(day) => start_of(day),
    }
}

/// Parses the end of a period: a time, or a day, which means its last millisecond in UTC.
pub fn read_end(text: &str) -> Option<Timestamp> {
    match Moment::parse(text)? {
        Moment::Time(time) => Some(time),
        Moment::Day(day) => {
            start_of(day.tomorrow().ok()?).map(|next| Timestamp::from_millis(next.as_millis() - 1))
        }
    }
}

/// Whether a text is a day of which nobody can tell the month: `3/4/2026` is two days, depending on the country.
pub fn is_ambiguous_day(text: &str) -> bool {
    let day = text.split_whitespace().next().unwrap_or_default();
    let numbers: Vec<u16> =
        day.split(['/', '.', '-']).filter_map(|part| part.parse().ok()).collect();
    matches!(numbers.as_slice(), [1..=31, 1..=31, 2000..=2100]) && day.len() <= 10
}

/// What a text names.
enum Moment {
    Time(Timestamp),
    Day(Date),
}

impl Moment {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches(" UTC").trim_end_matches(" GMT");
        if let Ok(time) = text.parse::<jiff::Timestamp>() {
            return Some(Moment::Time(Timestamp::from_millis(time.as_millisecond())));
        }
        if let Some(day) = day(text) {
            return Some(Moment::Day(day));
        }
        let spelled = || TIMES.iter().find_map(|format| DateTime::strptime(format, text).ok());
        match text.parse::<DateTime>().ok().or_else(spelled) {
            Some(time) => in_utc(time).map(Moment::Time),
            None => epoch(text).map(Moment::Time),
        }
    }
}

fn day(text: &str) -> Option<Date> {
    // A `DateTime` parses from a day alone too; a `Date` from a whole time.
    let is_day = text.len() == 10 && !text.contains([':', 'T']);
    let plain = text.parse::<Date>().ok().filter(|_| is_day);
    plain.or_else(|| DAYS.iter().find_map(|format| Date::strptime(format, text).ok()))
}

/// Seconds or milliseconds since 1970.
fn epoch(text: &str) -> Option<Timestamp> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let number: i64 = whole.parse().ok().filter(|number| *number >= MIN_EPOCH_SECONDS)?;
    let is_millis = number >= MIN_EPOCH_SECONDS * 1_000;
    let seconds = if is_millis { number / 1_000 } else { number };
    // The year 2100.
    (seconds < 4_102_444_800)
        .then(|| Timestamp::from_millis(if is_millis { number } else { number * 1_000 }))
}

fn start_of(day: Date) -> Option<Timestamp> {
    in_utc(day.to_datetime(jiff::civil::Time::midnight()))
}

fn in_utc(time: DateTime) -> Option<Timestamp> {
    let time = time.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_millis(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_spellings_of_other_makers() {
        let day = 1_767_312_000_000;
        let table = [
            ("2026-01-02", day),
            ("2026-01-02T00:00:00Z", day),
            ("2026-01-02T00:00:00+0000", day),
            ("2026-01-02 00:00:00", day),
            ("2026-01-02 00:00:00 UTC", day),
            ("2026-01-02 01:02:03.004", day + 3_723_004),
            ("2026-01-02T01:00:00+01:00", day),
            ("20260102", day),
            ("2026/01/02", day),
            ("2 Jan 2026", day),
            ("02 January 2026", day),
            ("January 2, 2026", day),
            ("1767312000", day),
            ("1767312000000", day),
        ];
        for (text, millis) in table {
            assert_eq!(read_time(text).map(Timestamp::as_millis), Some(millis), "{text}");
        }
        assert!(is_ambiguous_day("3/4/2026") && !is_ambiguous_day("2026-01-02"));
        for text in ["soon", "", "3/4/2026", "2026", "12", "20261302", "99999999999999999"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }

    #[test]
    fn a_period_ends_with_the_end_of_its_last_day() {
        assert_eq!(read_end("2026-01-01").unwrap().as_millis(), 1_767_311_999_999);
        assert_eq!(read_end("2026-01-01T12:00:00Z").unwrap().as_millis(), 1_767_268_800_000);
    }
}
