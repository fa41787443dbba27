//! Applies sightings and feedback. Each request counts once under its idempotency key.

use super::Applier;
use crate::domain::Position;
use crate::domain::accepted::{FeedbackRecord, SightingRecord};
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{Entry, Feedback, ItemOutcome, Outcome, Sightings, VoidReason};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, IdempotencyRecord, RawAssessment};

/// Sightings kept per indicator, author and audience: the newest ones.
const MAX_SIGHTINGS: u64 = 100;

impl Applier {
    pub(super) fn sightings(&mut self, entry: &Entry, sightings: &Sightings) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let key = keys::request(author, &sightings.request);
        if let Some(void) = self.check_idempotency(&key, sightings.digest)? {
            return Ok(Outcome::Void(void));
        }
        if !self.may_share(author, &sightings.sharing.audience) {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        }
        let taken = IdempotencyRecord {
            digest: sightings.digest,
            sequence: entry.sequence,
            time: entry.time,
        };
        self.put(key, taken.encode());
        let audience = AudienceDigest::of(&sightings.sharing.audience);
        for sighting in &sightings.items {
            let record = SightingRecord {
                position: Position::new(entry.sequence, sighting.index),
                author: author.clone(),
                accepted: entry.time,
                sharing: sightings.sharing.clone(),
                sighting: sighting.clone(),
            };
            self.put_sighting(audience, &record)?;
        }
        Ok(Outcome::Applied(vec![ItemOutcome::Created; sightings.items.len()]))
    }

    /// Stores a sighting; once the limit is reached it overwrites the oldest. The limit is per author
    /// and audience, so that hidden sightings never displace ones that others may see.
    fn put_sighting(&mut self, audience: AudienceDigest, record: &SightingRecord) -> Result<()> {
        let (id, author) = (record.sighting.id, &record.author);
        let key = keys::sighting_count(id, author, audience);
        let count = match self.read(&key)? {
            Some(count) => record::decode(&count, "a count of sightings")?,
            None => 0,
        };
        let slot = u8::try_from(count % MAX_SIGHTINGS).unwrap_or(0);
        self.put(key, record::encode(&(count + 1)));
        self.put(keys::sighting(id, author, audience, slot), record.encode());
        Ok(())
    }

    pub(super) fn feedback(&mut self, entry: &Entry, feedback: &Feedback) -> Result<Outcome> {
        let Some(author) = &entry.author else {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        };
        let key = keys::request(author, &feedback.request);
        if let Some(void) = self.check_idempotency(&key, feedback.digest)? {
            return Ok(Outcome::Void(void));
        }
        if !self.may_share(author, &feedback.sharing.audience) {
            return Ok(Outcome::Void(VoidReason::AudienceGone));
        }
        let target = &feedback.target;
        let about =
            self.read(&keys::assessment(target.id, &feedback.assessment_author, target.audience))?;
        let version = match &about {
            Some(stored) => RawAssessment::of(stored)?.version,
            None => return Ok(Outcome::Void(VoidReason::VersionGone)),
        };
        if target.version != Some(version) {
            return Ok(Outcome::Void(VoidReason::VersionGone));
        }
        let record = FeedbackRecord {
            position: Position::new(entry.sequence, 0),
            accepted: entry.time,
            assessment_author: feedback.assessment_author.clone(),
            id: target.id,
            opinion: feedback.opinion,
            note: feedback.note.clone(),
            sharing: feedback.sharing.clone(),
        };
        let taken = IdempotencyRecord {
            digest: feedback.digest,
            sequence: entry.sequence,
            time: entry.time,
        };
        self.put(key, taken.encode());
        self.put(keys::feedback(version, author), record.encode());
        Ok(Outcome::Applied(vec![ItemOutcome::Created]))
    }
}
