//! From what people write to an indicator: with its kind given, or read off the value.

use super::canonical::{self, canonical, host, is_hex, url};
use super::indicator::{Indicator, Kind};
use super::invalid::Invalid;
use super::platform::{Platform, Profile, profile_of};
use super::refang::refang;

impl Indicator {
    /// Reads a value of a given kind. A profile's address is taken for its handle, and
    /// `platform:handle` for both; either has to agree with the platform that is given.
    pub fn parse(kind: Kind, platform: Option<&str>, raw: &str) -> Result<Self, Invalid> {
        let named = platform.map(Platform::parse).transpose()?;
        let plain = refang(raw);
        if !kind.needs_platform() {
            if let Some(named) = named {
                let reason = format!("is `{named}`, and a {kind} has no platform");
                return Err(Invalid::new("platform", reason));
            }
            return make(kind, None, &plain);
        }
        if kind == Kind::CryptoAddress {
            let chain = named.ok_or_else(|| {
                Invalid::new("platform", "is missing: a crypto_address needs its chain")
            })?;
            return make(kind, Some(chain), &plain);
        }
        if let Some(profile) = address_of_profile(&plain).or_else(|| prefixed(&plain, kind)) {
            return fitting(kind, named.as_ref(), profile);
        }
        if is_address(&plain) {
            let reason = format!("is a web address that is no profile of a {kind}");
            return Err(Invalid::new("value", reason));
        }
        let platform = named
            .ok_or_else(|| Invalid::new("platform", format!("is missing: a {kind} needs one")))?;
        make(kind, Some(platform), &plain)
    }

    /// Reads a value and its kind. A platform that is given is where a bare handle lives.
    ///
    /// Never guesses a domain from dots where the value is given as a handle.
    pub fn read(raw: &str, platform: Option<&str>) -> Result<Self, Invalid> {
        let plain = refang(raw);
        let named = platform.map(Platform::parse).transpose()?;
        if let Some(named) = named {
            let profile = address_of_profile(&plain);
            let kind = profile.as_ref().map_or_else(|| kind_on(&named), |profile| profile.kind);
            return Self::parse(kind, Some(named.as_str()), raw);
        }
        let was_defanged = plain.len() < raw.trim().len();
        detect(&plain, was_defanged)
    }

    /// All that a value can be where nobody says of which kind it is, the likeliest first: 64 hex
    /// digits are a SHA-256 or a PDQ hash, a host is a domain or the address of its front page, and
    /// a profile's address does not tell an account from a page.
    pub fn readings(raw: &str, platform: Option<&str>) -> Result<Vec<Self>, Invalid> {
        use Kind::{
            Account, AccountId, AndroidPackage, Channel, Community, Domain, IosAppId, Page, Pdq,
            Sha256, Tlsh, Url,
        };
        let first = Self::read(raw, platform);
        let others: &[Kind] = match first.as_ref().map(Self::kind) {
            Ok(Sha256) => &[Pdq],
            Ok(Domain) => &[Url, AndroidPackage],
            Ok(Account) => &[AccountId, Page, Community],
            Ok(Channel) => &[Account, AccountId],
            Err(_) if platform.is_none() => &[Tlsh, IosAppId],
            _ => &[],
        };
        let on = first.as_ref().ok().and_then(|read| read.platform().cloned());
        let read_as = |kind: &Kind| {
            let on = on.as_ref().filter(|_| kind.needs_platform()).map(Platform::as_str);
            Self::parse(*kind, on, raw).ok()
        };
        let others: Vec<_> = others.iter().filter_map(read_as).collect();
        match first {
            Ok(first) => Ok([vec![first], others].concat()),
            Err(invalid) if others.is_empty() => Err(invalid),
            Err(_) => Ok(others),
        }
    }

