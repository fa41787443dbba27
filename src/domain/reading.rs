//! Parses indicators from user input, with a given kind or by detecting it.

use std::net::{IpAddr, Ipv4Addr};

use super::canonical::{self, canonical, host, is_hex, url};
use super::decoration::strip_decoration;
use super::indicator::{Indicator, Kind};
use super::invalid::Invalid;
use super::platform::{Platform, Profile, is_community_of_vk, profile_of, profile_of_app_link};
use super::refang::refang;

impl Indicator {
    /// Parses a value of a given kind. A profile URL or `platform:handle` is accepted for a handle;
    /// its platform must match `platform` if that is given.
    pub fn parse(kind: Kind, platform: Option<&str>, raw: &str) -> Result<Self, Invalid> {
        let named = platform.map(Platform::parse).transpose()?;
        let plain = refang(strip_decoration(raw));
        let address = address_of_profile(&plain);
        // The address of a profile is the account, whatever a table calls it. One with a phone number is the number.
        if let Some(profile) = &address
            && (kind == Kind::Url || profile.kind == Kind::Phone && may_be_phone(kind))
        {
            require_same_platform(named.as_ref(), &profile.platform)?;
            let read = make_profile(profile.clone());
            // A URL that only looks like a profile is still a URL.
            if read.is_ok() || kind != Kind::Url {
                return read;
            }
        }
        if kind == Kind::Account && named.as_ref().is_some_and(Platform::has_phones_as_names) {
            // Some of them have other names too.
            if let Ok(phone) = make(Kind::Phone, None, &plain) {
                return Ok(phone);
            }
        }
        if !kind.needs_platform() {
            if let Some(named) = named {
                let reason = format!("is `{named}`, but the kind {kind} has no platform");
                return Err(Invalid::new("platform", reason));
            }
            return make(kind, None, without_port(kind, &plain));
        }
        if kind == Kind::CryptoAddress {
            let by_checksum = || canonical::chain_by_checksum(&plain).map(Platform::from_stored);
            let chain = named.or_else(by_checksum).ok_or_else(|| {
                Invalid::new("platform", "is missing: a crypto_address needs its chain")
            })?;
            return make(kind, Some(chain), &plain);
        }
        if let Some(profile) = address.or_else(|| split_platform_prefix(&plain, kind)) {
            require_same_platform(named.as_ref(), &profile.platform)?;
            return make(kind, Some(profile.platform), &profile.value);
        }
        if is_address(&plain) {
            let reason = format!("is a web address, but not that of the kind {kind}");
            return Err(Invalid::new("value", reason));
        }
        let platform = named.ok_or_else(|| {
            Invalid::new("platform", format!("is missing: the kind {kind} needs one"))
        })?;
        make(kind, Some(platform), &plain)
    }

    /// Parses a value and detects its kind. `platform` is where a bare handle lives.
    ///
    /// A value given as a handle is never taken for a domain, even if it contains dots.
    pub fn read(raw: &str, platform: Option<&str>) -> Result<Self, Invalid> {
        let raw = strip_decoration(raw);
        let plain = refang(raw);
        let named = platform.map(Platform::parse).transpose()?;
        if let Some(named) = named {
            let profile = address_of_profile(&plain);
            let kind = match profile.as_ref().map(|profile| profile.kind) {
                None => kind_on(&named, &plain),
                Some(Kind::Phone) => Kind::Account,
                Some(kind) => kind,
            };
            return Self::parse(kind, Some(named.as_str()), raw);
        }
        let was_defanged = plain.len() < raw.trim().len();
        detect(&plain, was_defanged)
    }

