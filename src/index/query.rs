//! Reads of the index. They do not check access rights; the exchange does, because it knows the reader.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::closed::{ClosedItems, ClosedLookup};
use super::outcomes::OutcomeLookup;
use super::record::{self, ClosedVersion, IdempotencyRecord, RawAssessment, SubmissionState};
use super::store::Snapshot;
use super::{Index, View, corrupt, keys};
use crate::domain::accepted::AssessmentRecord;
use crate::domain::cursor::JournalEpoch;
use crate::domain::entry::{Outcome, SubmissionId};
use crate::domain::{IndicatorId, PartnerId, Position, Timestamp};
use crate::error::{Error, Kind, Result};

impl View<'_> {
    /// The current assessments of an indicator with their authors, ordered by author.
    pub fn assessments(
        &self,
        id: IndicatorId,
    ) -> impl Iterator<Item = Result<(PartnerId, AssessmentRecord)>> + use<> {
        self.snapshot.scan(&keys::assessments(id)).map(|pair| {
            let (key, value) = pair?;
            let author = keys::assessment_author(&key).ok_or_else(|| corrupt("an assessment"))?;
            Ok((author, RawAssessment::of(&value)?.decode()?))
        })
    }

    /// The current assessments that name an account by another name, with their authors.
    pub fn assessments_naming(
        &self,
        name: IndicatorId,
    ) -> impl Iterator<Item = Result<(PartnerId, AssessmentRecord)>> {
        self.snapshot.scan(&keys::other_names(name)).map(|pair| {
            let missing = || corrupt("another name of an account");
            let key = keys::read_other_name(&pair?.0).ok_or_else(missing)?;
            let author = keys::assessment_author(&key).ok_or_else(missing)?;
            let stored = self.snapshot.get(&key)?.ok_or_else(missing)?;
            Ok((author, RawAssessment::of(&stored)?.decode()?))
        })
    }

    /// What remains of a version that is no longer current.
    pub fn closed_version(&self, version: Position) -> Result<Option<ClosedVersion>> {
        let bytes = self.snapshot.get(&keys::closed(version))?;
        bytes.map(|bytes| record::read_closed(&bytes)).transpose()
    }

    /// The item indexes of an entry's closed versions. `None` if all versions of the entry are current.
    pub fn closed_items(&self, sequence: u64) -> Result<Option<ClosedItems>> {
        let mut items = BTreeSet::new();
        for pair in self.snapshot.scan(&keys::closed_of(sequence)) {
            let version = keys::read_closed(&pair?.0);
            items.insert(version.ok_or_else(|| corrupt("a closed version"))?.index);
        }
        Ok((!items.is_empty()).then(|| Arc::new(items)))
    }

    /// Like [`View::closed_items`], from memory if the entry is recent.
    pub fn recent_closed_items(&self, sequence: u64) -> Result<Option<ClosedItems>> {
        match self.index.closed.find(sequence) {
            ClosedLookup::Recent(items) => Ok(items),
            ClosedLookup::Stored => self.closed_items(sequence),
        }
    }

    /// Whether [`View::recent_closed_items`] is answered from memory.
    pub fn are_closed_items_in_memory(&self, sequence: u64) -> bool {
        matches!(self.index.closed.find(sequence), ClosedLookup::Recent(_))
    }

    /// The outcome of an applied entry.
    pub fn outcome(&self, sequence: u64) -> Result<Arc<Outcome>> {
        match self.recent_outcome(sequence) {
            Some(outcome) => Ok(outcome),
            None => stored_outcome(&self.snapshot, sequence).map(Arc::new),
        }
    }

    /// The outcome of an applied entry, if it is in memory.
    pub fn recent_outcome(&self, sequence: u64) -> Option<Arc<Outcome>> {
        match self.index.outcomes.find(sequence) {
            OutcomeLookup::Recent(outcome) => Some(outcome),
            OutcomeLookup::Waiting(_) | OutcomeLookup::Stored => None,
        }
    }

    /// The tag of the indexed journal, and its epoch at `sequence`.
    pub fn journal_at(&self, sequence: u64) -> JournalEpoch {
        self.index.journal_at(sequence)
    }

    /// The idempotency record of a submission's batch.
    pub fn batch_record(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
        number: u32,
    ) -> Result<Option<IdempotencyRecord>> {
        let cached = self.index.submissions.get(&keys::submission(partner, submission));
        // Numbers above the highest are new.
        if cached.is_some_and(|cached| number > cached.highest) {
            return Ok(None);
        }
        let bytes = self.snapshot.get(&keys::batch(partner, submission, number))?;
        bytes.map(|bytes| IdempotencyRecord::decode(&bytes)).transpose()
    }

    /// The state of a submission.
    pub fn submission(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<Option<SubmissionState>> {
        let bytes = self.snapshot.get(&keys::submission(partner, submission))?;
        bytes.map(|bytes| SubmissionState::decode(&bytes)).transpose()
    }

    /// Open submissions whose last batch was accepted at or before `since`.
    pub fn idle_submissions(&self, since: Timestamp) -> Result<Vec<(PartnerId, SubmissionId)>> {
        let mut idle = Vec::new();
        for pair in self.snapshot.scan(keys::OPEN) {
            let key = pair?.0;
            let (partner, submission) =
                keys::read_open(&key).ok_or_else(|| corrupt("an open submission"))?;
            let state = self.submission(&partner, &submission)?;
            if state.is_some_and(|state| state.last <= since) {
                idle.push((partner, submission));
            }
        }
        Ok(idle)
    }

    /// A checksum over all keys and values. Two indexes of one journal at the same checkpoint have the
    /// same.
    pub fn digest(&self) -> Result<u32> {
        let mut digest = 0;
        for pair in self.snapshot.scan(&[]) {
            let (key, value) = pair?;
            for part in [&key, &value] {
                digest = crc32c::crc32c_append(digest, &(part.len() as u64).to_be_bytes());
                digest = crc32c::crc32c_append(digest, part);
            }
        }
        Ok(digest)
    }
}

impl Index {
    /// The outcome of an entry. Waits until the entry is applied.
    pub async fn outcome(&self, sequence: u64) -> Result<Arc<Outcome>> {
        match self.outcomes.find(sequence) {
            OutcomeLookup::Recent(outcome) => Ok(outcome),
            OutcomeLookup::Waiting(receiver) => receiver.await.map_err(|_| {
                Error::new(Kind::Unknown, "apply_stopped", "the exchange is stopping: try again")
            }),
            OutcomeLookup::Stored => self.read_outcome(sequence),
        }
    }

    /// The outcome of an applied entry. Does not wait.
    pub fn applied_outcome(&self, sequence: u64) -> Result<Arc<Outcome>> {
        match self.outcomes.find(sequence) {
            OutcomeLookup::Recent(outcome) => Ok(outcome),
            OutcomeLookup::Waiting(_) | OutcomeLookup::Stored => self.read_outcome(sequence),
        }
    }

    fn read_outcome(&self, sequence: u64) -> Result<Arc<Outcome>> {
        stored_outcome(&self.read()?.snapshot, sequence).map(Arc::new)
    }
}

/// Reads the outcome of an entry from a snapshot.
pub(super) fn stored_outcome(snapshot: &Snapshot, sequence: u64) -> Result<Outcome> {
    let stored = snapshot.get(&keys::outcome(sequence))?;
    record::read_outcome(&stored.ok_or_else(|| corrupt("an outcome"))?)
}
