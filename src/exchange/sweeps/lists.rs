//! Continues closes that have more to withdraw from their lists than the request wrote, or whose node stopped.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::PartnerId;
use crate::domain::entry::SubmissionId;
use crate::error::Result;
use crate::exchange::lists::CloseProgress;
use crate::exchange::sweeps::{Sweeps, log_result};

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Closes that are read at once.
const CLOSES_PER_PAGE: usize = 100;

/// The result of one pass over all closes.
#[derive(Default)]
struct Pass {
    /// Closes with nothing left to withdraw.
    complete: usize,
    /// Whether the next pass has more to withdraw.
    has_more: bool,
}

impl Sweeps {
    /// Runs the sweep until `stop`.
    pub async fn withdraw_from_lists(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            log_result("withdrawal from lists", self.complete_list_closes().await);
        }
    }

    /// Withdraws what closes decided to withdraw, until nothing is left or every partner with more has reached its
    /// limit. Returns how many closes are complete. They take turns, and one that fails does not block the others.
    pub async fn complete_list_closes(&self) -> Result<usize> {
        let mut complete = 0;
        let mut paused = BTreeSet::new();
        loop {
            let pass = self.withdraw_pass(&mut paused).await?;
            complete += pass.complete;
            if !pass.has_more {
                return Ok(complete);
            }
        }
    }

    /// Gives each close that is not paused one turn. Pauses those that a later run of the sweep continues.
    async fn withdraw_pass(
        &self,
        paused: &mut BTreeSet<(PartnerId, SubmissionId)>,
    ) -> Result<Pass> {
        let mut pass = Pass::default();
        let mut last = None;
        loop {
            let page =
                self.core.index.read()?.incomplete_list_closes(last.as_ref(), CLOSES_PER_PAGE)?;
            if page.is_empty() {
                return Ok(pass);
            }
            last = page.last().cloned();
            for close in page {
                if paused.contains(&close) {
                    continue;
                }
                match self.try_withdraw(&close).await {
                    Some(CloseProgress::Complete) => pass.complete += 1,
                    Some(CloseProgress::Pending) => pass.has_more = true,
                    Some(CloseProgress::LimitReached(_)) | None => {
                        paused.insert(close);
                    }
                }
            }
        }
    }

    /// Withdraws some of what a close decided to withdraw. An error is logged and gives `None`.
    async fn try_withdraw(
        &self,
        (partner, submission): &(PartnerId, SubmissionId),
    ) -> Option<CloseProgress> {
        match self.core.continue_list_close(partner, submission).await {
            Ok(progress) => Some(progress),
            // The journal logs a full disk once.
            Err(error) if error.label() == "storage_full" => None,
            Err(error) => {
                let (label, source) = (error.label(), error.source_text());
                warn!(%partner, %submission, label, source, "list withdrawal failed: {error}");
                None
            }
        }
    }
}
