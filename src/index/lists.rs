//! Reads lists, closes that make them shorter, and withdrawals.

use std::collections::HashSet;

use super::keys::lists;
use super::record::{
    GenerationKey, ListClosing, ListRecord, PendingGeneration, SubmissionLists, WithdrawalRecord,
    decode,
};
use super::{View, corrupt};
use crate::domain::entry::{SubmissionId, Target};
use crate::domain::list::ListReceipt;
use crate::domain::{IndicatorId, PartnerId, Position, Timestamp};
use crate::error::Result;

/// The next values that a close withdraws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingWithdrawals {
    /// The sequence of the close.
    pub close: u64,
    /// The values, none if all are withdrawn or were sent again meanwhile.
    pub targets: Vec<Target>,
}

impl View<'_> {
    /// What the author's close of a submission did to its lists so far, and how much is left. `None` if it names none, or
    /// is not closed by its author. `resumes_at` is not set.
    pub fn list_receipt(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<Option<ListReceipt>> {
        let Some(closing) = self.submission_lists(partner, submission)?.closing else {
            return Ok(None);
        };
        let pending = self.count_pending(&closing.pending)?;
        let ListClosing { done, withdrawn_by, .. } = closing;
        Ok(Some(ListReceipt { done, withdrawn_by, pending, resumes_at: None }))
    }

    /// Up to `limit` values that the close of a submission decided to withdraw. `None` if the close is done.
    pub fn pending_withdrawals(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
        limit: usize,
    ) -> Result<Option<PendingWithdrawals>> {
        if self.snapshot.get(&lists::pending(partner, submission))?.is_none() {
            return Ok(None);
        }
        let named = self.submission_lists(partner, submission)?;
        let closing = named.closing.ok_or_else(|| corrupt("the lists of a submission"))?;
        let mut targets = Vec::new();
        for pending in closing.pending {
            if targets.len() == limit {
                break;
            }
            let audience = self.list(pending.generation.list)?.audience;
            let room = limit - targets.len();
            let members_after = |after| {
                let members = self.members_after(pending.generation, after).take(room);
                members.collect::<Result<Vec<_>>>()
            };
            let mut ids = members_after(pending.after)?;
            if ids.is_empty() && pending.after.is_some() {
                // The cursor may have passed members: see [`PendingGeneration::after`].
                ids = members_after(None)?;
            }
            targets.extend(ids.into_iter().map(|id| Target { id, audience, version: None }));
        }
        Ok(Some(PendingWithdrawals { close: closing.close, targets }))
    }

    /// The number of values that generations hold. A value that two lists hold for the same audience counts once.
    fn count_pending(&self, pending: &[PendingGeneration]) -> Result<u64> {
        let mut count = 0;
        let mut shared = Vec::new();
        for one in pending {
            let list = self.list(one.generation.list)?;
            let generation = list.generations.iter().find(|g| g.number == one.generation.number);
            match generation {
                Some(generation) if generation.shared > 0 => {
                    shared.push((*one, list.audience, generation.members));
                }
                Some(generation) => count += generation.members,
                // Its members are gone.
                None => {}
            }
        }
        if let [(_, _, members)] = shared[..] {
            return Ok(count + members);
        }
        let mut values = HashSet::new();
        for (one, audience, _) in shared {
            for id in self.members_after(one.generation, None) {
                values.insert((audience, id?));
            }
        }
        Ok(count + values.len() as u64)
    }

    /// The members of a generation, after a member or from the first one on.
    fn members_after(
        &self,
        generation: GenerationKey,
        after: Option<IndicatorId>,
    ) -> impl Iterator<Item = Result<IndicatorId>> + use<> {
        let prefix = lists::members(generation);
        let after = after.map(|id| lists::member(generation, id));
        self.snapshot.scan_after(&prefix, after).map(|pair| {
            let (key, _) = pair?;
            lists::read_member(&key).ok_or_else(|| corrupt("a member"))
        })
    }

    /// Up to `limit` withdrawals from before `time`, the oldest first: the targets that made them. Starts after the
    /// target `after`.
    pub fn withdrawals_before(
        &self,
        time: Timestamp,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Position>> {
        let mut found = Vec::new();
        let after = Some(lists::withdrawn_by(after));
        for pair in self.snapshot.scan_after(lists::WITHDRAWALS, after).take(limit) {
            let (key, withdrawn) = pair?;
            let damaged = || corrupt("a withdrawal");
            let withdrawn: &[u8] = decode(&withdrawn, "the key of a withdrawal")?;
            let record = self.snapshot.get(withdrawn)?.ok_or_else(damaged)?;
            if WithdrawalRecord::decode(&record)?.at >= time {
                break;
            }
            found.push(lists::read_withdrawn_by(&key).ok_or_else(damaged)?);
        }
        Ok(found)
    }

    /// Up to `limit` submissions whose close still has values to withdraw, those that come after `after`.
    pub fn incomplete_list_closes(
        &self,
        after: Option<&(PartnerId, SubmissionId)>,
        limit: usize,
    ) -> Result<Vec<(PartnerId, SubmissionId)>> {
        let after = after.map(|(partner, submission)| lists::pending(partner, submission));
        let keys = self.snapshot.scan_after(lists::PENDING, after).take(limit);
        let read = keys.map(|pair| {
            lists::read_pending(&pair?.0).ok_or_else(|| corrupt("a close with withdrawals"))
        });
        read.collect()
    }

    fn list(&self, number: u64) -> Result<ListRecord> {
        let stored = self.snapshot.get(&lists::list(number))?;
        ListRecord::decode(&stored.ok_or_else(|| corrupt("a list"))?)
    }

    fn submission_lists(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<SubmissionLists> {
        let stored = self.snapshot.get(&lists::of_submission(partner, submission))?;
        Ok(stored.map(|bytes| SubmissionLists::decode(&bytes)).transpose()?.unwrap_or_default())
    }
}
