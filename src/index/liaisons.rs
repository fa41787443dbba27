//! The lane of the liaisons, read: ends of releases, accesses, holds.

use super::record::{
    self, AccessRecord, AssessmentRecord, ExpiringReleases, HoldRecord, RawAssessment,
};
use super::{View, corrupt, keys};
use crate::domain::entry::HoldId;
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::Result;

/// An access, by its entry and the part of it.
pub type FoundAccess = ((u64, u32), AccessRecord);
/// A hold, by whose it is and its id.
pub type FoundHold = (PartnerId, HoldId, HoldRecord);

impl View<'_> {
    /// The releases that have had their time by now, the longest over first.
    pub fn releases_due(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<Vec<(Timestamp, u64, ExpiringReleases)>> {
        let mut found = Vec::new();
        for pair in self.snapshot.scan(keys::RELEASE_ENDS).take(most) {
            let (key, value) = pair?;
            let (at, sequence) =
                keys::read_ends(&key).ok_or_else(|| corrupt("the end of releases"))?;
            if at > now {
                break;
            }
            found.push((at, sequence, ExpiringReleases::decode(&value)?));
        }
        Ok(found)
    }

    /// What liaisons were given of an author's, the newest first, behind an entry and a part of it.
    pub fn accesses(
        &self,
        author: &PartnerId,
        behind: Option<(u64, u32)>,
    ) -> impl Iterator<Item = Result<FoundAccess>> + use<> {
        let prefix = keys::accesses_to(author);
        let from = behind.map_or_else(
            || prefix.clone(),
            |(sequence, part)| {
                let mut key = keys::access(author, sequence, part);
                key.push(0);
                key
            },
        );
        self.snapshot.scan_from(&prefix, &from).map(|pair| {
            let (key, value) = pair?;
            let at = keys::read_access(&key).ok_or_else(|| corrupt("an access"))?;
            Ok((at, AccessRecord::decode(&value)?))
        })
    }

    /// The oldest accesses that were before a time, at most so many.
    pub fn accesses_before(
        &self,
        time: Timestamp,
        most: usize,
    ) -> Result<Vec<(u64, PartnerId, u32)>> {
        let fault = || corrupt("an access");
        let mut found = Vec::new();
        for pair in self.snapshot.scan(keys::ACCESSES).take(most) {
            let (key, at) = pair?;
            if record::decode::<Timestamp>(&at, "an access")? >= time {
                break;
            }
            found.push(keys::read_access_in_order(&key).ok_or_else(fault)?);
        }
        Ok(found)
    }

    /// A hold of an author's.
    pub fn hold(&self, author: &PartnerId, hold: HoldId) -> Result<Option<HoldRecord>> {
        let stored = self.snapshot.get(&keys::hold(author, hold))?;
        stored.map(|stored| HoldRecord::decode(&stored)).transpose()
    }

    /// The holds behind one, by partner and id: an author's, or everybody's.
    pub fn holds(
        &self,
        author: Option<&PartnerId>,
        behind: Option<&(PartnerId, HoldId)>,
    ) -> impl Iterator<Item = Result<FoundHold>> + use<> {
        let prefix = author.map_or_else(|| keys::HOLDS.to_vec(), keys::holds_of);
        let from = behind.map_or_else(
            || prefix.clone(),
            |(author, hold)| {
                let mut key = keys::hold(author, *hold);
                key.push(0);
                key
            },
        );
        self.snapshot.scan_from(&prefix, &from.max(prefix.clone())).map(|pair| {
            let (key, value) = pair?;
            let (author, hold) = keys::read_hold(&key).ok_or_else(|| corrupt("a hold"))?;
            Ok((author, hold, HoldRecord::decode(&value)?))
        })
    }

    /// The copies that a hold keeps, behind a version, at most so many.
    pub fn held(
        &self,
        author: &PartnerId,
        hold: HoldId,
        behind: Option<Position>,
        most: usize,
    ) -> Result<Vec<AssessmentRecord>> {
        let prefix = keys::held_by(author, hold);
        let from = behind.map_or_else(
            || prefix.clone(),
            |version| {
                let mut key = keys::held(author, hold, version);
                key.push(0);
                key
            },
        );
        let found = self.snapshot.scan_from(&prefix, &from).take(most);
        found.map(|pair| RawAssessment::of(&pair?.1)?.decode()).collect()
    }
}
