//! Closes submissions whose author sends no more batches.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::domain::Timestamp;
use crate::domain::entry::{AppendId, Body, Close};
use crate::error::Result;
use crate::exchange::sweeps::Sweeps;

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);

impl Sweeps {
    /// Runs the sweep until `stop`.
    pub async fn close_idle_submissions(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            match self.close_idle().await {
                Ok(0) => {}
                Ok(closed) => info!(closed, "closed idle submissions"),
                Err(error) => {
                    let source = error.source_text();
                    warn!(
                        label = error.label(),
                        source, "idle submissions were not closed: {error}"
                    );
                }
            }
        }
    }

    /// Closes the submissions that are idle now, and returns their number.
    pub async fn close_idle(&self) -> Result<usize> {
        let idle = i64::try_from(self.core.settings.idle_close.as_millis()).unwrap_or(i64::MAX);
        let idle_since =
            Timestamp::from_millis(self.core.clock.now().as_millis().saturating_sub(idle));
        let submissions = self.core.index.read()?.idle_submissions(idle_since)?;
        for (partner, submission) in &submissions {
            let state =
                self.core.index.read()?.submission(partner, submission)?.unwrap_or_default();
            // The id includes the last batch, so that a reopened submission can be closed again.
            let id = AppendId::derive(&[
                b"idle",
                partner.as_str().as_bytes(),
                submission.as_str().as_bytes(),
                &state.batches.to_be_bytes(),
                &state.last.as_millis().to_be_bytes(),
            ]);
            let close =
                Close { partner: partner.clone(), submission: submission.clone(), batches: None };
            self.core.commit(id, None, Body::SubmissionClosed(close)).await?;
        }
        Ok(submissions.len())
    }
}