    /// Every interpretation of a value of unknown kind, the most likely first. 64 hex digits can be
    /// a SHA-256 or a PDQ hash, a host a domain or a URL, and a profile URL an account or a page.
    pub fn candidates(raw: &str, platform: Option<&str>) -> Result<Vec<Self>, Invalid> {
        use Kind::{
            Account, AccountId, AndroidPackage, Channel, Community, Domain, IosAppId, Page, Pdq,
            Sha256, Ssdeep, Tlsh, Url,
        };
        let first = Self::read(raw, platform);
        let alternatives: &[Kind] = match first.as_ref().map(Self::kind) {
            Ok(Sha256) => &[Pdq],
            Ok(Domain) => &[Url, AndroidPackage],
            Ok(Account) => &[AccountId, Page, Community],
            Ok(Channel) => &[Account, AccountId, Domain],
            Err(_) if platform.is_none() => &[Tlsh, Ssdeep, IosAppId, AndroidPackage, Domain],
            _ => &[],
        };
        let on = first.as_ref().ok().and_then(|read| read.platform().cloned());
        let read_as = |kind: &Kind| {
            let on = on.as_ref().filter(|_| kind.needs_platform()).map(Platform::as_str);
            Self::parse(*kind, on, raw).ok()
        };
        let alternatives: Vec<_> = alternatives.iter().filter_map(read_as).collect();
        match first {
            Ok(first) => Ok([vec![first], alternatives].concat()),
            Err(invalid) if alternatives.is_empty() => Err(invalid),
            Err(_) => Ok(alternatives),
        }
    }

    /// The value, defanged so that no software turns it into a link.
    pub fn defanged(&self) -> String {
        match self.kind() {
            Kind::Domain | Kind::Ip | Kind::Network => self.value().replace('.', "[.]"),
            Kind::Email => self.value().replace('@', "[at]").replace('.', "[.]"),
            Kind::Url => defanged_url(self.value()),
            _ => self.value().to_owned(),
        }
    }
}

fn make(kind: Kind, platform: Option<Platform>, plain: &str) -> Result<Indicator, Invalid> {
    let value = canonical(kind, platform.as_ref(), plain)
        .map_err(|reason| Invalid::new("value", reason))?;
    Ok(Indicator::canonical(kind, platform, value.into_owned()))
}

/// Detects the kind and parses. More specific kinds are tried first.
fn detect(plain: &str, was_defanged: bool) -> Result<Indicator, Invalid> {
    if plain.is_empty() {
        return Err(Invalid::new("value", "is empty"));
    }
    for (digits, kind) in
        [(32, Kind::Md5), (40, Kind::Sha1), (64, Kind::Sha256), (128, Kind::Sha512)]
    {
        if is_hex(plain, digits) {
            return make(kind, None, plain);
        }
    }
    if let Ok(value) = canonical(Kind::Ip, None, plain) {
        return Ok(Indicator::canonical(Kind::Ip, None, value.into_owned()));
    }
    if looks_like_network(plain) || canonical::net::range(plain).is_some() {
        return make(Kind::Network, None, plain);
    }
    if looks_like_asn(plain) {
        return make(Kind::Asn, None, plain);
    }
    if let Some(profile) = profile_of_app_link(plain) {
        return make_profile(profile);
    }
    if let Some(chain) = canonical::chain_by_checksum(plain) {
        return make(Kind::CryptoAddress, Some(Platform::from_stored(chain)), plain);
    }
    if plain.strip_prefix("0x").is_some_and(|digits| is_hex(digits, 40)) {
        let reason = "may be an address of Ethereum, and its case is no valid checksum (EIP-55): name its chain";
        return Err(Invalid::new("value", reason));
    }
    if plain.starts_with("did:plc:") {
        return make(Kind::AccountId, Some(Platform::from_stored("bluesky")), plain);
    }
    if plain.starts_with(['#', '＃']) {
        return make(Kind::Hashtag, None, plain);
    }
    if plain.starts_with('+') || plain.starts_with("tel:") || looks_like_phone_with_exit_code(plain)
    {
        return make(Kind::Phone, None, plain);
    }
    if let Some(handle) = plain.strip_prefix('@').or_else(|| plain.strip_prefix("acct:")) {
        return read_handle(handle);
    }
    if let Some(profile) = split_platform_prefix(plain, Kind::Account) {
        let kind = kind_on(&profile.platform, &profile.value);
        return make(kind, Some(profile.platform), &profile.value);
    }
    if !plain.contains('/') && plain.contains('@') {
        return make(Kind::Email, None, plain);
    }
    read_address(plain, was_defanged)
}

