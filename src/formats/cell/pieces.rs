//! Splits a text with several values into its pieces.

use super::may_contain_value;
use crate::domain::Indicator;
use crate::domain::decoration::strip_decoration;

/// Reads the pieces of a text, each a value or a remark on one. `None` if a piece is neither, or if there are fewer
/// than two.
pub fn read_pieces(text: &str, read: impl Fn(&str) -> Option<Indicator>) -> Option<Vec<Indicator>> {
    let pieces = split_pieces(text);
    if pieces.len() < 2 {
        return None;
    }
    let mut values = Vec::new();
    for piece in &pieces {
        let value = without_remark(strip_decoration(piece));
        if let Some(Ok(networks)) = Indicator::networks_of_range(value) {
            values.extend(networks);
            continue;
        }
        match read(value) {
            Some(value) => values.push(value),
            None if is_remark(piece) => {}
            None => return None,
        }
    }
    (!values.is_empty()).then_some(values)
}

/// The pieces of a text between separators. A bracket after a value is a piece, with its brackets.
fn split_pieces(text: &str) -> Vec<String> {
    const SEPARATORS: [char; 8] = ['\n', ',', ';', '|', '•', '·', '&', '→'];
    if let Some(addresses) = angled_addresses(text) {
        return addresses;
    }
    let mut apart = strip_decoration(text).to_owned();
    for words in [" and ", "->", "=>", " - ", " – ", " — ", " / ", " aka ", " a.k.a. ", " or "]
    {
        apart = apart.replace(words, "\n");
    }
    let apart = apart.replace(" (", "\n(").replace(" [", "\n[");
    let pieces = apart.split(SEPARATORS).map(str::trim);
    let is_piece = |piece: &&str| !piece.is_empty() && !matches!(*piece, "-" | "–" | "*");
    pieces.filter(is_piece).map(str::to_owned).collect()
}

/// The addresses of several people: `"Doe, Jane" <jane@a.example>, Bob <bob@a.example>`. The names may have any of the
/// separators.
fn angled_addresses(text: &str) -> Option<Vec<String>> {
    let mut parts = text.split('<');
    let mut names = parts.next()?.to_owned();
    let mut addresses = Vec::new();
    for part in parts {
        let (address, behind) = part.split_once('>')?;
        if !address.contains('@') {
            return None;
        }
        addresses.push(address.to_owned());
        names.push_str(behind);
    }
    (addresses.len() > 1 && !may_contain_value(&names)).then_some(addresses)
}

/// Words in front of a value that relate it to the one before: `formerly news.example`.
const REMARKS: [&str; 16] = [
    "formerly",
    "previously",
    "now",
    "also",
    "aka",
    "a.k.a.",
    "redirects",
    "redirected",
    "redirecting",
    "to",
    "via",
    "see",
    "and",
    "or",
    "old:",
    "new:",
];

/// The value after such words.
fn without_remark(piece: &str) -> &str {
    let mut rest = piece;
    while let Some((word, behind)) = rest.split_once(char::is_whitespace)
        && is_remark_word(word)
    {
        rest = behind.trim_start();
    }
    rest
}

/// Whether a word relates the value after it to the one before.
pub fn is_remark_word(word: &str) -> bool {
    REMARKS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether a piece is only a remark on its neighbour: `redirects to:`, `(a news site)`, `formerly`. A piece with
/// something like a value is not, so that no value is dropped silently.
fn is_remark(piece: &str) -> bool {
    let is_bracketed = piece.starts_with(['(', '[']) && piece.ends_with([')', ']']);
    let is_label = piece.ends_with(':');
    (is_bracketed || is_label || piece.split_whitespace().all(is_remark_word))
        && !may_contain_value(piece)
}
