//! Retention: deletes old records of accesses and withdrawals, and the copies of holds that have ended.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::domain::accepted::HoldRecord;
use crate::domain::entry::{AccessSweep, AppendId, Body, HoldId, HoldSweep, WithdrawalSweep};
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;
use crate::exchange::sweeps::{Sweeps, log_result};

/// Records or copies that one entry deletes.
const DELETIONS_PER_ENTRY: usize = 64;

/// Records of withdrawals that one entry deletes.
const WITHDRAWALS_PER_ENTRY: usize = 500;

/// Interval between runs of the sweeps.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

impl Sweeps {
    /// Runs the sweeps until `stop`.
    pub async fn enforce_retention(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            log_result("retention of accesses", self.sweep_accesses().await);
            log_result("retention of withdrawals", self.sweep_withdrawals().await);
            log_result("retention of holds", self.sweep_holds().await);
        }
    }

    /// Deletes the records of withdrawals that are older than the retention period, and returns their number.
    pub async fn sweep_withdrawals(&self) -> Result<usize> {
        let before = self.ago(self.core.settings.withdrawal_retention);
        let (mut deleted, mut last) = (0, Position::default());
        loop {
            let limit = WITHDRAWALS_PER_ENTRY;
            let targets = self
                .core
                .blocking(move |core| core.index.read()?.withdrawals_before(before, last, limit))
                .await?;
            let (Some(first), Some(end)) = (targets.first(), targets.last()) else {
                return Ok(deleted);
            };
            last = *end;
            let mut range = Vec::with_capacity(24);
            for at in [first, end] {
                range.extend_from_slice(&at.sequence.to_be_bytes());
                range.extend_from_slice(&at.index.to_be_bytes());
            }
            deleted += targets.len();
            let id = AppendId::derive(&[b"withdrawal-sweep", &range]);
            self.commit_own(id, Body::WithdrawalSweep(WithdrawalSweep { targets })).await?;
        }
    }

    /// Deletes accesses that are older than the retention period, and returns the number of records.
    pub async fn sweep_accesses(&self) -> Result<usize> {
        let before = self.ago(self.core.settings.access_retention);
        let mut deleted = 0;
        loop {
            let records = self.core.index.read()?.accesses_before(before, DELETIONS_PER_ENTRY)?;
            let Some((sequence, author, part)) = records.first() else { return Ok(deleted) };
            let id = AppendId::derive(&[
                b"access-sweep",
                &sequence.to_be_bytes(),
                author.as_str().as_bytes(),
                &part.to_be_bytes(),
            ]);
            deleted += records.len();
            self.commit_own(id, Body::AccessSweep(AccessSweep { records })).await?;
        }
    }

    /// Deletes the holds that have ended, with their copies, and returns the number of holds.
    pub async fn sweep_holds(&self) -> Result<usize> {
        let now = self.core.clock.now();
        let holds = self.core.index.read()?.holds(None, None);
        // Keeps errors, so that `collect` returns them.
        let has_ended = |hold: &Result<(PartnerId, HoldId, HoldRecord)>| {
            hold.as_ref().map_or(true, |(_, _, record)| record.has_ended(now))
        };
        let ended = holds.filter(has_ended).collect::<Result<Vec<_>>>()?;
        for (author, hold, record) in &ended {
            self.sweep_hold(author, *hold, record.until).await?;
        }
        Ok(ended.len())
    }

    /// Deletes a hold and its copies.
    async fn sweep_hold(&self, author: &PartnerId, hold: HoldId, ended: Timestamp) -> Result<()> {
        loop {
            let copies =
                self.core.index.read()?.held_copies(author, hold, None, DELETIONS_PER_ENTRY)?;
            let is_last = copies.len() < DELETIONS_PER_ENTRY;
            let versions: Vec<_> = copies.iter().map(|copy| copy.version).collect();
            let first = versions.first().copied().unwrap_or_default();
            let id = AppendId::derive(&[
                b"hold-sweep",
                author.as_str().as_bytes(),
                hold.as_bytes(),
                &ended.as_millis().to_be_bytes(),
                &first.sequence.to_be_bytes(),
                &first.index.to_be_bytes(),
            ]);
            let partner = author.clone();
            let body = Body::HoldSweep(HoldSweep { partner, hold, ended, versions, is_last });
            self.commit_own(id, body).await?;
            // A hold that was renewed meanwhile is kept.
            let record = self.core.index.read()?.hold(author, hold)?;
            let is_unchanged = record.is_some_and(|record| record.until == ended);
            if is_last || !is_unchanged {
                return Ok(());
            }
        }
    }
}