/// `@handle` lacks a platform; `@handle@host` has one.
fn read_handle(handle: &str) -> Result<Indicator, Invalid> {
    match handle.split_once('@') {
        Some((name, at)) if host::canonical(at).is_ok() => {
            make(Kind::Account, Some(Platform::parse(at)?), name)
        }
        _ => Err(Invalid::new("platform", "is missing: a handle needs one")),
    }
}

/// Whether a text is an IP address, `/`, and a number or a netmask.
fn looks_like_network(plain: &str) -> bool {
    plain.split_once('/').is_some_and(|(address, prefix)| {
        address.parse::<IpAddr>().is_ok()
            && (prefix.parse::<u8>().is_ok() || prefix.parse::<Ipv4Addr>().is_ok())
    })
}

/// Whether a text is `AS` or `ASN` and digits.
fn looks_like_asn(plain: &str) -> bool {
    let Some((prefix, digits)) = plain.split_at_checked(2) else { return false };
    let digits = digits.strip_prefix(['n', 'N']).unwrap_or(digits);
    prefix.eq_ignore_ascii_case("as")
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a text is a phone number with the exit code `00` in place of the `+`. Fewer digits may be anything else.
fn looks_like_phone_with_exit_code(plain: &str) -> bool {
    const MIN_DIGITS: usize = 12;
    plain.starts_with("00")
        && plain.bytes().all(|b| b.is_ascii_digit() || b" -().".contains(&b))
        && plain.bytes().filter(u8::is_ascii_digit).count() >= MIN_DIGITS
}

/// The host of `host:port`, for the kinds that are hosts.
fn without_port(kind: Kind, plain: &str) -> &str {
    match plain.rsplit_once(':') {
        Some((host, port)) if kind == Kind::Domain && port.parse::<u16>().is_ok() => host,
        _ => plain,
    }
}

/// Whether a name is more often a file or a package of software than a host. Such a name is a domain only if
/// its kind is stated, or if it is defanged or part of a URL.
fn is_file_or_package(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [_, last] => matches!(*last, "zip" | "mov" | "py" | "sh"),
        [first, .., last] => {
            matches!(*first, "com" | "org" | "net" | "io")
                && !matches!(*last, "com" | "org" | "net")
                && last.len() != 2
        }
        _ => false,
    }
}

/// Whether an underscore is in the part of a host that someone registers, where none is possible.
fn has_underscore_in_registered_part(host: &str) -> bool {
    if !host.contains('_') {
        return false;
    }
    let registered = psl::domain_str(host).unwrap_or_else(|| {
        let from = host.rmatch_indices('.').nth(1).map_or(0, |(at, _)| at + 1);
        &host[from..]
    });
    registered.contains('_')
}

fn read_address(plain: &str, was_defanged: bool) -> Result<Indicator, Invalid> {
    let unreadable =
        || Invalid::new("value", "cannot be read as any kind of indicator: name its kind");
    if plain.contains(char::is_whitespace) {
        return Err(unreadable());
    }
    let parts = url::parts(plain).map_err(|reason| {
        if plain.contains("://") { Invalid::new("value", reason) } else { unreadable() }
    })?;
    let is_ip = !parts.host.contains('.')
        || parts.host.parse::<Ipv4Addr>().is_ok()
        || parts.host.starts_with('[');
    // A word with a dot counts as a host only if it has a registrable suffix.
    let is_explicit = parts.scheme.is_some() || was_defanged || is_ip;
    if !is_explicit
        && (!host::has_known_suffix(&parts.host) || has_underscore_in_registered_part(&parts.host))
    {
        return Err(unreadable());
    }
    let is_alone = parts.rest.is_empty() && parts.user.is_empty();
    if is_alone && !is_explicit && is_file_or_package(&parts.host) {
        let reason = "may be a file or a package of software: name its kind";
        return Err(Invalid::new("value", reason));
    }
    // `host:port` is the host; with a scheme it is a URL.
    let is_bare = is_alone && (parts.port.is_empty() || parts.scheme.is_none());
    // On some platforms a subdomain is a profile.
    let profile = if is_bare { profile_at(&parts) } else { None };
    if is_bare && !is_ip && profile.is_none() {
        return Ok(Indicator::canonical(Kind::Domain, None, parts.host.into_owned()));
    }
    if canonical::play_store_package(plain).is_some() {
        return make(Kind::AndroidPackage, None, plain);
    }
    let profile = profile.or_else(|| profile_at(&parts));
    // A URL that only looks like a profile is still a URL.
    let read = profile.and_then(|profile| make_profile(profile).ok());
    read.map_or_else(|| make(Kind::Url, None, plain), Ok)
}

