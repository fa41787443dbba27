//! Payments, patronage and shops.

use super::Site;
use crate::domain::indicator::Kind::{Account, AccountId};
use crate::domain::platform::own_pages::NO_VIEWS;
use crate::domain::platform::shape::Shape::{At, Bare, Cashtag, Query, Under};

/// Shapes are tried in order.
pub const SITES: &[Site] = &[
    Site::new(
        "patreon",
        &[],
        &["patreon.com"],
        &[Under("c", Account), Under("cw", Account), Query("user", "u", AccountId), Bare(Account)],
    )
    .with_own_pages(&[
        "c", "create", "creators", "cw", "members", "patron", "portal", "product", "file",
    ]),
    Site::new("ko-fi", &["kofi"], &["ko-fi.com"], &[Bare(Account)])
        .with_own_pages(&["business", "donate", "gold", "manage", "store"]),
    Site::new("gofundme", &[], &["gofundme.com"], &[]),
    Site::new("paypal", &["paypal.me"], &["paypal.me"], &[Bare(Account)])
        .with_own_pages(&["grab", "my", "pools"])
        .with_views(NO_VIEWS),
    Site::new("paypal", &[], &["paypal.com"], &[Under("paypalme", Account)])
        .with_locale_paths()
        .with_own_pages(&["grab", "my", "pools"])
        .with_views(NO_VIEWS),
    Site::new("cashapp", &["cash app"], &["cash.app", "cash.me"], &[Cashtag(Account)])
        .with_views(NO_VIEWS),
    Site::new(
        "venmo",
        &[],
        &["venmo.com"],
        &[Under("u", Account), Query("code", "user_id", AccountId), Bare(Account)],
    )
    .with_subdomains(&["account"])
    .with_own_pages(&["business-profiles", "code", "pay", "send", "u"]),
    Site::new("onlyfans", &[], &["onlyfans.com"], &[Bare(Account)]).with_own_pages(&[
        "chats",
        "collections",
        "creators",
        "dmca",
        "lists",
        "my",
        "usc2257",
    ]),
    Site::new("substack", &[], &["substack.com"], &[At(Account)]),
    Site::new("etsy", &[], &["etsy.com"], &[Under("shop", Account), Under("people", Account)])
        .with_locale_paths(),
    Site::new(
        "ebay",
        &[],
        &[
            "ebay.com",
            "ebay.at",
            "ebay.be",
            "ebay.ca",
            "ebay.ch",
            "ebay.cn",
            "ebay.co.th",
            "ebay.co.uk",
            "ebay.com.au",
            "ebay.com.hk",
            "ebay.com.my",
            "ebay.com.sg",
            "ebay.com.tw",
            "ebay.de",
            "ebay.es",
            "ebay.fr",
            "ebay.ie",
            "ebay.in",
            "ebay.it",
            "ebay.nl",
            "ebay.ph",
            "ebay.pl",
            "ebay.vn",
        ],
        &[Under("usr", Account), Under("str", Account)],
    )
    .with_subdomains(&["befr", "benl", "cafr", "es"]),
];
