//! Refanging: removes the marks that people insert so that a value is not clickable.

use std::borrow::Cow;

/// Bracketed spellings of a character, in lower case, and the character.
const BRACKETED: &[(&str, &str)] = &[
    (".", "."),
    (",", "."),
    ("dot", "."),
    ("punto", "."),
    ("punkt", "."),
    (":", ":"),
    ("://", "://"),
    ("/", "/"),
    ("@", "@"),
    ("at", "@"),
    ("arroba", "@"),
];

/// Cleans a pasted value: trims white space and quotes, removes zero-width characters, and undoes
/// the usual defanging (`[.]`, `(.)`, `{.}`, `[dot]`, `hxxp`, `[:]`, `[at]` and similar, in any
/// case and combination). Idempotent. A text that needs no change is borrowed.
pub fn refang(text: &str) -> Cow<'_, str> {
    let trimmed = trim(text);
    if is_clean(trimmed) {
        return Cow::Borrowed(trimmed);
    }
    let mut cleaned: String = trimmed.chars().filter(|c| !is_invisible(*c)).collect();
    // Removing one mark may expose another, as in `[[.]]`.
    for _ in 0..8 {
        let next = trim(&plain_scheme(&without_brackets(&cleaned))).to_owned();
        if next == cleaned {
            break;
        }
        cleaned = next;
    }
    Cow::Owned(cleaned)
}

/// Fast path: whether a trimmed text needs no change, as most of what programs send.
fn is_clean(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|b| b.is_ascii() && !matches!(b, b'[' | b'(' | b'{' | b'\\' | b'^'))
        && !matches!(bytes, [b'h' | b'H', b'x' | b'X', b'x' | b'X', ..])
        && !matches!(bytes.last(), Some(b',' | b';' | b'.' | b')' | b']' | b'}'))
}

/// Invisible characters that are often pasted along: zero-width characters, soft hyphens, direction
/// marks, byte order marks.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

fn trim(mut text: &str) -> &str {
    const QUOTES: [(char, char); 6] =
        [('"', '"'), ('\'', '\''), ('`', '`'), ('<', '>'), ('“', '”'), ('«', '»')];
    // Trimming one thing may expose another.
    loop {
        let before = text.len();
        text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        for (open, close) in QUOTES {
            if let Some(inner) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close)) {
                text = inner;
            }
        }
        text = without_punctuation(text);
        if text.len() == before {
            return text;
        }
    }
}

/// Trims the punctuation of a surrounding sentence, and unbalanced closing brackets.
pub(super) fn without_punctuation(mut text: &str) -> &str {
    loop {
        let Some(last) = text.chars().next_back() else { return text };
        let before = &text[..text.len() - last.len_utf8()];
        let opens = match last {
            ')' => '(',
            ']' => '[',
            '}' => '{',
            // A dot after a letter ends a sentence; after other characters it may be part of a
            // mark.
            '.' if before.ends_with(|c: char| c.is_alphanumeric() || "/)]}".contains(c)) => '\0',
            ',' | ';' if !before.is_empty() => '\0',
            _ => return text,
        };
        let count = |bracket: char| text.chars().filter(|c| *c == bracket).count();
        if opens != '\0' && (before.is_empty() || count(opens) >= count(last)) {
            return text;
        }
        text = before.trim_end();
    }
}

/// Replaces bracketed characters, and the escaped dots `\.` and `^.`.
fn without_brackets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(', '{', '\\', '^']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((mark, length)) = bracketed(rest) {
            plain.push_str(mark);
            rest = &rest[length..];
        } else if rest.starts_with("\\.") || rest.starts_with("^.") {
            plain.push('.');
            rest = &rest[2..];
        } else {
            // A plain bracket. Each of them is one byte.
            plain.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    plain
}

/// The character that the text starts with in brackets, and the length of that spelling.
fn bracketed(text: &str) -> Option<(&'static str, usize)> {
    let close = match text.as_bytes()[0] {
        b'[' => ']',
        b'(' => ')',
        b'{' => '}',
        _ => return None,
    };
    // The longest spelling is `arroba`.
    let end = text.char_indices().take(10).find(|(_, c)| *c == close)?.0;
    let inner = text[1..end].trim().to_ascii_lowercase();
    let (_, mark) = BRACKETED.iter().find(|(spelling, _)| *spelling == inner)?;
    Some((mark, end + 1))
}

/// Replaces `hxxp` and similar at the start with `http`.
fn plain_scheme(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return Cow::Borrowed(text) };
    let plain = match scheme.to_ascii_lowercase().as_str() {
        "hxxp" | "hxtp" | "htxp" => "http",
        "hxxps" | "hxtps" | "htxps" => "https",
        _ => return Cow::Borrowed(text),
    };
    Cow::Owned(format!("{plain}://{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_defanging_is_taken_out_in_any_mixture() {
        let table = [
            ("news[.]example", "news.example"),
            ("news(.)sub{.}example", "news.sub.example"),
            ("news[dot]sub(DOT)a.example", "news.sub.a.example"),
            ("hxxp://a.example", "http://a.example"),
            ("hXXps[:]//a[.]example/x[.]html", "https://a.example/x.html"),
            ("https[://]a.example", "https://a.example"),
            ("info[at]a[.]example", "info@a.example"),
            ("info(@)a.example", "info@a.example"),
            ("a\\.example", "a.example"),
            ("  \u{feff}a\u{200b}.example\t", "a.example"),
            ("\"a.example\"", "a.example"),
            ("[[.]]", "."),
            ("https://a.example/x,", "https://a.example/x"),
            ("https://a.example/x).", "https://a.example/x"),
            ("https://a.example/x_(y)", "https://a.example/x_(y)"),
            ("a.example.", "a.example"),
        ];
        for (pasted, plain) in table {
            assert_eq!(refang(pasted), plain, "{pasted}");
        }
    }

    #[test]
    fn brackets_that_hold_no_mark_stay() {
        for text in ["https://a.example/x(1).zip", "file(v2.2.6)", "[comment]", "a[", "(", "hxxpx"]
        {
            assert_eq!(refang(text), text);
        }
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(refang(" a.example "), Cow::Borrowed("a.example")));
    }
}
