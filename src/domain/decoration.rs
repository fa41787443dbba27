//! What people leave around a value when they paste it: bullets, brackets, labels, Markdown links, file names.

use super::refang::{is_invisible, is_plain, without_punctuation};

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
    "signal",
    "hash",
    "c2",
    "c&c",
    "ioc",
];

/// Names of algorithms of digests. With a file in brackets, OpenSSL and BSD print them in front of `=`.
const ALGORITHMS: &[&str] =
    &["md5", "sha1", "sha-1", "sha256", "sha2-256", "sha-256", "sha512", "sha2-512", "sha-512"];

/// Labels of handles that name their host, `@name@host`.
const FEDIVERSE_LABELS: &[&str] = &["fediverse", "mastodon", "activitypub"];

/// Labels of phone numbers. Before a number with its country code they need no colon: `Tel. +1 …`.
const PHONE_LABELS: &[&str] = &[
    "tel",
    "telephone",
    "phone",
    "ph",
    "mobile",
    "mob",
    "cell",
    "fax",
    "sms",
    "whatsapp",
    "viber",
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
    if text.len() > MAX_BYTES || is_plain(text) {
        return text;
    }
    let mut rest = text;
    loop {
        let before = rest.len();
        rest = rest.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
        rest = without_bullet(rest);
        rest = without_emphasis(without_pair(rest));
        rest = markdown_target(rest).or_else(|| angled_address(rest)).unwrap_or(rest);
        rest = phone_with_label(without_label(rest));
        rest = digest_with_file_name(rest).unwrap_or(rest);
        if rest.ends_with([',', ';', ')', ']', '}']) {
            rest = without_punctuation(rest);
        }
        if rest.len() == before {
            return rest;
        }
    }
}

/// Bullets that need a blank behind them.
const BULLETS: &[&str] = &["- ", "* ", "· ", "– ", "— ", "> ", "» ", "→ "];
/// Bullets and signs that stand for nothing else.
const SIGNS: &[char] = &[
    '•', '▪', '◦', '‣', '●', '○', '■', '□', '►', '▶', '◆', '☐', '☑', '☒', '✓', '✔', '✗', '☎', '✆',
    '📞', '📱', '✉', '📧',
];

/// `- value`, `• value`, `1. value`, `2) value`, `> value`, `[ ] value`.
fn without_bullet(text: &str) -> &str {
    if let Some(rest) = BULLETS.iter().find_map(|bullet| text.strip_prefix(bullet)) {
        return rest;
    }
    if let Some(rest) = text.strip_prefix(SIGNS) {
        // Some signs of this kind are followed by a mark of their colour.
        return rest.trim_start_matches('\u{fe0f}');
    }
    // Before a digit, a plus is a phone number's.
    if let Some(rest) = text.strip_prefix("+ ")
        && rest.trim_start().starts_with(char::is_alphabetic)
    {
        return rest;
    }
    without_number(text).unwrap_or(text)
}

