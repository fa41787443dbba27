//! Retention: deletes old accesses from the access log, and the copies of holds that have ended.

use crate::domain::accepted::HoldRecord;
use crate::domain::entry::{AccessSweep, AppendId, Body, HoldId, HoldSweep};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::exchange::sweeps::Sweeps;

/// Records or copies that one entry deletes.
const AT_ONCE: usize = 64;

impl Sweeps {
    /// Deletes accesses past their retention, and returns the number of records.
    pub async fn sweep_accesses(&self) -> Result<usize> {
        let kept = i64::try_from(self.core.settings.accesses_kept.as_millis()).unwrap_or(i64::MAX);
        let mut swept = 0;
        loop {
            let before =
                Timestamp::from_millis(self.core.clock.now().as_millis().saturating_sub(kept));
            let records = self.core.index.read()?.accesses_before(before, AT_ONCE)?;
            let Some((sequence, author, part)) = records.first() else { return Ok(swept) };
            let id = AppendId::derive(&[
                b"access-sweep",
                &sequence.to_be_bytes(),
                author.as_str().as_bytes(),
                &part.to_be_bytes(),
            ]);
            swept += records.len();
            self.commit_own(id, Body::AccessSweep(AccessSweep { records })).await?;
        }
    }

    /// Deletes the holds that have ended with their copies, and returns how many.
    pub async fn sweep_holds(&self) -> Result<usize> {
        let now = self.core.clock.now();
        let holds = self.core.index.read()?.holds(None, None);
        let ended = |found: &Result<(PartnerId, HoldId, HoldRecord)>| {
            found.as_ref().map_or(true, |(_, _, kept)| kept.has_ended(now))
        };
        let ended = holds.filter(ended).collect::<Result<Vec<_>>>()?;
        for (author, hold, kept) in &ended {
            self.sweep_hold(author, *hold, kept.until).await?;
        }
        Ok(ended.len())
    }

    async fn sweep_hold(&self, author: &PartnerId, hold: HoldId, ended: Timestamp) -> Result<()> {
        loop {
            let copies = self.core.index.read()?.held_copies(author, hold, None, AT_ONCE)?;
            let whole = copies.len() < AT_ONCE;
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
            let body =
                Body::HoldSweep(HoldSweep { partner, hold, ended, versions, is_last: whole });
            self.commit_own(id, body).await?;
            // A hold that was renewed meanwhile stays.
            let still =
                self.core.index.read()?.hold(author, hold)?.is_some_and(|kept| kept.until == ended);
            if whole || !still {
                return Ok(());
            }
        }
    }
}
