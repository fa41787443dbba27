//! Column names of tables, and names of kinds.

use csv::StringRecord;

use super::{Class, Details, SkipReason, details};
use crate::domain::{Indicator, Invalid, Kind, Platform};

/// Columns of tables by tactic, technique and procedure, as Meta publishes them.
#[derive(Clone, Copy, Debug)]
pub struct TtpColumns {
    /// The procedure.
    pub procedure: usize,
    /// The indicator.
    pub indicator: usize,
    /// Comments: the column after the indicator, whatever its name.
    pub note: Option<usize>,
}

impl TtpColumns {
    /// Finds the columns in a header. Ignores case and blanks.
    pub fn of(header: &StringRecord) -> Option<Self> {
        let at = |name: &str| header.iter().position(|cell| has_name(&normal(cell), name));
        at("tactic")?;
        at("technique")?;
        let (procedure, indicator) = (at("procedure")?, at("indicator")?);
        let note = (indicator + 1 < header.len()).then_some(indicator + 1);
        Some(Self { procedure, indicator, note })
    }
}

/// Columns of any other table.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Value columns, each with the kind that its header declares, if any.
    pub values: Vec<(usize, Option<String>)>,
    /// The kind column.
    pub kind: Option<usize>,
    /// The platform column.
    pub platform: Option<usize>,
    /// The column of each of [`details::NAMES`].
    details: [Option<usize>; details::NAMES.len()],
}

impl Columns {
    /// Finds the columns in a header. `None` if no column contains values.
    pub fn of(header: &StringRecord) -> Option<Self> {
        const VALUES: [&str; 8] = [
            "value",
            "indicator_value",
            "ioc_value",
            "indicator",
            "ioc",
            "observable",
            "observable_value",
            "threat_indicator",
        ];
        let names: Vec<String> = header.iter().map(normal).collect();
        let at = |candidates: &[&str]| {
            candidates.iter().find_map(|name| names.iter().position(|cell| has_name(cell, name)))
        };
        let kind = at(&["kind", "indicator_type", "ioc_type", "type", "observable_type"]);
        let named = VALUES.iter().find(|name| names.iter().any(|cell| has_name(cell, name)));
        let all = || names.iter().enumerate();
        let values: Vec<_> = match named {
            Some(name) => all()
                .filter(|(_, cell)| has_name(cell, name))
                .map(|(column, _)| (column, None))
                .collect(),
            // A row of values has cells that are not names.
            None if header.iter().any(looks_like_a_value) => Vec::new(),
            None => all()
                .filter(|(_, name)| Declared::of(name).is_some_and(|d| d != Declared::Detected))
                .map(|(column, name)| (column, Some(name.clone())))
                .collect(),
        };
        (!values.is_empty()).then(|| Self {
            values,
            kind,
            platform: at(&["platform", "site", "network", "chain"]),
            details: details::NAMES.map(at),
        })
    }

    /// The columns of a table without a header whose rows are `kind,value`.
    pub fn without_header(first: &StringRecord) -> Option<Self> {
        let (kind, value) = (first.get(0)?, first.get(1)?);
        Declared::of(kind)?;
        matches!(declared(kind, None, value), Class::Indicator(_)).then(|| Self {
            values: vec![(1, None)],
            kind: Some(0),
            ..Self::default()
        })
    }

    /// Reads the other fields of a record.
    pub fn details<'a>(
        &self,
        cell: &impl Fn(Option<usize>) -> Option<&'a str>,
    ) -> Result<Details, Invalid> {
        let texts = |names: &[&str]| {
            let at = details::NAMES.iter().position(|one| *one == names);
            let Some(text) = cell(at.and_then(|at| self.details[at])) else { return Vec::new() };
            let is_list = ["labels", "technique", "references"].contains(&names[0]);
            if !is_list {
                return vec![text.to_owned()];
            }
            let parts = text.split([';', '|', ',']).map(str::trim);
            parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        details::read(texts)
    }
}

/// Whether a header cell has a name, singular or plural: `Indicator(s)`.
fn has_name(cell: &str, name: &str) -> bool {
    cell == name || cell.strip_suffix('s') == Some(name)
}

