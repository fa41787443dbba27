//! What is marked as a value in a text: defanged, a digest, or between back-ticks.

use crate::domain::Indicator;
use crate::domain::decoration::{holds_digest, strip_decoration};
use crate::domain::refang::refang;
use crate::formats::{Class, cell};

/// A part of a text that can only be a value, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueSpan {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// Bytes that stand between two back-ticks at most. Others are quotes.
const MAX_CODE_BYTES: usize = 1_000;

/// The parts of a text that can only be values, in their order.
pub fn marked_values(text: &str) -> Vec<ValueSpan> {
    let mut parts = Vec::new();
    let mut ticks = text.match_indices('`').map(|(at, _)| at).peekable();
    let mut begin = 0;
    while let Some(open) = ticks.next() {
        words(text, begin, open, &mut parts);
        begin = open + 1;
        // A back-tick that nothing closes is a quote.
        let Some(close) = ticks.peek().copied().filter(|close| close - open <= MAX_CODE_BYTES)
        else {
            continue;
        };
        ticks.next();
        let code = &text[open + 1..close];
        if is_value(code) {
            parts.push(ValueSpan { start: open + 1, end: close });
        } else {
            words(text, open + 1, close, &mut parts);
        }
        begin = close + 1;
    }
    words(text, begin, text.len(), &mut parts);
    parts
}

/// Whether code is one value or several, and no command with a value in it.
fn is_value(code: &str) -> bool {
    let classes = cell::read(code, None);
    !is_file_name(code) && (code.starts_with('@') || classes.iter().any(Class::is_indicator))
}

/// Endings of file names that are domains of countries as well.
const FILE_ENDINGS: &[&str] = &["md", "rs", "pl", "cc", "so", "ps", "py", "sh"];
/// Usual names of such files.
const FILE_NAMES: &[&str] = &[
    "readme",
    "changelog",
    "contributing",
    "license",
    "security",
    "index",
    "main",
    "lib",
    "mod",
    "setup",
    "install",
    "config",
    "notes",
    "test",
];

/// Whether code is the name of a file, and no domain: `README.md`, `main.rs`. Names in capitals are those of files.
pub fn is_file_name(code: &str) -> bool {
    code.trim().rsplit_once('.').is_some_and(|(name, ending)| {
        let is_usual = FILE_NAMES.iter().any(|known| name.eq_ignore_ascii_case(known));
        let is_capital =
            name.len() > 1 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        FILE_ENDINGS.contains(&ending) && (is_usual || is_capital)
    })
}

/// Adds the marked words of a text between two places.
fn words(text: &str, start: usize, end: usize, parts: &mut Vec<ValueSpan>) {
    let part = &text[start..end.max(start)];
    for word in part.split_whitespace() {
        if is_defanged(word) || is_digest(word) {
            let start = word.as_ptr() as usize - text.as_ptr() as usize;
            parts.push(ValueSpan { start, end: start + word.len() });
        }
    }
}

/// Whether a word is a value that was written so that no software turns it into a link.
pub fn is_defanged(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let has_mark = ["[.]", "(.)", "{.}", "[dot]", "(dot)", "[at]", "[@]", "[:]", "hxxp"];
    has_mark.iter().any(|mark| lower.contains(mark)) && refang(word) != word
}

/// Whether a word is the digest of a file.
fn is_digest(word: &str) -> bool {
    let is_hash = |read: Indicator| read.kind().is_file_digest();
    word.len() >= 32 && holds_digest(word) && Indicator::read(word, None).is_ok_and(is_hash)
}

/// Whether a word is an address that nobody defanged.
pub fn is_plain_link(word: &str) -> bool {
    let word = strip_decoration(word);
    (word.starts_with("https://") || word.starts_with("http://")) && !is_defanged(word)
}

/// Appends the target of a link to a line in which the link's text begins at `start`. Only a target that is defanged is a
/// value: others are references. One that repeats its text is left out.
pub fn push_defanged_target(line: &mut String, start: usize, target: &str) {
    if is_defanged(target) && !line.get(start..).is_some_and(is_defanged) {
        line.push(' ');
        line.push_str(target);
    }
}

/// A line with the text of its links in place of `[text](target)`: a target is a reference. One that is defanged is a
/// value, and stays.
pub fn without_link_targets(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((front, behind)) = rest.split_once("](") {
        let Some((target, behind)) = behind.split_once(')') else { break };
        // The bracket that opens the link. Brackets of defanged dots in its text close before it ends.
        let mut depth = 1;
        let opening = front.rmatch_indices(['[', ']']).find(|(_, bracket)| {
            depth = if *bracket == "[" { depth - 1 } else { depth + 1 };
            depth == 0
        });
        let text = match opening {
            Some((at, _)) => {
                plain.push_str(&front[..at]);
                &front[at + 1..]
            }
            None => front,
        };
        let start = plain.len();
        plain.push_str(text);
        push_defanged_target(&mut plain, start, target);
        rest = behind;
    }
    plain.push_str(rest);
    plain
}
