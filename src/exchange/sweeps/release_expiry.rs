//! Expiry of releases.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::domain::entry::{AppendId, Body, ReleaseEnd};
use crate::error::Result;
use crate::exchange::sweeps::Sweeps;
use crate::index::record::ExpiringReleases;

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Rounds per run of the retention sweeps. These need not be prompt, so they run once per minute.
const RETENTION_ROUNDS: u32 = 60;

/// Release expiries that one round ends.
const EXPIRIES_PER_ROUND: usize = 64;

impl Sweeps {
    /// Runs the sweep, and less often the retention sweeps, until `stop`.
    pub async fn end_releases(self, stop: CancellationToken) {
        let mut round = 0;
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            log_result("releases were not ended", self.end_due_releases().await);
            if round == 0 {
                log_result("old accesses were not deleted", self.sweep_accesses().await);
                log_result("ended holds were not deleted", self.sweep_holds().await);
            }
            round = (round + 1) % RETENTION_ROUNDS;
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

    /// Commits an entry of the exchange itself.
    pub(super) async fn commit_own(&self, id: AppendId, body: Body) -> Result<()> {
        self.core.commit(id, None, body).await?;
        Ok(())
    }
}

/// Logs the result of a sweep. `failure` is the message of an error.
fn log_result(failure: &'static str, result: Result<usize>) {
    match result {
        Ok(0) => {}
        Ok(ended) => debug!(ended, "releases, accesses or holds expired"),
        Err(error) => {
            let source = error.source_text();
            warn!(label = error.label(), source, "{failure}: {error}");
        }
    }
}
