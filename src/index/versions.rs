//! Finding versions again: by their entry, author, group, submission and end.

use super::record::{AssessmentRecord, EntryVersions, RawAssessment, read_versions};
use super::{View, corrupt, keys};
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{SubmissionId, Target};
use crate::domain::{GroupId, IndicatorId, PartnerId, Timestamp};
use crate::error::Result;
use crate::index::record::TakenBatch;

/// Where a scan over the current assessments goes on.
pub type CurrentKey = Vec<u8>;

/// Assessments with their authors, and where the scan goes on, if it does.
pub type Scanned = (Vec<(PartnerId, AssessmentRecord)>, Option<CurrentKey>);

impl View<'_> {
    /// What an author says of an indicator to an audience now.
    pub fn current(
        &self,
        id: IndicatorId,
        author: &PartnerId,
        audience: AudienceDigest,
    ) -> Result<Option<AssessmentRecord>> {
        let stored = self.snapshot.get(&keys::assessment(id, author, audience))?;
        stored.map(|stored| RawAssessment::of(&stored)?.decode()).transpose()
    }

    /// Everything that an author says of an indicator, audience by audience.
    pub fn current_by(&self, id: IndicatorId, author: &PartnerId) -> Result<Vec<Target>> {
        let found = self.snapshot.scan(&keys::assessments_by(id, author)).map(|pair| {
            let (key, value) = pair?;
            let audience =
                keys::assessment_audience(&key).ok_or_else(|| corrupt("an assessment"))?;
            let version = Some(RawAssessment::of(&value)?.version);
            Ok(Target { id, audience, version })
        });
        found.collect()
    }

    /// The current assessments behind a key, at most so many, with the key of the last. Every one that
    /// is there throughout a scan is found by it.
    pub fn scan_current(&self, behind: &CurrentKey, most: usize) -> Result<Scanned> {
        let mut from = behind.clone();
        match behind.as_slice() {
            [] => from.extend_from_slice(keys::CURRENT),
            _ => from.push(0),
        }
        let (mut found, mut last) = (Vec::new(), None);
        for pair in self.snapshot.scan_from(keys::CURRENT, &from).take(most) {
            let (key, value) = pair?;
            let author = keys::assessment_author(&key).ok_or_else(|| corrupt("an assessment"))?;
            found.push((author, RawAssessment::of(&value)?.decode()?));
            last = Some(key.to_vec());
        }
        Ok((found, last))
    }

    /// The versions that an entry brought, if it brought any.
    pub fn versions_of(&self, sequence: u64) -> Result<Option<EntryVersions>> {
        let stored = self.snapshot.get(&keys::outcome(sequence))?;
        stored.map_or(Ok(None), |stored| read_versions(&stored))
    }

    /// The entries of a submission's batches.
    pub fn batches_of(&self, partner: &PartnerId, submission: &SubmissionId) -> Result<Vec<u64>> {
        let found = self.snapshot.scan(&keys::batches(partner, submission));
        found.map(|pair| Ok(TakenBatch::decode(&pair?.1)?.sequence)).collect()
    }

    /// The entries of an author's batches that were taken at or after a time, in order. Looks at every
    /// batch of the author's: for what is asked once in a long while.
    pub fn entries_since(&self, author: &PartnerId, time: Timestamp) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        for pair in self.snapshot.scan(&keys::batches_by(author)) {
            let taken = TakenBatch::decode(&pair?.1)?;
            if taken.time >= time {
                found.push(taken.sequence);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The entries from one on, and before another, that are shared with a group; at most so many.
    pub fn entries_for(
        &self,
        group: &GroupId,
        from: u64,
        before: u64,
        most: usize,
    ) -> Result<Vec<u64>> {
        let begin = keys::entry_for(group, from);
        let mut found = Vec::new();
        for pair in self.snapshot.scan_from(&keys::entries_for(group), &begin).take(most) {
            let key = pair?.0;
            let sequence = keys::read_entry(&key).ok_or_else(|| corrupt("an entry of a group"))?;
            if sequence >= before {
                break;
            }
            found.push(sequence);
        }
        Ok(found)
    }

    /// The entries of which versions have had their time by now, the longest over first.
    pub fn due(&self, now: Timestamp, most: usize) -> Result<Vec<(Timestamp, u64)>> {
        let mut found = Vec::new();
        for pair in self.snapshot.scan(keys::ENDS).take(most) {
            let (at, sequence) =
                keys::read_ends(&pair?.0).ok_or_else(|| corrupt("the end of a version"))?;
            if at > now {
                break;
            }
            found.push((at, sequence));
        }
        Ok(found)
    }
}