/// Whether a text is a URL rather than a name: it has a scheme, or a host and a path.
fn is_address(plain: &str) -> bool {
    plain.contains("://")
        || plain.split_once('/').is_some_and(|(front, _)| {
            host::canonical(front).is_ok_and(|host| host::has_known_suffix(&host))
        })
}

/// The profile that a text is the URL of.
fn address_of_profile(plain: &str) -> Option<Profile> {
    if let Some(profile) = profile_of_app_link(plain) {
        return Some(profile);
    }
    if !is_address(plain) {
        return None;
    }
    profile_at(&url::parts(plain).ok()?)
}

fn profile_at(parts: &url::Parts<'_>) -> Option<Profile> {
    let profile = profile_of(&parts.host, parts.rest)?;
    // A value cut out of a URL may have punctuation around it that parsing would trim.
    let value = refang(strip_decoration(&profile.value)).into_owned();
    Some(Profile { value, ..profile })
}

/// `platform:handle`, for a known platform.
fn split_platform_prefix(plain: &str, kind: Kind) -> Option<Profile> {
    let (name, value) = plain.split_once(':')?;
    if value.starts_with("//") || value.is_empty() {
        return None;
    }
    let platform = Platform::from_stored(Platform::known_id(name)?);
    Some(Profile { kind, platform, value: value.trim().to_owned() })
}

/// The kind of a bare name on a platform.
fn kind_on(platform: &Platform, name: &str) -> Kind {
    match platform.as_str() {
        "telegram" => Kind::Channel,
        "vk" if is_community_of_vk(name) => Kind::Community,
        "reddit" if name.trim_start_matches('/').starts_with("r/") => Kind::Community,
        id if super::platform::is_chain(id) => Kind::CryptoAddress,
        _ => Kind::Account,
    }
}

/// A platform that is given has to be the one of the address.
fn require_same_platform(named: Option<&Platform>, platform: &Platform) -> Result<(), Invalid> {
    match named.filter(|named| *named != platform) {
        Some(named) => {
            let reason = format!("is `{named}`, but the value is from `{platform}`");
            Err(Invalid::new("platform", reason))
        }
        None => Ok(()),
    }
}

/// Makes the indicator that an address leads to. It must read as itself, so that a name which would be taken for
/// `platform:name` is none.
fn make_profile(profile: Profile) -> Result<Indicator, Invalid> {
    let Profile { kind, platform, value } = profile;
    if split_platform_prefix(&value, kind).is_some() {
        return Err(Invalid::new(
            "value",
            "is an address with another platform in place of a name",
        ));
    }
    make(kind, Some(platform).filter(|_| kind.needs_platform()), &value)
}

/// Kinds for which the address of a phone number is accepted.
fn may_be_phone(kind: Kind) -> bool {
    matches!(kind, Kind::Account | Kind::AccountId | Kind::Phone)
}

fn defanged_url(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme.replacen("tt", "xx", 1) + "://", rest),
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(end);
    format!("{scheme}{}{path}", host.replace('.', "[.]"))
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