/// `1. value`, `2) value`, `a) value`, `(c) value`, `[4] value`, and the box of a task, `[ ] value` or `[x] value`.
fn without_number(text: &str) -> Option<&str> {
    let (open, rest) = match text.strip_prefix(['(', '[']) {
        Some(rest) => (text.chars().next(), rest),
        None => (None, text),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_letter = digits == 0 && rest.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_box = open == Some('[') && rest.starts_with(' ');
    let behind = &rest[digits.max(usize::from(is_letter || is_box))..];
    let is_number = match open {
        // In round brackets, more digits are the area of a phone number.
        Some('(') => (is_letter || (1..=2).contains(&digits)) && behind.starts_with(')'),
        Some(_) => (is_letter || is_box || (1..=4).contains(&digits)) && behind.starts_with(']'),
        None if is_letter => behind.starts_with(')'),
        // `192. 0. 2. 10` is an address.
        None => {
            (1..=4).contains(&digits)
                && behind.starts_with(['.', ')'])
                && !begins_with_number(behind[1..].trim_start())
        }
    };
    let value = is_number.then(|| &behind[1..])?;
    // `(a) b (c)` are remarks.
    let is_remark = open == Some('(') && value.contains('(');
    (value.starts_with([' ', '\t']) && !is_remark).then_some(value)
}

/// Whether a text begins with a number, a dot and a blank.
fn begins_with_number(text: &str) -> bool {
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
    behind.len() < text.len() && behind.starts_with(". ")
}

/// The text between brackets or quotes that enclose it whole.
fn without_pair(text: &str) -> &str {
    for (open, close) in PAIRS {
        let Some(inner) = text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) else {
            continue;
        };
        // `[.]` alone is a mark of defanging, and in `(a) b (c)` the first bracket closes early.
        let is_enclosed = if open == close {
            // In `"a", "b"` the first quote closes early.
            !inner.contains(open) || inner.starts_with(open) && inner.ends_with(close)
        } else {
            !closes_early(inner, open, close)
        };
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
    let (_, target) = text.strip_prefix('[')?.strip_suffix(')')?.split_once("](")?;
    // Several links are several values.
    Some(target).filter(|target| !target.is_empty() && !target.contains("]("))
}

/// The address of `Name <address>`.
fn angled_address(text: &str) -> Option<&str> {
    let (name, address) = text.strip_suffix('>')?.rsplit_once('<')?;
    let is_address = !address.contains(char::is_whitespace)
        && address.contains(['@', '.'])
        && !name.contains(['<', '>']);
    is_address.then_some(address)
}

fn without_label(text: &str) -> &str {
    let Some((label, value)) = text.split_once([':', '：', '=']) else { return text };
    let label = label.trim().trim_end_matches('.');
    // A link to write a mail may have its subject.
    if label.eq_ignore_ascii_case("mailto") {
        return value.split('?').next().unwrap_or(value);
    }
    let is_fediverse = is_one_of(label, FEDIVERSE_LABELS) && value.trim_start().starts_with('@');
    let is_label = is_one_of(label, LABELS)
        || is_one_of(label, PHONE_LABELS)
        || is_algorithm(label)
        || is_fediverse;
    if is_label && !value.starts_with("//") && !value.trim().is_empty() { value } else { text }
}

/// Whether a label names the algorithm of a digest: `MD5 hash`.
fn is_algorithm(label: &str) -> bool {
    let name = label.split_once(' ').map_or(label, |(name, what)| match what {
        "hash" | "Hash" | "checksum" | "digest" | "sum" => name,
        _ => label,
    });
    is_one_of(name, ALGORITHMS)
}

fn is_one_of(label: &str, labels: &[&str]) -> bool {
    labels.iter().any(|known| label.eq_ignore_ascii_case(known))
}

/// The number of `Tel. +1 212 555 0123`.
fn phone_with_label(text: &str) -> &str {
    let Some((label, number)) = text.split_once(char::is_whitespace) else { return text };
    let is_label = is_one_of(label.trim_end_matches('.'), PHONE_LABELS);
    let is_international =
        || number.trim_start().starts_with(['+', '＋']) || number.trim_start().starts_with("00");
    if is_label && is_international() { number } else { text }
}

/// The digest of a line that names a file too: `digest  file`, `digest *file`, `digest|file`, `file digest`,
/// `file: digest`, `SHA256(file)= digest`; or the algorithm, `SHA-512 digest`.
fn digest_with_file_name(text: &str) -> Option<&str> {
    if let Some((left, digest)) = text.rsplit_once('=')
        && is_digest(digest.trim())
    {
        return names_algorithm_and_file(left.trim_end()).then(|| digest.trim());
    }
    if let Some((one, other)) = text.split_once('|') {
        let (one, other) = (one.trim(), other.trim());
        return match (is_digest(one), is_digest(other)) {
            (true, false) => is_file_name(other).then_some(one),
            (false, true) => is_file_name(one).then_some(other),
            _ => None,
        };
    }
    let (digest, file) = text.split_once(char::is_whitespace)?;
    let is_one_file = !file.trim().is_empty() && !file.trim().contains(',');
    if is_digest(digest) {
        return (is_one_file && !holds_digest(file)).then_some(digest);
    }
    let (file, digest) = text.rsplit_once(char::is_whitespace)?;
    let front = file.trim_end().trim_end_matches(':');
    (is_digest(digest) && (is_file_name(front) || is_algorithm(front))).then_some(digest)
}

fn is_digest(text: &str) -> bool {
    matches!(text.len(), 32 | 40 | 64 | 128) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text is `SHA256(file)` or `MD5 (file)`, as OpenSSL and BSD print it.
fn names_algorithm_and_file(text: &str) -> bool {
    text.strip_suffix(')')
        .and_then(|rest| rest.split_once('('))
        .is_some_and(|(name, file)| !file.is_empty() && is_one_of(name.trim(), ALGORITHMS))
}

/// Endings of files that are no endings of hosts, or are read as those of files.
const FILE_ENDINGS: &[&str] = &[
    "7z", "apk", "bat", "bin", "chm", "dat", "dex", "dll", "dmg", "doc", "docm", "docx", "elf",
    "eml", "exe", "gif", "gz", "hta", "htm", "html", "img", "ipa", "iso", "jar", "jpeg", "jpg",
    "js", "jse", "lnk", "log", "mov", "mp3", "mp4", "msg", "msi", "ocx", "one", "pdf", "php",
    "pkg", "png", "ppt", "pptx", "ps1", "py", "rar", "rtf", "scr", "sh", "swf", "sys", "tar",
    "tmp", "txt", "vba", "vbe", "vbs", "wsf", "xls", "xlsb", "xlsm", "xlsx", "xml", "zip",
];

/// Whether a text is the name of a file and nothing else. A name that may be a host is not.
fn is_file_name(text: &str) -> bool {
    let text = text.trim().trim_start_matches('*');
    if text.contains("://") || text.contains(['@', ',', '[']) || holds_digest(text) {
        return false;
    }
    let is_path = text.contains('\\') || text.starts_with(['/', '~']) || text.starts_with("./");
    let ending = text.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    is_path || ending.is_some_and(|ending| FILE_ENDINGS.contains(&&*ending))
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
            ("Tel. +1 212 555 0123", "+1 212 555 0123"),
            ("Tel.: 0044 20 7946 0018", "0044 20 7946 0018"),
            ("- [ ] a.example", "a.example"),
            ("- [x] a.example", "a.example"),
            ("a) a.example", "a.example"),
            ("(c) a.example", "a.example"),
            ("[4] a.example", "a.example"),
            ("+ a.example", "a.example"),
            ("☎ +1 212 555 0123", "+1 212 555 0123"),
            ("mailto:desk@a.example?subject=a", "desk@a.example"),
            ("domain=a.example", "a.example"),
            ("fediverse:@a@a.example", "@a@a.example"),
            (&with_file, &digest),
        ];
        for (pasted, value) in table {
            assert_eq!(strip_decoration(pasted), value, "{pasted}");
            assert_eq!(strip_decoration(strip_decoration(pasted)), value, "twice: {pasted}");
        }
    }

    #[test]
    fn a_digest_is_taken_from_beside_the_name_of_its_file() {
        let digest = "c".repeat(64);
        for form in [
            "SHA256(invoice.doc)= #",
            "MD5 (my invoice.doc) = #",
            "#|invoice.doc",
            "invoice.doc|#",
            "invoice.doc #",
            "my invoice.doc #",
            "invoice.doc: #",
            "SHA256=#",
            "sha-256 #",
            "SHA256 hash: #",
            "C:\\Temp\\x #",
            "# *invoice.doc",
        ] {
            assert_eq!(strip_decoration(&form.replace('#', &digest)), digest, "{form}");
        }
        // A host beside a digest is a value of its own, and a word may say anything of it.
        for form in ["#|bad.example", "harmless #", "SHA256(a) #", "a=#"] {
            let text = form.replace('#', &digest);
            assert_eq!(strip_decoration(&text), text, "{form}");
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
            "(020) 7946 0018",
            "\"a.example\", \"b.example\"",
            "<a@a.example>, <b@a.example>",
            "https://a.example/?url=b",
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
