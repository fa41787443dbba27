//! Reads. None of them asks who may see: that is the exchange's, which holds the reader.

use std::sync::Arc;

use super::outcomes::Found;
use super::record::{self, ClosedVersion, Current, CurrentParts, SubmissionState, TakenBatch};
use super::{Index, corrupt, keys};
use crate::domain::entry::{ItemOutcome, Outcome, SubmissionId, VoidReason};
use crate::domain::{IndicatorId, PartnerId, Position, Timestamp};
use crate::error::{Error, Kind, Result};

impl Index {
    /// The current assessments of an indicator, each with its author, author by author.
    pub fn assessments(
        &self,
        id: IndicatorId,
    ) -> impl Iterator<Item = Result<(PartnerId, Current)>> {
        self.store.scan(&keys::assessments(id)).map(|pair| {
            let (key, value) = pair?;
            let author = keys::assessment_author(&key).ok_or_else(|| corrupt("an assessment"))?;
            Ok((author, CurrentParts::of(&value)?.decode()?))
        })
    }

    /// What is kept of a version that is no longer current.
    pub fn closed_version(&self, version: Position) -> Result<Option<ClosedVersion>> {
        let bytes = self.store.get(&keys::closed(version))?;
        bytes.map(|bytes| record::read_closed(&bytes)).transpose()
    }

    /// The batch that was taken under a key.
    pub fn taken_batch(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
        number: u32,
    ) -> Result<Option<TakenBatch>> {
        let kept = self.submissions.get(&keys::submission(partner, submission));
        // Behind the highest number none was taken.
        if kept.is_some_and(|kept| number > kept.highest) {
            return Ok(None);
        }
        let bytes = self.store.get(&keys::batch(partner, submission, number))?;
        bytes.map(|bytes| TakenBatch::decode(&bytes)).transpose()
    }

    /// A submission.
    pub fn submission(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<Option<SubmissionState>> {
        let bytes = self.store.get(&keys::submission(partner, submission))?;
        bytes.map(|bytes| SubmissionState::decode(&bytes)).transpose()
    }

    /// The open submissions that got no batch since `since`.
    pub fn idle_submissions(&self, since: Timestamp) -> Result<Vec<(PartnerId, SubmissionId)>> {
        let mut idle = Vec::new();
        for pair in self.store.scan(keys::OPEN) {
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

    /// What an entry came to, once it is applied.
    pub async fn outcome(&self, sequence: u64) -> Result<Arc<Outcome>> {
        match self.outcomes.find(sequence) {
            Found::Recent(outcome) => Ok(outcome),
            Found::Waiting(receiver) => receiver.await.map_err(|_| {
                Error::new(Kind::Unknown, "apply_stopped", "the exchange is stopping: try again")
            }),
            Found::Stored => self.stored_outcome(sequence),
        }
    }

    /// What an applied entry came to, for readers that never wait.
    pub fn applied_outcome(&self, sequence: u64) -> Result<Arc<Outcome>> {
        match self.outcomes.find(sequence) {
            Found::Recent(outcome) => Ok(outcome),
            Found::Waiting(_) | Found::Stored => self.stored_outcome(sequence),
        }
    }

    fn stored_outcome(&self, sequence: u64) -> Result<Arc<Outcome>> {
        let (items, void) = self.read_outcomes(sequence)?;
        Ok(Arc::new(void.map_or(Outcome::Taken(items), Outcome::Void)))
    }

    pub(super) fn read_outcomes(
        &self,
        sequence: u64,
    ) -> Result<(Vec<ItemOutcome>, Option<VoidReason>)> {
        let (mut items, mut void) = (Vec::new(), None);
        for pair in self.store.scan(&keys::outcomes(sequence)) {
            let (_, value) = pair?;
            void = record::read_outcomes(&value, &mut items)?.or(void);
        }
        Ok((items, void))
    }

    /// A digest over every key and value. Two indexes of one journal that have come equally far
    /// have the same.
    pub fn digest(&self) -> Result<u32> {
        let mut digest = 0;
        for pair in self.store.scan(&[]) {
            let (key, value) = pair?;
            for part in [&key, &value] {
                digest = crc32c::crc32c_append(digest, &(part.len() as u64).to_be_bytes());
                digest = crc32c::crc32c_append(digest, part);
            }
        }
        Ok(digest)
    }
}
