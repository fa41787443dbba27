//! Text from other partners, made safe for files.

use std::borrow::Cow;

use crate::domain::Timestamp;
use crate::domain::text::is_unsafe;

/// Free text without the characters that a terminal or an editor acts on. Each is replaced by U+FFFD, and `\r\n` by `\n`.
pub fn clean(text: &str) -> Cow<'_, str> {
    let is_refused = |c: char| is_unsafe(c) && c != '\n' && c != '\t';
    if !text.contains(is_refused) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace(is_refused, "\u{fffd}"))
}

/// Whether a value can be written as it is.
pub fn is_printable(value: &str) -> bool {
    !value.contains(is_unsafe)
}

/// A time in UTC with as many digits of a second as it has.
pub fn time(time: Timestamp) -> String {
    instant(time).to_string()
}

/// A time in UTC with milliseconds.
pub fn time_in_millis(time: Timestamp) -> String {
    format!("{:.3}", instant(time))
}

/// Seconds since the epoch.
pub fn seconds(time: Timestamp) -> i64 {
    time.as_millis().div_euclid(1_000)
}

fn instant(time: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or(jiff::Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_reach_a_file() {
        assert_eq!(clean("seen \"twice\",\n\tand again"), "seen \"twice\",\n\tand again");
        assert_eq!(clean("a\r\nb"), "a\nb");
        assert_eq!(clean("\u{202e}gpj.exe"), "\u{fffd}gpj.exe");
        assert_eq!(clean("\u{1b}]0;x\u{7}\u{7f}\u{9b}"), "\u{fffd}]0;x\u{fffd}\u{fffd}\u{fffd}");
        assert!(is_printable("a.example") && !is_printable("a.example\u{1b}"));
    }

    #[test]
    fn times_are_in_utc() {
        let at = Timestamp::from_millis(1_764_057_600_120);
        assert_eq!(time(at), "2025-11-25T08:00:00.12Z");
        assert_eq!(time_in_millis(at), "2025-11-25T08:00:00.120Z");
        assert_eq!(seconds(Timestamp::from_millis(-1)), -1);
    }
}
