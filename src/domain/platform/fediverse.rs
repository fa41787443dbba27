//! Profiles on hosts that the table does not list, such as those of the fediverse.

use super::Platform;
use super::own_pages::VIEWS;
use super::profile::Profile;
use super::shape::{is_number, is_own_page};
use crate::domain::canonical::host;
use crate::domain::indicator::Kind;

/// Names of software and of hosts that a label of a host of the fediverse begins with.
const PREFIXES: &[&str] = &[
    "akkoma",
    "fedi",
    "feddit",
    "friendica",
    "lemmy",
    "mastodon",
    "misskey",
    "mstdn",
    "peertube",
    "pixelfed",
    "pleroma",
];

/// Labels that mark a host of the fediverse as a whole: `social.example`, `mas.to`.
const LABELS: &[&str] = &["social", "mas", "masto", "toot"];

/// Large hosts whose name does not show what they are.
const HOSTS: &[&str] = &[
    "aussie.zone",
    "beehaw.org",
    "discuss.tchncs.de",
    "fosstodon.org",
    "hachyderm.io",
    "hexbear.net",
    "infosec.exchange",
    "lemm.ee",
    "programming.dev",
    "reddthat.com",
    "sh.itjust.works",
    "slrpnk.net",
    "sopuli.xyz",
    "universeodon.com",
];

/// The profile at a host that no site of the table has.
///
/// `HOST/@name` is a profile on any host. `/users/name`, `/u/name` and `/c/name` mean something else on forums and in
/// applications: they are read on hosts of the fediverse, or where the name names its host.
pub fn profile_of(host: &str, segments: &[&str]) -> Option<Profile> {
    let segments = match segments {
        ["web" | "deck", rest @ ..] => rest,
        _ => segments,
    };
    match segments {
        [handle] => account(host, handle.strip_prefix('@')?),
        [handle, view] if handle.starts_with('@') && is_view(view) => account(host, &handle[1..]),
        [folder, name] | [folder, name, _] => {
            let kind = kind_in(folder, is_peertube(host))?;
            let is_view = segments.get(2).is_none_or(|view| is_view(view));
            let is_profile = name.contains('@') || (is_of_fediverse(host) && is_name(name));
            let profile = account(host, name).filter(|_| is_view && is_profile)?;
            Some(Profile { kind, ..profile })
        }
        _ => None,
    }
}

/// What the names in a folder are. The letters of Lemmy mean something else on `PeerTube`.
fn kind_in(folder: &str, is_peertube: bool) -> Option<Kind> {
    match folder {
        "c" | "video-channels" if is_peertube => Some(Kind::Channel),
        "a" | "accounts" if is_peertube => Some(Kind::Account),
        "c" => Some(Kind::Community),
        "u" | "users" => Some(Kind::Account),
        _ => None,
    }
}

fn is_peertube(host: &str) -> bool {
    host.split('.').any(|label| label.starts_with("peertube"))
}

fn is_view(segment: &str) -> bool {
    VIEWS.contains(&segment) || matches!(segment, "video-channels" | "video-playlists")
}

/// An account by its name: `name`, or `name@host` where a host shows accounts of another. A platform has a name, so
/// there is none at an address.
fn account(host: &str, name: &str) -> Option<Profile> {
    let (name, home) = name.split_once('@').unwrap_or((name, host));
    let home = host::canonical(home).ok()?;
    let platform = Platform::of_host(home.trim_start_matches("www."));
    (!name.is_empty()).then(|| Profile { kind: Kind::Account, platform, value: name.to_owned() })
}

fn is_of_fediverse(host: &str) -> bool {
    HOSTS.contains(&host)
        || host.split('.').any(|label| {
            LABELS.contains(&label) || PREFIXES.iter().any(|prefix| label.starts_with(prefix))
        })
}

fn is_name(name: &str) -> bool {
    !is_own_page(name)
        && !is_number(name)
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && ![".html", ".htm", ".aspx", ".js"].iter().any(|ending| name.ends_with(ending))
}
