//! Referrals of closed submissions.

use crate::error::Result;
use crate::exchange::sweeps::Sweeps;

/// Submissions that one round handles.
const SUBMISSIONS_PER_ROUND: usize = 64;

impl Sweeps {
    /// Refers the assets of closed submissions, and returns the number of submissions.
    pub async fn refer_due(&self) -> Result<usize> {
        let due = self.core.index.read()?.unreferred_submissions(SUBMISSIONS_PER_ROUND)?;
        for (partner, submission) in &due {
            self.core.refer(partner, submission).await?;
        }
        Ok(due.len())
    }
}
