//! Ends versions without a replacement: withdrawal and expiry.

use super::Applier;
use super::lookups::LookupKeys;
use crate::domain::Position;
use crate::domain::activity::Activity;
use crate::domain::entry::{Entry, Expiry, ItemOutcome, Outcome, Withdrawal};
use crate::error::Result;
use crate::index::record::{self, EndReason, RawAssessment};
use crate::index::store::Slice;
use crate::index::{corrupt, keys};

impl Applier {
    /// Ends each target that is still current.
    pub(super) fn withdrawal(&mut self, entry: &Entry, withdrawal: &Withdrawal) -> Result<Outcome> {
        if let Some(closed) = &withdrawal.closed {
            return self.list_withdrawal(entry, withdrawal, closed);
        }
        let is_author = entry.author.as_ref() == Some(&withdrawal.partner);
        let mut outcomes = Vec::with_capacity(withdrawal.targets.len());
        for (target, index) in withdrawal.targets.iter().zip(0..) {
            let by = Position::new(entry.sequence, index);
            let key = keys::assessment(target.id, &withdrawal.partner, target.audience);
            let ended = self.end(key.clone(), target.version, by, EndReason::Withdrawn)?;
            if is_author && ended.is_some() {
                self.record_withdrawal(&key, &withdrawal.partner, entry.time, by);
            }
            outcomes.push(ended.map_or(ItemOutcome::NoCurrentVersion, ItemOutcome::Ended));
        }
        if is_author {
            self.count_withdrawn(entry, withdrawal, &outcomes)?;
        }
        Ok(Outcome::Applied(outcomes))
    }

    /// Counts what a partner withdrew.
    pub(super) fn count_withdrawn(
        &mut self,
        entry: &Entry,
        withdrawal: &Withdrawal,
        outcomes: &[ItemOutcome],
    ) -> Result<()> {
        let is_ended = |outcome: &&ItemOutcome| matches!(outcome, ItemOutcome::Ended(_));
        let withdrawn = outcomes.iter().filter(is_ended).count() as u64;
        let more = Activity { withdrawn, ..Activity::default() };
        self.count_activity(&withdrawal.partner, entry.time, more)
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
        let lookup_keys = self.put_closed(by, why, &old)?;
        self.remove_lookup_keys(&key, &lookup_keys)?;
        let id = keys::assessment_indicator(&key).ok_or_else(|| corrupt("an assessment"))?;
        self.leave_lists(&key, id)?;
        self.remove(Slice::from(key));
        Ok(Some(old.version))
    }

    /// Stores what filters and access rules need of a closed version. Returns what the version was found by.
    pub(super) fn put_closed(
        &mut self,
        by: Position,
        why: EndReason,
        old: &RawAssessment<'_>,
    ) -> Result<LookupKeys> {
        let version = old.decode()?;
        let lookup_keys = LookupKeys::of(&version.assessment);
        let closed = record::encode_closed(by, why, version);
        self.put(keys::closed(old.version), closed);
        self.pending.closed.push(old.version);
        Ok(lookup_keys)
    }
}
