//! Writes acknowledged cursors to the store.

use std::sync::PoisonError;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::exchange::feeds::Feeds;
use crate::journal::CursorError;

/// Interval between writes of moved cursors. A crash loses the acknowledgements since the last write, and then those
/// events are delivered again. That is harmless, so the interval may be long.
const WRITE_INTERVAL: Duration = Duration::from_secs(1);

impl Feeds {
    /// Writes moved cursors until `stop`, and then a last time.
    pub async fn keep_cursors(self, stop: CancellationToken) {
        loop {
            let is_running =
                stop.run_until_cancelled(tokio::time::sleep(WRITE_INTERVAL)).await.is_some();
            let feeds = self.clone();
            match tokio::task::spawn_blocking(move || feeds.write_cursors()).await {
                Ok(Ok(_)) => {}
                // The store accepts no more writes, so a retry would fail too.
                Ok(Err(failure)) => {
                    return error!("acknowledged cursors are no longer written: {failure}");
                }
                Err(panic) => {
                    return error!(
                        "acknowledged cursors are no longer written, and after a restart readers receive \
                         again what they acknowledged since: {panic}"
                    );
                }
            }
            if !is_running {
                return;
            }
        }
    }

    /// Writes the cursors that moved since the last write, and returns their number.
    pub fn write_cursors(&self) -> Result<usize, CursorError> {
        let subscriptions = &self.subscriptions;
        let _guard = subscriptions.store_lock.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = subscriptions.table.take_moved();
        if !moved.is_empty() {
            subscriptions.store.update(&moved)?;
        }
        Ok(moved.len())
    }
}
