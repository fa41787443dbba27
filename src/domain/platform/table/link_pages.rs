//! Pages of links, one of each account.

use super::Site;
use crate::domain::indicator::Kind::Account;
use crate::domain::platform::own_pages::NO_VIEWS;
use crate::domain::platform::shape::Shape::Bare;

/// Those with the path `/name`.
pub const SITES: &[Site] = &[
    page("linktree", &["linktr.ee", "link tree"], &["linktr.ee"])
        .with_own_pages(&["marketplace", "s"]),
    page("beacons", &["beacons.ai"], &["beacons.ai"]).with_own_pages(&["i"]),
    page("about.me", &["about me"], &["about.me"]),
    page("allmylinks", &[], &["allmylinks.com"]),
    page("bento", &["bento.me"], &["bento.me"]),
    page("bio.link", &["biolink"], &["bio.link"]),
    page("bio.site", &[], &["bio.site"]),
    page("campsite", &["campsite.bio"], &["campsite.bio"]),
    page("flow.page", &[], &["flow.page"]),
    page("heylink", &["heylink.me"], &["heylink.me"]),
    page("hoo.be", &[], &["hoo.be"]),
    page("link.me", &[], &["link.me"]),
    page("linkin.bio", &[], &["linkin.bio"]),
    page("linkpop", &[], &["linkpop.com"]),
    page("lnk.bio", &[], &["lnk.bio"]),
    page("milkshake", &["msha.ke"], &["msha.ke"]),
    page("snipfeed", &[], &["snipfeed.co"]),
    page("solo.to", &[], &["solo.to"]),
    page("stan.store", &[], &["stan.store"]),
    page("tap.bio", &[], &["tap.bio"]),
    page("taplink", &["taplink.cc"], &["taplink.cc"]).with_own_pages(&["p"]),
];

/// A page of links has no views.
const fn page(
    id: &'static str,
    names: &'static [&'static str],
    hosts: &'static [&'static str],
) -> Site {
    Site::new(id, names, hosts, &[Bare(Account)]).with_views(NO_VIEWS)
}
