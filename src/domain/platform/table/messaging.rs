//! Messengers: phone numbers, invites, groups and channels.

use super::Site;
use crate::domain::indicator::Kind::{Account, AccountId, Channel, Community, Phone};
use crate::domain::platform::own_pages::NO_VIEWS;
use crate::domain::platform::shape::Shape::{At, Bare, Fragment, Plus, Query, Under};

/// Shapes are tried in order.
pub const SITES: &[Site] = &[
    // The paths that are no names, and <https://core.telegram.org/api/links> for subdomains.
    Site::new(
        "telegram",
        &["tg"],
        &["t.me", "telegram.me", "telegram.dog"],
        &[Plus(Channel), Under("joinchat", Channel), Under("s", Channel), Bare(Channel)],
    )
    .with_subdomain_path("")
    .with_views(NO_VIEWS)
    .with_own_pages(&[
        "a",
        "addemoji",
        "addlist",
        "addstickers",
        "addstyle",
        "addtheme",
        "auction",
        "auth",
        "bg",
        "boost",
        "c",
        "call",
        "confirmphone",
        "dns",
        "giftcode",
        "invoice",
        "iv",
        "joinchat",
        "k",
        "m",
        "msg",
        "nft",
        "s",
        "setlanguage",
        "z",
    ]),
    Site::new(
        "whatsapp",
        &[],
        &["whatsapp.com"],
        &[Under("channel", Channel), Query("send", "phone", Phone)],
    )
    .with_subdomains(&["api"]),
    Site::new(
        "whatsapp",
        &[],
        &["wa.me"],
        &[
            Under("message", AccountId),
            Under("qr", AccountId),
            Under("c", Phone),
            Query("send", "phone", Phone),
            Under("", Phone),
        ],
    )
    .with_views(NO_VIEWS),
    Site::new(
        "whatsapp",
        &[],
        &["chat.whatsapp.com"],
        &[Under("invite", Community), Bare(Community)],
    )
    .with_views(NO_VIEWS),
    Site::new("signal", &[], &["signal.me"], &[Fragment("p", Phone), Fragment("eu", AccountId)]),
    Site::new("signal", &[], &["signal.group"], &[Fragment("", Community)]),
    Site::new(
        "viber",
        &[],
        &["invite.viber.com"],
        &[Query("", "g2", Community), Query("", "g", Community)],
    ),
    Site::new("viber", &[], &["chats.viber.com"], &[Bare(Channel)]),
    Site::new("viber", &[], &["viber.com"], &[]),
    Site::new(
        "line",
        &[],
        &["line.me"],
        &[
            Under("ti/p", AccountId),
            Under("R/ti/p", AccountId),
            Under("ti/g", Community),
            Under("R/ti/g", Community),
            Under("ti/g2", Community),
            Under("R/ti/g2", Community),
        ],
    )
    .with_views(NO_VIEWS),
    Site::new("line", &[], &["page.line.me"], &[Bare(Account)]),
    Site::new(
        "discord",
        &[],
        &["discord.com", "discordapp.com"],
        &[Under("invite", Community), Under("users", AccountId)],
    ),
    // Hosts with nothing but invites.
    Site::new("discord", &[], &["discord.gg"], &[Under("invite", Community), Bare(Community)])
        .with_views(NO_VIEWS),
    Site::new(
        "slack",
        &[],
        &["slack.com"],
        &[Under("t/*/shared_invite", Community), Under("t/*/join/shared_invite", Community)],
    )
    .with_subdomains(&["join", "app"])
    .with_subdomain_path("t")
    .with_views(NO_VIEWS),
    Site::new("wechat", &["weixin"], &["u.wechat.com"], &[Bare(AccountId)]),
    Site::new("wechat", &[], &["weixin.qq.com"], &[Under("r", AccountId), Under("g", Community)])
        .with_views(NO_VIEWS),
    Site::new("wechat", &[], &["mp.weixin.qq.com"], &[Query("mp/profile_ext", "__biz", AccountId)]),
    Site::new(
        "kakaotalk",
        &["kakao"],
        &["open.kakao.com"],
        &[Under("o", Community), Under("me", Account)],
    )
    .with_views(NO_VIEWS),
    Site::new("kakaotalk", &[], &["pf.kakao.com"], &[Bare(Channel)])
        .with_views(&["chat", "friend", "home", "posts"]),
    Site::new("snapchat", &["snap"], &["snapchat.com"], &[Under("add", Account), At(Account)])
        .with_subdomains(&["story"])
        .with_locale_paths(),
];
