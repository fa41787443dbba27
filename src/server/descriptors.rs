//! File descriptors: how many connections the limit on open files allows.
//!
//! A node without a free descriptor cannot write to its stores. So a reserve is kept for the
//! stores, and connections are refused instead.

use std::fs;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

use crate::tls::ConnectionLimits;

/// Descriptors that connections leave free: for files that the journal and the index open as they
/// grow, for the ops listener, and for new connections until they are refused.
const RESERVE: u64 = 256;
/// Assumed number of open files if the system does not report it.
const ASSUMED_OPEN: u64 = 128;

/// Raises the soft limit on open files to the hard limit. The soft limit is often 1,024 by default,
/// for programs that use `select`.
pub fn raise_limit() {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) if soft < hard => match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
            Ok(()) => info!(soft, hard, "raised the limit of open files"),
            Err(error) => warn!(soft, hard, %error, "could not raise the limit of open files"),
        },
        Ok(_) => {}
        Err(error) => warn!(%error, "could not read the limit of open files"),
    }
}

/// Lowers the numbers of connections and handshakes to what the limit on open files allows, and logs a warning if it
/// does. Call it after opening the stores. `None` if no connection is allowed.
pub fn limit(limits: &mut ConnectionLimits) -> Option<()> {
    let Ok((limit, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Some(()) };
    let open = open_files();
    let wanted = limits.total.saturating_add(limits.handshakes_in_flight);
    let allowed = usize::try_from(allowed(limit, open)).unwrap_or(usize::MAX);
    if allowed >= wanted {
        return Some(());
    }
    let needed = (wanted as u64).saturating_add(open).saturating_add(RESERVE);
    let (total, handshakes) = share(allowed, limits.total, limits.handshakes_in_flight)?;
    warn!(
        limit,
        open,
        total,
        handshakes,
        "the limit of open files ({limit}) allows {total} connections and {handshakes} handshakes, fewer than \
         connections.total = {} and connections.handshakes_in_flight = {}: set the limit to {needed} \
         (LimitNOFILE={needed}, or ulimit -n {needed}), or the two to {total} and {handshakes}",
        limits.total,
        limits.handshakes_in_flight,
    );
    (limits.total, limits.handshakes_in_flight) = (total, handshakes);
    Some(())
}

/// Divides descriptors between connections and handshakes. Handshakes get a quarter, and what connections do not need.
/// `None` if one of them gets none.
fn share(allowed: usize, total: usize, handshakes: usize) -> Option<(usize, usize)> {
    let handshakes = handshakes.min((allowed / 4).max(allowed.saturating_sub(total)));
    let total = total.min(allowed - handshakes);
    (handshakes > 0 && total > 0).then_some((total, handshakes))
}

/// The descriptors left for connections. Under a small limit the reserve is half of it.
fn allowed(limit: u64, open: u64) -> u64 {
    limit.saturating_sub(open).saturating_sub(RESERVE.min(limit / 2))
}

fn open_files() -> u64 {
    fs::read_dir("/dev/fd").map_or(ASSUMED_OPEN, |open| open.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stores_keep_their_reserve() {
        assert_eq!(allowed(1_000_000, 40), 1_000_000 - 40 - 256);
        assert_eq!(allowed(1_024, 40), 1_024 - 40 - 256);
        assert_eq!(allowed(256, 40), 256 - 40 - 128);
        assert_eq!(allowed(64, 40), 0);
        assert_eq!(allowed(64, 400), 0);
    }

    #[test]
    fn handshakes_get_a_quarter_and_what_connections_do_not_need() {
        assert_eq!(share(10_000, 10_000, 2_048), Some((7_952, 2_048)));
        assert_eq!(share(728, 10_000, 2_048), Some((546, 182)));
        assert_eq!(share(1_000, 100, 1_000_000), Some((100, 900)));
        assert_eq!(share(3, 10_000, 2_048), None);
    }
}
