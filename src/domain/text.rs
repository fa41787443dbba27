//! The rule for texts that partners write: notes, narratives, reasons, names, references.
//!
//! Such a text ends up on terminals, in spreadsheets and in the files of other tools. A character that steers a terminal,
//! or that makes a text read otherwise than it is stored, is refused. A reader sees those in texts from before the rule
//! escaped: `\u{1b}`.

use std::borrow::Cow;
use std::fmt::Write;

use super::invalid::Invalid;

/// Checks a text of several lines. `max_chars` is its greatest length.
pub fn check(field: &'static str, text: &str, max_chars: usize) -> Result<(), Invalid> {
    check_each(field, text, max_chars, |c| matches!(c, '\n' | '\t'))
}

/// Checks a text of one line, such as a name or a reference. Invisible characters are refused too: with them, one name
/// can look like another.
pub fn check_line(field: &'static str, text: &str, max_chars: usize) -> Result<(), Invalid> {
    check_each(field, text, max_chars, |_| false)?;
    match text.chars().find(|c| is_invisible(*c)) {
        Some(c) => Err(refused(field, c)),
        None => Ok(()),
    }
}

fn check_each(
    field: &'static str,
    text: &str,
    max_chars: usize,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), Invalid> {
    if text.chars().count() > max_chars {
        return Err(Invalid::new(field, format!("is longer than {max_chars} characters")));
    }
    // Windows ends lines with both.
    let has_return = is_allowed('\n');
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let ends_line = has_return && c == '\r' && rest.peek() == Some(&'\n');
        if is_unsafe(c) && !is_allowed(c) && !ends_line {
            return Err(refused(field, c));
        }
    }
    Ok(())
}

fn refused(field: &'static str, c: char) -> Invalid {
    let what = if c.is_control() {
        "the control character"
    } else if is_direction(c) {
        "the character for the direction of text"
    } else {
        "the invisible character"
    };
    Invalid::new(field, format!("contains {what} U+{:04X}: remove it", u32::from(c)))
}

/// Whether a character steers a terminal or turns the direction of the text behind it. Marks of direction that turn
/// nothing, as people who write from right to left need them, are none.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || is_direction(c)
}

/// The embeddings, overrides and isolates of the bidirectional algorithm: UAX #9, sections 2.1 to 2.5.
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character has no width and no meaning in a name. Joiners have one in several scripts and in emoji.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2060}'..='\u{2064}'
            | '\u{206a}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
            | '\u{e0100}'..='\u{e01ef}'
    )
}

/// A text of several lines as it is shown: what [`check`] refuses is escaped.
pub fn escaped(text: &str) -> Cow<'_, str> {
    escape(text, |c| matches!(c, '\n' | '\t'))
}

/// A text as it is shown in one line.
pub fn escaped_line(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

fn escape(text: &str, is_allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_escaped = |c: char| is_unsafe(c) && !is_allowed(c);
    if !text.contains(is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_escaped(c) {
            // Writing to a String does not fail.
            let _ = write!(escaped, "{}", c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

/// A text of one line without what [`check_line`] refuses.
pub fn cleaned_line(text: &str) -> Cow<'_, str> {
    let is_dropped = |c: char| is_unsafe(c) || is_invisible(c);
    if text.contains(is_dropped) {
        Cow::Owned(text.replace(is_dropped, ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text of a file without what [`check`] refuses. Line ends become `\n`.
pub fn cleaned(text: &str) -> Cow<'_, str> {
    let is_dropped = |c: char| is_unsafe(c) && !matches!(c, '\n' | '\t');
    if text.contains(is_dropped) {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n").replace(is_dropped, ""))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_may_have_lines_and_scripts_but_nothing_that_steers() {
        let table = [
            ("Two lines.\nThe second\thas a tab.\r\nThe third ends as on Windows.", true, false),
            ("می\u{200c}خواهم, \u{200f}שלום, 👩\u{200d}💻", true, true),
            ("a title", true, true),
            ("zero\u{200b}width", true, false),
            ("\u{1b}]52;c;aGk=\u{7}", false, false),
            ("nul\0", false, false),
            ("a return\rback", false, false),
            ("C1 \u{9b}31m", false, false),
            ("\u{202e}txt.exe", false, false),
            ("\u{2066}isolated\u{2069}", false, false),
        ];
        for (text, as_text, as_line) in table {
            assert_eq!(check("note", text, 100).is_ok(), as_text, "{text:?}");
            assert_eq!(check_line("name", text, 100).is_ok(), as_line, "{text:?}");
            assert_eq!(check("note", &cleaned(text), 100), Ok(()), "{text:?}");
            assert_eq!(check("note", &escaped(text).replace('\r', ""), 200), Ok(()), "{text:?}");
        }
        let error = check("note", "a\u{1b}b", 9).unwrap_err();
        assert_eq!(error.to_string(), "note: contains the control character U+001B: remove it");
        assert!(check("note", "four", 3).is_err());
        assert_eq!(escaped("a\u{1b}[1m\nb"), "a\\u{1b}[1m\nb");
        assert_eq!(escaped_line("a\nb"), "a\\nb");
    }
}
