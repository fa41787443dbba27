//! Counts of assets on the command line: `7 pages on facebook`.

use crate::domain::Platform;
use crate::domain::enforcement::{AssetKind, EnforcementCount};

/// Parses a count: `[about] N KIND [on PLATFORM]`. The kind may be singular or plural.
pub fn read(text: &str) -> Result<EnforcementCount, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (approximate, words) = match words.as_slice() {
        ["about" | "~", rest @ ..] => (true, rest),
        words => (false, words),
    };
    let ([number, asset], on) = words.split_first_chunk().ok_or_else(|| syntax_error(text))?;
    let count = number.replace([',', '_'], "").parse().map_err(|_| syntax_error(text))?;
    let asset = read_asset(asset).ok_or_else(|| {
        let known: Vec<_> = AssetKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("`{asset}` is not a kind of asset; use one of {}", known.join(", "))
    })?;
    let platform = match on {
        [] => None,
        ["on", platform] => Some(Platform::parse(platform).map_err(|e| e.reason.to_string())?),
        _ => return Err(syntax_error(text)),
    };
    let read = EnforcementCount { approximate, ..EnforcementCount::new(asset, platform, count) };
    read.check().map_err(|invalid| invalid.to_string())?;
    Ok(read)
}

/// Adds the already disabled assets to the counts of the same kind and platform.
pub fn with_disabled(
    mut counts: Vec<EnforcementCount>,
    disabled: &[EnforcementCount],
) -> Result<Vec<EnforcementCount>, String> {
    for before in disabled {
        let is_same = |one: &&mut EnforcementCount| {
            one.asset == before.asset && one.platform == before.platform
        };
        let Some(count) = counts.iter_mut().find(is_same) else {
            let on = before.platform.as_ref().map(|on| format!(" on {on}")).unwrap_or_default();
            return Err(format!("--already-disabled needs a --count of {}{on}", before.asset));
        };
        count.already_disabled += before.count;
        count.check().map_err(|invalid| invalid.to_string())?;
    }
    Ok(counts)
}

fn read_asset(text: &str) -> Option<AssetKind> {
    let plain = text.to_lowercase();
    let kind = |text: &str| text.parse::<AssetKind>().ok();
    kind(&plain).or_else(|| kind(plain.strip_suffix('s')?))
}

fn syntax_error(text: &str) -> String {
    format!("`{text}` is not a count, such as `7 pages on facebook`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_read_as_people_write_it() {
        let pages = read("7 pages on facebook").unwrap();
        let facebook = Some(Platform::from_stored("facebook"));
        assert_eq!(pages, EnforcementCount::new(AssetKind::Page, facebook, 7));
        let accounts = read("about 1,234 accounts on Twitter").unwrap();
        assert_eq!((accounts.count, accounts.approximate), (1_234, true));
        assert_eq!(accounts.platform.unwrap().as_str(), "x");
        assert_eq!(read("1 ad").unwrap().asset, AssetKind::Ad);
        for wrong in ["", "pages", "7", "seven pages", "0 pages", "7 rumours", "7 pages facebook"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn already_disabled_assets_are_part_of_a_count() {
        let counts = vec![read("7 pages on facebook").unwrap(), read("5 accounts").unwrap()];
        let with = |text| with_disabled(counts.clone(), &[read(text).unwrap()]);
        assert_eq!(with("2 pages on facebook").unwrap()[0].already_disabled, 2);
        assert!(with("2 pages").is_err(), "no count without a platform was given");
        assert!(with("6 accounts").is_err(), "more than were counted");
    }
}