fn looks_like_a_value(cell: &str) -> bool {
    cell.contains(['.', ':', '@', '/']) && Indicator::read(cell, None).is_ok()
}

/// The meaning of a declared type.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Declared {
    /// A kind, with a platform if the type names one.
    Kind(Kind, Option<&'static str>),
    /// The URL of something on a platform: its profile, or else a plain URL.
    PlatformUrl,
    /// Detected from the value.
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
            "uri" | "link" | "web_address" | "website" => plain(Kind::Url),
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
            "md5_hash" | "file_md5" | "hash_md5" | "filehash_md5" => plain(Kind::Md5),
            "sha1_hash" | "sha_1" | "file_sha1" | "hash_sha1" | "filehash_sha1" => {
                plain(Kind::Sha1)
            }
            "sha256_hash" | "sha_256" | "file_sha256" | "hash_sha256" | "filehash_sha256" => {
                plain(Kind::Sha256)
            }
            "pdq_hash" | "hash_pdq" => plain(Kind::Pdq),
            "tlsh_hash" | "hash_tlsh" => plain(Kind::Tlsh),
            "android_package_name" | "android_app" | "package_name" | "apk_package" => {
                plain(Kind::AndroidPackage)
            }
            "ios_app" | "bundle_id" | "ios_bundle_id" | "ios_application_id" => {
                plain(Kind::IosAppId)
            }
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
            "url" | "link" | "profile" if platform.is_some() => Some(Declared::PlatformUrl),
            "url" | "link" => Some(Declared::Kind(Kind::Url, None)),
            "domain" => Some(Declared::Kind(Kind::Domain, None)),
            "account" | "handle" | "username" | "user" => {
                platform.map(|platform| Declared::Kind(Kind::Account, Some(platform)))
            }
            "id" => platform.map(|platform| Declared::Kind(Kind::AccountId, Some(platform))),
            "page" => platform.map(|platform| Declared::Kind(Kind::Page, Some(platform))),
            "group" => platform.map(|platform| Declared::Kind(Kind::Community, Some(platform))),
            "channel" => platform.map(|platform| match platform {
                // A YouTube channel is an account in this model.
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

/// Reads a value of a declared type. The declaration takes precedence over detection.
pub fn declared(kind: &str, platform: Option<&str>, raw: &str) -> Class {
    if raw.trim().is_empty() {
        return Class::Neither(SkipReason::Empty);
    }
    let read = match Declared::of(kind) {
        None => {
            let shown: String = kind.chars().take(40).collect();
            let reason = format!("`{}` is not a kind of indicator", shown.escape_debug());
            Err(Invalid::new("kind", reason))
        }
        Some(Declared::Detected) => Indicator::read(raw, platform),
        Some(Declared::PlatformUrl) => Indicator::read(raw, None),
        Some(Declared::Kind(kind, own)) => {
            // For a kind without platforms, a platform only says where the value was seen.
            let platform = own.or(platform).filter(|_| kind.needs_platform());
            as_declared(kind, platform, raw)
        }
    };
    read.map_or_else(Class::Unreadable, Class::Indicator)
}

fn as_declared(kind: Kind, platform: Option<&str>, raw: &str) -> Result<Indicator, Invalid> {
    match Indicator::parse(kind, platform, raw) {
        // A YouTube channel is an account in this model.
        Err(_) if kind == Kind::Channel => Indicator::parse(Kind::Account, platform, raw)
            .ok()
            .filter(|read| read.platform().is_some_and(|on| on.as_str() == "youtube"))
            .map_or_else(|| Indicator::parse(kind, platform, raw), Ok),
        // Accept a URL that consists only of its host, and a digest with its name as a prefix.
        Err(invalid) => match Indicator::read(raw, None) {
            Ok(read) if read.kind() == kind && kind == Kind::Domain => Ok(read),
            _ => match raw.split_once(':') {
                Some((name, digest)) if normal(name) == kind.as_str() => {
                    Indicator::parse(kind, platform, digest)
                }
                _ => Err(invalid),
            },
        },
        read => read,
    }
}

/// Normalises a column or type name: lower case, with `_` for blanks and hyphens.
fn normal(name: &str) -> String {
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == ':');
    name.to_lowercase().replace("(s)", "s").replace([' ', '-', '.'], "_")
}
