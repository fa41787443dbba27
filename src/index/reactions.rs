//! Reads of sightings and feedback.

use super::record::IdempotencyRecord;
use super::{View, corrupt, keys};
use crate::domain::accepted::{FeedbackRecord, SightingRecord};
use crate::domain::entry::RequestId;
use crate::domain::{IndicatorId, PartnerId, Position};
use crate::error::Result;

impl View<'_> {
    /// The idempotency record of a request.
    pub fn request_record(
        &self,
        partner: &PartnerId,
        request: &RequestId,
    ) -> Result<Option<IdempotencyRecord>> {
        let stored = self.snapshot.get(&keys::request(partner, request))?;
        stored.map(|stored| IdempotencyRecord::decode(&stored)).transpose()
    }

    /// The stored sightings of an indicator, ordered by author.
    pub fn sightings(
        &self,
        id: IndicatorId,
    ) -> impl Iterator<Item = Result<SightingRecord>> + use<> {
        self.snapshot.scan(&keys::sightings(id)).map(|pair| SightingRecord::decode(&pair?.1))
    }

    /// The feedback on a version, with its authors.
    pub fn feedback(
        &self,
        about: Position,
    ) -> impl Iterator<Item = Result<(PartnerId, FeedbackRecord)>> + use<> {
        self.snapshot.scan(&keys::feedback_on(about)).map(|pair| {
            let (key, value) = pair?;
            let giver = keys::read_feedback(&key).ok_or_else(|| corrupt("feedback"))?;
            Ok((giver, FeedbackRecord::decode(&value)?))
        })
    }
}
