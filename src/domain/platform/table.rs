//! The table of known platforms: their names, hosts and profile URL formats.

mod code;
mod commerce;
mod link_pages;
mod media;
mod messaging;
mod regional;
mod social;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::own_pages::VIEWS;
use super::shape::Shape;

/// A known platform, or a further host of one with other URL formats.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The platform's id.
    pub id: &'static str,
    /// Other names for it.
    pub names: &'static [&'static str],
    /// Its hosts, without `www.`.
    pub hosts: &'static [&'static str],
    /// Subdomains that show the same pages, besides [`SUBDOMAINS`].
    pub subdomains: &'static [&'static str],
    /// Whether it has subdomains per language or country, such as `pl.` and `fr-ca.`.
    pub in_languages: bool,
    /// Whether a path may begin with a language or country, such as `/de/` and `/intl-de/`.
    pub has_locale_paths: bool,
    /// The path that any other subdomain stands for: with `q`, `NAME.HOST/rest` is `HOST/q/NAME/rest`.
    pub subdomain_path: Option<&'static str>,
    /// The formats of its profile URLs.
    pub shapes: &'static [Shape],
    /// Names in the place of a profile's that are its own pages, besides [`super::own_pages::OWN_PAGES`].
    pub own_pages: &'static [&'static str],
    /// Last path segments that are views of a profile.
    pub views: &'static [&'static str],
}

/// Subdomains on which any platform shows the same pages.
pub const SUBDOMAINS: &[&str] = &["www", "m", "mobile", "touch", "web", "old", "new"];

impl Site {
    const fn new(
        id: &'static str,
        names: &'static [&'static str],
        hosts: &'static [&'static str],
        shapes: &'static [Shape],
    ) -> Self {
        Self {
            id,
            names,
            hosts,
            subdomains: &[],
            in_languages: false,
            has_locale_paths: false,
            subdomain_path: None,
            shapes,
            own_pages: &[],
            views: VIEWS,
        }
    }

    const fn in_languages(self) -> Self {
        Self { in_languages: true, ..self }
    }

    const fn with_locale_paths(self) -> Self {
        Self { has_locale_paths: true, ..self }
    }

    const fn with_subdomains(self, subdomains: &'static [&'static str]) -> Self {
        Self { subdomains, ..self }
    }

    const fn with_subdomain_path(self, path: &'static str) -> Self {
        Self { subdomain_path: Some(path), ..self }
    }

    const fn with_own_pages(self, own_pages: &'static [&'static str]) -> Self {
        Self { own_pages, ..self }
    }

    const fn with_views(self, views: &'static [&'static str]) -> Self {
        Self { views, ..self }
    }
}

/// The known platforms.
pub fn sites() -> impl Iterator<Item = &'static Site> {
    let tables = [
        social::SITES,
        regional::SITES,
        messaging::SITES,
        media::SITES,
        code::SITES,
        commerce::SITES,
        link_pages::SITES,
    ];
    tables.into_iter().flatten()
}

/// The platform of a host, without its subdomain.
pub fn site_at(host: &str) -> Option<&'static Site> {
    static BY_HOST: LazyLock<HashMap<&'static str, &'static Site>> = LazyLock::new(|| {
        sites().flat_map(|site| site.hosts.iter().map(move |host| (*host, site))).collect()
    });
    BY_HOST.get(host).copied()
}

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
