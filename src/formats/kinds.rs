//! What other makers call the kinds of values: MISP's attribute types, STIX, OTX, `OpenIOC`, Meta, `ThreatExchange`,
//! Sophos and Microsoft tables.

use crate::domain::{Indicator, Kind, Platform};

use super::{Class, SkipReason};
use crate::domain::Invalid;

/// What a type's name says about its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A kind, with a platform if the name has one.
    Kind(Kind, Option<&'static str>),
    /// The URL of something on a platform: its profile, or else a plain URL.
    PlatformUrl,
    /// One of several kinds, told by the value: `hash`.
    Detected,
    /// A reference to a report. It accuses nobody.
    Reference,
    /// A kind that Tipoff does not exchange, such as a registry key.
    Foreign,
}

/// Other makers' names of each kind, normalised by [`normal`].
const KINDS: &[(Kind, &[&str])] = &[
    (
        Kind::Domain,
        &["domain_name", "domainname", "hostname", "host", "fqdn", "dns", "dnsdomain", "dns_name"],
    ),
    (Kind::Url, &["uri", "web_address", "website", "http_url", "urlstring", "web_url"]),
    (
        Kind::Ip,
        &[
            "ip_address",
            "ipaddress",
            "ipv4",
            "ipv6",
            "ip_src",
            "ip_dst",
            "ipv4_addr",
            "ipv6_addr",
            "ipv4address",
            "ipv6address",
            "ip_addr",
            "address_ipv4_addr",
            "remoteip",
            "proxy_ip",
            "source_ip",
            "destination_ip",
            "ip4",
            "ip6",
        ],
    ),
    (
        Kind::Network,
        &[
            "cidr",
            "ip_range",
            "ip_network",
            "netblock",
            "subnet",
            "ipv4_cidr",
            "ip_prefix",
            "network_range",
        ],
    ),
    (Kind::Asn, &["as", "as_number", "autonomous_system", "asnumber"]),
    (
        Kind::Email,
        &[
            "email_address",
            "e_mail",
            "mail",
            "email_src",
            "email_dst",
            "email_addr",
            "emailaddress",
            "email_from",
            "email_reply_to",
            "target_email",
            "whois_registrant_email",
            "dns_soa_email",
            "sender_email",
            "email_sender",
            "e_mail_address",
        ],
    ),
    (
        Kind::Phone,
        &[
            "phone_number",
            "telephone",
            "mobile",
            "phonenumber",
            "whois_registrant_phone",
            "telephone_number",
            "msisdn",
        ],
    ),
    (
        Kind::Account,
        &[
            "handle",
            "username",
            "user_name",
            "screen_name",
            "account_name",
            "social_media_account",
            "user_handle",
            "profile",
        ],
    ),
    (Kind::AccountId, &["user_id", "userid"]),
    (
        Kind::Md5,
        &[
            "md5_hash",
            "file_md5",
            "hash_md5",
            "filehash_md5",
            "md5sum",
            "filemd5",
            "file_hashes_md5",
            "fileitem_md5sum",
        ],
    ),
    (
        Kind::Sha1,
        &[
            "sha1_hash",
            "sha_1",
            "file_sha1",
            "hash_sha1",
            "filehash_sha1",
            "sha1sum",
            "filesha1",
            "fileitem_sha1sum",
        ],
    ),
    (
        Kind::Sha256,
        &[
            "sha256_hash",
            "sha_256",
            "file_sha256",
            "hash_sha256",
            "filehash_sha256",
            "sha256sum",
            "filesha256",
            "sha2",
            "fileitem_sha256sum",
        ],
    ),
    (
        Kind::Sha512,
        &[
            "sha512_hash",
            "sha_512",
            "file_sha512",
            "hash_sha512",
            "filehash_sha512",
            "sha512sum",
            "filesha512",
        ],
    ),
    (Kind::Pdq, &["pdq_hash", "hash_pdq", "hash_pdq_ocr"]),
    (Kind::Tlsh, &["tlsh_hash", "hash_tlsh", "filehash_tlsh"]),
    (
        Kind::Ssdeep,
        &["ssdeep_hash", "hash_ssdeep", "file_ssdeep", "filehash_ssdeep", "fuzzy_hash", "ctph"],
    ),
    (Kind::Hashtag, &["hash_tag"]),
    (
        Kind::AndroidPackage,
        &[
            "android_package_name",
            "android_app",
            "package_name",
            "apk_package",
            "mobile_application_id",
            "android_application_id",
        ],
    ),
    (Kind::IosAppId, &["ios_app", "bundle_id", "ios_bundle_id", "ios_application_id"]),
    (Kind::Community, &["group", "subreddit"]),
    (
        Kind::CryptoAddress,
        &["wallet", "crypto_wallet", "wallet_address", "cryptocurrency_address", "crypto"],
    ),
];

/// Names of kinds on one platform or chain.
const ON_PLATFORM: &[(&str, Kind, &str)] = &[
    ("github_username", Kind::Account, "github"),
    ("twitter_id", Kind::Account, "x"),
    ("btc", Kind::CryptoAddress, "bitcoin"),
    ("xmr", Kind::CryptoAddress, "monero"),
    ("bitcoinaddress", Kind::CryptoAddress, "bitcoin"),
    ("bitcoin_address", Kind::CryptoAddress, "bitcoin"),
];

/// Names of references: they name a report about the others.
const REFERENCES: &[&str] =
    &["link", "report", "external_analysis", "reference", "references", "source_url", "permalink"];

