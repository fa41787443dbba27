//! Expiry of assessments. The clock decides when the sweep writes an expiry entry. The entry decides what ended.

use std::time::Duration;

use futures_util::future::try_join_all;
use tokio_util::sync::CancellationToken;

use crate::domain::entry::{AppendId, Body, Expiry};
use crate::domain::{Position, Timestamp};
use crate::error::{Error, Result};
use crate::exchange::sweeps::{Sweeps, log_result};

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Entries whose due versions one round ends.
const ENTRIES_PER_ROUND: usize = 64;

impl Sweeps {
    /// Runs the sweep until `stop`.
    pub async fn expire_assessments(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            log_result("expiry of assessments", self.expire_due().await);
        }
    }

    /// Ends the assessments that are due, and returns the number of versions in its entries.
    ///
    /// Any node may run it: the id of an entry is derived from its content, so the entry is stored once. It has no
    /// effect on versions that are no longer current.
    pub async fn expire_due(&self) -> Result<usize> {
        let mut ended = 0;
        loop {
            let due =
                self.core.index.read()?.expiries_due(self.core.clock.now(), ENTRIES_PER_ROUND)?;
            if due.is_empty() {
                return Ok(ended);
            }
            // Run concurrently, so that the entries share durable writes.
            let expirations = due.into_iter().map(|(ends, sequence)| self.expire(ends, sequence));
            ended += try_join_all(expirations).await?.into_iter().sum::<usize>();
        }
    }

    async fn expire(&self, ends: Timestamp, sequence: u64) -> Result<usize> {
        let expiry = self.expiry(ends, sequence)?;
        let count = expiry.versions.len();
        let id = AppendId::derive(&[
            b"expiry",
            &sequence.to_be_bytes(),
            &ends.as_millis().to_be_bytes(),
        ]);
        self.commit_own(id, Body::Expiry(expiry)).await?;
        Ok(count)
    }

    /// The body of the expiry entry for the versions of one entry that are due.
    fn expiry(&self, ends: Timestamp, sequence: u64) -> Result<Expiry> {
        let missing = || {
            let message = format!("the versions of entry {sequence} are missing");
            Error::internal("index_corrupt", message)
        };
        let view = self.core.index.read()?;
        let entry_versions = view.versions_of(sequence)?.ok_or_else(missing)?;
        let (author, audience) = (entry_versions.author, entry_versions.audience);
        let mut versions = Vec::new();
        for (index, id) in entry_versions.versions {
            let version = Position::new(sequence, index);
            let current = view.current(id, &author, audience)?;
            let is_due = current.is_some_and(|current| {
                current.version == version
                    && current.assessment.expires_at(current.accepted) <= ends
            });
            if is_due {
                versions.push((index, id));
            }
        }
        Ok(Expiry { partner: author, audience, ends, sequence, versions })
    }
}
