//! Application ids, as app stores publish them.

use std::borrow::Cow;

use super::Canonical;

const MAX_BYTES: usize = 255;

/// An Android package name: two or more segments of letters, digits and `_`, case preserved. Also
/// accepts the URL of its page in the Play store.
pub fn android_package(text: &str) -> Canonical<'_> {
    let name = play_store(text).unwrap_or(text);
    let is_segment = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    let fits = name.len() <= MAX_BYTES && name.contains('.') && name.split('.').all(is_segment);
    if fits {
        Ok(Cow::Borrowed(name))
    } else {
        Err("is not an Android package name such as `com.sample.app`".into())
    }
}

/// An iOS application's id: its number in the store or its bundle id, case preserved.
pub fn ios_app_id(text: &str) -> Canonical<'_> {
    let number = text.strip_prefix("id").unwrap_or(text);
    if !number.is_empty() && number.len() <= 20 && number.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Cow::Borrowed(number));
    }
    let is_segment = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if text.len() <= MAX_BYTES && text.contains('.') && text.split('.').all(is_segment) {
        return Ok(Cow::Borrowed(text));
    }
    Err("is neither the number of an iOS application nor a bundle id".into())
}

/// The package name in the URL of a page in the Play store.
pub fn play_store(text: &str) -> Option<&str> {
    let address = text.strip_prefix("https://").or(text.strip_prefix("http://")).unwrap_or(text);
    let query = address.strip_prefix("play.google.com/store/apps/details?")?;
    query.split('&').find_map(|pair| pair.strip_prefix("id="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_keep_their_case() {
        assert_eq!(android_package("com.Sample.app_1").unwrap(), "com.Sample.app_1");
        let page = "https://play.google.com/store/apps/details?hl=en&id=com.sample.app";
        assert_eq!(android_package(page).unwrap(), "com.sample.app");
        assert!(android_package("sample").is_err());
        assert_eq!(ios_app_id("id1234567890").unwrap(), "1234567890");
        assert!(ios_app_id("sample").is_err());
    }
}
