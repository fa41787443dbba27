//! Tells the service manager about the node's state, as `Type=notify` of systemd asks.
//!
//! Does nothing if `NOTIFY_SOCKET` is not set.

use sd_notify::NotifyState;
use tracing::warn;

/// The node takes requests.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The node reloads its settings. [`ready`] ends it.
pub fn reloading() {
    // systemd compares the time with that of its request to reload.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "could not read the monotonic clock for the service manager"),
    }
}

/// The node drains, then ends.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "could not notify the service manager");
    }
}
