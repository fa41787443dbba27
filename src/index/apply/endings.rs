//! Ends versions without a replacement: withdrawal and expiry.

use super::Applier;
use crate::domain::Position;
use crate::domain::entry::{Entry, Expiry, ItemOutcome, Outcome, Withdrawal};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{self, EndReason, RawAssessment};
use crate::index::store::Slice;

impl Applier {
    /// Ends each target that is still current.
    pub(super) fn withdrawal(&mut self, entry: &Entry, withdrawal: &Withdrawal) -> Result<Outcome> {
        let mut outcomes = Vec::with_capacity(withdrawal.targets.len());
        for (target, index) in withdrawal.targets.iter().zip(0..) {
            let by = Position::new(entry.sequence, index);
            let key = keys::assessment(target.id, &withdrawal.partner, target.audience);
            let ended = self.end(key, target.version, by, EndReason::Withdrawn)?;
            outcomes.push(ended.map_or(ItemOutcome::NoCurrentVersion, ItemOutcome::Ended));
        }
        Ok(Outcome::Applied(outcomes))
    }

    /// Ends each listed version that is still current.
    pub(super) fn expiry(&mut self, entry: &Entry, expiry: &Expiry) -> Result<Outcome> {
        let expired = expiry.sequence;
        let mut outcomes = Vec::with_capacity(expiry.versions.len());
        for ((index, id), number) in expiry.versions.iter().zip(0..) {
            let version = Position::new(expired, *index);
            let key = keys::assessment(*id, &expiry.partner, expiry.audience);
            let by = Position::new(entry.sequence, number);
            let ended = self.end(key, Some(version), by, EndReason::Expired)?;
            outcomes.push(ended.map_or(ItemOutcome::NoCurrentVersion, ItemOutcome::Ended));
        }
        self.remove(keys::ends(expiry.ends, expired));
        Ok(Outcome::Applied(outcomes))
    }

    /// Ends the version stored under `key`. If `version` is given, only that version.
    pub(super) fn end(
        &mut self,
        key: Vec<u8>,
        version: Option<Position>,
        by: Position,
        why: EndReason,
    ) -> Result<Option<Position>> {
        let Some(stored) = self.read(&key)? else { return Ok(None) };
        let old = RawAssessment::of(&stored)?;
        if version.is_some_and(|version| version != old.version) {
            return Ok(None);
        }
        self.put_closed(by, why, &old)?;
        self.remove(Slice::from(key));
        Ok(Some(old.version))
    }

    /// Stores what filters and access rules need of a closed version.
    pub(super) fn put_closed(
        &mut self,
        by: Position,
        why: EndReason,
        old: &RawAssessment<'_>,
    ) -> Result<()> {
        let closed = record::encode_closed(by, why, old.decode()?);
        self.put(keys::closed(old.version), closed);
        self.pending.closed.push(old.version);
        Ok(())
    }
}
