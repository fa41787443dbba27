//! File descriptors: how many connections the limit on open files allows.
//!
//! A node without a free descriptor cannot write to its stores. So a reserve is kept for the
//! stores, and connections are refused instead.

use std::fs;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{info, warn};

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

/// How many connections the limit on open files allows, at most `wanted`. Call it after opening the
/// stores. `None` if it allows none. Logs a warning if it is less than `wanted`.
pub fn connections(wanted: usize) -> Option<usize> {
    let Ok((limit, _)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Some(wanted) };
    let open = open_files();
    let wanted_u64 = u64::try_from(wanted).unwrap_or(u64::MAX);
    let allowed = allowed(limit, open);
    if allowed >= wanted_u64 {
        return Some(wanted);
    }
    let needed = wanted_u64.saturating_add(open).saturating_add(RESERVE);
    if allowed == 0 {
        return None;
    }
    warn!(
        limit,
        open,
        allowed,
        wanted,
        "the limit of open files ({limit}) allows {allowed} connections, fewer than connections.total = {wanted}: \
         set the limit to {needed} (LimitNOFILE={needed}, or ulimit -n {needed}), or connections.total to {allowed}"
    );
    usize::try_from(allowed).ok()
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
}
