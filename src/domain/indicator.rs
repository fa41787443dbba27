//! Indicators: observable things, identified by kind, platform and canonical value.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::invalid::Invalid;
use super::platform::Platform;

/// The version of the canonicalisation rules in this build. Stored with every value, so that a
/// replay never computes a value or an id again.
pub const CANONICAL_RULES_VERSION: u32 = 3;

/// The fixed UUID namespace: every exchange and client derives the same [`IndicatorId`].
const NAMESPACE: Uuid = Uuid::from_u128(0x7469_706f_6666_5000_8000_696e_6469_6361);

/// An observable thing. It has no owner; partners make assessments about it.
///
/// Values are canonical: only [`super::canonical`] creates an indicator from user input.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Indicator {
    kind: Kind,
    platform: Option<Platform>,
    value: Box<str>,
}

impl Indicator {
    /// Builds an indicator from a value that [`super::canonical`] has produced.
    pub(super) fn canonical(
        kind: Kind,
        platform: Option<Platform>,
        value: impl Into<Box<str>>,
    ) -> Self {
        Self { kind, platform, value: value.into() }
    }

    /// Takes a value from the journal or the index, under whatever rules it was stored.
    pub fn from_stored(kind: Kind, platform: Option<Platform>, value: impl Into<Box<str>>) -> Self {
        Self { kind, platform, value: value.into() }
    }

    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it is an address that leads to no other host: `0.0.0.0`, `127.0.0.1`, `::1`.
    pub fn is_on_this_host(&self) -> bool {
        self.kind == Kind::Ip
            && self
                .value
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback() || address.is_unspecified())
    }

    /// The platform, or the chain of a crypto address; `None` for kinds without one.
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// The canonical value.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Like [`Indicator::value`], without a copy.
    pub fn into_value(self) -> Box<str> {
        self.value
    }

    /// The id. Every exchange and client derives the same one from kind, platform and value.
    pub fn id(&self) -> IndicatorId {
        IndicatorId::of(self)
    }
}

/// A `UUIDv5` over kind, platform and canonical value. Ids can be reversed by a dictionary attack:
/// treat them as content, not as pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndicatorId(Uuid);

impl IndicatorId {
    fn of(indicator: &Indicator) -> Self {
        let value = match indicator.kind {
            // `http` and `https` are one indicator, and so are a character and its percent-encoding.
            // Each assessment keeps its own spelling.
            Kind::Url => percent_encoded(without_scheme(&indicator.value)),
            _ => Cow::Borrowed(&*indicator.value),
        };
        let platform = indicator.platform.as_ref().map_or("", Platform::as_str);
        // Neither a kind nor a platform contains a NUL, so no two indicators share a name.
        let name = [indicator.kind.as_str(), platform, &*value].join("\0");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    /// The 16 bytes of the UUID, big-endian.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Length of the text form, in bytes.
    pub const TEXT_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

    /// Writes the text form into a buffer, without allocating.
    pub fn write(self, buffer: &mut [u8; Self::TEXT_BYTES]) -> &str {
        self.0.hyphenated().encode_lower(buffer)
    }

    /// An id from its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for IndicatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for IndicatorId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Uuid::parse_str(text).map(Self).map_err(|_| Invalid::new("indicator_id", "is not a UUID"))
    }
}

fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url)
}

/// A URL with its non-ASCII characters percent-encoded, and all escapes in upper case (WHATWG URL,
/// UTF-8 percent-encode).
fn percent_encoded(url: &str) -> Cow<'_, str> {
    let bytes = url.as_bytes();
    if bytes.is_ascii() && !bytes.contains(&b'%') {
        return Cow::Borrowed(url);
    }
    let is_escape = |escape: &[u8]| matches!(escape, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit());
    let is_lower = |escape: &[u8]| escape[1..].iter().any(u8::is_ascii_lowercase);
    let is_encoded =
        bytes.is_ascii() && !bytes.windows(3).any(|escape| is_escape(escape) && is_lower(escape));
    if is_encoded {
        return Cow::Borrowed(url);
    }
    let mut encoded = percent_encoding::utf8_percent_encode(url, &NON_ASCII).to_string();
    let mut from = 0;
    while let Some(at) = encoded[from..].find('%').map(|at| at + from) {
        if encoded.as_bytes().get(at..at + 3).is_some_and(is_escape) {
            encoded[at..at + 3].make_ascii_uppercase();
        }
        from = at + 1;
    }
    Cow::Owned(encoded)
}

/// Every non-ASCII byte is encoded anyway: this set adds nothing to them.
const NON_ASCII: percent_encoding::AsciiSet = percent_encoding::AsciiSet::EMPTY;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// The kind of an indicator.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])* $variant,)+
        }

        impl Kind {
            /// Every kind, in the order of the protocol's numbers.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)+];

            /// The kind's name, such as `android_package`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Kind::$variant => $name,)+
                }
            }
        }
    };
}

kinds! {
    /// A handle on a platform.
    Account = "account",
    /// A platform's stable id of an account.
    AccountId = "account_id",
    /// A page on a platform, by slug or id.
    Page = "page",
    /// A group, subreddit or similar on a platform.
    Community = "community",
    /// A broadcast channel on a platform, such as a Telegram channel or invite.
    Channel = "channel",
    /// A host name, as an A-label.
    Domain = "domain",
    /// A web address.
    Url = "url",
    /// An e-mail address.
    Email = "email",
    /// A phone number in E.164.
    Phone = "phone",
    /// An IPv4 or IPv6 address.
    Ip = "ip",
    /// An MD5 digest of a file.
    Md5 = "md5",
    /// A SHA-1 digest of a file.
    Sha1 = "sha1",
    /// A SHA-256 digest of a file.
    Sha256 = "sha256",
    /// A PDQ perceptual hash of an image, 256 bits.
    Pdq = "pdq",
    /// A TLSH locality-sensitive hash of a file.
    Tlsh = "tlsh",
    /// A hashtag.
    Hashtag = "hashtag",
    /// An Android package name.
    AndroidPackage = "android_package",
    /// An iOS application's id or bundle id.
    IosAppId = "ios_app_id",
    /// An address on a blockchain; its platform is the chain.
    CryptoAddress = "crypto_address",
    /// An IPv4 or IPv6 network in CIDR notation.
    Network = "network",
    /// An autonomous system.
    Asn = "asn",
    /// A SHA-512 digest of a file.
    Sha512 = "sha512",
    /// An ssdeep context-triggered piecewise hash of a file.
    Ssdeep = "ssdeep",
}

impl Kind {
    /// Whether indicators of this kind are cryptographic digests of files.
    pub const fn is_file_digest(self) -> bool {
        matches!(self, Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512)
    }

    /// Whether indicators of this kind must name a platform (or a chain).
    pub const fn needs_platform(self) -> bool {
        matches!(
            self,
            Kind::Account
                | Kind::AccountId
                | Kind::Page
                | Kind::Community
                | Kind::Channel
                | Kind::CryptoAddress
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Kind::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| Invalid::new("kind", format!("`{text}` is not a kind of indicator")))
    }
}
