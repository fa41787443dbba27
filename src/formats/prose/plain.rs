//! What a text holds that is not marked as a value, and reads as one: `203.0.113.9`, `a@b.example`.

use super::marked::ValueSpan;
use crate::domain::decoration::strip_decoration;
use crate::domain::{Indicator, Kind};

/// Words of a text that holds a value alone at most. Whose it is, nobody says.
const MAX_WORDS: usize = 3;

/// The plain values of a text, outside of `marked`. A sentence may name its author, a victim or a version in the same way,
/// so they are listed and not taken.
pub fn plain_values(text: &str, marked: &[ValueSpan]) -> Vec<ValueSpan> {
    if text.split_whitespace().nth(MAX_WORDS).is_none() {
        return Vec::new();
    }
    let (mut found, mut last) = (Vec::new(), "");
    for word in text.split_whitespace() {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let span = ValueSpan { start, end: start + word.len() };
        let before = std::mem::replace(&mut last, word);
        let is_apart = |other: &ValueSpan| other.end <= span.start || span.end <= other.start;
        if word.contains('`') || !marked.iter().all(is_apart) {
            continue;
        }
        found.extend(is_plain_value(word, before).then_some(span));
    }
    found
}

fn is_plain_value(word: &str, before: &str) -> bool {
    let may_be_value = word.contains(['.', ':', '@']) || word.len() >= MIN_CRYPTO_BYTES;
    if !may_be_value || word.contains("://") || !word.is_ascii() {
        return false;
    }
    match Indicator::read(bare(word), None).map(|read| read.kind()) {
        Ok(Kind::Ip | Kind::Network) => !is_version(before),
        Ok(Kind::CryptoAddress | Kind::Email) => true,
        Ok(Kind::Domain) => !super::marked::is_file_name(bare(word)),
        _ => false,
    }
}

/// Bytes of an address of money at least.
const MIN_CRYPTO_BYTES: usize = 25;

/// A word without what sentences put around it.
pub fn bare(word: &str) -> &str {
    strip_decoration(word)
        .trim_matches(['(', ')', '"', '“', '”', '\'', '<', '>', ',', ';', '!', '?', '.'])
}

/// Whether the word in front of four numbers makes them a version: `version 4.2.0.1`.
fn is_version(before: &str) -> bool {
    let before = before.to_ascii_lowercase();
    ["version", "release", "build", "firmware", "section", "chapter", "update"]
        .contains(&before.trim_matches(|c: char| !c.is_alphanumeric()))
}
