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
    /// `/prefix/name`. The prefix may have several segments.
    Under(&'static str, Kind),
    /// `/prefix/name`, where the prefix is part of the value.
    WithPrefix(&'static str, Kind),
    /// `/+invite`.
    Plus(Kind),
    /// `/prefix/anything/id`: the address carries a name and an id, and the id is taken.
    IdUnder(&'static str, Kind),
    /// `/path?key=id`.
    Query(&'static str, &'static str, Kind),
}

use Kind::{Account, AccountId, Channel, Community, Page};
use Shape::{At, Bare, IdUnder, Plus, Query, Under, WithPrefix};

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
        &[
            Under("i/user", AccountId),
            Query("intent/user", "user_id", AccountId),
            Query("intent/user", "screen_name", Account),
            Query("intent/follow", "screen_name", Account),
            Bare(Account),
        ],
    ),
    in_languages(site(
        "facebook",
        &["fb"],
        &["facebook.com", "fb.com", "fb.me"],
        &[
            Query("profile.php", "id", AccountId),
            IdUnder("people", AccountId),
            Under("groups", Community),
            IdUnder("pages", Page),
            Under("pg", Page),
            Bare(Account),
        ],
    )),
    site("instagram", &["ig", "insta"], &["instagram.com", "instagr.am"], &[Bare(Account)]),
    site("threads", &["threads.net"], &["threads.net", "threads.com"], &[At(Account)]),
    site("bluesky", &["bsky"], &["bsky.app", "bsky.social"], &[Under("profile", Account)]),
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
        &[
            Under("in", Account),
            Under("company", Page),
            Under("school", Page),
            Under("showcase", Page),
            Under("groups", Community),
        ],
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
    site(
        "discord",
        &[],
        &["discord.com", "discordapp.com"],
        &[Under("invite", Community), Under("users", AccountId)],
    ),
    // A host of its own, with nothing but invites.
    site("discord", &[], &["discord.gg"], &[Bare(Community)]),
    site("whatsapp", &[], &["whatsapp.com"], &[Under("channel", Channel)]),
    site("snapchat", &["snap"], &["snapchat.com"], &[Under("add", Account), At(Account)]),
    site("twitch", &[], &["twitch.tv"], &[Bare(Account)]),
    site("kick", &[], &["kick.com"], &[Bare(Account)]),
    site("rumble", &[], &["rumble.com"], &[Under("user", Account), Under("c", Channel)]),
    site(
        "bitchute",
        &[],
        &["bitchute.com"],
        &[Under("channel", Channel), Under("profile", Account)],
    ),
    site("odysee", &[], &["odysee.com"], &[At(Channel)]),
    site("dailymotion", &[], &["dailymotion.com"], &[Bare(Account)]),
    site("spotify", &[], &["open.spotify.com"], &[Under("user", Account), Under("show", Channel)]),
    site("gitlab", &[], &["gitlab.com"], &[Bare(Account)]),
    site("parler", &[], &["parler.com"], &[Bare(Account)]),
    site("weibo", &[], &["weibo.com", "weibo.cn"], &[Under("u", AccountId), Under("n", Account)]),
    site("bilibili", &[], &["space.bilibili.com"], &[Bare(AccountId)]),
    site("douyin", &[], &["douyin.com"], &[Under("user", AccountId)]),
    site("kuaishou", &[], &["kuaishou.com"], &[Under("profile", AccountId)]),
    site("xiaohongshu", &["rednote"], &["xiaohongshu.com"], &[Under("user/profile", AccountId)]),
    site("naver", &[], &["blog.naver.com"], &[Bare(Account)]),
    site("kakaotalk", &["kakao"], &["open.kakao.com"], &[Under("o", Community)]),
    site("line", &[], &["line.me"], &[Under("ti/p", Account)]),
    site("viber", &[], &["viber.com", "invite.viber.com"], &[]),
    site("wechat", &["weixin"], &["weixin.qq.com"], &[]),
    site("signal", &[], &["signal.group", "signal.me"], &[]),
    site(
        "steam",
        &[],
        &["steamcommunity.com"],
        &[Under("id", Account), Under("profiles", AccountId), Under("groups", Community)],
    ),
    in_languages(site("roblox", &[], &["roblox.com"], &[Under("users", AccountId)])),
    site("patreon", &[], &["patreon.com"], &[Under("c", Account), Bare(Account)]),
    site("ko-fi", &["kofi"], &["ko-fi.com"], &[Bare(Account)]),
    site("gofundme", &[], &["gofundme.com"], &[]),
    site("paypal", &["paypal.me"], &["paypal.me"], &[Bare(Account)]),
    site("cashapp", &["cash app"], &["cash.app"], &[Bare(Account)]),
    site("venmo", &[], &["venmo.com"], &[Under("u", Account), Bare(Account)]),
    site("onlyfans", &[], &["onlyfans.com"], &[Bare(Account)]),
    site("substack", &[], &["substack.com"], &[At(Account)]),
    site("etsy", &[], &["etsy.com"], &[Under("shop", Account), Under("people", Account)]),
    site("ebay", &[], &["ebay.com"], &[Under("usr", Account), Under("str", Account)]),
    site("slack", &[], &["join.slack.com"], &[]),
    site("beacons", &["beacons.ai"], &["beacons.ai"], &[Bare(Account)]),
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
    "bookmarks",
    "browse",
    "business",
    "cart",
    "categories",
    "category",
    "channels",
    "checkout",
    "clips",
    "contact",
    "cookies",
    "dashboard",
    "dialog",
    "directory",
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
    "profile",
    "questions",
    "submitted",
    "videos",
    "reels",
    "replies",
    "shorts",
    "streams",
    "tagged",
    "with_replies",
];
