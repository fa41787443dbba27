//! STIX patterns of indicators. For kinds without a STIX observable, a custom one is used whose
//! name begins with `x-tipoff-`.

use crate::domain::{Indicator, Kind, Platform};

/// The pattern that matches the value of an indicator.
pub fn of(indicator: &Indicator) -> String {
    let value = quoted(indicator.value());
    let platform = indicator.platform().map(Platform::as_str);
    match indicator.kind() {
        Kind::Account => account(platform, "account_login", &value),
        Kind::AccountId => account(platform, "user_id", &value),
        Kind::Page => on_platform("x-tipoff-page", platform, &value),
        Kind::Community => on_platform("x-tipoff-community", platform, &value),
        Kind::Channel => on_platform("x-tipoff-channel", platform, &value),
        Kind::Domain => format!("[domain-name:value = {value}]"),
        Kind::Url => format!("[url:value = {value}]"),
        Kind::Email => format!("[email-addr:value = {value}]"),
        // The value of an address object may be a network in CIDR notation (STIX 2.1, 6.7 and 6.8).
        Kind::Ip | Kind::Network if indicator.value().contains(':') => {
            format!("[ipv6-addr:value = {value}]")
        }
        Kind::Ip | Kind::Network => format!("[ipv4-addr:value = {value}]"),
        Kind::Asn => {
            let number = indicator.value().trim_start_matches("AS");
            format!("[autonomous-system:number = {number}]")
        }
        Kind::Md5 => format!("[file:hashes.MD5 = {value}]"),
        Kind::Sha1 => format!("[file:hashes.'SHA-1' = {value}]"),
        Kind::Sha256 => format!("[file:hashes.'SHA-256' = {value}]"),
        Kind::Sha512 => format!("[file:hashes.'SHA-512' = {value}]"),
        Kind::Ssdeep => format!("[file:hashes.SSDEEP = {value}]"),
        Kind::Tlsh => format!("[file:hashes.TLSH = {value}]"),
        // Perceptual hashes are compared by distance, which STIX cannot express: a standard
        // property would suggest equality.
        Kind::Pdq => format!("[x-tipoff-perceptual-hash:pdq = {value}]"),
        Kind::Phone => format!("[x-tipoff-phone-number:value = {value}]"),
        Kind::Hashtag => format!("[x-tipoff-hashtag:value = {value}]"),
        Kind::AndroidPackage => format!("[x-tipoff-android-package:value = {value}]"),
        Kind::IosAppId => format!("[x-tipoff-ios-app:value = {value}]"),
        Kind::CryptoAddress => on_platform("x-tipoff-crypto-address", platform, &value),
    }
}

/// An account, with the platform name of the STIX open vocabulary `account-type-ov`.
fn account(platform: Option<&str>, property: &str, value: &str) -> String {
    let kind = match platform {
        Some("x") => "twitter",
        Some(platform) => platform,
        None => return format!("[user-account:{property} = {value}]"),
    };
    let kind = quoted(kind);
    format!("[user-account:account_type = {kind} AND user-account:{property} = {value}]")
}

fn on_platform(observable: &str, platform: Option<&str>, value: &str) -> String {
    match platform.map(quoted) {
        Some(platform) => {
            format!("[{observable}:platform = {platform} AND {observable}:value = {value}]")
        }
        None => format!("[{observable}:value = {value}]"),
    }
}

/// A string literal: quotes and backslashes are escaped.
fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('\'');
    for character in text.chars() {
        if matches!(character, '\'' | '\\') {
            literal.push('\\');
        }
        literal.push(character);
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_a_value() {
        let indicator = Indicator::from_stored(Kind::Url, None, r"https://a.example/'\x");
        assert_eq!(of(&indicator), r"[url:value = 'https://a.example/\'\\x']");
    }

    #[test]
    fn an_account_names_its_platform() {
        let of_x = Indicator::read("x:harbour", None).unwrap();
        assert_eq!(
            of(&of_x),
            "[user-account:account_type = 'twitter' AND user-account:account_login = 'harbour']"
        );
    }
}
