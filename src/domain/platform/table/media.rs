//! Video, sound, photos, streams and games.

use super::Site;
use crate::domain::indicator::Kind::{Account, AccountId, Channel, Community};
use crate::domain::platform::shape::Shape::{
    At, Bare, BareAs, IdThenName, Query, Under, WithPrefix,
};

const VIEWS_OF_BILIBILI: &[&str] = &[
    "album", "article", "audio", "bangumi", "channel", "cinema", "dynamic", "fans", "favlist",
    "follow", "lists", "pugv", "relation", "upload", "video",
];

/// Shapes are tried in order.
pub const SITES: &[Site] = &[
    Site::new(
        "youtube",
        &["yt"],
        &["youtube.com"],
        &[
            At(Account),
            WithPrefix("channel", Account),
            WithPrefix("c", Account),
            WithPrefix("user", Account),
            // YouTube's help gives `/c/Name` and `/Name` as two spellings of a custom URL.
            BareAs("c", Account),
        ],
    )
    .with_subdomains(&["gaming", "music"])
    .with_own_pages(&[
        "attribution_link",
        "c",
        "channel",
        "clip",
        "creators",
        "feeds",
        "get_video_info",
        "handle",
        "howyoutubeworks",
        "iframe_api",
        "kids",
        "live_chat",
        "live_dashboard",
        "movies",
        "new",
        "paid_memberships",
        "playlist",
        "podcasts",
        "red",
        "reporthistory",
        "results",
        "s",
        "shorts",
        "source",
        "studio",
        "supported_browsers",
        "t",
        "v",
        "yt",
        "yts",
    ]),
    Site::new("youtube", &[], &["youtu.be"], &[At(Account)]),
    Site::new("tiktok", &["tik tok"], &["tiktok.com"], &[At(Account)]).with_locale_paths(),
    Site::new(
        "vimeo",
        &[],
        &["vimeo.com"],
        &[Under("channels", Channel), Under("groups", Community), Bare(Account)],
    )
    .with_own_pages(&[
        "album",
        "analytics",
        "cookie_policy",
        "create",
        "enterprise",
        "event",
        "for",
        "goodies",
        "integrations",
        "live_events",
        "log_in",
        "manage",
        "ondemand",
        "ott",
        "plus",
        "professionals",
        "showcase",
        "solutions",
        "staffpicks",
        "stats",
        "stock",
        "store",
        "upgrade",
        "watchlater",
    ]),
    Site::new("dailymotion", &[], &["dailymotion.com"], &[Under("user", Account), Bare(Account)])
        .with_own_pages(&[
            "channel",
            "community",
            "crawler",
            "hub",
            "library",
            "partner",
            "playlist",
            "pss",
            "sdk",
            "swf",
            "swf-embed",
            "topic",
        ]),
    Site::new("rumble", &[], &["rumble.com"], &[Under("user", Account), Under("c", Channel)]),
    Site::new(
        "bitchute",
        &[],
        &["bitchute.com"],
        &[Under("channel", Channel), Under("profile", Account)],
    ),
    Site::new("odysee", &["lbry"], &["odysee.com", "lbry.tv", "open.lbry.com"], &[At(Channel)]),
    Site::new(
        "flickr",
        &[],
        &["flickr.com"],
        &[Under("photos", Account), Under("people", Account), Under("groups", Community)],
    )
    .with_own_pages(&["search", "tags", "upload"]),
    Site::new("soundcloud", &[], &["soundcloud.com"], &[Bare(Account)])
        .with_own_pages(&[
            "artists",
            "charts",
            "creators",
            "for-artists",
            "go",
            "mobile",
            "people",
            "player",
            "pro",
            "stations",
            "stream",
            "you",
        ])
        // Any other second segment is a track of the account.
        .with_views(&[
            "albums",
            "comments",
            "followers",
            "following",
            "likes",
            "popular-tracks",
            "reposts",
            "sets",
            "spotlight",
            "tracks",
        ]),
    Site::new(
        "spotify",
        &[],
        &["open.spotify.com"],
        &[Under("user", Account), Under("show", Channel)],
    )
    .with_locale_paths(),
    Site::new("bilibili", &[], &["space.bilibili.com"], &[Bare(AccountId)])
        .with_views(VIEWS_OF_BILIBILI),
    Site::new("bilibili", &[], &["bilibili.com", "bilibili.tv"], &[Under("space", AccountId)])
        .with_locale_paths()
        .with_views(VIEWS_OF_BILIBILI),
    Site::new("douyin", &[], &["douyin.com"], &[Under("user", AccountId)]),
    Site::new("douyin", &[], &["iesdouyin.com"], &[Under("share/user", AccountId)]),
    Site::new(
        "kuaishou",
        &[],
        &["kuaishou.com"],
        &[Under("profile", AccountId), Under("u", AccountId)],
    )
    .with_subdomains(&["live"]),
    Site::new("twitch", &[], &["twitch.tv"], &[Bare(Account)]).with_own_pages(&[
        "bits",
        "broadcast",
        "collections",
        "creatorcamp",
        "downloads",
        "drops",
        "following",
        "friends",
        "inventory",
        "manager",
        "moderator",
        "p",
        "popout",
        "prime",
        "products",
        "redeem",
        "store",
        "team",
        "turbo",
        "wallet",
    ]),
    Site::new("kick", &[], &["kick.com"], &[Bare(Account)]).with_own_pages(&[
        "dmca-policy",
        "following",
        "gambling",
    ]),
    Site::new(
        "steam",
        &[],
        &["steamcommunity.com"],
        &[
            Under("id", Account),
            Under("profiles", AccountId),
            Under("groups", Community),
            Under("gid", Community),
        ],
    ),
    Site::new(
        "roblox",
        &[],
        &["roblox.com"],
        &[
            Under("users", AccountId),
            IdThenName("groups", Community),
            IdThenName("communities", Community),
            Query("groups/group.aspx", "gid", Community),
        ],
    )
    .in_languages()
    .with_locale_paths(),
];
