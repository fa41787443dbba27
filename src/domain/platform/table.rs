//! The table of known platforms: their names, hosts and profile URL formats.

use crate::domain::indicator::Kind;

/// A known platform.
#[derive(Debug)]
pub struct Site {
    /// Its id.
    pub id: &'static str,
    /// Other names for it.
    pub names: &'static [&'static str],
    /// Its hosts, without `www.`.
    pub hosts: &'static [&'static str],
    /// Whether it has subdomains per language or country, such as `pl.`.
    pub in_languages: bool,
    /// The formats of its profile URLs.
    pub shapes: &'static [Shape],
}

/// The path format of a profile URL.
#[derive(Debug)]
pub enum Shape {
    /// `/name`: a single segment that is not in [`OWN_PAGES`].
    Bare(Kind),
    /// `/@name`.
    At(Kind),
    /// `/prefix/name`.
    Under(&'static str, Kind),
    /// `/prefix/name`, where the prefix is part of the value.
    WithPrefix(&'static str, Kind),
    /// `/+invite`.
    Plus(Kind),
}

use Kind::{Account, Channel, Community};
use Shape::{At, Bare, Plus, Under, WithPrefix};

const fn site(
    id: &'static str,
    names: &'static [&'static str],
    hosts: &'static [&'static str],
    shapes: &'static [Shape],
) -> Site {
    Site { id, names, hosts, in_languages: false, shapes }
}

#[allow(clippy::needless_pass_by_value)] // A constant has no other way to change a field.
const fn in_languages(site: Site) -> Site {
    let Site { id, names, hosts, shapes, .. } = site;
    Site { id, names, hosts, in_languages: true, shapes }
}

/// The known platforms. Shapes are tried in order.
pub const SITES: &[Site] = &[
    site(
        "x",
        &["twitter", "x / twitter", "x/twitter"],
        &["x.com", "twitter.com"],
        &[Bare(Account)],
    ),
    site(
        "facebook",
        &["fb"],
        &["facebook.com", "fb.com", "fb.me"],
        &[Under("groups", Community), Bare(Account)],
    ),
    site("instagram", &["ig", "insta"], &["instagram.com", "instagr.am"], &[Bare(Account)]),
    site("threads", &[], &["threads.net", "threads.com"], &[At(Account)]),
    site(
        "youtube",
        &["yt"],
        &["youtube.com"],
        &[
            At(Account),
            WithPrefix("channel", Account),
            WithPrefix("c", Account),
            WithPrefix("user", Account),
        ],
    ),
    site("tiktok", &["tik tok"], &["tiktok.com"], &[At(Account)]),
    site(
        "telegram",
        &["tg"],
        &["t.me", "telegram.me", "telegram.dog"],
        &[Plus(Channel), Under("joinchat", Channel), Under("s", Channel), Bare(Channel)],
    ),
    in_languages(site(
        "reddit",
        &[],
        &["reddit.com"],
        &[Under("user", Account), Under("u", Account), Under("r", Community)],
    )),
    site("medium", &[], &["medium.com"], &[At(Account)]),
    in_languages(site(
        "pinterest",
        &[],
        &[
            "pinterest.com",
            "pinterest.co.uk",
            "pinterest.ca",
            "pinterest.de",
            "pinterest.es",
            "pinterest.fr",
            "pinterest.it",
            "pinterest.jp",
            "pinterest.pt",
            "pinterest.ru",
            "pinterest.com.au",
            "pinterest.com.mx",
        ],
        &[Bare(Account)],
    )),
    site("tumblr", &[], &["tumblr.com"], &[Bare(Account)]),
    site("vk", &["vkontakte"], &["vk.com", "vk.ru"], &[Bare(Account)]),
    site(
        "ok",
        &["odnoklassniki", "ok.ru"],
        &["ok.ru"],
        &[Under("group", Community), Under("profile", Account), Bare(Account)],
    ),
    in_languages(site(
        "linkedin",
        &[],
        &["linkedin.com"],
        &[Under("in", Account), Under("company", Account)],
    )),
    in_languages(site("quora", &[], &["quora.com"], &[Under("profile", Account)])),
    site("vimeo", &[], &["vimeo.com"], &[Bare(Account)]),
    site("flickr", &[], &["flickr.com"], &[Under("photos", Account), Under("people", Account)]),
    site("soundcloud", &[], &["soundcloud.com"], &[Bare(Account)]),
    site("github", &[], &["github.com"], &[Bare(Account)]),
    site("linktree", &["linktr.ee"], &["linktr.ee"], &[Bare(Account)]),
    site("gab", &[], &["gab.com"], &[Bare(Account)]),
    site("gettr", &[], &["gettr.com"], &[Under("user", Account)]),
    site("truthsocial", &["truth social"], &["truthsocial.com"], &[At(Account)]),
    site("steemit", &[], &["steemit.com"], &[At(Account)]),
    site("discord", &[], &["discord.com", "discord.gg"], &[]),
    site("whatsapp", &[], &["whatsapp.com"], &[]),
    site("snapchat", &["snap"], &["snapchat.com"], &[Under("add", Account), At(Account)]),
    site("twitch", &[], &["twitch.tv"], &[]),
];

/// Blockchains and their other names.
pub const CHAINS: &[(&str, &[&str])] = &[
    ("bitcoin", &["btc", "xbt"]),
    ("ethereum", &["eth", "erc20"]),
    ("tron", &["trx", "trc20"]),
    ("litecoin", &["ltc"]),
    ("dogecoin", &["doge"]),
    ("solana", &["sol"]),
    ("monero", &["xmr"]),
    ("ripple", &["xrp"]),
];

/// First path segments that are the platform's own pages, not profiles.
pub const OWN_PAGES: &[&str] = &[
    "about",
    "account",
    "accounts",
    "ads",
    "app",
    "apps",
    "blog",
    "business",
    "categories",
    "channels",
    "clips",
    "contact",
    "dashboard",
    "dialog",
    "discover",
    "download",
    "events",
    "explore",
    "features",
    "feed",
    "games",
    "gaming",
    "groups",
    "hashtag",
    "help",
    "home",
    "i",
    "ideas",
    "intent",
    "jobs",
    "join",
    "legal",
    "live",
    "login",
    "logout",
    "marketplace",
    "media",
    "messages",
    "music",
    "notifications",
    "p",
    "pages",
    "photo",
    "photo.php",
    "photos",
    "pin",
    "pins",
    "plugins",
    "policies",
    "post",
    "posts",
    "press",
    "pricing",
    "privacy",
    "profile.php",
    "reel",
    "reels",
    "register",
    "search",
    "settings",
    "share",
    "sharer",
    "sharer.php",
    "shop",
    "signup",
    "sitemap",
    "status",
    "stories",
    "story.php",
    "tag",
    "tagged",
    "tags",
    "terms",
    "topics",
    "trending",
    "tv",
    "upload",
    "video",
    "videos",
    "wall",
    "watch",
];

/// Second path segments that are views of a profile, such as its answers.
pub const VIEWS: &[&str] = &[
    "about",
    "answers",
    "comments",
    "community",
    "featured",
    "followers",
    "following",
    "likes",
    "media",
    "playlists",
    "posts",
    "questions",
    "submitted",
    "videos",
    "with_replies",
];
