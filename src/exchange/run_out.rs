//! Ending releases, accesses and holds that have had their time. As with assessments, the clock says when
//! to look and the entry says what ended; and every node may write it, since its id is derived from that.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::Exchange;
use crate::domain::entry::{AccessSweep, AppendId, Body, HoldId, HoldSweep, ReleaseEnd};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::index::record::{ExpiringReleases, HoldRecord};
use crate::journal::Append;

/// How often releases are looked at, and how often accesses and holds.
const EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: u32 = 60;
/// How many parts of releases, accesses and copies are ended at once.
const AT_ONCE: usize = 64;

impl Exchange {
    /// Ends what is due until it is told to stop.
    pub async fn end_releases(self: Arc<Self>, stop: CancellationToken) {
        let mut round = 0;
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            tell("releases are not ended", self.release_due().await);
            if round == 0 {
                tell("accesses are not swept", self.sweep_accesses().await);
                tell("holds are not swept", self.sweep_holds().await);
            }
            round = (round + 1) % SWEEP_EVERY;
        }
    }

    /// Ends the releases that are due by now, and tells how many entries that took.
    pub async fn release_due(&self) -> Result<usize> {
        let mut ended = 0;
        loop {
            let due = self.index.read()?.releases_due(self.clock.now(), AT_ONCE)?;
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
                self.append_own(id, Body::ReleaseEnd(end)).await?;
                ended += 1;
            }
        }
    }

    /// Forgets the accesses that are no longer kept, and tells how many records of them that were.
    pub async fn sweep_accesses(&self) -> Result<usize> {
        let kept = i64::try_from(self.settings.accesses_kept.as_millis()).unwrap_or(i64::MAX);
        let mut swept = 0;
        loop {
            let before = Timestamp::from_millis(self.clock.now().as_millis().saturating_sub(kept));
            let records = self.index.read()?.accesses_before(before, AT_ONCE)?;
            let Some((sequence, author, part)) = records.first() else { return Ok(swept) };
            let id = AppendId::derive(&[
                b"access-sweep",
                &sequence.to_be_bytes(),
                author.as_str().as_bytes(),
                &part.to_be_bytes(),
            ]);
            swept += records.len();
            self.append_own(id, Body::AccessSweep(AccessSweep { records })).await?;
        }
    }

    /// Forgets the holds that have ended, with what they kept, and tells how many those were.
    pub async fn sweep_holds(&self) -> Result<usize> {
        let now = self.clock.now();
        let holds = self.index.read()?.holds(None, None);
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
            let copies = self.index.read()?.held(author, hold, None, AT_ONCE)?;
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
            let body = Body::HoldSweep(HoldSweep { partner, hold, ended, versions, whole });
            self.append_own(id, body).await?;
            // One that was renewed meanwhile stays.
            let still =
                self.index.read()?.hold(author, hold)?.is_some_and(|kept| kept.until == ended);
            if whole || !still {
                return Ok(());
            }
        }
    }

    /// Appends what the exchange itself has to say, and waits until it is applied.
    async fn append_own(&self, id: AppendId, body: Body) -> Result<()> {
        let stamp = self.append(Append::new(id, None, body)).await?;
        self.index.outcome(stamp.sequence).await?;
        Ok(())
    }
}

fn tell(what: &'static str, done: Result<usize>) {
    match done {
        Ok(0) => {}
        Ok(ended) => debug!(ended, "releases, accesses or holds have had their time"),
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            warn!(label = error.label(), source, "{what}: {error}");
        }
    }
}
