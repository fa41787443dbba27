//! Expiry of releases.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::entry::{AppendId, Body, ReleaseEnd};
use crate::error::Result;
use crate::exchange::sweeps::{Sweeps, log_result};
use crate::index::record::ExpiringReleases;

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Release expiries that one round ends.
const EXPIRIES_PER_ROUND: usize = 64;

impl Sweeps {
    /// Runs the sweep until `stop`.
    pub async fn end_releases(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            log_result("expiry of releases", self.end_due_releases().await);
        }
    }

    /// Ends the releases that are due, and returns the number of entries.
    pub async fn end_due_releases(&self) -> Result<usize> {
        let mut ended = 0;
        loop {
            let due =
                self.core.index.read()?.releases_due(self.core.clock.now(), EXPIRIES_PER_ROUND)?;
            if due.is_empty() {
                return Ok(ended);
            }
            for (ends, sequence, ExpiringReleases { author, liaisons, objects }) in due {
                let id = AppendId::derive(&[
                    b"release-end",
                    &sequence.to_be_bytes(),
                    &ends.as_millis().to_be_bytes(),
                ]);
                let end = ReleaseEnd { partner: author, ends, sequence, objects, liaisons };
                self.commit_own(id, Body::ReleaseEnd(end)).await?;
                ended += 1;
            }
        }
    }
}
