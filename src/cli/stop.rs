//! Being told to stop: SIGTERM, or Ctrl-C.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;

/// Done when the process is told to stop.
pub fn told() -> Result<impl Future<Output = ()> + Send, Failure> {
    let listen = |kind| {
        signal(kind).map_err(|error| Failure::failed(format!("cannot listen to signals: {error}")))
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
