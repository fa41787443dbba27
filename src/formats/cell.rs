//! Reads a free-form cell: a value, an annotated value, a count, or prose.

use super::kinds::declared;
use super::{Class, SkipReason, count};
use crate::domain::decoration::{holds_digest, strip_decoration};
use crate::domain::refang::refang;
use crate::domain::{Indicator, Kind, Platform};

/// Reads a cell with any content. `platform` is the platform of removed assets whose wording names
/// none.
pub fn read(raw: &str, platform: Option<&str>) -> Vec<Class> {
    let text = raw.trim();
    if text.is_empty() {
        return vec![Class::Neither(SkipReason::Empty)];
    }
    if let Some(counts) = count::read(text, platform) {
        return counts.into_iter().map(Class::Aggregate).collect();
    }
    let values = values(text, platform);
    if !values.is_empty() {
        return values.into_iter().map(Class::Indicator).collect();
    }
    vec![Class::Neither(skip_reason(text))]
}

/// Reads a cell or line that should contain values, without a declared kind.
pub fn read_value(raw: &str, platform: Option<&str>) -> Vec<Class> {
    if raw.trim().is_empty() {
        return vec![Class::Neither(SkipReason::Empty)];
    }
    if let Some(counts) = count::read(raw, platform) {
        return counts.into_iter().map(Class::Aggregate).collect();
    }
    let invalid = match Indicator::read(raw, platform) {
        Ok(indicator) => return vec![Class::Indicator(indicator)],
        Err(invalid) => invalid,
    };
    let values = match platform {
        // What lives elsewhere than the record says is not taken.
        Some(_) => {
            let read = |piece: &str| Indicator::read(piece, platform).ok();
            read_pieces(raw, read).unwrap_or_default()
        }
        None => values(raw.trim(), None),
    };
    let values = if values.is_empty() { values_apart_by_blanks(raw, platform) } else { values };
    if values.is_empty() {
        return vec![Class::Unreadable(invalid)];
    }
    values.into_iter().map(Class::Indicator).collect()
}

/// Reads a line of a list. Unlike in [`read_value`], prose is text.
pub fn read_line(raw: &str, kind: Option<&str>, platform: Option<&str>) -> Vec<Class> {
    let classes = match kind {
        Some(kind) => read_declared(kind, platform, raw),
        None => read_value(raw, platform),
    };
    let text = raw.trim();
    let is_prose = text.split_whitespace().count() > 2 || text.ends_with([':', '：']);
    match classes.as_slice() {
        [Class::Unreadable(_)] if is_prose => vec![Class::Neither(skip_reason(text))],
        _ => classes,
    }
}

/// Reads a cell whose kind is declared: one value, or several if each piece is one.
pub fn read_declared(kind: &str, platform: Option<&str>, raw: &str) -> Vec<Class> {
    if kind.contains('|') {
        return read_composite(kind, platform, raw);
    }
    let whole = declared(kind, platform, raw);
    let Class::Unreadable(_) = &whole else { return vec![whole] };
    let read = |piece: &str| match declared(kind, platform, piece) {
        Class::Indicator(read) => Some(read),
        _ => None,
    };
    match read_pieces(raw, read) {
        Some(values) => values.into_iter().map(Class::Indicator).collect(),
        None => vec![whole],
    }
}

/// Reads a composite type of MISP, such as `filename|md5`: each part by its own kind. Parts that are not exchanged
/// (file names, ports) are left out.
fn read_composite(kind: &str, platform: Option<&str>, raw: &str) -> Vec<Class> {
    let parts = kind.split('|').zip(raw.split('|'));
    let classes = parts.map(|(kind, value)| declared(kind, platform, value));
    let exchanged: Vec<_> =
        classes.filter(|class| *class != Class::Neither(SkipReason::OtherKind)).collect();
    if exchanged.is_empty() { vec![Class::Neither(SkipReason::OtherKind)] } else { exchanged }
}

/// Reads the indicators of a text that contains nothing else. `platform` is the platform of handles
/// that name none.
fn values(text: &str, platform: Option<&str>) -> Vec<Indicator> {
    let several = several_values(text);
    if !several.is_empty() {
        return several;
    }
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let [first, rest @ ..] = tokens.as_slice() else { return Vec::new() };
    if let Some(prefixed) = prefixed(text).or_else(|| handle(first, rest, platform)) {
        return vec![prefixed];
    }
    if rest.is_empty() {
        if let Some(handle) = dotted_handle(first, platform) {
            return vec![handle];
        }
        return Indicator::read(text, None).into_iter().filter(is_plausible(text)).collect();
    }
    if first.starts_with('+') {
        // Only phone numbers are written with blanks.
        return Indicator::read(text, None).into_iter().collect();
    }
    if tokens.iter().all(|token| token.starts_with('#')) {
        return tokens.iter().filter_map(|token| Indicator::read(token, None).ok()).collect();
    }
    let each: Option<Vec<Indicator>> = tokens.iter().map(|token| unambiguous(token)).collect();
    if let Some(each) = each {
        return each;
    }
    if let Some(value) = annotated(first, rest) {
        return vec![value];
    }
    rejoined_url(&tokens).into_iter().collect()
}

