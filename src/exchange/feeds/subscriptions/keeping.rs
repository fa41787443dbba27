//! Writing where subscriptions stand.

use std::sync::PoisonError;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::error;

use crate::exchange::feeds::Feeds;
use crate::journal::CursorError;

/// How often moved cursors are written: coarse on purpose, since what a reader acknowledged in
/// between is only given to it again.
const EVERY: Duration = Duration::from_secs(1);

impl Feeds {
    /// Writes moved cursors until it is told to stop, and then a last time.
    pub async fn keep_cursors(self, stop: CancellationToken) {
        loop {
            let goes_on = stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some();
            let feeds = self.clone();
            match tokio::task::spawn_blocking(move || feeds.write_cursors()).await {
                Ok(Ok(_)) => {}
                // The store takes nothing more: another try would only say so again.
                Ok(Err(failure)) => {
                    return error!("acknowledged cursors are no longer written: {failure}");
                }
                Err(panic) => {
                    return error!(
                        "acknowledged cursors are no longer written, and readers are given again \
                         what they acknowledged since when the node is restarted: {panic}"
                    );
                }
            }
            if !goes_on {
                return;
            }
        }
    }

    /// Writes the cursors that moved since the last time, and tells how many.
    pub fn write_cursors(&self) -> Result<usize, CursorError> {
        let subscriptions = &self.subscriptions;
        let _writing = subscriptions.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = subscriptions.table.take_moved();
        if !moved.is_empty() {
            subscriptions.store.update(&moved)?;
        }
        Ok(moved.len())
    }
}
