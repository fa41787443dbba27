//! Links that open an application instead of a web page: `tg://resolve?domain=name`.

use std::borrow::Cow;

use super::Platform;
use super::profile::{Profile, refined};
use super::shape::{decoded, parameter};
use crate::domain::indicator::Kind::{self, Account, AccountId, Channel, Community, Page, Phone};

/// Scheme, path, the parameter with the value, platform, kind. Without a parameter the path goes on with the value.
const LINKS: &[(&str, &str, &str, &str, Kind)] = &[
    ("tg", "resolve", "domain", "telegram", Channel),
    ("tg", "resolve", "phone", "telegram", Phone),
    ("tg", "join", "invite", "telegram", Channel),
    ("whatsapp", "send", "phone", "whatsapp", Phone),
    ("whatsapp", "chat", "code", "whatsapp", Community),
    ("viber", "chat", "number", "viber", Phone),
    ("viber", "add", "number", "viber", Phone),
    ("viber", "pa", "chatURI", "viber", Channel),
    ("twitter", "user", "screen_name", "x", Account),
    ("twitter", "user", "id", "x", AccountId),
    ("instagram", "user", "username", "instagram", Account),
    ("fb", "profile", "", "facebook", AccountId),
    ("fb", "page", "", "facebook", Page),
    ("fb", "group", "", "facebook", Community),
    ("spotify", "user", "", "spotify", Account),
    ("spotify", "show", "", "spotify", Channel),
    ("at", "", "", "bluesky", Account),
];

/// The profile that a link to an application opens. `None` for posts and everything else.
pub fn profile_of_app_link(text: &str) -> Option<Profile> {
    let (scheme, rest) = text.split_once(':')?;
    if !LINKS.iter().any(|(known, ..)| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let rest = rest.trim_start_matches('/');
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.trim_end_matches('/');
    if parameter(query, "post").is_some() {
        return None;
    }
    LINKS.iter().find_map(|(known, of, key, platform, kind)| {
        let value = match *key {
            // The address of a record has a path, and `at:` alone is a word.
            "" if of.is_empty() => {
                decoded(path).filter(|path| text.contains("://") && !path.contains('/'))?
            }
            "" => decoded(path.strip_prefix(of)?.strip_prefix(['/', ':'])?)?,
            _ if path == *of => parameter(query, key)?,
            _ => return None,
        };
        if !scheme.eq_ignore_ascii_case(known) {
            return None;
        }
        let value = if *of == "join" { Cow::Owned(format!("+{value}")) } else { value };
        let (kind, value) = refined(platform, *kind, value.into_owned())?;
        Some(Profile { kind, platform: Platform::from_stored(*platform), value })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_applications_open_profiles() {
        let read = |text: &str| {
            let profile = profile_of_app_link(text)?;
            Some(format!("{} {} {}", profile.kind, profile.platform, profile.value))
        };
        let table = [
            ("tg://resolve?domain=Pier", Some("channel telegram Pier")),
            ("tg:resolve?domain=pier&start=1", Some("channel telegram pier")),
            ("tg://resolve?domain=pier&post=4", None),
            ("tg://resolve?phone=12125550123", Some("phone telegram +12125550123")),
            ("tg://join?invite=AbC", Some("channel telegram +AbC")),
            ("tg://settings", None),
            ("spotify:show:4rOoJ6Eg", Some("channel spotify 4rOoJ6Eg")),
            ("spotify:user:pier", Some("account spotify pier")),
            ("spotify:track:4rOoJ6Eg", None),
            ("at://did:plc:abc", Some("account_id bluesky did:plc:abc")),
            ("at://pier.example", Some("account bluesky pier.example")),
            ("at://pier.example/app.bsky.feed.post/3k", None),
            ("at:pier", None),
            ("whatsapp://send?text=a&phone=+12125550123", Some("phone whatsapp +12125550123")),
            ("whatsapp://chat/?code=AbC", Some("community whatsapp AbC")),
            ("viber://chat?number=%2B12125550123", Some("phone viber +12125550123")),
            ("fb://profile/1000", Some("account_id facebook 1000")),
            ("fb://page/", None),
            ("http://resolve?domain=pier", None),
        ];
        for (text, expected) in table {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}
