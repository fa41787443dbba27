//! Shutdown signals: SIGTERM and Ctrl-C.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;

/// Returns a future that completes when the process is asked to stop.
pub fn requested() -> Result<impl Future<Output = ()> + Send, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))
    };
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
