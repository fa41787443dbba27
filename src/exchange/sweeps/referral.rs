//! Referring what closed submissions brought.

use crate::error::Result;
use crate::exchange::sweeps::Sweeps;

/// How many submissions are looked at, at once.
const AT_ONCE: usize = 64;

impl Sweeps {
    /// Refers what the submissions brought that are closed by now, and tells how many those were.
    pub async fn refer_due(&self) -> Result<usize> {
        let due = self.core.index.read()?.unreferred_submissions(AT_ONCE)?;
        for (partner, submission) in &due {
            self.core.refer(partner, submission).await?;
        }
        Ok(due.len())
    }
}