/// Names of values that Tipoff does not exchange.
const FOREIGN: &[&str] = &[
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "file_path_name",
    "path",
    "mutex",
    "named_pipe",
    "regkey",
    "registry_key",
    "registry",
    "regkey|value",
    "yara",
    "sigma",
    "snort",
    "vulnerability",
    "cve",
    "weakness",
    "user_agent",
    "x509_fingerprint_sha1",
    "x509_fingerprint_sha256",
    "x509_fingerprint_md5",
    "sslcertfingerprint",
    "certificatethumbprint",
    "ja3",
    "ja3_fingerprint_md5",
    "ja3s",
    "hassh_md5",
    "jarm",
    "imphash",
    "filehash_imphash",
    "pehash",
    "filehash_pehash",
    "authentihash",
    "impfuzzy",
    "sha224",
    "sha384",
    "sha3_256",
    "process_name",
    "process",
    "command_line",
    "service_name",
    "pattern_in_file",
    "pattern_in_traffic",
    "pattern_in_memory",
    "email_subject",
    "email_body",
    "email_attachment",
    "email_src_display_name",
    "email_dst_display_name",
    "email_header",
    "email_x_mailer",
    "email_message_id",
    "threat_actor",
    "campaign_name",
    "campaign_id",
    "malware",
    "malware_type",
    "malware_sample",
    "attachment",
    "comment",
    "text",
    "other",
    "datetime",
    "size_in_bytes",
    "counter",
    "float",
    "hex",
    "port",
    "mime_type",
    "mac_address",
    "iban",
    "bic",
    "bank_account_nr",
    "cc_number",
    "windows_service_name",
    "osquery",
];

impl Meaning {
    /// The meaning of a type's name; `None` if the name is unknown.
    pub fn of(name: &str) -> Option<Self> {
        let name = normal(name);
        let plural = name.strip_suffix("es").or(name.strip_suffix('s'));
        Self::of_normal(&name).or_else(|| {
            let singular = name.strip_suffix('s').and_then(Self::of_normal);
            singular.or_else(|| plural.and_then(Self::of_normal))
        })
    }

    fn of_normal(name: &str) -> Option<Self> {
        if let Some(kind) = Kind::ALL.iter().find(|kind| kind.as_str() == name) {
            return Some(Meaning::Kind(*kind, None));
        }
        if let Some((kind, _)) = KINDS.iter().find(|(_, names)| names.contains(&name)) {
            return Some(Meaning::Kind(*kind, None));
        }
        if let Some((_, kind, platform)) = ON_PLATFORM.iter().find(|(known, ..)| *known == name) {
            return Some(Meaning::Kind(*kind, Some(platform)));
        }
        if REFERENCES.contains(&name) {
            return Some(Meaning::Reference);
        }
        if FOREIGN.contains(&name) {
            return Some(Meaning::Foreign);
        }
        match name {
            "hash" | "file_hash" | "filehash" | "indicator" | "ioc" => Some(Meaning::Detected),
            _ => Self::of_two_words(name),
        }
    }

    /// `telegram_url`, `twitter_handle`, `phishing_url`.
    fn of_two_words(name: &str) -> Option<Self> {
        let (first, last) = name.rsplit_once('_').filter(|_| name.matches('_').count() < 4)?;
        let platform =
            Platform::known_id(&first.replace('_', " ")).or_else(|| Platform::known_id(first));
        let on_platform = |kind| platform.map(|platform| Meaning::Kind(kind, Some(platform)));
        match last {
            "url" | "link" | "profile" if platform.is_some() => Some(Meaning::PlatformUrl),
            "url" | "link" => Some(Meaning::Kind(Kind::Url, None)),
            "domain" | "hostname" => Some(Meaning::Kind(Kind::Domain, None)),
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
    pub fn is_of_values(&self) -> bool {
        matches!(self, Meaning::Kind(..) | Meaning::PlatformUrl)
    }
}

/// Reads one value of a declared type. The declaration takes precedence over detection.
pub fn declared(name: &str, platform: Option<&str>, raw: &str) -> Class {
    if raw.trim().is_empty() {
        return Class::Neither(SkipReason::Empty);
    }
    let read = match Meaning::of(name) {
        None => {
            let shown: String = name.chars().take(40).collect();
            let reason = format!("`{}` is not a kind of indicator", shown.escape_debug());
            Err(Invalid::new("kind", reason))
        }
        Some(Meaning::Reference) => return Class::Neither(SkipReason::Reference),
        Some(Meaning::Foreign) => return Class::Neither(SkipReason::OtherKind),
        Some(Meaning::Detected) => Indicator::read(raw, platform),
        Some(Meaning::PlatformUrl) => Indicator::read(raw, None),
        Some(Meaning::Kind(kind, own)) => {
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
        let plain = |kind| Some(Meaning::Kind(kind, None));
        let table = [
            ("FileHash-SHA256", plain(Kind::Sha256)),
            ("ip-dst", plain(Kind::Ip)),
            ("ipv4-addr:value", None),
            ("Domains", plain(Kind::Domain)),
            ("IP addresses", plain(Kind::Ip)),
            ("AS", plain(Kind::Asn)),
            ("DomainName", plain(Kind::Domain)),
            ("twitter_handle", Some(Meaning::Kind(Kind::Account, Some("x")))),
            ("telegram url", Some(Meaning::PlatformUrl)),
            ("External analysis", Some(Meaning::Reference)),
            ("regkey", Some(Meaning::Foreign)),
            ("martian", None),
        ];
        for (name, meaning) in table {
            assert_eq!(Meaning::of(name), meaning, "{name}");
        }
    }
}
