//! What the columns of a table are called, and what declared kinds are.

use csv::StringRecord;

use super::{Class, Details, Neither};
use crate::domain::assessment::Technique;
use crate::domain::{Indicator, Invalid, Kind, Platform};

/// The columns of Meta's tables by tactic, technique and procedure.
#[derive(Clone, Copy, Debug)]
pub struct TtpColumns {
    /// The procedure.
    pub procedure: usize,
    /// The indicator.
    pub indicator: usize,
    /// Comments, however they are spelled: whatever stands behind the indicator.
    pub note: Option<usize>,
}

impl TtpColumns {
    /// Finds them in a header, whatever blanks and case it has.
    pub fn of(header: &StringRecord) -> Option<Self> {
        let at = |name: &str| header.iter().position(|cell| normal(cell) == name);
        at("tactic")?;
        at("technique")?;
        let (procedure, indicator) = (at("procedure")?, at("indicator")?);
        let note = (indicator + 1 < header.len()).then_some(indicator + 1);
        Some(Self { procedure, indicator, note })
    }
}

/// The columns of any other table.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Where values stand, and the kind that the header declares for the whole column.
    pub values: Vec<(usize, Option<String>)>,
    /// Where the kind stands.
    pub kind: Option<usize>,
    /// Where the platform stands.
    pub platform: Option<usize>,
    note: Option<usize>,
    labels: Option<usize>,
    confidence: Option<usize>,
    technique: Option<usize>,
}

impl Columns {
    /// Finds them in a header; `None` when no column holds values.
    pub fn of(header: &StringRecord) -> Option<Self> {
        let names: Vec<String> = header.iter().map(normal).collect();
        let at = |wanted: &[&str]| {
            wanted.iter().find_map(|name| names.iter().position(|cell| cell == name))
        };
        let kind = at(&["kind", "indicator_type", "ioc_type", "type", "observable_type"]);
        let value = at(&[
            "value",
            "indicator_value",
            "ioc_value",
            "indicator",
            "ioc",
            "observable",
            "observable_value",
        ]);
        let values = match value {
            Some(value) => vec![(value, None)],
            None => names
                .iter()
                .enumerate()
                .filter(|(_, name)| Declared::of(name).is_some_and(|d| d != Declared::Detected))
                .map(|(column, name)| (column, Some(name.clone())))
                .collect(),
        };
        (!values.is_empty()).then(|| Self {
            values,
            kind,
            platform: at(&["platform", "site", "network", "chain"]),
            note: at(&["note", "notes", "comment", "comments", "description"]),
            labels: at(&["labels", "label", "tags", "harm", "harms"]),
            confidence: at(&["confidence"]),
            technique: at(&["technique", "techniques", "procedure", "ttp"]),
        })
    }

    /// Whether the line it was found in can be nothing but a header: `indicator` alone might be a
    /// value of a list.
    pub fn is_header(&self) -> bool {
        self.kind.is_some() || self.platform.is_some() || !self.values.is_empty()
    }

    /// What a record says beside its values.
    pub fn details<'a>(&self, of: &impl Fn(Option<usize>) -> Option<&'a str>) -> Details {
        let list = |column| {
            let text = of(column).unwrap_or_default();
            let parts = text.split([';', '|', ',']).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        Details {
            techniques: list(self.technique)
                .iter()
                .filter_map(|text| Technique::parse(text.split_whitespace().next()?).ok())
                .collect(),
            involvement: None,
            labels: list(self.labels),
            confidence: of(self.confidence)
                .and_then(|text| text.trim_end_matches('%').parse().ok()),
            note: of(self.note).map(str::to_owned),
        }
    }
}

/// What a declared type asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Declared {
    /// A kind, on a platform where the type names one.
    Kind(Kind, Option<&'static str>),
    /// The address of something on a platform: its profile, or else a web address.
    Address,
    /// To be read off the value.
    Detected,
}

