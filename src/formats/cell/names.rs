//! Names of accounts among other words. A display name is no handle, and a remark beside a handle is none either.

use super::pieces::is_remark_word;
use crate::domain::Indicator;

/// What a cell with names of accounts looks like.
#[derive(Clone, Copy)]
pub struct Names {
    /// Whether one of them is marked as a handle, so that a plain word beside it is a remark.
    has_marked: bool,
}

impl Names {
    /// Looks at a cell.
    pub fn of(text: &str) -> Self {
        Self { has_marked: text.split_whitespace().any(is_marked) }
    }

    /// Whether what was read from a piece of the cell may be the name of an account. Other values always may.
    pub fn may_be(self, piece: &str) -> impl Fn(&Indicator) -> bool {
        let is_name = !self.has_marked || is_like_handle(piece);
        move |read| is_name || !read.kind().needs_platform()
    }
}

/// Reads values with only white space between them, or a marked handle with a name or a remark beside it:
/// `@pier_desk (suspended)`, `Pier Desk (@pier_desk)`. Plain words are the display name of one account.
pub fn apart_by_blanks(
    text: &str,
    read: impl Fn(&str) -> Option<Indicator>,
) -> Option<Vec<Indicator>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_value =
        |word: &&str, read: &Indicator| is_like_handle(word) || !read.kind().needs_platform();
    let each = words.iter().map(|word| read(word).filter(|read| is_value(word, read)));
    if let Some(values) = each.collect::<Option<Vec<_>>>() {
        return Some(values);
    }
    let (marked, others): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| is_marked(word));
    let is_in_front = words.first().is_some_and(|word| is_marked(word));
    let is_in_brackets = words.last().is_some_and(|word| word.starts_with('(') && is_marked(word));
    let is_read = match marked.len() {
        0 => false,
        1 => is_in_front || is_in_brackets,
        _ => others.iter().all(|word| is_remark_word(word)),
    };
    let values = marked.into_iter().map(read).collect::<Option<Vec<_>>>();
    values.filter(|values| is_read && values.iter().all(|read| read.kind().needs_platform()))
}

/// Whether a word is marked as a handle or an address.
fn is_marked(word: &str) -> bool {
    let word = word.trim_start_matches(['(', '[', '"']);
    word.starts_with('@') || word.contains("://")
}

/// Whether a word is marked, or is no word of a language: `pier_desk`, `pier7`, `100001234567890`.
fn is_like_handle(word: &str) -> bool {
    /// Fewer digits may be part of a phone number.
    const MIN_DIGITS: usize = 8;
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let has_letters = word.contains(char::is_alphabetic);
    is_marked(word)
        || word.contains(['_', '/'])
        || (digits > 0 && has_letters)
        || (digits >= MIN_DIGITS && !word.starts_with('+'))
}
