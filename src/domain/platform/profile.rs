//! Extracts the profile from a profile URL.

use percent_encoding::percent_decode_str;

use super::shape::{PathAndQuery, is_number};
use super::table::Site;
use super::{Platform, fediverse, site_of};
use crate::domain::indicator::Kind;

/// The profile that a URL points to. Its value is not canonical yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its kind. A phone number is one too: messengers have it in place of a name.
    pub kind: Kind,
    /// Its platform.
    pub platform: Platform,
    /// The handle, slug, invite or number.
    pub value: String,
}

/// The profile at a host and the rest of its URL; `None` for posts, videos and everything else.
/// `host` must be canonical; `rest` starts with `/` or is empty.
pub fn profile_of(host: &str, rest: &str) -> Option<Profile> {
    let (front, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = front.split_once('?').unwrap_or((front, ""));
    let host = host.trim_start_matches("www.");
    let site = site_of(host);
    let is_subdomain_of_profile = matches!(site, Some((_, Some(_))));
    if rest.is_empty() && !is_subdomain_of_profile {
        return None;
    }
    // Some sites had, or have, the path in the fragment: `/#!/name`.
    let is_routed = path.trim_matches('/').is_empty() && site.is_some();
    let routed = fragment.strip_prefix("!/").or_else(|| fragment.strip_prefix('/'));
    let path = routed.filter(|_| is_routed).unwrap_or(path);
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let Some((site, subdomain)) = site else { return fediverse::profile_of(host, &segments) };
    let segments = match subdomain {
        Some(label) => {
            let prefix = site.subdomain_path.filter(|prefix| !prefix.is_empty()).into_iter();
            prefix.chain([label]).chain(segments).collect()
        }
        None => segments,
    };
    let (kind, value) = on_site(site, PathAndQuery { segments, query, fragment })?;
    Some(Profile { kind, platform: Platform::from_stored(site.id), value })
}

/// Matches the path as it is, then without a view at its end or a locale in front.
fn on_site(site: &Site, mut url: PathAndQuery<'_>) -> Option<(Kind, String)> {
    loop {
        let matched = || site.shapes.iter().find_map(|shape| shape.matched(&url, site.own_pages));
        if let Some((kind, value)) = matched() {
            return refined(site.id, kind, value);
        }
        match url.segments.as_slice() {
            [_, .., last] if is_view(site, last) => {
                url.segments.pop();
            }
            [first, _, ..] if site.has_locale_paths && is_locale(first) => {
                url.segments.remove(0);
            }
            _ => return None,
        }
    }
}

fn is_view(site: &Site, segment: &str) -> bool {
    // A payment of a given amount: `/name/25EUR`.
    let is_amount = || {
        matches!(site.id, "paypal" | "cashapp") && segment.starts_with(|c: char| c.is_ascii_digit())
    };
    site.views.iter().any(|view| segment.eq_ignore_ascii_case(view)) || is_amount()
}

/// Whether a text is a language, a country or both: `de`, `pt-br`, `intl-de`.
pub fn is_locale(text: &str) -> bool {
    let text = text.strip_prefix("intl-").unwrap_or(text);
    let mut parts = text.split(['-', '_']);
    let is_code = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
    parts.next().is_some_and(is_code) && parts.next().is_none_or(is_code) && parts.next().is_none()
}

/// Corrects the kind by the form of the value, such as an id of digits in the place of a name. `None` if the value is
/// no profile.
pub fn refined(site: &str, kind: Kind, value: String) -> Option<(Kind, String)> {
    if kind == Kind::Phone {
        return Some((kind, phone(&value)?));
    }
    match (site, kind) {
        ("facebook" | "weibo", Kind::Account) if is_number(&value) => {
            Some((Kind::AccountId, value))
        }
        ("bluesky", _) if value.starts_with("did:") => Some((Kind::AccountId, value)),
        // The id of a member, in place of the name.
        ("linkedin", Kind::Account) if value.starts_with("ACoAA") => Some((Kind::AccountId, value)),
        // Others get a random code.
        ("line", Kind::AccountId) if value.starts_with(['@', '~']) => {
            Some((Kind::Account, value[1..].to_owned()))
        }
        ("reddit", Kind::Community) if value.starts_with("u_") => {
            Some((Kind::Account, value[2..].to_owned()))
        }
        ("telegram", _) => Some(match phone(&value).filter(|_| value.starts_with('+')) {
            Some(phone) => (Kind::Phone, phone),
            None => (kind, value),
        }),
        // A video.
        ("vimeo", Kind::Account) if is_number(&value) => None,
        // A gist that nobody owns.
        ("github", _) if is_gist(&value) => None,
        ("github", Kind::Account) => Some((kind, name_of_github(&value)?.to_owned())),
        ("vk", _) if is_content_of_vk(&value) => None,
        ("vk", _) if is_community_of_vk(&value) => Some((Kind::Community, value)),
        _ => Some((kind, value)),
    }
}

/// A phone number as it stands in a link, with its country code: digits, perhaps with a `+` and separators.
fn phone(text: &str) -> Option<String> {
    let is_separator = |c: char| c.is_whitespace() || "+-().".contains(c);
    let digits = text.replace(is_separator, "");
    (is_number(&digits) && (7..=15).contains(&digits.len())).then(|| format!("+{digits}"))
}

/// The name of an account whose keys or feed an address shows: `/name.keys`. A name has no dot.
fn name_of_github(path: &str) -> Option<&str> {
    match path.split_once('.') {
        Some((name, "atom" | "gpg" | "keys" | "png")) => Some(name),
        Some(_) => None,
        None => Some(path),
    }
}

fn is_gist(value: &str) -> bool {
    matches!(value.len(), 20 | 32) && value.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a path of VK is a post, a photo, a video, an article, and no name: `wall-123_45`, `@name-story`.
fn is_content_of_vk(value: &str) -> bool {
    const CONTENT: [&str; 18] = [
        "wall", "photo", "video", "album", "topic", "clip", "doc", "market", "audio", "story",
        "playlist", "app", "albums", "audios", "photos", "videos", "gifts", "write",
    ];
    let is_id = |id: &str| {
        id.starts_with(|c: char| c.is_ascii_digit())
            && id.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    };
    let is_numbered = |prefix: &str| value.strip_prefix(prefix).is_some_and(is_id);
    value.contains('-') || CONTENT.into_iter().any(is_numbered)
}

/// Whether a name of VK is that of a community by its number: `club1234`.
pub fn is_community_of_vk(value: &str) -> bool {
    ["club", "public", "event"]
        .into_iter()
        .any(|prefix| value.strip_prefix(prefix).is_some_and(is_number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(host: &str, rest: &str) -> Option<(Kind, String, String)> {
        let profile = profile_of(host, rest)?;
        Some((profile.kind, profile.platform.to_string(), profile.value))
    }

    #[allow(clippy::unnecessary_wraps)] // As what it is compared with.
    fn account(platform: &str, value: &str) -> Option<(Kind, String, String)> {
        Some((Kind::Account, platform.into(), value.into()))
    }

    #[test]
    fn profiles_are_told_from_posts_and_from_the_platforms_own_pages() {
        assert_eq!(read("twitter.com", "/Sample_User/"), account("x", "Sample_User"));
        assert_eq!(read("mobile.twitter.com", "/sample?s=20"), account("x", "sample"));
        assert_eq!(read("x.com", "/sample/status/1234"), None);
        assert_eq!(read("x.com", "/hashtag/sample"), None);
        assert_eq!(read("x.com", "/search?q=sample"), None);
        assert_eq!(read("www.youtube.com", "/@sample/videos"), account("youtube", "sample"));
        assert_eq!(read("youtube.com", "/channel/UCabc"), account("youtube", "channel/UCabc"));
        assert_eq!(read("youtube.com", "/watch?v=abc"), None);
        assert_eq!(read("quora.com", "/profile/Sample-1/answers"), account("quora", "Sample-1"));
        assert_eq!(read("vimeo.com", "/123456"), None);
        assert_eq!(read("vimeo.com", "/user123"), account("vimeo", "user123"));
        assert_eq!(read("social.example", "/@sample"), account("social.example", "sample"));
        assert_eq!(read("forum.example", "/u/sample"), None);
        assert_eq!(read("tiktok.com", "/@a%2Eb"), account("tiktok", "a.b"));
    }

    #[test]
    fn ids_pages_and_communities_are_told_from_accounts_and_the_platforms_own_pages_are_none() {
        let read_as = |host: &str, rest: &str| {
            read(host, rest).map(|(kind, platform, value)| format!("{kind} {platform} {value}"))
        };
        let table = [
            ("x.com", "/i/user/1234", Some("account_id x 1234")),
            ("x.com", "/i/events/1234", None),
            ("x.com", "/i/lists/1234", None),
            ("x.com", "/intent/user?screen_name=sample", Some("account x sample")),
            ("x.com", "/intent/tweet?text=sample", None),
            ("facebook.com", "/profile.php?id=1000", Some("account_id facebook 1000")),
            ("facebook.com", "/people/A-Name/1000/", Some("account_id facebook 1000")),
            ("facebook.com", "/pages/A-Name/1000", Some("page facebook 1000")),
            ("facebook.com", "/sample/posts/1000", None),
            ("facebook.com", "/share.php?u=a", None),
            ("linkedin.com", "/company/sample", Some("page linkedin sample")),
            ("discord.gg", "/AbC", Some("community discord AbC")),
            ("discord.com", "/download", None),
            ("twitch.tv", "/directory", None),
            ("twitch.tv", "/videos/1234", None),
            ("roblox.com", "/users/1234/profile", Some("account_id roblox 1234")),
            ("vk.com", "/club1234", Some("community vk club1234")),
            ("vk.com", "/clubhouse", Some("account vk clubhouse")),
            ("steamcommunity.com", "/profiles/7656", Some("account_id steam 7656")),
        ];
        for (host, rest, expected) in table {
            assert_eq!(read_as(host, rest).as_deref(), expected, "{host}{rest}");
        }
    }

    #[test]
    fn telegram_has_names_previews_and_invites() {
        let channel = |value: &str| Some((Kind::Channel, "telegram".into(), value.into()));
        assert_eq!(read("t.me", "/sample"), channel("sample"));
        assert_eq!(read("t.me", "/s/sample"), channel("sample"));
        assert_eq!(read("t.me", "/+AbC"), channel("+AbC"));
        assert_eq!(read("t.me", "/joinchat/AbC"), channel("+AbC"));
        assert_eq!(read("t.me", "/sample/42"), None);
    }
}
