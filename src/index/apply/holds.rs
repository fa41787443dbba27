//! Applies access records of liaisons, and legal holds.

use std::time::Duration;

use super::Applier;
use crate::domain::accepted::{AccessRecord, HoldRecord};
use crate::domain::entry::{
    AccessSweep, Accessed, AccessedVersions, Entry, HoldAction, HoldChange, HoldPlaced, HoldSweep,
    ItemOutcome, Outcome, Releasable, VoidReason,
};
use crate::domain::{PartnerId, Timestamp};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, IdempotencyRecord, RawAssessment};

/// How long a hold lasts after it was placed or renewed: 90 days.
pub const HOLD_DURATION: Duration = Duration::from_secs(90 * 86_400);

/// Versions in one access record. Bounds the size of a record.
const VERSIONS_PER_RECORD: usize = 256;

impl Applier {
    /// Stores which versions a liaison was given, one or more records per author.
    pub(super) fn accessed(&mut self, entry: &Entry, accessed: &Accessed) -> Outcome {
        let Some(liaison) = &entry.author else {
            return Outcome::Void(VoidReason::AudienceGone);
        };
        let records: Vec<(&AccessedVersions, u32, &[_])> = accessed
            .accessed
            .iter()
            .flat_map(|given| {
                let parts = given.versions.chunks(VERSIONS_PER_RECORD).zip(0u32..);
                // An author can have two groups: versions whose release names the paper, and the others.
                // The second group numbers its parts from 65,536, so that the keys differ.
                let from = if given.names_reference { 1 << 16 } else { 0 };
                parts.map(move |(versions, part)| (given, from + part, versions))
            })
            .collect();
        for (given, number, versions) in &records {
            let access = AccessRecord {
                liaison: liaison.clone(),
                at: entry.time,
                way: accessed.way,
                purpose: accessed.purpose.clone(),
                accessed: AccessedVersions { versions: versions.to_vec(), ..(*given).clone() },
            };
            let author = &given.author;
            self.put(keys::access(author, entry.sequence, *number), access.encode());
            let in_order = keys::access_in_order(entry.sequence, author, *number);
            self.put(in_order, record::encode(&entry.time));
        }
        Outcome::Applied(vec![ItemOutcome::Created; records.len()])
    }

    /// Removes access records past their retention.
    pub(super) fn access_sweep(&mut self, sweep: &AccessSweep) -> Outcome {
        for (sequence, author, part) in &sweep.records {
            self.remove(keys::access(author, *sequence, *part));
            self.remove(keys::access_in_order(*sequence, author, *part));
        }
        Outcome::Applied(Vec::new())
    }

    /// Copies the named versions that are still current.
    pub(super) fn hold_placed(&mut self, entry: &Entry, placed: &HoldPlaced) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let (key, hold_key) =
            (keys::request(author, &placed.request), keys::hold(author, placed.hold));
        let standing = self.hold(&hold_key)?;
        if let Some(void) = self.check_idempotency(&key, placed.digest)? {
            return Ok(Outcome::Void(void));
        }
        if standing.as_ref().is_some_and(|hold| hold.has_ended(entry.time)) {
            return Ok(Outcome::Void(VoidReason::HoldGone));
        }
        if placed.last.is_some() {
            let (digest, sequence) = (placed.digest, entry.sequence);
            self.put(key, IdempotencyRecord { digest, sequence, time: entry.time }.encode());
        }
        let mut hold = standing.unwrap_or_else(|| HoldRecord {
            placed: entry.time,
            until: entry.time.plus(HOLD_DURATION),
            objects: 0,
            reason: placed.reason.clone(),
        });
        let mut outcomes = Vec::with_capacity(placed.objects.len());
        for object in &placed.objects {
            let outcome = self.hold_version(author, placed, object)?;
            hold.objects += u64::from(outcome == ItemOutcome::Created);
            outcomes.push(outcome);
        }
        self.put(hold_key, hold.encode());
        Ok(Outcome::Applied(outcomes))
    }

    fn hold_version(
        &mut self,
        author: &PartnerId,
        placed: &HoldPlaced,
        object: &Releasable,
    ) -> Result<ItemOutcome> {
        // Holds copy assessments only.
        let Releasable::Assessment(target) = object else {
            return Ok(ItemOutcome::NoCurrentVersion);
        };
        let stored = self.read(&keys::assessment(target.id, author, target.audience))?;
        let Some(stored) = stored else { return Ok(ItemOutcome::NoCurrentVersion) };
        let version = RawAssessment::of(&stored)?.version;
        if Some(version) != target.version {
            return Ok(ItemOutcome::NoCurrentVersion);
        }
        let key = keys::held(author, placed.hold, version);
        if self.read(&key)?.is_some() {
            return Ok(ItemOutcome::Unchanged(version));
        }
        self.put(key, stored);
        Ok(ItemOutcome::Created)
    }

    /// Renews or lifts a hold that has not ended.
    pub(super) fn hold_change(&mut self, entry: &Entry, change: &HoldChange) -> Result<Outcome> {
        let gone = Outcome::Void(VoidReason::HoldGone);
        let Some(author) = &entry.author else { return Ok(gone) };
        let key = keys::hold(author, change.hold);
        let Some(hold) = self.hold(&key)?.filter(|hold| !hold.has_ended(entry.time)) else {
            return Ok(gone);
        };
        let until = match change.action {
            HoldAction::Renewed => entry.time.plus(HOLD_DURATION),
            HoldAction::Lifted => entry.time,
        };
        self.put(key, HoldRecord { until, ..hold }.encode());
        Ok(Outcome::Applied(Vec::new()))
    }

    /// Removes copies of a hold, if the hold ended at the time that the entry names.
    pub(super) fn hold_sweep(&mut self, sweep: &HoldSweep) -> Result<Outcome> {
        let key = keys::hold(&sweep.partner, sweep.hold);
        let ended: Option<Timestamp> = self.hold(&key)?.map(|hold| hold.until);
        if ended != Some(sweep.ended) {
            return Ok(Outcome::Applied(Vec::new()));
        }
        for version in &sweep.versions {
            self.remove(keys::held(&sweep.partner, sweep.hold, *version));
        }
        if sweep.is_last {
            self.remove(key);
        }
        Ok(Outcome::Applied(Vec::new()))
    }

    fn hold(&self, key: &[u8]) -> Result<Option<HoldRecord>> {
        self.read(key)?.map(|stored| HoldRecord::decode(&stored)).transpose()
    }
}