/// Reads a bare name with a dot as a handle, in a record about accounts of a platform whose handles
/// contain dots. It is not a domain there.
fn dotted_handle(token: &str, platform: Option<&str>) -> Option<Indicator> {
    let platform = platform.filter(|id| matches!(*id, "instagram" | "threads" | "tiktok"))?;
    let is_bare = !token.contains(['/', ':', '[', '(', '@', '#']);
    Indicator::read(token, Some(platform)).ok().filter(|_| is_bare)
}

/// Reads several separated values. Every piece must be a value or an annotation of one: nothing is taken from a
/// sentence that mentions sites.
fn several_values(text: &str) -> Vec<Indicator> {
    // A URL path may contain any of the separators.
    let lower = text.to_ascii_lowercase();
    let is_single_url = text.contains('/')
        && !text.contains(char::is_whitespace)
        && !lower.contains("->")
        && ![",h", ";h", "|h"].iter().any(|next| {
            lower.split(next).skip(1).any(|rest| rest.starts_with("ttp") || rest.starts_with("xxp"))
        });
    if is_single_url {
        return Vec::new();
    }
    let read = |piece: &str| {
        let is_one = piece.starts_with('+') || !piece.contains(char::is_whitespace);
        let handle = || handle(piece, &[], None);
        Indicator::read(piece, None)
            .ok()
            .filter(|_| is_one)
            .filter(is_plausible(piece))
            .or_else(handle)
            .or_else(|| prefixed(piece))
    };
    read_pieces(text, read).unwrap_or_default()
}

