//! What other makers call the kinds of values: MISP's attribute types, STIX, OTX, `OpenIOC`, Meta, `ThreatExchange`,
//! Sophos and Microsoft tables.

pub mod excluded;
pub mod names;

use self::excluded::{
    ABOUT_REPORTS, BYSTANDERS, FINGERPRINTS, NOT_OF_FILES, OTHER_DIGESTS, REFERENCES, UNSUPPORTED,
};
use self::names::{
    ADDRESS_ON_PLATFORM, DETECTED, DETECTED_COLUMNS, HASHED_FILES, KINDS, LAST_WORDS,
    LAST_WORDS_ON_PLATFORM, ON_PLATFORM,
};
use super::involvement::involvement_of;
use super::{Class, SkipReason};
use crate::domain::{Indicator, Invalid, Kind, Platform};

/// Words in front of the last one. Longer names are sentences.
const MAX_WORDS_IN_FRONT: usize = 3;

/// The meaning of a type's name in a table or a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclaredType {
    /// A kind, with a platform if the name has one.
    Kind(Kind, Option<&'static str>),
    /// A kind after words that state an involvement: `victim_domain`.
    Involved(Kind),
    /// The URL of something on a platform: its profile, or else a plain URL.
    PlatformUrl,
    /// Something on a platform, of the kind that the value shows: the name is the platform's.
    OnPlatform(&'static str),
    /// One of several kinds, detected from the value: `hash`.
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
        let singulars = |name: &str| {
            let singulars = [Some(name), name.strip_suffix('s'), name.strip_suffix("es")];
            singulars.into_iter().flatten().find_map(Self::of_normal)
        };
        // `Hash (SHA256)` has the longer name, `Domain (defanged)` the shorter one.
        singulars(&name).or_else(|| {
            let (front, _) = name.split_once("_(")?;
            singulars(&name.replace(['(', ')'], "")).or_else(|| singulars(front))
        })
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
        if UNSUPPORTED.contains(&name) || OTHER_DIGESTS.contains(&name) {
            return Some(DeclaredType::Unsupported);
        }
        if DETECTED.contains(&name) {
            return Some(DeclaredType::Detected);
        }
        let on_platform = || Platform::known_id(&name.replace('_', " "));
        Self::of_several_words(name).or_else(|| on_platform().map(DeclaredType::OnPlatform))
    }

    /// `telegram_url`, `twitter_handle`, `phishing_url`, `src_ip`: the longest known words at the end count.
    fn of_several_words(name: &str) -> Option<Self> {
        if name.matches('_').count() > MAX_WORDS_IN_FRONT {
            return None;
        }
        name.match_indices('_')
            .find_map(|(at, _)| Self::of_last_words(&name[..at], &name[at + 1..]))
    }

    /// The meaning of a name that ends with the words `last`.
    fn of_last_words(front: &str, last: &str) -> Option<Self> {
        let in_table = |table: &[(Kind, &[&str])]| {
            table.iter().find(|(_, words)| words.contains(&last)).map(|(kind, _)| *kind)
        };
        let platform =
            Platform::known_id(&front.replace('_', " ")).or_else(|| Platform::known_id(front));
        if let Some(platform) = platform {
            if ADDRESS_ON_PLATFORM.contains(&last) {
                return Some(DeclaredType::PlatformUrl);
            }
            if let Some(kind) = in_table(LAST_WORDS_ON_PLATFORM) {
                return Some(DeclaredType::Kind(kind_on(platform, kind), Some(platform)));
            }
        }
        if last == "hash" && HASHED_FILES.contains(&front) {
            return Some(DeclaredType::Detected);
        }
        let kind = in_table(LAST_WORDS)?;
        let occurs = |words: &[&str]| {
            words.contains(&front) || front.split('_').any(|word| words.contains(&word))
        };
        Some(
            if occurs(BYSTANDERS)
                || kind.is_file_digest() && (occurs(NOT_OF_FILES) || occurs(FINGERPRINTS))
            {
                DeclaredType::Unsupported
            } else if kind == Kind::Url && is_about_reports(front) {
                DeclaredType::Reference
            } else if involvement_of(front).is_some() {
                DeclaredType::Involved(kind)
            } else {
                DeclaredType::Kind(kind, None)
            },
        )
    }

    /// Whether a column of this name holds values. What is called a file may be its name.
    pub fn names_column(name: &str) -> Option<Self> {
        let normal = normal(name);
        let names_value = DETECTED_COLUMNS.iter().any(|word| normal.contains(word));
        Self::of(name).filter(|of| match of {
            DeclaredType::Detected => names_value,
            DeclaredType::Involved(_) => true,
            of => of.is_indicator(),
        })
    }

    /// Whether a name is that of a digest which is not exchanged: `imphash`, `cert_sha1`. Its values look like digests of
    /// files.
    pub fn names_other_digest(name: &str) -> bool {
        let name = normal(name);
        let ends_as_digest = || {
            let digests = LAST_WORDS.iter().filter(|(kind, _)| kind.is_file_digest());
            digests.flat_map(|(_, words)| *words).any(|word| name.ends_with(word))
        };
        OTHER_DIGESTS.contains(&&*name)
            || (ends_as_digest() && Self::of(&name) == Some(DeclaredType::Unsupported))
    }

    /// Whether values of this type are of one kind, whoever they belong to.
    pub fn is_indicator(&self) -> bool {
        matches!(self, DeclaredType::Kind(..) | DeclaredType::PlatformUrl)
    }
}