    /// The value so that nothing that shows it makes it a link.
    pub fn defanged(&self) -> String {
        match self.kind() {
            Kind::Domain | Kind::Ip => self.value().replace('.', "[.]"),
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

/// Order matters: what is more particular comes first.
fn detect(plain: &str, was_defanged: bool) -> Result<Indicator, Invalid> {
    if plain.is_empty() {
        return Err(Invalid::new("value", "is empty"));
    }
    for (digits, kind) in [(32, Kind::Md5), (40, Kind::Sha1), (64, Kind::Sha256)] {
        if is_hex(plain, digits) {
            return make(kind, None, plain);
        }
    }
    if canonical(Kind::Ip, None, plain).is_ok() {
        return make(Kind::Ip, None, plain);
    }
    if plain.starts_with(['#', '＃']) {
        return make(Kind::Hashtag, None, plain);
    }
    if plain.starts_with('+') || plain.starts_with("tel:") {
        return make(Kind::Phone, None, plain);
    }
    if let Some(handle) = plain.strip_prefix('@') {
        return handle_alone(handle);
    }
    if let Some(profile) = prefixed(plain, Kind::Account) {
        let kind = kind_on(&profile.platform);
        return make(kind, Some(profile.platform), &profile.value);
    }
    if !plain.contains('/') && plain.contains('@') {
        return make(Kind::Email, None, plain);
    }
    address(plain, was_defanged)
}

/// `@handle` says nothing of where it lives; `@handle@host` does.
fn handle_alone(handle: &str) -> Result<Indicator, Invalid> {
    match handle.split_once('@') {
        Some((name, at)) if host::canonical(at).is_ok() => {
            make(Kind::Account, Some(Platform::parse(at)?), name)
        }
        _ => Err(Invalid::new("platform", "is missing: a handle needs one")),
    }
}

fn address(plain: &str, was_defanged: bool) -> Result<Indicator, Invalid> {
    let unreadable =
        || Invalid::new("value", "cannot be read as any kind of indicator: name its kind");
    if plain.contains(char::is_whitespace) {
        return Err(unreadable());
    }
    let parts = url::parts(plain).map_err(|reason| {
        if plain.contains("://") { Invalid::new("value", reason) } else { unreadable() }
    })?;
    let is_ip = !parts.host.contains('.')
        || parts.host.parse::<std::net::Ipv4Addr>().is_ok()
        || parts.host.starts_with('[');
    let is_network = parts.scheme.is_none()
        && parts.host.parse::<std::net::Ipv4Addr>().is_ok()
        && parts.rest.strip_prefix('/').is_some_and(|bits| bits.parse::<u8>().is_ok());
    if is_network {
        let reason = "is a network, and an indicator is one address";
        return Err(Invalid::new("value", reason));
    }
    // A word with a dot in it is no host unless somebody could have registered it. One with an underscore is more often
    // the name of a file or of a variable.
    let is_meant = parts.scheme.is_some() || was_defanged || is_ip;
    if !is_meant && (parts.host.contains('_') || !host::has_known_suffix(&parts.host)) {
        return Err(unreadable());
    }
    let is_bare = parts.rest.is_empty() && parts.port.is_empty() && parts.user.is_empty();
    if is_bare && !is_ip {
        return make(Kind::Domain, None, &parts.host);
    }
    if canonical::play_store_package(plain).is_some() {
        return make(Kind::AndroidPackage, None, plain);
    }
    if let Some(profile) = profile_of(&parts.host, parts.rest) {
        let read = make(profile.kind, Some(profile.platform), &profile.value);
        // An address that only looks like a profile's is still an address.
        return read.or_else(|_| make(Kind::Url, None, plain));
    }
    make(Kind::Url, None, plain)
}

/// Whether a text is a web address rather than a name: it has a scheme, or a host and a path.
fn is_address(plain: &str) -> bool {
    plain.contains("://")
        || plain.split_once('/').is_some_and(|(front, _)| {
            host::canonical(front).is_ok_and(|host| host::has_known_suffix(&host))
        })
}

/// The profile that a text is the address of.
fn address_of_profile(plain: &str) -> Option<Profile> {
    if !is_address(plain) {
        return None;
    }
    let parts = url::parts(plain).ok()?;
    let profile = profile_of(&parts.host, parts.rest)?;
    // Cut out of an address, it may end with what would be taken off a value by itself.
    Some(Profile { value: refang(&profile.value).into_owned(), ..profile })
}

/// `platform:handle`, where the platform is a known one.
fn prefixed(plain: &str, kind: Kind) -> Option<Profile> {
    let (name, value) = plain.split_once(':')?;
    let is_named = !value.starts_with("//") && !value.is_empty() && Platform::is_named(name);
    is_named.then(|| {
        let platform = Platform::parse(name).ok()?;
        Some(Profile { kind, platform, value: value.trim().to_owned() })
    })?
}

/// What a bare name on a platform is.
fn kind_on(platform: &Platform) -> Kind {
    match platform.as_str() {
        "telegram" => Kind::Channel,
        id if super::platform::is_chain(id) => Kind::CryptoAddress,
        _ => Kind::Account,
    }
}

fn fitting(kind: Kind, named: Option<&Platform>, profile: Profile) -> Result<Indicator, Invalid> {
    if let Some(named) = named
        && *named != profile.platform
    {
        let reason = format!("is `{named}`, and the value is of `{}`", profile.platform);
        return Err(Invalid::new("platform", reason));
    }
    make(kind, Some(profile.platform), &profile.value)
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
