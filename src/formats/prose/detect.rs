//! Tells text from lists.

use super::marked::marked_values;
use crate::domain::Indicator;
use crate::formats::{Class, cell};

/// Words that a line of sentences has at least.
const MIN_WORDS: usize = 6;

/// Bytes that a line with a labelled value has at most.
const MAX_LABELLED_BYTES: usize = 1_000;
/// Lines that a text of labelled values has at least.
const MIN_LABELLED: usize = 3;

/// Whether a text is mostly sentences, or lines that say something of the values in them.
pub fn is_prose(text: &str) -> bool {
    let (mut lines, mut sentences, mut bytes, mut sentence_bytes) = (0_usize, 0_usize, 0, 0);
    let (mut labelled, mut has_remark, mut has_item) = (0, false, false);
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines += 1;
        bytes += line.len();
        if is_sentence(line) {
            sentences += 1;
            sentence_bytes += line.len();
        } else {
            labelled += usize::from(is_labelled(line));
            has_item = has_item || (is_item(line) && !is_mail_header(line));
        }
        has_remark = has_remark || is_remark(line);
    }
    // A few lines of a message. A list would take none of them.
    if has_remark && !has_item {
        return true;
    }
    if labelled >= MIN_LABELLED && (labelled + sentences) * 10 >= lines * 3 {
        return true;
    }
    let is_most_of_lines = sentences * 10 >= lines * 6;
    // One paragraph in each line, and a list of values at the end.
    let is_most_of_bytes = sentences > 1 && sentence_bytes * 4 >= bytes * 3;
    sentences > 0 && (is_most_of_lines || is_most_of_bytes)
}

/// Whether a line is made of words, and does not begin with a value or a bullet.
pub fn is_sentence(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [first, ..] = words.as_slice() else { return false };
    let is_word = |word: &&&str| {
        let bare = word.trim_matches(|c: char| c.is_ascii_punctuation());
        !bare.is_empty() && bare.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
    };
    words.len() >= MIN_WORDS
        && words.iter().filter(is_word).count() * 10 >= words.len() * 7
        && first.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '"' | '“' | '('))
        && Indicator::read(first, None).is_err()
}

/// Whether a line has a marked value among words, so that a list would not take it: `URL of the archive: hxxps://…`.
fn is_labelled(line: &str) -> bool {
    line.len() <= MAX_LABELLED_BYTES
        && line.split_whitespace().count() > 2
        && !line.contains([',', '\t', '|'])
        && !marked_values(line).is_empty()
        && !is_item(line)
}

/// Whether a line says something in words of a marked value in it, as in a message. Its commas end words, and no cells.
fn is_remark(line: &str) -> bool {
    line.len() <= MAX_LABELLED_BYTES
        && line.split_whitespace().count() > 2
        && !line.contains(['\t', '|', ';', '{', '"'])
        && line.match_indices(',').all(|(at, _)| !line[at + 1..].starts_with(|c: char| c != ' '))
        && !line.starts_with(['#', '-', '*', '/', '!'])
        && !marked_values(line).is_empty()
        && !is_item(line)
}

/// Whether a list would take a value of the line.
fn is_item(line: &str) -> bool {
    matches!(cell::read_line(line, None, None).as_slice(), [Class::Indicator(_), ..])
}

/// Whether a line is one of the head of a mail: `From: A Name <a@b.example>`.
fn is_mail_header(line: &str) -> bool {
    let label = line.split_once(": ").map(|(label, _)| label.to_ascii_lowercase());
    label.is_some_and(|label| MAIL_HEADERS.contains(&label.as_str()))
}

const MAIL_HEADERS: &[&str] = &["from", "to", "cc", "date", "sent", "subject", "reply-to"];
