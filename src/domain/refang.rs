//! Refanging: removes the marks that people insert so that a value is not clickable.

use std::borrow::Cow;
use std::net::Ipv4Addr;

/// Bracketed spellings of a character, in lower case, and the character.
const BRACKETED: &[(&str, &str)] = &[
    (".", "."),
    (",", "."),
    ("dot", "."),
    ("punto", "."),
    ("punkt", "."),
    (":", ":"),
    ("://", "://"),
    (":/", ":/"),
    ("::", "::"),
    ("/", "/"),
    ("@", "@"),
    ("at", "@"),
    ("arroba", "@"),
];

/// What opens a bracketed spelling.
const OPENING: [char; 4] = ['[', '(', '{', '<'];

/// A dot that is spelled out. In lower case it is a word of prose.
const SPELLED_DOT: &str = " DOT ";

/// Whether a text has only characters that neither defanging nor what surrounds a value has. Most values are such.
pub(super) fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Cleans a pasted value: trims white space and quotes, removes zero-width characters, and undoes
/// the usual defanging (`[.]`, `(.)`, `{.}`, `[dot]`, `hxxp`, `[:]`, `[at]` and similar, in any
/// case and combination, also with blanks around a mark or with half of its brackets). Idempotent. A
/// text that needs no change is borrowed.
pub fn refang(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let trimmed = trim(text);
    if is_clean(trimmed) {
        return Cow::Borrowed(trimmed);
    }
    let half_width = |c: char| if c == '＠' { '@' } else { c };
    let visible: String = trimmed.chars().filter(|c| !is_invisible(*c)).map(half_width).collect();
    let mut cleaned = join_spaced_marks(&visible).into_owned();
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
    let is_mark = |b: &u8| matches!(b, b'[' | b']' | b'(' | b'{' | b'<' | b'\\' | b'^');
    if bytes.iter().any(|b| !b.is_ascii() || is_mark(b)) {
        return false;
    }
    let has_spelled_dot = bytes.contains(&b' ') && text.contains(SPELLED_DOT);
    let has_masked_scheme = text.contains("//") && matches!(plain_scheme(text), Cow::Owned(_));
    let has_blanks = bytes.contains(&b' ') && (text.contains(". ") || text.contains(" AT "));
    let has_punctuation = matches!(bytes.last(), Some(b',' | b';' | b'.' | b')' | b'}'));
    !has_spelled_dot && !has_masked_scheme && !has_punctuation && !has_blanks
}

/// Takes out the blanks around bracketed marks, and brackets a spelled dot: `news [dot] example` is
/// `news[dot]example`, and `news DOT example` is `news[.]example`.
pub fn join_spaced_marks(text: &str) -> Cow<'_, str> {
    if !text.contains([' ', '\t']) {
        return Cow::Borrowed(text);
    }
    let mut marked = Cow::Borrowed(text);
    if text.contains(SPELLED_DOT) {
        // Next to a spelled dot, an `AT` is a mark too.
        marked = Cow::Owned(text.replace(SPELLED_DOT, "[.]").replace(" AT ", "[@]"));
    } else if let Some(joined) = mail_with_spelled_at(text).or_else(|| spaced_address(text)) {
        return Cow::Owned(joined);
    }
    if !marked.contains(OPENING) {
        return marked;
    }
    let mut joined = String::with_capacity(marked.len());
    let mut rest = &*marked;
    while let Some(at) = rest.find(OPENING) {
        joined.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((_, length)) = bracketed(rest) else {
            joined.push_str(&rest[..1]);
            rest = &rest[1..];
            continue;
        };
        joined.truncate(joined.trim_end_matches([' ', '\t']).len());
        joined.push_str(&rest[..length]);
        rest = rest[length..].trim_start_matches([' ', '\t']);
    }
    joined.push_str(rest);
    Cow::Owned(joined)
}

/// `desk AT pier.example`. Words in capitals are a headline.
fn mail_with_spelled_at(text: &str) -> Option<String> {
    let (name, host) = text.split_once(" AT ")?;
    let is_plain = |part: &str| !part.contains(|c: char| c.is_whitespace() || c.is_uppercase());
    (is_plain(name) && is_plain(host) && host.contains('.')).then(|| format!("{name}@{host}"))
}

