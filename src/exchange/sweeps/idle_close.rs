//! Closes submissions whose author sends no more batches.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::entry::{AppendId, Body, Close};
use crate::domain::list::ShrinkPolicy;
use crate::error::Result;
use crate::exchange::sweeps::{Sweeps, log_result};

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);

impl Sweeps {
    /// Runs the sweep until `stop`.
    pub async fn close_idle_submissions(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            log_result("close of idle submissions", self.close_idle().await);
        }
    }

    /// Closes the submissions that are idle now, and returns their number.
    pub async fn close_idle(&self) -> Result<usize> {
        let idle_since = self.ago(self.core.settings.idle_close);
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
            let close = Close {
                partner: partner.clone(),
                submission: submission.clone(),
                batches: None,
                policy: ShrinkPolicy::default(),
            };
            self.commit_own(id, Body::SubmissionClosed(close)).await?;
        }
        Ok(submissions.len())
    }
}
