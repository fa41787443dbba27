//! Extracts the profile from a profile URL.

use percent_encoding::percent_decode_str;

use super::table::{OWN_PAGES, Shape, VIEWS};
use super::{Platform, site_of};
use crate::domain::indicator::Kind;

/// The profile that a URL points to. Its value is not canonical yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its kind.
    pub kind: Kind,
    /// Its platform.
    pub platform: Platform,
    /// The handle, slug or invite.
    pub value: String,
}

/// The profile at a host and the rest of its URL; `None` for posts, videos and everything else.
/// `host` must be canonical; `rest` starts with `/` or is empty.
pub fn profile_of(host: &str, rest: &str) -> Option<Profile> {
    let front = rest.split_once('#').map_or(rest, |(front, _fragment)| front);
    let (path, query) = front.split_once('?').unwrap_or((front, ""));
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let mut segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let bare = host.strip_prefix("www.").unwrap_or(host);
    let Some(site) = site_of(bare) else {
        // `HOST/@handle` is a profile on any host.
        let [segment] = segments.as_slice() else { return None };
        let handle = segment.strip_prefix('@').filter(|handle| !handle.is_empty())?;
        let platform = Platform::of_host(bare);
        return Some(Profile { kind: Kind::Account, platform, value: handle.to_owned() });
    };
    if segments.len() > 1 && segments.last().is_some_and(|last| VIEWS.contains(last)) {
        segments.pop();
    }
    let (kind, value) =
        site.shapes.iter().find_map(|shape| match_shape(shape, &segments, query))?;
    if site.id == "vimeo" && value.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (kind, value) = refine_by_value(site.id, kind, value);
    Some(Profile { kind, platform: Platform::from_stored(site.id), value })
}

/// What the value itself says of its kind: a DID is Bluesky's stable id, and `club1` a community of VK.
fn refine_by_value(site: &str, kind: Kind, value: String) -> (Kind, String) {
    let is_numbered = |prefix: &str| {
        value
            .strip_prefix(prefix)
            .is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
    };
    match site {
        "bluesky" if value.starts_with("did:") => (Kind::AccountId, value),
        "vk" if ["club", "public", "event"].into_iter().any(is_numbered) => {
            (Kind::Community, value)
        }
        _ => (kind, value),
    }
}

fn match_shape(shape: &Shape, segments: &[&str], query: &str) -> Option<(Kind, String)> {
    let single = match segments {
        [segment] => Some(*segment),
        _ => None,
    };
    let under = |prefix: &str| {
        let (name, front) = segments.split_last()?;
        front.join("/").eq_ignore_ascii_case(prefix).then_some(*name)
    };
    match shape {
        Shape::Bare(kind) => {
            let name = single?.strip_prefix('@').or(single)?;
            let is_own = OWN_PAGES.iter().any(|page| name.eq_ignore_ascii_case(page))
                || name.to_ascii_lowercase().ends_with(".php");
            let is_name = !is_own && !name.starts_with('+') && !name.is_empty();
            is_name.then(|| (*kind, name.to_owned()))
        }
        Shape::At(kind) => {
            let name = single?.strip_prefix('@').filter(|name| !name.is_empty())?;
            Some((*kind, name.to_owned()))
        }
        // A Telegram invite has two spellings; use the one with `+`.
        Shape::Under("joinchat", kind) => Some((*kind, format!("+{}", under("joinchat")?))),
        Shape::Under(prefix, kind) => Some((*kind, under(prefix)?.to_owned())),
        Shape::WithPrefix(prefix, kind) => Some((*kind, format!("{prefix}/{}", under(prefix)?))),
        Shape::IdUnder(prefix, kind) => match segments {
            [first, _, id] if first.eq_ignore_ascii_case(prefix) && is_id(id) => {
                Some((*kind, (*id).to_owned()))
            }
            _ => None,
        },
        Shape::Query(path, key, kind) => {
            let is_path = segments.join("/").eq_ignore_ascii_case(path);
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(name, _)| is_path && name == key)?;
            (!value.is_empty()).then(|| (*kind, value.to_owned()))
        }
        Shape::Plus(kind) => {
            let invite = single?.strip_prefix('+').filter(|invite| !invite.is_empty())?;
            Some((*kind, format!("+{invite}")))
        }
    }
}

/// Whether the last part of an address that carries a name and an id is the id.
fn is_id(segment: &str) -> bool {
    segment.bytes().any(|b| b.is_ascii_digit())
        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'@'))
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
