//! Retention: deletes old records from the access log, and the copies of holds that have ended.

use crate::domain::accepted::HoldRecord;
use crate::domain::entry::{AccessSweep, AppendId, Body, HoldId, HoldSweep};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::exchange::sweeps::Sweeps;

/// Records or copies that one entry deletes.
const DELETIONS_PER_ENTRY: usize = 64;

impl Sweeps {
    /// Deletes accesses that are older than the retention period, and returns the number of records.
    pub async fn sweep_accesses(&self) -> Result<usize> {
        let retention =
            i64::try_from(self.core.settings.access_retention.as_millis()).unwrap_or(i64::MAX);
        let mut deleted = 0;
        loop {
            let before =
                Timestamp::from_millis(self.core.clock.now().as_millis().saturating_sub(retention));
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
