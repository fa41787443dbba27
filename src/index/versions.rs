//! Finds versions by entry, author, group, submission and expiry.

use super::record::{EntryVersions, RawAssessment, read_versions};
use super::{View, corrupt, keys};
use crate::domain::accepted::AssessmentRecord;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{SubmissionId, Target};
use crate::domain::{GroupId, IndicatorId, PartnerId, Timestamp};
use crate::error::Result;
use crate::index::record::IdempotencyRecord;

/// The key after which a scan over current assessments continues. Empty at the start.
pub type AssessmentCursor = Vec<u8>;

/// Assessments with their authors, and the last key if any was found.
pub type AssessmentPage = (Vec<(PartnerId, AssessmentRecord)>, Option<AssessmentCursor>);

impl View<'_> {
    /// The current assessment of an indicator by an author to an audience.
    pub fn current(
        &self,
        id: IndicatorId,
        author: &PartnerId,
        audience: AudienceDigest,
    ) -> Result<Option<AssessmentRecord>> {
        let stored = self.snapshot.get(&keys::assessment(id, author, audience))?;
        stored.map(|stored| RawAssessment::of(&stored)?.decode()).transpose()
    }

    /// All current assessments of an indicator by an author, one per audience.
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

    /// Up to `limit` current assessments after a key, with the last key. A scan finds every assessment
    /// that exists throughout it.
    pub fn scan_current(&self, after: &AssessmentCursor, limit: usize) -> Result<AssessmentPage> {
        let after = (!after.is_empty()).then(|| after.clone());
        let (mut found, mut last) = (Vec::new(), None);
        for pair in self.snapshot.scan_after(keys::CURRENT, after).take(limit) {
            let (key, value) = pair?;
            let author = keys::assessment_author(&key).ok_or_else(|| corrupt("an assessment"))?;
            found.push((author, RawAssessment::of(&value)?.decode()?));
            last = Some(key.to_vec());
        }
        Ok((found, last))
    }

    /// The versions that an entry created, if any.
    pub fn versions_of(&self, sequence: u64) -> Result<Option<EntryVersions>> {
        let stored = self.snapshot.get(&keys::outcome(sequence))?;
        stored.map_or(Ok(None), |stored| read_versions(&stored))
    }

    /// The sequences of a submission's batches.
    pub fn batches_of(&self, partner: &PartnerId, submission: &SubmissionId) -> Result<Vec<u64>> {
        let found = self.snapshot.scan(&keys::batches(partner, submission));
        found.map(|pair| Ok(IdempotencyRecord::decode(&pair?.1)?.sequence)).collect()
    }

    /// The sequences of an author's batches accepted at or after `time`, in order. Scans all batches of
    /// the author, so use it for rare requests only.
    pub fn entries_since(&self, author: &PartnerId, time: Timestamp) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        for pair in self.snapshot.scan(&keys::batches_by(author)) {
            let taken = IdempotencyRecord::decode(&pair?.1)?;
            if taken.time >= time {
                found.push(taken.sequence);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Up to `limit` sequences in `from..before` of entries that are shared with a group.
    pub fn entries_for(
        &self,
        group: &GroupId,
        from: u64,
        before: u64,
        limit: usize,
    ) -> Result<Vec<u64>> {
        let begin = keys::entry_for(group, from);
        let mut found = Vec::new();
        for pair in self.snapshot.scan_from(&keys::entries_for(group), &begin).take(limit) {
            let key = pair?.0;
            let sequence = keys::read_entry(&key).ok_or_else(|| corrupt("an entry of a group"))?;
            if sequence >= before {
                break;
            }
            found.push(sequence);
        }
        Ok(found)
    }

    /// Up to `limit` entries with versions that expire by `now`, the earliest first.
    pub fn expiries_due(&self, now: Timestamp, limit: usize) -> Result<Vec<(Timestamp, u64)>> {
        let mut found = Vec::new();
        for pair in self.snapshot.scan(keys::ENDS).take(limit) {
            let (at, sequence) =
                keys::read_ends(&pair?.0).ok_or_else(|| corrupt("the expiry of a version"))?;
            if at > now {
                break;
            }
            found.push((at, sequence));
        }
        Ok(found)
    }
}
