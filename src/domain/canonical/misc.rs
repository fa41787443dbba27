//! E-mail addresses, phone numbers, digests and hashtags.

use std::borrow::Cow;

use phonenumber::{Mode, country};
use unicode_normalization::UnicodeNormalization;

use super::{Canonical, host};

/// An e-mail address in lower case; its host is canonicalised like a domain.
pub fn email(text: &str) -> Canonical<'_> {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let Some((local, domain)) = text.rsplit_once('@') else {
        return Err("is not a mail address: it has no `@`".into());
    };
    let is_local = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c);
    if local.is_empty() || local.len() > 64 || !local.chars().all(is_local) {
        return Err("is not a mail address: the part before the `@` is not one".into());
    }
    let domain = host::canonical(domain)
        .map_err(|reason| format!("is not a mail address: its host {reason}"))?;
    let local = local.to_lowercase();
    Ok(Cow::Owned(format!("{}@{domain}", local.to_lowercase())))
}

/// A phone number with its country code, in E.164 format.
pub fn phone(text: &str) -> Canonical<'_> {
    let plain: String = text.nfkc().collect();
    let plain = plain.strip_prefix("tel:").unwrap_or(&plain);
    let plain = with_plus(plain.trim());
    if !plain.starts_with('+') {
        return Err("is not a phone number in international form, with `+` and country code".into());
    }
    e164(None, &plain)
}

/// A phone number as it is written in a country, in E.164 format.
pub fn national_phone(text: &str, country: country::Id) -> Canonical<'_> {
    let plain: String = text.nfkc().collect();
    e164(Some(country), &with_plus(plain.trim().strip_prefix("tel:").unwrap_or(plain.trim())))
}

/// A number with the exit code `00` of most countries as one with `+`. No national number begins so.
fn with_plus(number: &str) -> Cow<'_, str> {
    match number.strip_prefix("00") {
        Some(rest) if !rest.starts_with('0') => Cow::Owned(format!("+{rest}")),
        _ => Cow::Borrowed(number),
    }
}

/// How many trunk prefixes are taken from the beginning of a number: a real one has at most one.
const MAX_TRUNK_PREFIXES: usize = 3;

fn e164(country: Option<country::Id>, plain: &str) -> Canonical<'static> {
    if plain.chars().any(|c| c.is_alphabetic() && !"ext".contains(c.to_ascii_lowercase())) {
        return Err("is not a phone number: it contains a letter".into());
    }
    // A trunk prefix in brackets is not dialled from abroad.
    let mut digits = international(country, &plain.replacen("(0)", "", 1))?;
    // What follows a trunk prefix may begin with another one.
    for _ in 0..MAX_TRUNK_PREFIXES {
        let again = international(None, &digits)?;
        if again == digits {
            return Ok(Cow::Owned(digits));
        }
        digits = again;
    }
    Err("is not a phone number of any country's plan".into())
}

fn international(country: Option<country::Id>, plain: &str) -> Result<String, Cow<'static, str>> {
    let number = phonenumber::parse(country, plain)
        .map_err(|_| "is not a phone number of any country's plan")?;
    if !number_is_possible(&number) {
        return Err("is not a phone number: it is too short or too long for its country".into());
    }
    let digits = number.format().mode(Mode::E164).to_string();
    Ok(digits.split([';', ' ']).next().unwrap_or_default().to_owned())
}

/// Checks the length only: numbers reserved for fiction are in no country's numbering plan.
fn number_is_possible(number: &phonenumber::PhoneNumber) -> bool {
    let digits = number.national().value().to_string().len();
    match number.code().value() {
        1 => digits == 10,
        44 => digits == 10 || digits == 9,
        _ => (6..=14).contains(&digits),
    }
}

/// A digest in lower-case hex, of exactly `digits` digits.
pub fn hex<'a>(text: &'a str, digits: usize, has: &str) -> Canonical<'a> {
    if text.len() != digits {
        return Err(format!("has {} characters, and {has} {digits} hex digits", text.len()).into());
    }
    lower_hex(text)
}

/// A TLSH digest: 70 hex digits in lower case, without the `T1` prefix of newer versions.
pub fn tlsh(text: &str) -> Canonical<'_> {
    let digits = match text.as_bytes() {
        [b'T' | b't', b'1', ..] if text.len() == 72 => &text[2..],
        _ => text,
    };
    if digits.len() != 70 {
        let reason = "is not a TLSH digest: it needs 70 hex digits, or 72 with the prefix `T1`";
        return Err(reason.into());
    }
    lower_hex(digits)
}

