//! Expiry of releases.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::domain::entry::{AppendId, Body, ReleaseEnd};
use crate::error::Result;
use crate::exchange::sweeps::Sweeps;
use crate::index::record::ExpiringReleases;

/// How often the sweep runs.
const EVERY: Duration = Duration::from_secs(1);

const SWEEP_EVERY: u32 = 60;

/// Release expiries that one round ends.
const AT_ONCE: usize = 64;

impl Sweeps {
    /// Runs the sweep, and less often those of `retention`, until `stop`.
    pub async fn end_releases(self, stop: CancellationToken) {
        let mut round = 0;
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            log_result("releases are not ended", self.release_due().await);
            if round == 0 {
                log_result("accesses are not swept", self.sweep_accesses().await);
                log_result("holds are not swept", self.sweep_holds().await);
            }
            round = (round + 1) % SWEEP_EVERY;
        }
    }

    /// Ends the releases that are due, and returns the number of entries.
    pub async fn release_due(&self) -> Result<usize> {
        let mut ended = 0;
        loop {
            let due = self.core.index.read()?.releases_due(self.core.clock.now(), AT_ONCE)?;
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

fn log_result(what: &'static str, done: Result<usize>) {
    match done {
        Ok(0) => {}
        Ok(ended) => debug!(ended, "releases, accesses or holds have had their time"),
        Err(error) => {
            let source = error.source_text();
            warn!(label = error.label(), source, "{what}: {error}");
        }
    }
}
