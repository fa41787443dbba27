//! Calendar days, for facts that are known by the day only.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::time::Timestamp;

/// The earliest day. The journal stores days as numbers counted from here.
const EPOCH: Date = Date::constant(1970, 1, 1);

/// A calendar day from 1970 to 9999, written `2019-08-19`. In UTC when derived from a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Day(Date);

impl Day {
    /// The UTC day of a timestamp.
    pub fn of(time: Timestamp) -> Self {
        Self::from_number(u32::try_from(time.as_millis().div_euclid(86_400_000)).unwrap_or(0))
    }

    /// Days since 1970-01-01, as stored in the journal.
    pub fn number(self) -> u32 {
        let since = self.0 - EPOCH;
        u32::try_from(since.get_days()).unwrap_or(0)
    }

    /// The day of a number; numbers beyond the calendar give its last day.
    pub fn from_number(number: u32) -> Self {
        let day = i64::from(number);
        let date = jiff::Span::new().try_days(day).and_then(|span| EPOCH.checked_add(span));
        Self(date.unwrap_or(Date::MAX))
    }

    /// The month, as `2019-08`.
    pub fn month(self) -> String {
        format!("{:04}-{:02}", self.0.year(), self.0.month())
    }

    /// The midnight (UTC) at which the day starts.
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(i64::from(self.number()) * 86_400_000)
    }
}

impl From<u32> for Day {
    fn from(number: u32) -> Self {
        Self::from_number(number)
    }
}

impl From<Day> for u32 {
    fn from(day: Day) -> Self {
        day.number()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl FromStr for Day {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let is_plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let read = if is_plain { text.parse::<Date>().ok() } else { None };
        read.filter(|date| *date >= EPOCH).map(Self).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            let reason =
                format!("`{}` is not a day from 1970 on, such as 2019-08-19", shown.escape_debug());
            Invalid::new("day", reason)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_and_numbered_as_it_was_read() {
        for (text, number) in [("1970-01-01", 0), ("2019-08-19", 18_127), ("9999-12-31", 2_932_896)]
        {
            let day: Day = text.parse().unwrap();
            assert_eq!((day.to_string().as_str(), day.number()), (text, number));
            assert_eq!(Day::from_number(number), day);
            assert_eq!(Day::of(day.start()), day);
        }
        assert_eq!("2019-08-19".parse::<Day>().unwrap().month(), "2019-08");
        for wrong in
            ["", "2019-8-19", "2019-02-30", "1969-12-31", "19.08.2019", "2019-08-19T00:00Z"]
        {
            assert!(wrong.parse::<Day>().is_err(), "{wrong}");
        }
        assert_eq!(Day::from_number(u32::MAX).to_string(), "9999-12-31");
    }
}
