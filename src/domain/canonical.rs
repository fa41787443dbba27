//! Canonicalisation: plain text to the canonical value, one function per kind.
//!
//! The input is text that [`super::refang`] has cleaned. The result is the canonical value, or a
//! reason that reads on from "value". All functions are idempotent.

mod app;
mod crypto;
mod handle;
pub(super) mod host;
mod misc;
pub(super) mod net;
pub(super) mod url;

pub(super) use app::play_store as play_store_package;
pub(super) use crypto::chain_by_checksum;
pub(super) use misc::national_phone;

use std::borrow::Cow;

use super::indicator::Kind;
use super::platform::Platform;

/// Maximum length of a value, in bytes.
pub const MAX_VALUE_BYTES: usize = 2_048;

/// A canonical value, borrowed if the text was canonical already; or the reason why the text has
/// none.
pub type Canonical<'a> = Result<Cow<'a, str>, Cow<'static, str>>;

/// The canonical value of a text. `platform` is set for the kinds that need one.
pub fn canonical<'a>(kind: Kind, platform: Option<&Platform>, text: &'a str) -> Canonical<'a> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.len() > MAX_VALUE_BYTES {
        return Err(format!("is longer than {MAX_VALUE_BYTES} bytes").into());
    }
    if text.chars().any(char::is_control) {
        return Err("contains a control character".into());
    }
    let platform = platform.map(Platform::as_str).unwrap_or_default();
    let value = of_kind(kind, platform, text)?;
    // Unicode normalisation can make a text several times longer.
    if value.len() > MAX_VALUE_BYTES {
        return Err(format!("is longer than {MAX_VALUE_BYTES} bytes in its canonical form").into());
    }
    Ok(value)
}

fn of_kind<'a>(kind: Kind, platform: &str, text: &'a str) -> Canonical<'a> {
    match kind {
        Kind::Account => handle::account(platform, text),
        Kind::AccountId => handle::account_id(text),
        Kind::Page | Kind::Community => handle::slug(platform, text),
        Kind::Channel => handle::channel(platform, text),
        Kind::Domain => host::canonical(text),
        Kind::Url => url::canonical(text),
        Kind::Email => misc::email(text),
        Kind::Phone => misc::phone(text),
        Kind::Ip => net::ip(text),
        Kind::Network => net::network(text),
        Kind::Asn => net::asn(text),
        Kind::Md5 => misc::hex(text, 32, "an MD5 digest has"),
        Kind::Sha1 => misc::hex(text, 40, "a SHA-1 digest has"),
        Kind::Sha256 => misc::hex(text, 64, "a SHA-256 digest has"),
        Kind::Pdq => misc::hex(text, 64, "a PDQ hash has"),
        Kind::Sha512 => misc::hex(text, 128, "a SHA-512 digest has"),
        Kind::Tlsh => misc::tlsh(text),
        Kind::Ssdeep => misc::ssdeep(text),
        Kind::Hashtag => misc::hashtag(text),
        Kind::AndroidPackage => app::android_package(text),
        Kind::IosAppId => app::ios_app_id(text),
        Kind::CryptoAddress => crypto::address(platform, text),
    }
}

/// Whether the text is exactly `digits` hex digits. Used to detect the kind.
pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
}
