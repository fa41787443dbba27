//! What a text holds that is not marked as a value, and reads as one: `203.0.113.9`, `a@b.example`.

use super::marked::ValueSpan;
use super::phrases::MAIL_OF_ATTACKERS;
use crate::domain::decoration::strip_decoration;
use crate::domain::{Indicator, Kind};
use crate::formats::wording::{has_word, words};

/// Words of a text that holds a value alone at most. Whose it is, nobody says.
const MAX_WORDS: usize = 3;

/// What to do with a plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// Nobody writes it for another reason: an address of a machine or of money.
    Value,
    /// It may be the address of the author or of a victim. It is a value if the words in front of it say so.
    Mail,
    /// It may be a site that the text only mentions, or no name at all. It is listed.
    Mention,
}

/// The plain values of a text, outside of `marked`.
pub fn plain_values(text: &str, marked: &[ValueSpan]) -> Vec<(ValueSpan, Plain)> {
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
        found.extend(plain(word, before).map(|plain| (span, plain)));
    }
    found
}

/// Whether the words in front of a mail address say that the attacker has it.
pub fn is_of_attacker(before: &str) -> bool {
    has_word(&words(&before.to_lowercase()), MAIL_OF_ATTACKERS)
}

fn plain(word: &str, before: &str) -> Option<Plain> {
    let may_be_value = word.contains(['.', ':', '@']) || word.len() >= MIN_CRYPTO_BYTES;
    if !may_be_value || word.contains("://") || !word.is_ascii() {
        return None;
    }
    let read = Indicator::read(bare(word), None).ok()?;
    match read.kind() {
        Kind::Ip | Kind::Network if is_version(before) => None,
        Kind::Ip | Kind::Network | Kind::CryptoAddress => Some(Plain::Value),
        Kind::Email => Some(Plain::Mail),
        Kind::Domain => Some(Plain::Mention).filter(|_| !super::marked::is_file_name(bare(word))),
        _ => None,
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
