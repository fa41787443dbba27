//! Platforms, on which accounts, pages, communities and channels live; and blockchains.

mod profile;
mod table;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
pub use profile::{Profile, profile_of};
use table::{CHAINS, SITES, Site};

/// Maximum length of a platform's id, in bytes: that of a host name.
const MAX_BYTES: usize = 253;

/// A platform: the id of a known one such as `x`, or the host of an unknown one. For a crypto
/// address, the chain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Platform(Cow<'static, str>);

impl Platform {
    /// Parses an id, a name or a host, as people write it: `x`, `Twitter`, `www.facebook.com`,
    /// `t.me`. An unknown host becomes a platform of its own.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if let Some(known) = known(text) {
            return Ok(Self(Cow::Borrowed(known)));
        }
        if let Some(known) = known_by_two_names(text) {
            return Ok(Self(Cow::Borrowed(known)));
        }
        let name = super::refang::refang(text).to_lowercase();
        let name = name.strip_prefix("https://").or(name.strip_prefix("http://")).unwrap_or(&name);
        let name = name.trim_end_matches('/');
        let name = name.strip_prefix("www.").unwrap_or(name);
        if let Some(known) = known(name) {
            return Ok(Self(Cow::Borrowed(known)));
        }
        if name.contains('.') {
            return match super::canonical::host::canonical(name) {
                Ok(host) => Ok(site_of(&host).map_or_else(
                    || Self(Cow::Owned(host.into_owned())),
                    |site| Self(Cow::Borrowed(site.id)),
                )),
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
            Some(site) => Self(Cow::Borrowed(site.id)),
            None => Self(Cow::Owned(host.to_owned())),
        }
    }

    /// The id of a known platform or chain, by its id or a name, in any case.
    pub fn known_id(text: &str) -> Option<&'static str> {
        known(text)
    }

    /// Whether the text is the id or a name of a known platform or chain.
    pub fn is_named(text: &str) -> bool {
        known(text).is_some()
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

/// The id of a known platform or chain, by its id or a name, in any case.
fn known(text: &str) -> Option<&'static str> {
    let names = |text: &str, id: &str, names: &[&str]| {
        text.eq_ignore_ascii_case(id) || names.iter().any(|name| text.eq_ignore_ascii_case(name))
    };
    let text = text.trim();
    let site = SITES.iter().find(|site| names(text, site.id, site.names)).map(|site| site.id);
    site.or_else(|| CHAINS.iter().find(|(id, all)| names(text, id, all)).map(|(id, _)| *id))
}

/// Accepts two names of the same platform: `X (Twitter)`, `X (formerly Twitter)`, `Twitter/X`.
fn known_by_two_names(text: &str) -> Option<&'static str> {
    let (one, other) = text.split_once(['(', '/'])?;
    let other = other.trim_end_matches(')').trim().trim_start_matches("formerly ");
    known(one).filter(|id| known(other) == Some(id))
}

/// The known platform of a host or one of its subdomains.
fn site_of(host: &str) -> Option<&'static Site> {
    let has_host = |site: &&Site| {
        site.hosts.iter().any(|known| {
            host == *known
                || host.strip_suffix(known).and_then(|rest| rest.strip_suffix('.')).is_some_and(
                    |front| {
                        matches!(front, "www" | "m" | "mobile" | "touch" | "web" | "old" | "new")
                            || (site.in_languages && front.len() == 2)
                    },
                )
        })
    };
    SITES.iter().find(has_host)
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
        ];
        for (text, id) in table {
            assert_eq!(Platform::parse(text).unwrap().as_str(), id, "{text}");
        }
        for bad in ["", "two words", "-.example", "\u{7}"] {
            assert_eq!(Platform::parse(bad).unwrap_err().field, "platform", "{bad}");
        }
    }
}
