//! Applies the membership of lists. A member leaves a list when its assessment ends, for whatever reason.

use std::collections::BTreeMap;

use super::Applier;
use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{Batch, ItemOutcome};
use crate::domain::list::ListName;
use crate::domain::{IndicatorId, PartnerId};
use crate::error::Result;
use crate::index::corrupt;
use crate::index::keys::{self, lists};
use crate::index::record::{
    Generation, GenerationKey, GenerationState, ListMemberships, ListRecord, SubmissionLists,
    SubmissionState, decode, encode,
};

/// How the counts of generations change: members, and members that another list holds too.
pub(super) type CountChanges = BTreeMap<GenerationKey, (i64, i64)>;

impl Applier {
    /// Makes the items of a batch, which is the entry `sequence`, members of its list. `state` is that of its submission.
    pub(super) fn add_to_list(
        &mut self,
        author: &PartnerId,
        audience: AudienceDigest,
        batch: &Batch,
        outcomes: &[ItemOutcome],
        state: &SubmissionState,
        sequence: u64,
    ) -> Result<()> {
        let Some(name) = &batch.list else { return Ok(()) };
        let list = self.list_number(author, audience, name, sequence)?;
        self.record_submission_list(author, batch, list)?;
        let generation = GenerationKey { list, number: state.opened };
        let mut changes = CountChanges::new();
        for (item, outcome) in batch.items.iter().zip(outcomes) {
            if *outcome != ItemOutcome::VerdictConflict {
                let key = keys::assessment(item.id, author, audience);
                let before = self.memberships(&key)?;
                let mut after = before.clone();
                after.retain(|held| held.list != list);
                after.push(generation);
                self.put_memberships(&key, item.id, &before, after, &mut changes);
            }
        }
        self.count_members(changes, state)
    }

    /// Removes an indicator from all lists of an author for an audience, because its assessment ended. `key` is the
    /// key of the assessment.
    pub(super) fn leave_lists(&mut self, key: &[u8], id: IndicatorId) -> Result<()> {
        let before = self.memberships(key)?;
        let mut changes = CountChanges::new();
        self.put_memberships(key, id, &before, Vec::new(), &mut changes);
        self.count_members(changes, &SubmissionState::default())
    }

    /// The lists that hold the indicator of an assessment.
    pub(super) fn memberships(&self, key: &[u8]) -> Result<Vec<GenerationKey>> {
        let stored = self.read(&lists::memberships(key))?;
        Ok(stored.map(|bytes| ListMemberships::decode(&bytes)).transpose()?.unwrap_or_default().0)
    }

    pub(super) fn list(&self, number: u64) -> Result<ListRecord> {
        let stored = self.read(&lists::list(number))?.ok_or_else(|| corrupt("a list"))?;
        ListRecord::decode(&stored)
    }

    pub(super) fn put_list(&mut self, number: u64, list: &ListRecord) {
        self.put(lists::list(number), list.encode());
    }

    pub(super) fn submission_lists(&self, key: &[u8]) -> Result<SubmissionLists> {
        let stored = self.read(key)?;
        Ok(stored.map(|bytes| SubmissionLists::decode(&bytes)).transpose()?.unwrap_or_default())
    }

    /// The number of a list. A list that is named for the first time gets the sequence of the entry.
    fn list_number(
        &mut self,
        author: &PartnerId,
        audience: AudienceDigest,
        name: &ListName,
        sequence: u64,
    ) -> Result<u64> {
        let key = lists::named(author, audience, name);
        if let Some(stored) = self.read(&key)? {
            return decode(&stored, "the number of a list");
        }
        self.put(key, encode(&sequence));
        let list = ListRecord { name: name.clone(), audience, size: 0, generations: Vec::new() };
        self.put_list(sequence, &list);
        Ok(sequence)
    }

    /// Records that a submission names a list.
    fn record_submission_list(
        &mut self,
        author: &PartnerId,
        batch: &Batch,
        list: u64,
    ) -> Result<()> {
        let key = lists::of_submission(author, &batch.submission);
        let mut named = self.submission_lists(&key)?;
        if !named.lists.contains(&list) {
            named.lists.push(list);
            self.put(key, named.encode());
        }
        Ok(())
    }

    /// Sets which lists hold an indicator. The caller passes the `changes` of all indicators to [`Self::count_members`].
    pub(super) fn put_memberships(
        &mut self,
        key: &[u8],
        id: IndicatorId,
        before: &[GenerationKey],
        mut after: Vec<GenerationKey>,
        changes: &mut CountChanges,
    ) {
        after.sort_unstable();
        if before == after {
            return;
        }
        for (held, sign) in [(before, -1), (&after, 1)] {
            let shared = i64::from(held.len() > 1);
            for generation in held {
                let change = changes.entry(*generation).or_default();
                change.0 += sign;
                change.1 += sign * shared;
            }
        }
        for left in before.iter().filter(|held| !after.contains(held)) {
            self.remove(lists::member(*left, id));
        }
        for joined in after.iter().filter(|held| !before.contains(held)) {
            self.put(lists::member(*joined, id), Vec::new());
        }
        let key = lists::memberships(key);
        if after.is_empty() {
            self.remove(key);
        } else {
            self.put(key, ListMemberships(after).encode());
        }
    }

    /// Changes the counts of generations. A generation that is new belongs to the open submission of `state`.
    pub(super) fn count_members(
        &mut self,
        changes: CountChanges,
        state: &SubmissionState,
    ) -> Result<()> {
        for (key, (members, shared)) in changes {
            let mut list = self.list(key.list)?;
            let at = list.generations.iter().position(|one| one.number == key.number);
            let at = at.unwrap_or_else(|| {
                list.generations.push(Generation {
                    number: key.number,
                    submission: state.first,
                    members: 0,
                    shared: 0,
                    state: GenerationState::Open,
                });
                list.generations.len() - 1
            });
            let generation = &mut list.generations[at];
            generation.members = generation.members.saturating_add_signed(members);
            generation.shared = generation.shared.saturating_add_signed(shared);
            if generation.members == 0 {
                list.generations.remove(at);
            }
            self.put_list(key.list, &list);
        }
        Ok(())
    }
}
