//! Social networks of one language or country.

use super::Site;
use crate::domain::indicator::Kind::{Account, AccountId, Community};
use crate::domain::platform::shape::Shape::{Bare, Query, Under};

/// Shapes are tried in order.
pub const SITES: &[Site] = &[
    Site::new(
        "vk",
        &["vkontakte"],
        &["vk.com", "vk.ru", "vkontakte.ru", "vk.me"],
        &[Bare(Account)],
    )
    .with_own_pages(&[
        "ads",
        "album",
        "albums",
        "audio",
        "audios",
        "blank",
        "bugs",
        "data",
        "data_protection",
        "dev",
        "edit",
        "fave",
        "friends",
        "gifts",
        "im",
        "lives",
        "mail",
        "market",
        "menu",
        "page",
        "pay",
        "personal_data",
        "places",
        "products",
        "restore",
        "services",
        "stats",
        "sticker",
        "stickers",
        "video_ext",
        "vkpay",
        "widget",
    ]),
    Site::new(
        "ok",
        &["odnoklassniki", "ok.ru"],
        &["ok.ru", "odnoklassniki.ru"],
        &[Under("group", Community), Under("profile", AccountId), Bare(Account)],
    )
    .with_own_pages(&[
        "apphook",
        "devaccess",
        "dk",
        "feeds",
        "game",
        "gifts",
        "group",
        "guests",
        "market",
        "online",
        "payments",
        "profile",
        "regulations",
        "vitrine",
        "web-api",
    ]),
    Site::new(
        "weibo",
        &[],
        &["weibo.com", "weibo.cn"],
        &[Under("u", AccountId), Under("profile", AccountId), Under("n", Account), Bare(Account)],
    )
    .with_own_pages(&[
        "ajax",
        "at",
        "comment",
        "favorites",
        "find",
        "hot",
        "like",
        "mygroups",
        "newlogin",
        "profile",
        "set",
        "sso",
        "ttarticle",
        "u",
        "visible",
    ]),
    Site::new(
        "xiaohongshu",
        &["rednote"],
        &["xiaohongshu.com"],
        &[Under("user/profile", AccountId)],
    ),
    Site::new(
        "naver",
        &[],
        &["blog.naver.com"],
        &[
            Bare(Account),
            Query("postlist.naver", "blogId", Account),
            Query("postlist.nhn", "blogId", Account),
        ],
    )
    .with_own_pages(&["postlist.naver", "postlist.nhn", "postview.naver", "postview.nhn"]),
    Site::new(
        "naver",
        &[],
        &["cafe.naver.com"],
        &[Under("ca-fe/cafes", Community), Under("f-e/cafes", Community), Bare(Community)],
    )
    .with_own_pages(&["ca-fe", "f-e"]),
];
