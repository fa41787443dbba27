//! Reads a free-form cell: a value, an annotated value, a count, or prose.

mod declared;
mod names;
mod pieces;

pub use self::declared::{exchanged, read_declared};
use self::names::Names;
use self::pieces::read_pieces;
use super::involvement::involvement_of;
use super::kinds::{DeclaredType, declared};
use super::{Class, SkipReason, count};
use crate::domain::decoration::{holds_digest, strip_decoration};
use crate::domain::refang::{join_spaced_marks, refang};
use crate::domain::{Indicator, Invalid, Kind, Platform};

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
    if let Some(networks) = range(text) {
        return networks;
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
    if let Some(networks) = range(raw) {
        return networks;
    }
    let whole = Indicator::read(raw, platform);
    let invalid = match whole {
        Ok(indicator) if !has_joined_urls(raw) => return vec![Class::Indicator(indicator)],
        Ok(_) => Invalid::new("value", "is several web addresses, and one cannot be read"),
        Err(invalid) => invalid,
    };
    let values = match platform {
        // A value on another platform than the record's is not taken.
        Some(_) => {
            let names = Names::of(raw);
            let read =
                |piece: &str| Indicator::read(piece, platform).ok().filter(names.may_be(piece));
            read_pieces(raw, read).unwrap_or_default()
        }
        None => values(raw.trim(), None),
    };
    let values = if values.is_empty() { blank_separated_values(raw, platform) } else { values };
    if values.is_empty() {
        return vec![Class::Unreadable(invalid)];
    }
    with_remark(raw, values)
}

/// The values of a text. Where it has a single one, a value in the remark on it is listed, unless the remark states whose
/// it is: `hosted with host.example`.
fn with_remark(text: &str, values: Vec<Indicator>) -> Vec<Class> {
    let is_other = |word: &str| {
        use Kind::{Domain, Email, Ip, Url};
        Indicator::read(word, None).is_ok_and(|read| {
            matches!(read.kind(), Domain | Email | Ip | Url) && !values.contains(&read)
        })
    };
    let remark = text.trim().split_once(char::is_whitespace).map_or("", |(_, remark)| remark);
    let has_other = values.len() == 1
        && remark.split_whitespace().any(is_other)
        && involvement_of(remark).is_none();
    let listed = has_other.then_some(Class::Neither(SkipReason::TextWithValue));
    values.into_iter().map(Class::Indicator).chain(listed).collect()
}

/// Reads a line of a list. Unlike in [`read_value`], prose is text.
pub fn read_line(raw: &str, kind: Option<&str>, platform: Option<&str>) -> Vec<Class> {
    let classes = match kind {
        Some(kind) => read_declared(kind, platform, raw),
        None => read_value(raw, platform),
    };
    let text = raw.trim();
    // A number below `Phone:` that cannot be read is no prose.
    let may_be_prose = kind.is_none() || text.contains(char::is_alphabetic);
    let is_prose = || {
        let is_long = text.split_whitespace().count() > 2;
        may_be_prose && (is_long || text.ends_with([':', '：']) || is_two_plain_words(text))
    };
    match classes.as_slice() {
        [Class::Unreadable(_)] if is_prose() => vec![Class::Neither(skip_reason(text))],
        _ => classes,
    }
}

/// Whether a text is two words without a sign of a value, as a heading: `Tor nodes`.
fn is_two_plain_words(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_digit() || ".@/:_#[".contains(c);
    text.split_whitespace().count() == 2 && !text.contains(is_sign)
}

/// Reads a range of addresses: the networks that cover it, or the reason why it is none. `None` for other texts.
fn range(raw: &str) -> Option<Vec<Class>> {
    Some(match Indicator::networks_of_range(raw)? {
        Ok(networks) => networks.into_iter().map(Class::Indicator).collect(),
        Err(invalid) => vec![Class::Unreadable(invalid)],
    })
}