impl Declared {
    fn of(declared: &str) -> Option<Self> {
        let name = normal(declared);
        if let Some(kind) = Kind::ALL.iter().find(|kind| kind.as_str() == name) {
            return Some(Declared::Kind(*kind, None));
        }
        let plain = |kind| Some(Declared::Kind(kind, None));
        match name.as_str() {
            "domain_name" | "hostname" | "host" | "fqdn" => plain(Kind::Domain),
            "uri" | "link" | "web_address" => plain(Kind::Url),
            "ip_address" | "ipv4" | "ipv6" | "ip_src" | "ip_dst" | "ipv4_addr" | "ipv6_addr" => {
                plain(Kind::Ip)
            }
            "email_address" | "e_mail" | "mail" | "email_src" | "email_dst" | "email_addr" => {
                plain(Kind::Email)
            }
            "phone_number" | "telephone" | "mobile" => plain(Kind::Phone),
            "handle" | "username" | "user_name" | "screen_name" | "account_name" => {
                plain(Kind::Account)
            }
            "user_id" | "userid" => plain(Kind::AccountId),
            "md5_hash" | "file_md5" | "hash_md5" => plain(Kind::Md5),
            "sha1_hash" | "sha_1" | "file_sha1" | "hash_sha1" => plain(Kind::Sha1),
            "sha256_hash" | "sha_256" | "file_sha256" | "hash_sha256" => plain(Kind::Sha256),
            "pdq_hash" | "hash_pdq" => plain(Kind::Pdq),
            "tlsh_hash" | "hash_tlsh" => plain(Kind::Tlsh),
            "android_package_name" | "android_app" | "package_name" | "apk_package" => {
                plain(Kind::AndroidPackage)
            }
            "ios_app" | "ios_bundle_id" | "ios_application_id" => plain(Kind::IosAppId),
            "group" | "subreddit" => plain(Kind::Community),
            "wallet" | "crypto_wallet" | "wallet_address" => plain(Kind::CryptoAddress),
            "hash" | "file_hash" | "indicator" | "ioc" => Some(Declared::Detected),
            _ => Self::of_two_words(&name),
        }
    }

    /// `telegram_url`, `twitter_handle`, `phishing_url`.
    fn of_two_words(name: &str) -> Option<Self> {
        let (first, last) = name.rsplit_once('_')?;
        let platform = Platform::known_id(first);
        match last {
            "url" | "link" | "profile" if platform.is_some() => Some(Declared::Address),
            "url" | "link" => Some(Declared::Kind(Kind::Url, None)),
            "domain" => Some(Declared::Kind(Kind::Domain, None)),
            "account" | "handle" | "username" | "user" => {
                platform.map(|platform| Declared::Kind(Kind::Account, Some(platform)))
            }
            "id" => platform.map(|platform| Declared::Kind(Kind::AccountId, Some(platform))),
            "page" => platform.map(|platform| Declared::Kind(Kind::Page, Some(platform))),
            "group" => platform.map(|platform| Declared::Kind(Kind::Community, Some(platform))),
            "channel" => platform.map(|platform| match platform {
                // What YouTube calls a channel is an account here.
                "youtube" => Declared::Kind(Kind::Account, Some(platform)),
                _ => Declared::Kind(Kind::Channel, Some(platform)),
            }),
            "address" | "wallet" => {
                platform.map(|chain| Declared::Kind(Kind::CryptoAddress, Some(chain)))
            }
            _ => None,
        }
    }
}

/// Reads a value whose type is declared. The declaration wins over what the value looks like.
pub fn declared(kind: &str, platform: Option<&str>, raw: &str) -> Class {
    if raw.trim().is_empty() {
        return Class::Neither(Neither::Empty);
    }
    let read = match Declared::of(kind) {
        None => {
            let shown: String = kind.chars().take(40).collect();
            let reason = format!("`{}` is not a kind of indicator", shown.escape_debug());
            Err(Invalid::new("kind", reason))
        }
        Some(Declared::Detected) => Indicator::read(raw, platform),
        Some(Declared::Address) => Indicator::read(raw, None),
        Some(Declared::Kind(kind, own)) => {
            // A platform beside a kind that has none says where the value was seen.
            let platform = own.or(platform).filter(|_| kind.needs_platform());
            Indicator::parse(kind, platform, raw)
        }
    };
    read.map_or_else(Class::Unreadable, Class::Indicator)
}

/// A header's or a type's name, with `_` for blanks and hyphens, in lower case.
fn normal(name: &str) -> String {
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    name.to_lowercase().replace([' ', '-', '.'], "_")
}
