//! What liaisons were given, and what is kept for courts.

use std::time::Duration;

use super::Applier;
use crate::domain::entry::{
    AccessSweep, Accessed, AccessedVersions, Entry, HoldAct, HoldChange, HoldPlaced, HoldSweep,
    ItemOutcome, Outcome, Releasable, VoidReason,
};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, AccessRecord, HoldRecord, RawAssessment, TakenBatch};

/// How long a hold lasts from when it was placed or renewed.
pub const HOLD: Duration = Duration::from_secs(90 * 86_400);

/// How many versions are one record of an access.
const RECORD_VERSIONS: usize = 256;

impl Applier {
    /// Keeps what a liaison is given, author by author.
    pub(super) fn accessed(&mut self, entry: &Entry, accessed: &Accessed) -> Outcome {
        let Some(liaison) = &entry.author else {
            return Outcome::Void(VoidReason::AudienceGone);
        };
        let records: Vec<(&AccessedVersions, u32, &[_])> = accessed
            .given
            .iter()
            .flat_map(|given| {
                let parts = given.versions.chunks(RECORD_VERSIONS).zip(0u32..);
                // Both of one author's, those whose paper its release names and the others.
                let from = if given.named { 1 << 16 } else { 0 };
                parts.map(move |(versions, part)| (given, from + part, versions))
            })
            .collect();
        for (given, number, versions) in &records {
            let kept = AccessRecord {
                liaison: liaison.clone(),
                at: entry.time,
                way: accessed.way,
                purpose: accessed.purpose.clone(),
                given: AccessedVersions { versions: versions.to_vec(), ..(*given).clone() },
            };
            let author = &given.author;
            self.put(keys::access(author, entry.sequence, *number), kept.encode());
            let in_order = keys::access_in_order(entry.sequence, author, *number);
            self.put(in_order, record::encode(&entry.time));
        }
        Outcome::Taken(vec![ItemOutcome::Created; records.len()])
    }

    /// The records go that are no longer kept.
    pub(super) fn access_sweep(&mut self, sweep: &AccessSweep) -> Outcome {
        for (sequence, author, part) in &sweep.records {
            self.remove(keys::access(author, *sequence, *part));
            self.remove(keys::access_in_order(*sequence, author, *part));
        }
        Outcome::Taken(Vec::new())
    }

    /// Copies what still stands in the versions that are named.
    pub(super) fn hold_placed(&mut self, entry: &Entry, placed: &HoldPlaced) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let (key, hold_key) =
            (keys::request(author, &placed.request), keys::hold(author, placed.hold));
        let standing = self.hold(&hold_key)?;
        if let Some(void) = self.taken_before(&key, placed.digest)? {
            return Ok(Outcome::Void(void));
        }
        if standing.as_ref().is_some_and(|hold| hold.has_ended(entry.time)) {
            return Ok(Outcome::Void(VoidReason::HoldGone));
        }
        if placed.last.is_some() {
            let (digest, sequence) = (placed.digest, entry.sequence);
            self.put(key, TakenBatch { digest, sequence, time: entry.time }.encode());
        }
        let mut hold = standing.unwrap_or_else(|| HoldRecord {
            placed: entry.time,
            until: entry.time.plus(HOLD),
            objects: 0,
            reason: placed.reason.clone(),
        });
        let mut outcomes = Vec::with_capacity(placed.objects.len());
        for object in &placed.objects {
            let kept = self.copy(author, placed, object)?;
            hold.objects += u64::from(kept == ItemOutcome::Created);
            outcomes.push(kept);
        }
        self.put(hold_key, hold.encode());
        Ok(Outcome::Taken(outcomes))
    }

    fn copy(
        &mut self,
        author: &PartnerId,
        placed: &HoldPlaced,
        object: &Releasable,
    ) -> Result<ItemOutcome> {
        // The vault keeps assessments.
        let Releasable::Assessment(target) = object else { return Ok(ItemOutcome::Nothing) };
        let stored = self.read(&keys::assessment(target.id, author, target.audience))?;
        let Some(stored) = stored else { return Ok(ItemOutcome::Nothing) };
        let version = RawAssessment::of(&stored)?.version;
        if Some(version) != target.version {
            return Ok(ItemOutcome::Nothing);
        }
        let key = keys::held(author, placed.hold, version);
        if self.read(&key)?.is_some() {
            return Ok(ItemOutcome::Unchanged(version));
        }
        self.put(key, stored);
        Ok(ItemOutcome::Created)
    }

    /// A hold that has not ended goes on from here, or ends here.
    pub(super) fn hold_change(&mut self, entry: &Entry, change: &HoldChange) -> Result<Outcome> {
        let gone = Outcome::Void(VoidReason::HoldGone);
        let Some(author) = &entry.author else { return Ok(gone) };
        let key = keys::hold(author, change.hold);
        let Some(hold) = self.hold(&key)?.filter(|hold| !hold.has_ended(entry.time)) else {
            return Ok(gone);
        };
        let until = match change.act {
            HoldAct::Renewed => entry.time.plus(HOLD),
            HoldAct::Lifted => entry.time,
        };
        self.put(key, HoldRecord { until, ..hold }.encode());
        Ok(Outcome::Taken(Vec::new()))
    }

    /// The copies go that are named, where the hold has ended as it says.
    pub(super) fn hold_sweep(&mut self, sweep: &HoldSweep) -> Result<Outcome> {
        let key = keys::hold(&sweep.partner, sweep.hold);
        let ended: Option<Timestamp> = self.hold(&key)?.map(|hold| hold.until);
        if ended != Some(sweep.ended) {
            return Ok(Outcome::Taken(Vec::new()));
        }
        for version in &sweep.versions {
            self.remove(keys::held(&sweep.partner, sweep.hold, *version));
        }
        if sweep.whole {
            self.remove(key);
        }
        Ok(Outcome::Taken(Vec::new()))
    }

    fn hold(&self, key: &[u8]) -> Result<Option<HoldRecord>> {
        self.read(key)?.map(|stored| HoldRecord::decode(&stored)).transpose()
    }
}