/// Reads the indicators of a text that contains nothing else. `platform` is the platform of handles
/// that name none.
fn values(text: &str, platform: Option<&str>) -> Vec<Indicator> {
    let text = &*join_spaced_marks(strip_decoration(text));
    let several = several_values(text);
    if !several.is_empty() {
        return several;
    }
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let [first, rest @ ..] = tokens.as_slice() else { return Vec::new() };
    let handle = || handle(first, rest, platform).or_else(|| handle_behind_platform(&tokens));
    if let Some(value) = labelled_value(text).or_else(handle) {
        return vec![value];
    }
    if rest.is_empty() {
        if let Some(handle) = dotted_handle(first, platform) {
            return vec![handle];
        }
        return Indicator::read(text, None).into_iter().filter(is_plausible(text)).collect();
    }
    if first.starts_with('+') || first.starts_with("00") {
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
    let is_single_url = text.contains('/')
        && !text.contains(char::is_whitespace)
        && !text.contains("->")
        && !has_joined_urls(text);
    if is_single_url {
        return Vec::new();
    }
    let read = |piece: &str| {
        let is_one = piece.starts_with(['+', '0']) || !piece.contains(char::is_whitespace);
        let handle = || handle(piece, &[], None);
        Indicator::read(piece, None)
            .ok()
            .filter(|_| is_one)
            .filter(is_plausible(piece))
            .or_else(handle)
            .or_else(|| labelled_value(piece))
    };
    read_pieces(text, read).unwrap_or_default()
}

/// Whether a text has a URL after a separator: `https://a.example/b,https://c.example`.
fn has_joined_urls(text: &str) -> bool {
    text.match_indices([',', ';', '|']).any(|(at, _)| {
        let next = text.as_bytes().get(at + 1..at + 5).map(<[u8]>::to_ascii_lowercase);
        matches!(next.as_deref(), Some(b"http" | b"hxxp"))
    })
}

/// Reads values with only white space between them. Every word must be one.
fn blank_separated_values(text: &str, platform: Option<&str>) -> Vec<Indicator> {
    let read = |word: &str| Indicator::read(word, platform).ok().filter(is_plausible(word));
    names::apart_by_blanks(text, read).unwrap_or_default()
}

/// Whether a line that is not read contains a value, or something that may be one.
pub fn contains_value(line: &str) -> bool {
    may_contain_value(line)
        || read_line(&line.replace('`', " "), None, None).iter().any(Class::is_indicator)
}

/// Whether a text contains what values are recognised by: a defanged dot, a scheme, an `@` between names, or a digest.
pub fn may_contain_value(text: &str) -> bool {
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
fn labelled_value(text: &str) -> Option<Indicator> {
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
    let suffix = rest.join(" ");
    let in_brackets = suffix.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let platform = match in_brackets.or_else(|| suffix.strip_prefix("on ")) {
        Some(name) => Platform::known_id(name)?,
        None if rest.is_empty() => platform?,
        None => return None,
    };
    Indicator::read(first, Some(platform)).ok()
}

/// Reads a handle after the name of its platform: `Telegram channel @name`, `Twitter - @name`.
fn handle_behind_platform(tokens: &[&str]) -> Option<Indicator> {
    /// Longer texts are sentences.
    const MAX_WORDS: usize = 4;
    let (handle, words) = tokens.split_last()?;
    if !handle.starts_with('@') || words.len() > MAX_WORDS {
        return None;
    }
    let name = words.join(" ");
    let name = name.trim_end_matches([' ', '-', '–', '—', ':']);
    match DeclaredType::of(name)? {
        DeclaredType::OnPlatform(_) | DeclaredType::Kind(_, Some(_)) => {}
        _ => return None,
    }
    match declared(name, None, handle) {
        Class::Indicator(read) => Some(read),
        _ => None,
    }
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

/// Reads a value with a remark: `value, …`, `value (…)`, `value [comment]`, `value - …`; or a host with its port.
fn annotated(first: &str, rest: &[&str]) -> Option<Indicator> {
    if is_port(rest) {
        let is_host = |read: &Indicator| matches!(read.kind(), Kind::Ip | Kind::Domain);
        return Indicator::read(first, None).ok().filter(is_host);
    }
    let opens = rest
        .first()
        .is_some_and(|next| next.starts_with(['(', '[']) || matches!(*next, "-" | "–" | "—" | "|"));
    if first.ends_with([',', ';', ':']) {
        return unambiguous(first.trim_end_matches([',', ';', ':']));
    }
    opens.then(|| Indicator::read(first, None).ok()).flatten()
}

/// Whether the words after a host are its port: `8080`, `port 443`, `on port 443`, `443/tcp`.
fn is_port(words: &[&str]) -> bool {
    let number = match words {
        ["on", "port", number] | ["port" | "Port", number] | [number] => *number,
        _ => return false,
    };
    let number = number.strip_suffix("/tcp").or(number.strip_suffix("/udp")).unwrap_or(number);
    number.parse::<u16>().is_ok()
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
    // `https:// a.example`
    if first.ends_with("://") && rest.len() == 1 {
        return Indicator::read(&tokens.concat(), None).ok();
    }
    let is_url = |read: &Indicator| read.kind() == Kind::Url;
    // `https://a.example /b`
    let is_host_and_path = rest.first().is_some_and(|path| path.starts_with('/'))
        && Indicator::read(first, None).is_ok_and(|read| read.kind() == Kind::Domain);
    if is_host_and_path && refang(first).contains("://") && rest.iter().all(is_part) {
        return Indicator::read(&tokens.concat(), None).ok().filter(is_url);
    }
    let has_path = refang(first).split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
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
    } else if may_contain_value(text) {
        SkipReason::TextWithValue
    } else {
        SkipReason::Text
    }
}
