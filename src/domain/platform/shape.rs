//! The formats of profile URLs, and how a path is matched against one.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::own_pages::OWN_PAGES;
use crate::domain::indicator::Kind;

/// The path format of a profile URL. In a prefix, `*` stands for any one segment. Case does not count in prefixes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// `/name`: a single segment that is no page of the platform's own.
    Bare(Kind),
    /// `/name` where it stands for `/prefix/name`, and the prefix is part of the value.
    BareAs(&'static str, Kind),
    /// `/@name`.
    At(Kind),
    /// `/$name`.
    Cashtag(Kind),
    /// `/prefix/name`.
    Under(&'static str, Kind),
    /// `/prefix/name`, where the prefix is part of the value.
    WithPrefix(&'static str, Kind),
    /// `/+invite`.
    Plus(Kind),
    /// `/prefix/anything/id`: the address carries a name and an id, and the id is taken.
    IdUnder(&'static str, Kind),
    /// `/prefix/id`, or `/prefix/id/anything`.
    IdThenName(&'static str, Kind),
    /// `/prefix/Some-Name-id`: the id of digits is taken.
    NameWithId(&'static str, Kind),
    /// `/path?key=id`.
    Query(&'static str, &'static str, Kind),
    /// `/#prefix/value`, or `/#value` without a prefix.
    Fragment(&'static str, Kind),
}

/// What follows the host in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathAndQuery<'a> {
    /// The segments of the path, percent-decoded, without empty ones.
    pub segments: Vec<&'a str>,
    /// The query, percent-encoded.
    pub query: &'a str,
    /// The fragment, percent-encoded.
    pub fragment: &'a str,
}

/// Digits that an id at the end of a name has at least. A year or a counter has fewer.
const MIN_ID_DIGITS: usize = 9;

impl Shape {
    /// The kind and the value of a profile in this format. `own_pages` are those of the platform, besides
    /// [`OWN_PAGES`].
    pub fn matched(&self, url: &PathAndQuery<'_>, own_pages: &[&str]) -> Option<(Kind, String)> {
        let is_listed = |name: &str| own_pages.iter().any(|page| name.eq_ignore_ascii_case(page));
        match *self {
            Shape::Bare(kind) => {
                let name = url.single()?;
                let name = name.strip_prefix('@').unwrap_or(name);
                let is_name = !is_own_page(name) && !is_listed(name) && !name.starts_with('+');
                (is_name && !name.is_empty()).then(|| (kind, name.to_owned()))
            }
            Shape::BareAs(prefix, kind) => {
                let name = url.single()?;
                let is_name = name.chars().all(char::is_alphanumeric)
                    && !is_own_page(name)
                    && !is_listed(name);
                is_name.then(|| (kind, format!("{prefix}/{name}")))
            }
            Shape::At(kind) => Some((kind, url.single_after('@')?.to_owned())),
            Shape::Cashtag(kind) => Some((kind, url.single_after('$')?.to_owned())),
            // A Telegram invite has two spellings; use the one with `+`.
            Shape::Under("joinchat", kind) => Some((kind, format!("+{}", url.under("joinchat")?))),
            Shape::Under(prefix, kind) => {
                let name = url.under(prefix).filter(|name| !is_listed(name))?;
                Some((kind, name.to_owned()))
            }
            Shape::WithPrefix(prefix, kind) => {
                Some((kind, format!("{prefix}/{}", url.under(prefix)?)))
            }
            Shape::IdUnder(prefix, kind) => match url.segments.as_slice() {
                [first, _, id] if first.eq_ignore_ascii_case(prefix) && is_id(id) => {
                    Some((kind, (*id).to_owned()))
                }
                _ => None,
            },
            Shape::IdThenName(prefix, kind) => match url.segments.as_slice() {
                [first, id] | [first, id, _]
                    if first.eq_ignore_ascii_case(prefix) && is_number(id) =>
                {
                    Some((kind, (*id).to_owned()))
                }
                _ => None,
            },
            Shape::NameWithId(prefix, kind) => {
                let (_, id) = url.under(prefix)?.rsplit_once('-')?;
                let is_id = is_number(id) && id.len() >= MIN_ID_DIGITS;
                is_id.then(|| (kind, id.to_owned()))
            }
            Shape::Query(path, key, kind) => Some((kind, url.parameter(path, key)?.into_owned())),
            Shape::Fragment(prefix, kind) => Some((kind, url.in_fragment(prefix)?.into_owned())),
            Shape::Plus(kind) => {
                let invite = url.single_after('+')?;
                Some((kind, format!("+{invite}")))
            }
        }
    }
}

impl PathAndQuery<'_> {
    /// The path's only segment.
    fn single(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [segment] => Some(segment),
            _ => None,
        }
    }

    /// What follows a sign in the path's only segment.
    fn single_after(&self, sign: char) -> Option<&str> {
        self.single()?.strip_prefix(sign).filter(|name| !name.is_empty())
    }

    /// The last segment, if those before it are the prefix.
    fn under(&self, prefix: &str) -> Option<&str> {
        let (name, front) = self.segments.split_last()?;
        let mut prefix = prefix.split('/').filter(|segment| !segment.is_empty());
        let is_prefix = front.iter().all(|segment| {
            prefix
                .next()
                .is_some_and(|wanted| wanted == "*" || segment.eq_ignore_ascii_case(wanted))
        });
        (is_prefix && prefix.next().is_none()).then_some(*name)
    }

    /// A parameter of the query at a path, decoded.
    fn parameter(&self, path: &str, key: &str) -> Option<Cow<'_, str>> {
        if !self.segments.join("/").eq_ignore_ascii_case(path) {
            return None;
        }
        parameter(self.query, key)
    }

    /// What follows the prefix in the fragment of a URL without a path, decoded.
    fn in_fragment(&self, prefix: &str) -> Option<Cow<'_, str>> {
        if !self.segments.is_empty() {
            return None;
        }
        let value = match prefix {
            "" => self.fragment,
            _ => self.fragment.strip_prefix(prefix)?.strip_prefix('/')?,
        };
        decoded(value)
    }
}

/// A parameter of a query, decoded. `None` if it is missing or empty.
pub fn parameter<'a>(query: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == key).and_then(|(_, value)| decoded(value))
}

/// A text that is percent-encoded. `None` if it is empty or no UTF-8.
pub fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok().filter(|text| !text.is_empty())
}

/// Whether a name is that of a page of the platform's own, on any platform.
pub fn is_own_page(name: &str) -> bool {
    OWN_PAGES.iter().any(|page| name.eq_ignore_ascii_case(page))
        || name.to_ascii_lowercase().ends_with(".php")
}

/// Whether a text is digits.
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether the last part of an address that carries a name and an id is the id.
fn is_id(segment: &str) -> bool {
    segment.bytes().any(|b| b.is_ascii_digit())
        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'@'))
}
