//! Reads for liaisons: expiring releases, access records and legal holds.

use super::record::{self, ExpiringReleases, RawAssessment};
use super::{View, corrupt, keys};
use crate::domain::accepted::{AccessRecord, AssessmentRecord, HoldRecord};
use crate::domain::entry::HoldId;
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;

/// An access record, by sequence and part.
pub type FoundAccess = ((u64, u32), AccessRecord);
/// A hold, by author and id.
pub type FoundHold = (PartnerId, HoldId, HoldRecord);

impl View<'_> {
    /// Up to `limit` groups of releases that expire by `now`, the earliest first.
    pub fn releases_due(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Timestamp, u64, ExpiringReleases)>> {
        let mut found = Vec::new();
        for pair in self.snapshot.scan(keys::RELEASE_ENDS).take(limit) {
            let (key, value) = pair?;
            let (at, sequence) =
                keys::read_ends(&key).ok_or_else(|| corrupt("the expiry of releases"))?;
            if at > now {
                break;
            }
            found.push((at, sequence, ExpiringReleases::decode(&value)?));
        }
        Ok(found)
    }

    /// Access records of an author's objects, the newest first, after a sequence and part.
    pub fn accesses(
        &self,
        author: &PartnerId,
        after: Option<(u64, u32)>,
    ) -> impl Iterator<Item = Result<FoundAccess>> + use<> {
        let prefix = keys::accesses_to(author);
        let after = after.map(|(sequence, part)| keys::access(author, sequence, part));
        self.snapshot.scan_after(&prefix, after).map(|pair| {
            let (key, value) = pair?;
            let at = keys::read_access(&key).ok_or_else(|| corrupt("an access"))?;
            Ok((at, AccessRecord::decode(&value)?))
        })
    }

    /// Up to `limit` of the oldest access records from before `time`.
    pub fn accesses_before(
        &self,
        time: Timestamp,
        limit: usize,
    ) -> Result<Vec<(u64, PartnerId, u32)>> {
        let fault = || corrupt("an access");
        let mut found = Vec::new();
        for pair in self.snapshot.scan(keys::ACCESSES).take(limit) {
            let (key, at) = pair?;
            if record::decode::<Timestamp>(&at, "an access")? >= time {
                break;
            }
            found.push(keys::read_access_in_order(&key).ok_or_else(fault)?);
        }
        Ok(found)
    }

    /// Looks up a hold.
    pub fn hold(&self, author: &PartnerId, hold: HoldId) -> Result<Option<HoldRecord>> {
        let stored = self.snapshot.get(&keys::hold(author, hold))?;
        stored.map(|stored| HoldRecord::decode(&stored)).transpose()
    }

    /// The holds after `after`, by author and id: of one author, or of all.
    pub fn holds(
        &self,
        author: Option<&PartnerId>,
        after: Option<&(PartnerId, HoldId)>,
    ) -> impl Iterator<Item = Result<FoundHold>> + use<> {
        let prefix = author.map_or_else(|| keys::HOLDS.to_vec(), keys::holds_of);
        let after = after.map(|(author, hold)| keys::hold(author, *hold));
        self.snapshot.scan_after(&prefix, after).map(|pair| {
            let (key, value) = pair?;
            let (author, hold) = keys::read_hold(&key).ok_or_else(|| corrupt("a hold"))?;
            Ok((author, hold, HoldRecord::decode(&value)?))
        })
    }

    /// Up to `limit` copies in a hold, after a version.
    pub fn held_copies(
        &self,
        author: &PartnerId,
        hold: HoldId,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<AssessmentRecord>> {
        let prefix = keys::held_by(author, hold);
        let after = after.map(|version| keys::held(author, hold, version));
        let found = self.snapshot.scan_after(&prefix, after).take(limit);
        found.map(|pair| RawAssessment::of(&pair?.1)?.decode()).collect()
    }
}
