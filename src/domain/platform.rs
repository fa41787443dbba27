//! Platforms, on which accounts, pages, communities and channels live; and blockchains.

mod address;
mod app_link;
mod fediverse;
mod own_pages;
mod profile;
mod shape;
mod table;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
pub use app_link::profile_of_app_link;
pub(super) use profile::is_community_of_vk;
use profile::is_locale;
pub use profile::{Profile, profile_of};
use table::{CHAINS, SUBDOMAINS, Site, site_at, sites};

/// Maximum length of a platform's id, in bytes: that of a host name.
const MAX_BYTES: usize = 253;

/// Maximum length of a known platform's name, in bytes.
const MAX_NAME_BYTES: usize = 32;

/// The ids of platforms and chains by their ids and names.
static BY_NAME: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let sites = sites().map(|site| (site.id, site.names));
    let names = sites.chain(CHAINS.iter().copied()).flat_map(|(id, names)| {
        std::iter::once(id).chain(names.iter().copied()).map(move |name| (name, id))
    });
    names.collect()
});

/// A platform: the id of a known one such as `x`, or the host of an unknown one. For a crypto
/// address, the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform(Cow<'static, str>);

impl Platform {
    /// Parses an id, a name or a host, as people write it: `x`, `Twitter`, `www.facebook.com`,
    /// `t.me`. An unknown host becomes a platform of its own.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if let Some(known) = Self::known_id(text).or_else(|| Self::known_by_two_names(text)) {
            return Ok(Self(Cow::Borrowed(known)));
        }
        let name = super::refang::refang(text).to_lowercase();
        let name = name.strip_prefix("https://").or(name.strip_prefix("http://")).unwrap_or(&name);
        let name = name.trim_end_matches('/');
        let name = name.trim_start_matches("www.");
        if let Some(known) = Self::known_id(name) {
            return Ok(Self(Cow::Borrowed(known)));
        }
        if name.contains('.') {
            return match super::canonical::host::canonical(name) {
                Ok(host) => Ok(Self::of_host(&host)),
                Err(reason) => Err(Invalid::new("platform", reason)),
            };
        }
        let fits = (1..=MAX_BYTES).contains(&name.len())
            && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if fits {
            Ok(Self(Cow::Owned(name.to_owned())))
        } else {
            let shown: String = text.chars().take(80).collect();
            let reason = format!("`{}` is not a platform's id, name or host", shown.escape_debug());
            Err(Invalid::new("platform", reason))
        }
    }

    /// The platform at a host. The host must be canonical and without `www.`.
    pub(super) fn of_host(host: &str) -> Self {
        match site_of(host) {
            Some((site, None)) => Self(Cow::Borrowed(site.id)),
            _ => Self(Cow::Owned(host.to_owned())),
        }
    }

    /// The id of a known platform or chain, by its id or a name, in any case. A long name may be spelled in parts:
    /// `Linked-In`, `You Tube`.
    pub fn known_id(text: &str) -> Option<&'static str> {
        /// Shorter names may be something else in parts.
        const MIN_IN_PARTS: usize = 5;
        let text = text.trim();
        // No name is as long.
        if text.len() > MAX_NAME_BYTES {
            return None;
        }
        let name = text.to_ascii_lowercase();
        if let Some(id) = BY_NAME.get(&*name) {
            return Some(id);
        }
        let joined = name.replace([' ', '-'], "");
        let is_in_parts = joined.len() < name.len()
            && joined.len() >= MIN_IN_PARTS
            && name.starts_with(char::is_alphanumeric)
            && name.ends_with(char::is_alphanumeric);
        BY_NAME.get(&*joined).copied().filter(|_| is_in_parts)
    }

    /// Whether the text is the id or a name of a known platform or chain.
    pub fn is_named(text: &str) -> bool {
        Self::known_id(text).is_some()
    }

    /// The id of the known platform whose name is closest to a misspelt one; `None` if none is close.
    pub fn close_to(text: &str) -> Option<&'static str> {
        /// Shorter names are close to too much.
        const MIN_LENGTH: usize = 5;
        let name = text.trim().to_ascii_lowercase();
        let close = BY_NAME.iter().filter_map(|(known, id)| {
            let distance = strsim::osa_distance(known, &name);
            (known.len() >= MIN_LENGTH && distance <= 2).then_some((distance, *id))
        });
        close.min().map(|(_, id)| id)
    }

    /// The id of a known platform that a text names twice: `X (Twitter)`, `X (formerly Twitter)`, `Twitter/X`.
    pub fn known_by_two_names(text: &str) -> Option<&'static str> {
        let (one, other) = text.split_once(['(', '/'])?;
        let other = other.trim_end_matches(')').trim().trim_start_matches("formerly ");
        Self::known_id(one).filter(|id| Self::known_id(other) == Some(id))
    }

    /// Whether its accounts have phone numbers as names.
    pub fn has_phones_as_names(&self) -> bool {
        matches!(self.as_str(), "signal" | "viber" | "whatsapp")
    }

    /// The platform's id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes an id from the journal or the index, without validation.
    pub fn from_stored(id: impl Into<Cow<'static, str>>) -> Self {
        Self(id.into())
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether the id is a chain's.
pub(super) fn is_chain(id: &str) -> bool {
    CHAINS.iter().any(|(chain, _)| *chain == id)
}

/// The known platform of a host. Where the host is a subdomain that stands for a profile, its label.
fn site_of(host: &str) -> Option<(&'static Site, Option<&str>)> {
    if let Some(site) = site_at(host) {
        return Some((site, None));
    }
    let (label, parent) = host.split_once('.')?;
    let site = site_at(parent)?;
    let is_same = SUBDOMAINS.contains(&label)
        || site.subdomains.contains(&label)
        || (site.in_languages && is_locale(label));
    if is_same {
        return Some((site, None));
    }
    let is_own = shape::is_own_page(label) || site.own_pages.contains(&label);
    site.subdomain_path.filter(|_| !is_own).map(|_| (site, Some(label)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_read_by_id_name_and_host() {
        let table = [
            ("x", "x"),
            ("Twitter", "x"),
            ("twitter.com", "x"),
            ("https://www.x.com/", "x"),
            ("X (formerly Twitter)", "x"),
            ("Twitter/X", "x"),
            ("t.me", "telegram"),
            ("m.facebook[.]com", "facebook"),
            ("pl.pinterest.com", "pinterest"),
            ("forum.example", "forum.example"),
            ("www.forum.example", "forum.example"),
            ("newplace", "newplace"),
            ("BTC", "bitcoin"),
            ("Linked-In", "linkedin"),
            ("You Tube", "youtube"),
        ];
        for (text, id) in table {
            assert_eq!(Platform::parse(text).unwrap().as_str(), id, "{text}");
        }
        for bad in ["", "two words", "-.example", "\u{7}"] {
            assert_eq!(Platform::parse(bad).unwrap_err().field, "platform", "{bad}");
        }
    }
}
