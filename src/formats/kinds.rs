//! What other makers call the kinds of values: MISP's attribute types, STIX, OTX, `OpenIOC`, Meta, `ThreatExchange`,
//! Sophos and Microsoft tables.

mod names;

use self::names::{KINDS, ON_PLATFORM, REFERENCES, UNSUPPORTED};
use super::{Class, SkipReason};
use crate::domain::{Indicator, Invalid, Kind, Platform};

/// The meaning of a type's name in a table or a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclaredType {
    /// A kind, with a platform if the name has one.
    Kind(Kind, Option<&'static str>),
    /// The URL of something on a platform: its profile, or else a plain URL.
    PlatformUrl,
    /// One of several kinds, told by the value: `hash`.
    Detected,
    /// A reference to a report. It accuses nobody.
    Reference,
    /// A kind that Tipoff does not exchange, such as a registry key.
    Unsupported,
}

impl DeclaredType {
    /// Looks up a type's name; `None` if the name is unknown.
    pub fn of(name: &str) -> Option<Self> {
        let name = normal(name);
        let singulars = [name.strip_suffix('s'), name.strip_suffix("es")].into_iter().flatten();
        std::iter::once(name.as_str()).chain(singulars).find_map(Self::of_normal)
    }

    fn of_normal(name: &str) -> Option<Self> {
        if let Some(kind) = Kind::ALL.iter().find(|kind| kind.as_str() == name) {
            return Some(DeclaredType::Kind(*kind, None));
        }
        if let Some((kind, _)) = KINDS.iter().find(|(_, names)| names.contains(&name)) {
            return Some(DeclaredType::Kind(*kind, None));
        }
        if let Some((_, kind, platform)) = ON_PLATFORM.iter().find(|(known, ..)| *known == name) {
            return Some(DeclaredType::Kind(*kind, Some(platform)));
        }
        if REFERENCES.contains(&name) {
            return Some(DeclaredType::Reference);
        }
        if UNSUPPORTED.contains(&name) {
            return Some(DeclaredType::Unsupported);
        }
        match name {
            "hash" | "file_hash" | "filehash" | "indicator" | "ioc" => Some(DeclaredType::Detected),
            _ => Self::of_two_words(name),
        }
    }

    /// `telegram_url`, `twitter_handle`, `phishing_url`.
    fn of_two_words(name: &str) -> Option<Self> {
        let (first, last) = name.rsplit_once('_').filter(|_| name.matches('_').count() < 4)?;
        let platform =
            Platform::known_id(&first.replace('_', " ")).or_else(|| Platform::known_id(first));
        let on_platform = |kind| platform.map(|platform| DeclaredType::Kind(kind, Some(platform)));
        match last {
            "url" | "link" | "profile" if platform.is_some() => Some(DeclaredType::PlatformUrl),
            "url" | "link" => Some(DeclaredType::Kind(Kind::Url, None)),
            "domain" | "hostname" => Some(DeclaredType::Kind(Kind::Domain, None)),
            "account" | "handle" | "username" | "user" => on_platform(Kind::Account),
            "id" => on_platform(Kind::AccountId),
            "page" => on_platform(Kind::Page),
            "group" => on_platform(Kind::Community),
            // A YouTube channel is an account in this model.
            "channel" if platform == Some("youtube") => on_platform(Kind::Account),
            "channel" => on_platform(Kind::Channel),
            "address" | "wallet" => on_platform(Kind::CryptoAddress),
            _ => None,
        }
    }

    /// Whether a column of this name holds values.
    pub fn is_indicator(&self) -> bool {
        matches!(self, DeclaredType::Kind(..) | DeclaredType::PlatformUrl)
    }
}

/// Reads one value of a declared type. The declaration takes precedence over detection.
pub fn declared(name: &str, platform: Option<&str>, raw: &str) -> Class {
    if raw.trim().is_empty() {
        return Class::Neither(SkipReason::Empty);
    }
    let read = match DeclaredType::of(name) {
        None => {
            let shown: String = name.chars().take(40).collect();
            let reason = format!("`{}` is not a kind of indicator", shown.escape_debug());
            Err(Invalid::new("kind", reason))
        }
        Some(DeclaredType::Reference) => return Class::Neither(SkipReason::Reference),
        Some(DeclaredType::Unsupported) => return Class::Neither(SkipReason::OtherKind),
        Some(DeclaredType::Detected) => Indicator::read(raw, platform),
        Some(DeclaredType::PlatformUrl) => Indicator::read(raw, None),
        Some(DeclaredType::Kind(kind, own)) => {
            // For a kind without platforms, a platform only says where the value was seen.
            let platform = own.or(platform).filter(|_| kind.needs_platform());
            as_declared(kind, platform, raw)
        }
    };
    read.map_or_else(Class::Unreadable, Class::Indicator)
}

fn as_declared(kind: Kind, platform: Option<&str>, raw: &str) -> Result<Indicator, Invalid> {
    let invalid = match Indicator::parse(kind, platform, raw) {
        Ok(read) => return Ok(read),
        Err(invalid) => invalid,
    };
    match (kind, Indicator::read(raw, None)) {
        // A YouTube channel is an account in this model.
        (Kind::Channel, _) => Indicator::parse(Kind::Account, platform, raw)
            .ok()
            .filter(|read| read.platform().is_some_and(|on| on.as_str() == "youtube")),
        // Accept a URL that consists only of its host, a network among addresses, and the profile of what is
        // called an account: a page, a channel, an id.
        (Kind::Domain, Ok(read)) if read.kind() == Kind::Domain => Some(read),
        (Kind::Ip, Ok(read)) if read.kind() == Kind::Network => Some(read),
        (Kind::Account, Ok(read)) if read.kind().needs_platform() => Some(read),
        _ => match raw.split_once(':') {
            Some((name, digest)) if normal(name) == kind.as_str() => {
                Indicator::parse(kind, platform, digest).ok()
            }
            _ => None,
        },
    }
    .ok_or(invalid)
}

/// Normalises a column or type name: lower case, with `_` for blanks and hyphens.
pub fn normal(name: &str) -> String {
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == ':');
    name.to_lowercase().replace("(s)", "s").replace([' ', '-', '.', ':', '/'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_other_makers_have_their_meaning() {
        let plain = |kind| Some(DeclaredType::Kind(kind, None));
        let table = [
            ("FileHash-SHA256", plain(Kind::Sha256)),
            ("ip-dst", plain(Kind::Ip)),
            ("ipv4-addr:value", None),
            ("Domains", plain(Kind::Domain)),
            ("IP addresses", plain(Kind::Ip)),
            ("AS", plain(Kind::Asn)),
            ("DomainName", plain(Kind::Domain)),
            ("twitter_handle", Some(DeclaredType::Kind(Kind::Account, Some("x")))),
            ("telegram url", Some(DeclaredType::PlatformUrl)),
            ("External analysis", Some(DeclaredType::Reference)),
            ("regkey", Some(DeclaredType::Unsupported)),
            ("martian", None),
        ];
        for (name, meaning) in table {
            assert_eq!(DeclaredType::of(name), meaning, "{name}");
        }
    }
}