/// The kind of what a column such as `youtube_channel` names. A channel of `YouTube` is an account in this model. Users,
/// bots and channels of Telegram share their names, and an address does not tell them apart: a name is read as its
/// address.
pub fn kind_on(platform: &str, kind: Kind) -> Kind {
    match (platform, kind) {
        ("youtube", Kind::Channel) => Kind::Account,
        ("telegram", Kind::Account) => Kind::Channel,
        _ => kind,
    }
}

/// Whether words in front of `url`, or the key of an object, say that an address leads to a report: `phish_detail`.
pub fn is_about_reports(words: &str) -> bool {
    let last = words.rsplit('_').next().unwrap_or(words);
    ABOUT_REPORTS.contains(&words) || ABOUT_REPORTS.contains(&last)
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
        Some(DeclaredType::OnPlatform(platform)) => on_platform(platform, raw),
        Some(DeclaredType::Involved(kind)) => as_declared(kind, None, raw),
        Some(DeclaredType::Kind(kind, own)) => {
            // For a kind without platforms, a platform only says where the value was seen.
            let platform = own.or(platform).filter(|_| kind.needs_platform());
            as_declared(kind, platform, raw)
        }
    };
    read.map_or_else(Class::Unreadable, Class::Indicator)
}

/// Reads something on a platform. The address of a post or a picture there is a URL.
fn on_platform(platform: &str, raw: &str) -> Result<Indicator, Invalid> {
    Indicator::read(raw, Some(platform)).or_else(|invalid| {
        Indicator::read(raw, None).ok().filter(|read| read.kind() == Kind::Url).ok_or(invalid)
    })
}

/// Reads one value of a kind.
pub fn of_kind(kind: Kind, platform: Option<&str>, raw: &str) -> Class {
    if raw.trim().is_empty() {
        return Class::Neither(SkipReason::Empty);
    }
    let platform = platform.filter(|_| kind.needs_platform());
    as_declared(kind, platform, raw).map_or_else(Class::Unreadable, Class::Indicator)
}

fn as_declared(kind: Kind, platform: Option<&str>, raw: &str) -> Result<Indicator, Invalid> {
    // The address of a page, a channel or an id says more than the word "account" above it.
    if kind == Kind::Account
        && let Ok(read) = Indicator::read(raw, None)
        && matches!(read.kind(), Kind::AccountId | Kind::Channel | Kind::Community | Kind::Page)
        && platform.is_none_or(|named| Platform::parse(named).ok().as_ref() == read.platform())
    {
        return Ok(read);
    }
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
        // Some lists call every host a domain.
        (Kind::Domain, Ok(read)) if matches!(read.kind(), Kind::Ip | Kind::Network) => Some(read),
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

/// Whether a type's name means phone numbers.
pub fn is_phone(name: Option<&str>) -> bool {
    name.and_then(DeclaredType::of) == Some(DeclaredType::Kind(Kind::Phone, None))
        || name.is_some_and(|name| matches!(&*normal(name), "tel" | "whatsapp" | "fax"))
}

/// The label in front of a value: `tel: 020 7946 0018`.
pub fn label_of(raw: &str) -> Option<&str> {
    raw.split_once(':').map(|(label, _)| label)
}

/// Normalises a column or type name: lower case, with `_` for blanks and hyphens.
pub fn normal(name: &str) -> String {
    let is_around = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | ':' | '"');
    // The header of some tables is a comment.
    let name = name.strip_prefix("# ").unwrap_or(name).trim_matches(is_around);
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
            ("src_ip", plain(Kind::Ip)),
            ("dropped file SHA256", plain(Kind::Sha256)),
            ("certificate sha1", Some(DeclaredType::Unsupported)),
            ("abuse_email", Some(DeclaredType::Unsupported)),
            ("Compromised domains", Some(DeclaredType::Involved(Kind::Domain))),
            ("Telegram", Some(DeclaredType::OnPlatform("telegram"))),
            ("telegram_username", Some(DeclaredType::Kind(Kind::Channel, Some("telegram")))),
            ("the values that we saw on a domain", None),
        ];
        for (name, meaning) in table {
            assert_eq!(DeclaredType::of(name), meaning, "{name}");
        }
    }
}