/// Reads values with only white space between them. Every word must be one.
fn values_apart_by_blanks(text: &str, platform: Option<&str>) -> Vec<Indicator> {
    let words = text
        .split_whitespace()
        .map(|word| Indicator::read(word, platform).ok().filter(is_plausible(word)));
    words.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Reads the pieces of a text, each a value or a remark on one. `None` if a piece is neither, or if there are fewer
/// than two.
fn read_pieces(text: &str, read: impl Fn(&str) -> Option<Indicator>) -> Option<Vec<Indicator>> {
    let pieces = split_pieces(text);
    if pieces.len() < 2 {
        return None;
    }
    let mut values = Vec::new();
    for piece in &pieces {
        match read(without_remark(strip_decoration(piece))) {
            Some(value) => values.push(value),
            None if is_remark(piece) => {}
            None => return None,
        }
    }
    (!values.is_empty()).then_some(values)
}

/// The pieces of a text between separators. A bracket behind a value is a piece, with its brackets.
fn split_pieces(text: &str) -> Vec<String> {
    const SEPARATORS: [char; 8] = ['\n', ',', ';', '|', '•', '·', '&', '→'];
    let mut apart = text.to_owned();
    for words in [" and ", "->", "=>", " - ", " – ", " — ", " / "] {
        apart = apart.replace(words, "\n");
    }
    let apart = apart.replace(" (", "\n(").replace(" [", "\n[");
    let pieces = apart.split(SEPARATORS).map(str::trim);
    let is_piece = |piece: &&str| !piece.is_empty() && !matches!(*piece, "-" | "–" | "*");
    pieces.filter(is_piece).map(str::to_owned).collect()
}

/// Words that say how a value relates to the one before it: `formerly news.example`.
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

/// The value behind such words.
fn without_remark(piece: &str) -> &str {
    let mut rest = piece;
    while let Some((word, behind)) = rest.split_once(char::is_whitespace)
        && is_remark_word(word)
    {
        rest = behind.trim_start();
    }
    rest
}

fn is_remark_word(word: &str) -> bool {
    REMARKS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Whether a piece only says something about its neighbour: `redirects to:`, `(a news site)`, `formerly`. What holds
/// something like a value is none: a value is not dropped without a word.
fn is_remark(piece: &str) -> bool {
    let is_bracketed = piece.starts_with(['(', '[']) && piece.ends_with([')', ']']);
    let is_label = piece.ends_with(':');
    (is_bracketed || is_label || piece.split_whitespace().all(is_remark_word))
        && !holds_value_like(piece)
}

/// Whether a text holds something like a value.
fn holds_value_like(text: &str) -> bool {
    let is_between_names = |(at, _): (usize, &str)| {
        text[..at].ends_with(char::is_alphanumeric)
            && text[at + 1..].starts_with(char::is_alphanumeric)
    };
    text.contains("[.]")
        || text.contains("://")
        || text.match_indices('@').any(is_between_names)
        || holds_digest(text)
}

/// Reads a value with a kind or platform prefix: `Email: …`, `MD5: …`, `X: @…`.
fn prefixed(text: &str) -> Option<Indicator> {
    let (name, value) = text.split_once(':')?;
    let (name, value) = (name.trim(), value.trim());
    if value.is_empty() || value.starts_with("//") || name.contains(char::is_whitespace) {
        return None;
    }
    if let Some(platform) = Platform::known_id(name) {
        // `OK: fine` is not an account on the platform OK.
        let is_handle = value.starts_with('@') || value.contains("://");
        return Indicator::read(value, Some(platform)).ok().filter(|_| is_handle);
    }
    match declared(name, None, value) {
        Class::Indicator(read) => Some(read),
        _ => None,
    }
}

/// Reads `@name`, on the platform of the record or the one in parentheses: `@name (X)`.
fn handle(first: &str, rest: &[&str], platform: Option<&str>) -> Option<Indicator> {
    if !first.starts_with('@') {
        return None;
    }
    let suffix = rest.concat();
    let platform = match suffix.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(name) => Platform::known_id(name)?,
        None if rest.is_empty() => platform?,
        None => return None,
    };
    Indicator::read(first, Some(platform)).ok()
}

/// Reads a token that can only be a value: defanged, with a scheme, a mail address or a digest.
fn unambiguous(token: &str) -> Option<Indicator> {
    let token = token.trim_end_matches([',', ';']);
    let read = Indicator::read(token, None).ok()?;
    let plain = refang(token);
    let is_marked = plain != token || plain.contains("://");
    let is_strong = is_marked || !matches!(read.kind(), Kind::Domain | Kind::Url | Kind::Hashtag);
    is_strong.then_some(read)
}

/// Reads a value with a remark: `value, …`, `value (…)`, `value [comment]`, `value - …`.
fn annotated(first: &str, rest: &[&str]) -> Option<Indicator> {
    let opens = rest
        .first()
        .is_some_and(|next| next.starts_with(['(', '[']) || matches!(*next, "-" | "–" | "—" | "|"));
    if first.ends_with([',', ';', ':']) {
        return unambiguous(first.trim_end_matches([',', ';', ':']));
    }
    opens.then(|| Indicator::read(first, None).ok()).flatten()
}

/// Joins a URL that was broken over lines when it was copied. A token that is a value by itself is
/// not a part. Nothing is appended to a profile URL: the result would accuse another account.
fn rejoined_url(tokens: &[&str]) -> Option<Indicator> {
    let [first, rest @ ..] = tokens else { return None };
    let is_part = |token: &&str| {
        let is_day = token.contains(['-', '/', '.', ':'])
            && token.bytes().all(|b| b.is_ascii_digit() || b"-/.:".contains(&b));
        let begins =
            token.starts_with(|c: char| c.is_ascii_alphanumeric() || "/=%&?_-".contains(c));
        token.is_ascii()
            && begins
            && !is_day
            && token.bytes().any(|b| b.is_ascii_digit() || b"-/%=_&?#.".contains(&b))
            && Indicator::read(token, None).is_err()
    };
    let has_path = refang(first).split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    let is_url = |read: &Indicator| read.kind() == Kind::Url;
    if !has_path || rest.len() > 3 || !rest.iter().all(is_part) {
        return None;
    }
    Indicator::read(first, None).ok().filter(is_url)?;
    Indicator::read(&tokens.concat(), None).ok().filter(is_url)
}

/// Rejects domains and URLs from non-ASCII prose. A title in a script without blanks may contain a
/// dot and look like a host.
fn is_plausible(text: &str) -> impl Fn(&Indicator) -> bool {
    let plain = refang(text);
    let is_marked = plain != text.trim() || plain.contains("://");
    let is_ascii = plain.is_ascii();
    move |read| is_marked || is_ascii || !matches!(read.kind(), Kind::Domain | Kind::Url)
}

fn skip_reason(text: &str) -> SkipReason {
    if let Some(metric) = count::metric(text) {
        return metric;
    }
    let is_one_word = !text.contains(char::is_whitespace);
    let looks_like_value = text.contains("://") || text.contains("[.]") || text.starts_with('@');
    if is_one_word && looks_like_value {
        SkipReason::Malformed
    } else if holds_value_like(text) {
        SkipReason::TextWithValue
    } else {
        SkipReason::Text
    }
}