/// `192. 0. 2. 10`: an IPv4 address with blanks behind its dots.
fn spaced_address(text: &str) -> Option<String> {
    let is_of_address = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b' ');
    if !text.contains(". ") || !text.bytes().all(is_of_address) {
        return None;
    }
    let joined = text.replace(". ", ".");
    joined.parse::<Ipv4Addr>().is_ok().then_some(joined)
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
    let mut unbalanced = Unbalanced::default();
    // Trimming one thing may expose another.
    loop {
        let before = text.len();
        text = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        for (open, close) in QUOTES {
            if let Some(inner) = text.strip_prefix(open).and_then(|t| t.strip_suffix(close)) {
                text = inner;
            }
        }
        text = unbalanced.without_punctuation(text);
        if text.len() == before {
            return text;
        }
    }
}

/// Trims the punctuation of a surrounding sentence, and unbalanced closing brackets.
pub(super) fn without_punctuation(text: &str) -> &str {
    Unbalanced::default().without_punctuation(text)
}

/// How many more closing than opening brackets a text has, for each kind of bracket that was met. They are counted
/// once, also where quotes and brackets take turns.
#[derive(Default)]
struct Unbalanced([Option<i64>; 3]);

impl Unbalanced {
    fn without_punctuation<'a>(&mut self, mut text: &'a str) -> &'a str {
        loop {
            let Some(last) = text.chars().next_back() else { return text };
            let before = &text[..text.len() - last.len_utf8()];
            match last {
                ')' | ']' | '}' if !before.is_empty() => {
                    let (kind, open) = match last {
                        ')' => (0, '('),
                        ']' => (1, '['),
                        _ => (2, '{'),
                    };
                    let more = self.0[kind].get_or_insert_with(|| {
                        text.chars().map(|c| i64::from(c == last) - i64::from(c == open)).sum()
                    });
                    if *more <= 0 {
                        return text;
                    }
                    *more -= 1;
                }
                // A dot after a letter ends a sentence; after other characters it may be part of a
                // mark.
                '.' if before.ends_with(|c: char| c.is_alphanumeric() || "/)]}".contains(c)) => {}
                ',' | ';' if !before.is_empty() => {}
                _ => return text,
            }
            text = before.trim_end();
        }
    }
}

/// Replaces bracketed characters, half-bracketed dots (`a[.b`, `a.]b`), and the escaped dots `\.` and `^.`.
fn without_brackets(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    // Square brackets that are open, so that `[a.]` is no half-bracketed dot.
    let mut open = 0_usize;
    while let Some(at) = rest.find(['[', ']', '(', '{', '<', '\\', '^']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let behind = &rest[1..];
        if let Some((mark, length)) = bracketed(rest) {
            plain.push_str(mark);
            rest = &rest[length..];
        } else if let Some(port) = bracketed_port(rest) {
            plain.push_str(port);
            rest = "";
        } else if rest.starts_with("\\.")
            || rest.starts_with("^.")
            || is_half_open_dot(&plain, rest)
        {
            plain.push('.');
            rest = &rest[2..];
        } else if open == 0 && is_half_closed_dot(&plain, rest) {
            rest = behind;
        } else {
            // A plain bracket. Each of them is one byte.
            open = match rest.as_bytes()[0] {
                b'[' => open + 1,
                b']' => open.saturating_sub(1),
                _ => open,
            };
            plain.push_str(&rest[..1]);
            rest = behind;
        }
    }
    plain.push_str(rest);
    plain
}

/// The port of `192.0.2.1[:443]`, at the end of a text.
fn bracketed_port(text: &str) -> Option<&str> {
    let port = text.strip_prefix('[')?.strip_suffix(']')?;
    let digits = port.strip_prefix(':')?;
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then_some(port)
}

/// Whether `[.` stands between letters or digits.
fn is_half_open_dot(before: &str, text: &str) -> bool {
    before.ends_with(char::is_alphanumeric)
        && text.strip_prefix("[.").is_some_and(|behind| behind.starts_with(char::is_alphanumeric))
}

/// Whether `.]` stands between letters or digits. The dot is the last character of `before`.
fn is_half_closed_dot(before: &str, text: &str) -> bool {
    before.strip_suffix('.').is_some_and(|before| before.ends_with(char::is_alphanumeric))
        && text.strip_prefix(']').is_some_and(|behind| behind.starts_with(char::is_alphanumeric))
}

