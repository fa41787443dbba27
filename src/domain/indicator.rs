//! What an indicator is: an observable thing, identified by kind, platform and canonical value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::invalid::Invalid;
use super::platform::Platform;

/// The version of the canonical rules in this build. Stored beside every value, so that a replay
/// never computes a value or an id again.
pub const CANONICAL_RULES_VERSION: u32 = 1;

/// The fixed namespace under which every exchange and client derives the same [`IndicatorId`].
const NAMESPACE: Uuid = Uuid::from_u128(0x7469_706f_6666_5000_8000_696e_6469_6361);

/// An observable thing. It has no owner: what partners say of it are assessments.
///
/// Only [`super::canonical`] makes one from what people write, so a value that is held here is
/// canonical.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Indicator {
    kind: Kind,
    platform: Option<Platform>,
    value: Box<str>,
}

impl Indicator {
    /// Puts together what [`super::canonical`] has read.
    pub(super) fn canonical(
        kind: Kind,
        platform: Option<Platform>,
        value: impl Into<Box<str>>,
    ) -> Self {
        Self { kind, platform, value: value.into() }
    }

    /// Takes a value from the journal or the index as it was stored, whatever the rules were then.
    pub fn from_stored(kind: Kind, platform: Option<Platform>, value: impl Into<Box<str>>) -> Self {
        Self { kind, platform, value: value.into() }
    }

    /// What kind of thing this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The platform the thing lives on, or the chain of a crypto address; `None` for kinds that
    /// have none.
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref()
    }

    /// The canonical value, as `model.md` of the design gives it for each kind.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The same, for who needs nothing else.
    pub fn into_value(self) -> Box<str> {
        self.value
    }

    /// The id that every exchange and client derives from the same kind, platform and value.
    pub fn id(&self) -> IndicatorId {
        IndicatorId::of(self)
    }
}

/// A `UUIDv5` over kind, platform and canonical value. Ids can be reversed by dictionary: they are
/// content, not pseudonyms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndicatorId(Uuid);

impl IndicatorId {
    fn of(indicator: &Indicator) -> Self {
        let value = match indicator.kind {
            // `http` and `https` are one indicator; each assessment keeps its own spelling.
            Kind::Url => without_scheme(&indicator.value),
            _ => &indicator.value,
        };
        let platform = indicator.platform.as_ref().map_or("", Platform::as_str);
        // Neither a kind nor a platform holds a NUL, so no two indicators share a name.
        let name = [indicator.kind.as_str(), platform, value].join("\0");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    /// The 16 bytes of the UUID, big-endian.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// How many bytes its text has.
    pub const TEXT_BYTES: usize = uuid::fmt::Hyphenated::LENGTH;

    /// Its text, written into room for it.
    pub fn write(self, room: &mut [u8; Self::TEXT_BYTES]) -> &str {
        self.0.hyphenated().encode_lower(room)
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

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// The kinds of indicator, by the names that CSV, JSON and the command line use.
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
    /// A group, subreddit or other gathering on a platform.
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
    /// An address on a chain; the chain stands where other kinds have a platform.
    CryptoAddress = "crypto_address",
}

impl Kind {
    /// Whether an indicator of this kind lives on a platform (or a chain) and must name it.
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