/// An ssdeep hash as published: block size and two parts, without the file name that `ssdeep` prints after
/// them. The block size is 3 times a power of two.
pub fn ssdeep(text: &str) -> Canonical<'_> {
    let hash = text.split_once(',').map_or(text, |(hash, _file)| hash);
    let refuse = |reason: &'static str| Err(Cow::Borrowed(reason));
    let mut parts = hash.split(':');
    let (Some(size), Some(first), Some(second), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return refuse("is not an ssdeep hash: it is not a block size and two parts, apart by `:`");
    };
    let is_block_size =
        size.parse::<u64>().is_ok_and(|size| size % 3 == 0 && (size / 3).is_power_of_two());
    if !is_block_size || size.starts_with(['+', '0']) {
        return refuse("is not an ssdeep hash: its block size is not 3 times a power of two");
    }
    let is_part = |part: &str| {
        (1..=64).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
    };
    if !is_part(first) || !is_part(second) {
        return refuse("is not an ssdeep hash: a part is not 1 to 64 characters of Base64");
    }
    Ok(Cow::Borrowed(hash))
}

fn lower_hex(text: &str) -> Canonical<'_> {
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("contains a character that is not a hex digit".into());
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Ok(Cow::Owned(text.to_ascii_lowercase()));
    }
    Ok(Cow::Borrowed(text))
}

/// A hashtag with one leading `#`, NFKC-normalised, in lower case.
pub fn hashtag(text: &str) -> Canonical<'_> {
    let mut folded: String = text.to_owned();
    // Lower-casing can produce text that NFKC changes, and the other way round.
    for _ in 0..4 {
        let next = folded.nfkc().collect::<String>().to_lowercase();
        if next == folded {
            break;
        }
        folded = next;
    }
    let tag = folded.trim_start_matches('#');
    if tag.is_empty() {
        return Err("is not a hashtag: nothing follows the `#`".into());
    }
    let is_tag = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '_' | '\u{b7}' | '\u{200c}')
            || unicode_normalization::char::is_combining_mark(c)
    };
    if let Some(bad) = tag.chars().find(|c| !is_tag(*c)) {
        return Err(format!("is not a hashtag: it contains `{}`", bad.escape_debug()).into());
    }
    Ok(Cow::Owned(format!("#{tag}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Kind;

    #[test]
    fn mail_phone_and_digests_have_one_spelling() {
        assert_eq!(email("Info@News.Example").unwrap(), "info@news.example");
        assert_eq!(phone("+1 212-555-0123").unwrap(), "+12125550123");
        assert_eq!(phone("tel:+1-201-555-0123").unwrap(), "+12015550123");
        assert_eq!(phone("+44 (0)7700 900 456").unwrap(), "+447700900456");
        assert_eq!(phone("0044 7700 900 456").unwrap(), "+447700900456");
        assert_eq!(hashtag("＃Sample").unwrap(), "#sample");
        assert_eq!(ssdeep("96:aB/+:xY,\"a.exe\"").unwrap(), "96:aB/+:xY");
        assert_eq!(tlsh(&format!("T1{}", "AB".repeat(35))).unwrap(), "ab".repeat(35));
    }

    #[test]
    fn what_they_are_not_is_refused() {
        assert!(email("a b@news.example").is_err());
        let stripped = phone("+0090 0000000 90 0000000").unwrap_or_default();
        assert_eq!(phone(&stripped).unwrap_or_default(), stripped, "however many trunk prefixes");
        assert!(phone("212 555 0123").is_err());
        assert!(phone("+1 212 555 O123").is_err());
        assert!(phone("+44 7700 900").is_err());
        for bad in ["4:abc:def", "96:abc", "96:ab?:def", "96:abc:def:ghi", ":abc:def"] {
            assert!(ssdeep(bad).is_err(), "{bad}");
        }
        assert!(hex("abc", 32, "an MD5 digest has").is_err());
        assert!(hashtag("#two words").is_err());
        assert!(hashtag("##").is_err());
        // Normalising makes some letters six.
        let long = format!("#{}", "\u{3316}".repeat(600));
        assert!(super::super::canonical(Kind::Hashtag, None, &long).is_err());
    }
}