/// The character that the text starts with in brackets, and the length of that spelling.
fn bracketed(text: &str) -> Option<(&'static str, usize)> {
    let close = match text.as_bytes()[0] {
        b'[' => ']',
        b'(' => ')',
        b'{' => '}',
        b'<' => '>',
        _ => return None,
    };
    // The longest spelling is `arroba`.
    let end = text.char_indices().take(10).find(|(_, c)| *c == close)?.0;
    let inner = text[1..end].trim().to_ascii_lowercase();
    let (_, mark) = BRACKETED.iter().find(|(spelling, _)| *spelling == inner)?;
    Some((mark, end + 1))
}

/// Replaces `hxxp`, `fxp`, `meow` and similar at the start with the scheme that they stand for; also without a colon
/// (`hxxp//`), with brackets (`[http]://`, `http[s]://`) and with back-slashes (`http:\\a.example\b`).
fn plain_scheme(text: &str) -> Cow<'_, str> {
    /// The longest spelling is `(hxxp)[s]`.
    const MAX_BYTES: usize = 10;
    let Some(at) = text.find("//").or_else(|| text.find(r":\\")) else {
        return Cow::Borrowed(text);
    };
    let is_in_windows = text[at..].starts_with(':');
    let (front, rest) = (&text[..at], &text[at..]);
    let spelled = front.strip_suffix(':').unwrap_or(front);
    if spelled.len() > MAX_BYTES {
        return Cow::Borrowed(text);
    }
    let scheme = spelled.replace(['[', ']', '(', ')', '{', '}'], "").to_ascii_lowercase();
    let plain = match scheme.as_bytes() {
        b"http" | b"https" if spelled.eq_ignore_ascii_case(&scheme) && front.ends_with(':') => {
            return Cow::Borrowed(text);
        }
        [b'h', one, other, b'p'] if is_masked(*one, *other) => "http",
        [b'h', one, other, b'p', b's'] if is_masked(*one, *other) => "https",
        b"meow" | b"ttp" => "http",
        b"meows" | b"ttps" => "https",
        b"fxp" => "ftp",
        b"fxps" => "ftps",
        _ => return Cow::Borrowed(text),
    };
    if is_in_windows {
        return Cow::Owned(format!("{plain}://{}", rest[3..].replace('\\', "/")));
    }
    Cow::Owned(format!("{plain}:{rest}"))
}

/// Whether two characters stand for `tt`.
fn is_masked(one: u8, other: u8) -> bool {
    [one, other].iter().all(|b| matches!(b, b't' | b'x' | b'*' | b'_'))
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
            ("news [dot] example", "news.example"),
            ("news DOT sub DOT example", "news.sub.example"),
            ("info AT news DOT example", "info@news.example"),
            ("info [at] news.example", "info@news.example"),
            ("news[.example", "news.example"),
            ("news.]example", "news.example"),
            ("fxp://a.example/x", "ftp://a.example/x"),
            ("meow://a.example", "http://a.example"),
            ("h**ps://a.example", "https://a.example"),
            ("hxxps//a[.]example/b", "https://a.example/b"),
            ("[http]://a.example", "http://a.example"),
            ("hxxp(s)://a.example", "https://a.example"),
            ("https[:/]/a.example", "https://a.example"),
            (r"https:\\a.example\b", "https://a.example/b"),
            ("info <at> news <dot> example", "info@news.example"),
            ("info AT news.example", "info@news.example"),
            ("info＠news.example", "info@news.example"),
            ("192.0.2.1[:443]", "192.0.2.1:443"),
            ("2001[:]db8[::]8", "2001:db8::8"),
            ("192. 0. 2. 10", "192.0.2.10"),
        ];
        for (pasted, plain) in table {
            assert_eq!(refang(pasted), plain, "{pasted}");
        }
    }

    #[test]
    fn brackets_that_hold_no_mark_stay() {
        for text in [
            "https://a.example/x(1).zip",
            "[see a.]b",
            "the dot example",
            "SALE AT A.EXAMPLE",
            "file(v2.2.6)",
            "[comment]",
            "a[",
            "(",
            "hxxpx",
        ] {
            assert_eq!(refang(text), text);
        }
    }

    #[test]
    fn plain_text_is_borrowed() {
        assert!(matches!(refang(" a.example "), Cow::Borrowed("a.example")));
    }
}
