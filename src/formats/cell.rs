//! Reads a free-form cell: a value, an annotated value, a count, or prose.

use super::{Class, SkipReason, count};
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

/// Reads a cell that should contain a value, without a declared kind.
pub fn read_with_platform(raw: &str, platform: Option<&str>) -> Class {
    if raw.trim().is_empty() {
        return Class::Neither(SkipReason::Empty);
    }
    if let Some(count) = count::read(raw, platform).and_then(|counts| counts.into_iter().next()) {
        return Class::Aggregate(count);
    }
    match Indicator::read(raw, platform) {
        Ok(indicator) => Class::Indicator(indicator),
        Err(invalid) => match values(raw.trim(), None).into_iter().next() {
            Some(indicator) if platform.is_none() => Class::Indicator(indicator),
            _ => Class::Unreadable(invalid),
        },
    }
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

/// Reads several separated values. Every piece must be a value: nothing is taken from a sentence
/// that mentions sites.
fn several_values(text: &str) -> Vec<Indicator> {
    const SEPARATORS: [char; 7] = ['\n', ',', ';', '|', '•', '·', '&'];
    // A URL path may contain any of the separators.
    let lower = text.to_ascii_lowercase();
    let is_single_url = text.contains('/')
        && !text.contains(char::is_whitespace)
        && ![",h", ";h", "|h"].iter().any(|next| {
            lower.split(next).skip(1).any(|rest| rest.starts_with("ttp") || rest.starts_with("xxp"))
        });
    if is_single_url {
        return Vec::new();
    }
    let apart = text.replace(" and ", "\n");
    let is_piece = |piece: &&str| !piece.is_empty() && !matches!(*piece, "-" | "–" | "*");
    let pieces = apart.split(SEPARATORS).map(|piece| piece.trim().trim_start_matches("- "));
    let pieces: Vec<_> = pieces.filter(is_piece).collect();
    if pieces.len() < 2 {
        return Vec::new();
    }
    let each = pieces.iter().map(|piece| {
        let is_one = piece.starts_with('+') || !piece.contains(char::is_whitespace);
        Indicator::read(piece, None).ok().filter(|_| is_one).filter(is_plausible(piece))
    });
    each.collect::<Option<Vec<_>>>().unwrap_or_default()
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
    match super::columns::declared(name, None, value) {
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
    if is_one_word && looks_like_value { SkipReason::Malformed } else { SkipReason::Text }
}
