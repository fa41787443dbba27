//! A free cell: a value, a value with an annotation, a count, or words.

use super::{Class, Neither, count};
use crate::domain::refang::refang;
use crate::domain::{Indicator, Kind};

/// Reads a cell that may hold anything. `platform` is what the record says of removed assets whose
/// wording names none.
pub fn read(raw: &str, platform: Option<&str>) -> Vec<Class> {
    let text = raw.trim();
    if text.is_empty() {
        return vec![Class::Neither(Neither::Empty)];
    }
    if let Some(counts) = count::read(text, platform) {
        return counts.into_iter().map(Class::Aggregate).collect();
    }
    let values = values(text);
    if !values.is_empty() {
        return values.into_iter().map(Class::Indicator).collect();
    }
    vec![Class::Neither(what_else(text))]
}

/// Reads a cell that is meant as a value whose kind is not declared.
pub fn read_with_platform(raw: &str, platform: Option<&str>) -> Class {
    if raw.trim().is_empty() {
        return Class::Neither(Neither::Empty);
    }
    if let Some(count) = count::read(raw, platform).and_then(|counts| counts.into_iter().next()) {
        return Class::Aggregate(count);
    }
    match Indicator::read(raw, platform) {
        Ok(indicator) => Class::Indicator(indicator),
        Err(invalid) => match values(raw).into_iter().next() {
            Some(indicator) if platform.is_none() => Class::Indicator(indicator),
            _ => Class::Unreadable(invalid),
        },
    }
}

/// The indicators that a text names, where it does nothing but name them.
fn values(text: &str) -> Vec<Indicator> {
    let tokens: Vec<&str> = text.split_whitespace().collect();
    let [first, rest @ ..] = tokens.as_slice() else { return Vec::new() };
    if rest.is_empty() {
        return Indicator::read(text, None).into_iter().filter(is_plausible(text)).collect();
    }
    if first.starts_with('+') {
        // The only kind that is written with blanks.
        return Indicator::read(text, None).into_iter().collect();
    }
    let each: Option<Vec<Indicator>> = tokens.iter().map(|token| strong(token)).collect();
    if let Some(each) = each {
        return each;
    }
    if let Some(value) = annotated(first, rest) {
        return vec![value];
    }
    joined(&tokens).into_iter().collect()
}

/// A token that can be nothing but a value: it is defanged, has a scheme, is a mail address or a
/// digest.
fn strong(token: &str) -> Option<Indicator> {
    let token = token.trim_end_matches([',', ';']);
    let read = Indicator::read(token, None).ok()?;
    let plain = refang(token);
    let is_marked = plain != token || plain.contains("://");
    let is_strong = is_marked || !matches!(read.kind(), Kind::Domain | Kind::Url | Kind::Hashtag);
    is_strong.then_some(read)
}

/// A value and what is remarked on it: `value, …`, `value (…)`, `value [comment]`, `value - …`.
fn annotated(first: &str, rest: &[&str]) -> Option<Indicator> {
    let opens = rest
        .first()
        .is_some_and(|next| next.starts_with(['(', '[']) || matches!(*next, "-" | "–" | "—" | "|"));
    if first.ends_with([',', ';', ':']) {
        return strong(first.trim_end_matches([',', ';', ':']));
    }
    opens.then(|| Indicator::read(first, None).ok()).flatten()
}

/// An address that was broken over lines when it was copied.
fn joined(tokens: &[&str]) -> Option<Indicator> {
    let [first, rest @ ..] = tokens else { return None };
    let is_part = |token: &&str| {
        token.is_ascii() && token.bytes().any(|b| b.is_ascii_digit() || b"-/%=_&?#.".contains(&b))
    };
    let has_path = refang(first).split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
    if !has_path || rest.len() > 3 || !rest.iter().all(is_part) {
        return None;
    }
    Indicator::read(&tokens.concat(), None).ok()
}

/// A title without blanks, as many scripts write them, may hold a dot and end like a host.
fn is_plausible(text: &str) -> impl Fn(&Indicator) -> bool {
    let plain = refang(text);
    let is_marked = plain != text.trim() || plain.contains("://");
    let is_ascii = plain.is_ascii();
    move |read| is_marked || is_ascii || !matches!(read.kind(), Kind::Domain | Kind::Url)
}

fn what_else(text: &str) -> Neither {
    if let Some(metric) = count::metric(text) {
        return metric;
    }
    let is_one_word = !text.contains(char::is_whitespace);
    let looks_meant = text.contains("://") || text.contains("[.]") || text.starts_with('@');
    if is_one_word && looks_meant { Neither::Malformed } else { Neither::Text }
}
