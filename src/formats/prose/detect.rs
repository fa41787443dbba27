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
    let mut labelled = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines += 1;
        bytes += line.len();
        if is_sentence(line) {
            sentences += 1;
            sentence_bytes += line.len();
        } else {
            labelled += usize::from(is_labelled(line));
        }
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
        && !matches!(cell::read_line(line, None, None).as_slice(), [Class::Indicator(_), ..])
}
