//! What people leave around a value when they paste it: bullets, brackets, labels, Markdown links, file names.

use super::refang::{is_invisible, without_punctuation};

/// Longer texts are left as they are: no value is as long, and nested brackets would take quadratic time.
const MAX_BYTES: usize = 8_192;

/// Labels in front of a value that say nothing about it but its kind: `URL: …`, `tel:…`.
const LABELS: &[&str] = &[
    "url",
    "uri",
    "link",
    "website",
    "web",
    "site",
    "domain",
    "host",
    "hostname",
    "ip",
    "address",
    "ip address",
    "email",
    "e-mail",
    "mail",
    "mailto",
    "tel",
    "phone",
    "telephone",
    "mobile",
    "sms",
    "whatsapp",
    "viber",
    "signal",
    "fax",
    "md5",
    "sha1",
    "sha-1",
    "sha256",
    "sha-256",
    "sha512",
    "sha-512",
    "hash",
    "c2",
    "c&c",
    "ioc",
];

/// Brackets and quotes that may enclose a whole value.
const PAIRS: [(char, char); 9] = [
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('<', '>'),
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('«', '»'),
];

/// Removes what surrounds a value: white space, bullets and numbers of a list, enclosing brackets, quotes and
/// back-ticks, punctuation behind it, labels, a Markdown link around it, a name in front of `<address>`, and a file
/// name behind a digest. Idempotent.
pub fn strip_decoration(text: &str) -> &str {
    if text.len() > MAX_BYTES {
        return text;
    }
    let mut rest = text;
    loop {
        let before = rest.len();
        rest = rest.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        rest = without_bullet(rest);
        rest = without_emphasis(without_pair(rest));
        rest = markdown_target(rest).or_else(|| angled_address(rest)).unwrap_or(rest);
        rest = without_label(rest);
        rest = digest_with_file_name(rest).unwrap_or(rest);
        if rest.ends_with([',', ';', ')', ']', '}']) {
            rest = without_punctuation(rest);
        }
        if rest.len() == before {
            return rest;
        }
    }
}

/// `- value`, `• value`, `1. value`, `2) value`, `> value`.
fn without_bullet(text: &str) -> &str {
    const BULLETS: [&str; 9] = ["- ", "* ", "• ", "· ", "– ", "— ", "> ", "▪ ", "◦ "];
    if let Some(rest) = BULLETS.iter().find_map(|bullet| text.strip_prefix(bullet)) {
        return rest;
    }
    if let Some(rest) = text.strip_prefix(['•', '▪', '◦']) {
        return rest;
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = &text[digits..];
    let is_number = (1..=4).contains(&digits) && behind.starts_with(['.', ')']);
    if is_number && behind[1..].starts_with([' ', '\t']) { &behind[1..] } else { text }
}

/// The text between brackets or quotes that enclose it whole.
fn without_pair(text: &str) -> &str {
    for (open, close) in PAIRS {
        let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) else {
            continue;
        };
        // `[.]` alone is a mark of defanging, and in `(a) b (c)` the first bracket closes early.
        let is_enclosed = open == close || !closes_early(inner, open, close);
        if is_enclosed && inner.chars().filter(|c| c.is_alphanumeric()).count() > 1 {
            return inner;
        }
    }
    text
}

fn closes_early(inner: &str, open: char, close: char) -> bool {
    let mut depth = 0;
    inner.chars().any(|c| {
        depth += i32::from(c == open) - i32::from(c == close);
        depth < 0
    })
}

/// `**value**` and `*value*`.
fn without_emphasis(text: &str) -> &str {
    let inner = |mark: &str| text.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
    inner("**").or_else(|| inner("*")).filter(|inner| !inner.is_empty()).unwrap_or(text)
}

/// The address of `[text](address)`.
fn markdown_target(text: &str) -> Option<&str> {
    let (_, target) = text.strip_prefix('[')?.strip_suffix(')')?.rsplit_once("](")?;
    Some(target).filter(|target| !target.is_empty())
}

/// The address of `Name <address>`.
fn angled_address(text: &str) -> Option<&str> {
    let (_, address) = text.strip_suffix('>')?.rsplit_once('<')?;
    let is_address = !address.contains(char::is_whitespace) && address.contains(['@', '.']);
    is_address.then_some(address)
}

fn without_label(text: &str) -> &str {
    let Some((label, value)) = text.split_once([':', '：']) else { return text };
    let label = label.trim();
    let is_label = LABELS.iter().any(|known| label.eq_ignore_ascii_case(known));
    if is_label && !value.starts_with("//") && !value.trim().is_empty() { value } else { text }
}

/// The digest of `digest  file name`, as `sha256sum` prints it.
fn digest_with_file_name(text: &str) -> Option<&str> {
    let (digest, file) = text.split_once(char::is_whitespace)?;
    let is_digest =
        matches!(digest.len(), 32 | 40 | 64 | 128) && digest.bytes().all(|b| b.is_ascii_hexdigit());
    let is_one_file = !file.trim().is_empty() && !file.trim().contains(',');
    (is_digest && is_one_file && !holds_digest(file)).then_some(digest)
}

/// Whether a text holds hex digits of a digest's length.
pub fn holds_digest(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_hexdigit()).any(|run| matches!(run.len(), 32 | 40 | 64 | 128))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_freed_of_what_surrounds_it() {
        let digest = "c".repeat(32);
        let with_file = format!("- {digest}  invoice.doc");
        let table = [
            ("- a.example", "a.example"),
            ("•a.example", "a.example"),
            ("12. a.example", "a.example"),
            ("2) a.example", "a.example"),
            ("(192.0.2.8)", "192.0.2.8"),
            ("(https://a.example/about/),", "https://a.example/about/"),
            ("`a[.]example`", "a[.]example"),
            ("**a.example**", "a.example"),
            ("[the news](https://a.example/a)", "https://a.example/a"),
            ("Desk <desk@a.example>", "desk@a.example"),
            ("URL: hxxp://a[.]example", "hxxp://a[.]example"),
            ("tel:+12125550123", "+12125550123"),
            ("WhatsApp: +1 212 555 0123", "+1 212 555 0123"),
            (&with_file, &digest),
        ];
        for (pasted, value) in table {
            assert_eq!(strip_decoration(pasted), value, "{pasted}");
            assert_eq!(strip_decoration(strip_decoration(pasted)), value, "twice: {pasted}");
        }
    }

    #[test]
    fn what_belongs_to_a_value_stays() {
        let table = [
            "+1 212 555 0123",
            "https://a.example/x_(y)",
            "https://a.example/a*b",
            "a[.]example",
            "[.]",
            "(a) b (c)",
            "1.2.3.4",
            "url://a.example",
            "x:harbour",
            "",
        ];
        for text in table {
            assert_eq!(strip_decoration(text), text);
        }
    }
}
