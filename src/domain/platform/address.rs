//! The web address of an account, page, community, channel or app.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::shape::Shape;
use super::table::{Site, sites};
use crate::domain::indicator::{Indicator, Kind};

/// Characters of a handle that a path needs encoded. `/` separates the prefix of a YouTube channel.
const IN_PATH: AsciiSet =
    NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'+');

impl Indicator {
    /// The address of the profile, community, channel or app, such as `https://x.com/harbour`. It
    /// reads as this same indicator. `None` if the kind has no address, or the platform no known one.
    pub fn web_address(&self) -> Option<String> {
        let is_own = |address: &String| {
            Indicator::read(address, None).is_ok_and(|read| read.id() == self.id())
        };
        self.possible_addresses().into_iter().find(is_own)
    }

    fn possible_addresses(&self) -> Vec<String> {
        if self.kind() == Kind::AndroidPackage {
            return vec![format!("https://play.google.com/store/apps/details?id={}", self.value())];
        }
        let Some(platform) = self.platform() else { return Vec::new() };
        let value: Cow<'_, str> = utf8_percent_encode(self.value(), &IN_PATH).into();
        let sites = sites().filter(|site| site.id == platform.as_str());
        let of_site = |site: &'static Site| {
            let value = value.clone();
            let mut shapes: Vec<_> = site.shapes.iter().collect();
            shapes.sort_by_key(|shape| rank(shape));
            let paths =
                shapes.into_iter().filter_map(move |shape| path(shape, self.kind(), &value));
            let host = site.hosts.first().copied().unwrap_or_default();
            paths.map(move |path| format!("https://{host}/{path}"))
        };
        let mut addresses: Vec<_> = sites.flat_map(of_site).collect();
        if platform.as_str().contains('.') {
            let path = if self.kind() == Kind::Community { "c/" } else { "@" };
            addresses.push(format!("https://{platform}/{path}{value}"));
        }
        addresses
    }
}

/// Addresses that need a name which is not known come last. Otherwise the order is that of the table.
fn rank(shape: &Shape) -> u8 {
    match shape {
        Shape::IdUnder(..) => 1,
        _ => 0,
    }
}

/// The path of a profile of this kind, if the shape has one.
fn path(shape: &Shape, kind: Kind, value: &str) -> Option<String> {
    let (of, path) = match shape {
        Shape::Bare(of) | Shape::Plus(of) | Shape::WithPrefix(_, of) => (of, value.to_owned()),
        Shape::At(of) => (of, format!("@{value}")),
        Shape::Cashtag(of) => (of, format!("${value}")),
        // What stands for `*` is not in the value.
        Shape::Under(prefix, _) if prefix.contains('*') => return None,
        Shape::Under(prefix, of) | Shape::IdThenName(prefix, of) => {
            (of, format!("{prefix}/{value}"))
        }
        // The name in front of the id is free.
        Shape::IdUnder(prefix, of) => (of, format!("{prefix}/-/{value}")),
        Shape::Query(path, key, of) => (of, format!("{path}?{key}={value}")),
        Shape::Fragment("", of) => (of, format!("#{value}")),
        Shape::Fragment(prefix, of) => (of, format!("#{prefix}/{value}")),
        // Another shape of the same kind is the one to show.
        Shape::BareAs(..) | Shape::NameWithId(..) => return None,
    };
    (*of == kind).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(kind: Kind, platform: Option<&str>, value: &str) -> Option<String> {
        Indicator::parse(kind, platform, value).unwrap().web_address()
    }

    #[test]
    fn an_address_reads_as_the_indicator_that_it_was_made_of() {
        let table = [
            (Kind::Account, "x", "harbour", Some("https://x.com/harbour")),
            (Kind::AccountId, "x", "1234567890", Some("https://x.com/i/user/1234567890")),
            (Kind::Account, "youtube", "harbour", Some("https://youtube.com/@harbour")),
            (Kind::Account, "youtube", "channel/UCabc", Some("https://youtube.com/channel/UCabc")),
            (Kind::Account, "social.example", "harbour", Some("https://social.example/@harbour")),
            (Kind::AccountId, "facebook", "1000", Some("https://facebook.com/profile.php?id=1000")),
            (Kind::Page, "facebook", "harbour", Some("https://facebook.com/pg/harbour")),
            (Kind::AccountId, "roblox", "1234", Some("https://roblox.com/users/1234")),
            (Kind::Community, "reddit", "harbour", Some("https://reddit.com/r/harbour")),
            (Kind::Channel, "telegram", "+AbC", Some("https://t.me/+AbC")),
            (Kind::Page, "viber", "harbour", None),
            (Kind::Account, "unheard", "harbour", None),
        ];
        for (kind, platform, value, expected) in table {
            assert_eq!(
                address(kind, Some(platform), value).as_deref(),
                expected,
                "{platform} {value}"
            );
        }
        assert_eq!(address(Kind::Domain, None, "a.example"), None);
        assert_eq!(
            address(Kind::AndroidPackage, None, "com.example.Harbour").as_deref(),
            Some("https://play.google.com/store/apps/details?id=com.example.Harbour")
        );
    }
}
