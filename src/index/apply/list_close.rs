//! Applies what the close of a submission means for its lists: which values are withdrawn, and the entries that withdraw
//! them.

use super::Applier;
use super::lists::CountChanges;
use crate::domain::Position;
use crate::domain::entry::{
    Close, ClosedSubmission, Entry, ItemOutcome, Outcome, Target, VoidReason, Withdrawal,
};
use crate::domain::list::{ListChanges, needs_confirmation};
use crate::error::Result;
use crate::index::keys::{self, lists};
use crate::index::record::{
    EndReason, Generation, GenerationKey, GenerationState, ListClosing, ListRecord,
    PendingGeneration, SubmissionLists, SubmissionState,
};

impl Applier {
    /// Why the lists of a submission do not allow its close, if they do not.
    pub(super) fn check_lists(
        &self,
        state: &SubmissionState,
        close: &Close,
    ) -> Result<Option<VoidReason>> {
        if !state.names_list || close.policy.shrink || !may_withdraw(state, close) {
            return Ok(None);
        }
        let named =
            self.submission_lists(&lists::of_submission(&close.partner, &close.submission))?;
        // A value that another list has stays. But if the submission names several lists, it may leave all of them: then
        // such values are counted too, so the number may be too high.
        let count = if named.lists.len() > 1 { all_members } else { exclusive_members };
        for number in named.lists {
            let list = self.list(number)?;
            let replaced = list.generations.iter().filter(|one| is_replaced(one, state.first));
            let would_withdraw = replaced.map(count).sum();
            if needs_confirmation(would_withdraw, list.size) {
                let (list, size) = (list.name, list.size);
                return Ok(Some(VoidReason::ListShrinks { list, would_withdraw, size }));
            }
        }
        Ok(None)
    }

    /// Closes the generation of a submission in its lists. If the author closes it, decides what is withdrawn.
    pub(super) fn close_lists(
        &mut self,
        entry: &Entry,
        state: &SubmissionState,
        close: &Close,
    ) -> Result<()> {
        let key = lists::of_submission(&close.partner, &close.submission);
        let mut named = self.submission_lists(&key)?;
        let mut closing = ListClosing {
            close: entry.sequence,
            done: ListChanges::default(),
            withdrawn_by: None,
            pending: Vec::new(),
        };
        for number in &named.lists {
            let mut list = self.list(*number)?;
            let withdraws = may_withdraw(state, close);
            replace_generations(*number, &mut list, state.first, withdraws, &mut closing);
            for own in list.generations.iter_mut().filter(|one| one.submission == state.first) {
                if own.state == GenerationState::Open {
                    own.state = GenerationState::Closed;
                }
            }
            let is_member = |one: &&Generation| one.state == GenerationState::Closed;
            list.size = list.generations.iter().filter(is_member).map(|one| one.members).sum();
            self.put_list(*number, &list);
        }
        if close.batches.is_some() {
            if !closing.pending.is_empty() {
                self.put(lists::pending(&close.partner, &close.submission), Vec::new());
            }
            named.closing = Some(closing);
            self.put(key, named.encode());
        }
        Ok(())
    }

    /// Withdraws targets that a close decided to withdraw. A target that a later submission sent again, or that another
    /// list holds, stays.
    pub(super) fn list_withdrawal(
        &mut self,
        entry: &Entry,
        withdrawal: &Withdrawal,
        closed: &ClosedSubmission,
    ) -> Result<Outcome> {
        let key = lists::of_submission(&withdrawal.partner, &closed.submission);
        let mut named = self.submission_lists(&key)?;
        let decided = |closing: &ListClosing| closing.close == closed.close;
        let Some(mut closing) = named.closing.take().filter(decided) else {
            return Ok(Outcome::Void(VoidReason::AlreadyApplied));
        };
        let mut outcomes = Vec::with_capacity(withdrawal.targets.len());
        let mut changes = CountChanges::new();
        for (target, index) in withdrawal.targets.iter().zip(0..) {
            let by = Position::new(entry.sequence, index);
            let (closing, changes) = (&mut closing, &mut changes);
            outcomes
                .push(self.withdraw_from_lists(entry, withdrawal, target, by, closing, changes)?);
        }
        self.count_members(changes, &SubmissionState::default())?;
        self.count_withdrawn(entry, withdrawal, &outcomes)?;
        let mut pending = Vec::new();
        for one in std::mem::take(&mut closing.pending) {
            let list = self.list(one.generation.list)?;
            if list.generations.iter().any(|left| left.number == one.generation.number) {
                pending.push(one);
            }
        }
        if pending.is_empty() {
            self.remove(lists::pending(&withdrawal.partner, &closed.submission));
        }
        closing.pending = pending;
        let named = SubmissionLists { closing: Some(closing), ..named };
        self.put(key, named.encode());
        Ok(Outcome::Applied(outcomes))
    }

    fn withdraw_from_lists(
        &mut self,
        entry: &Entry,
        withdrawal: &Withdrawal,
        target: &Target,
        by: Position,
        closing: &mut ListClosing,
        changes: &mut CountChanges,
    ) -> Result<ItemOutcome> {
        let key = keys::assessment(target.id, &withdrawal.partner, target.audience);
        let before = self.memberships(&key)?;
        // Targets are read from one pending generation after the other, so this is usually the one from which the
        // target was read. If the target has left that one since, the cursor of a later generation moves past members
        // that are still to be withdrawn.
        let found = closing.pending.iter_mut().find(|one| before.contains(&one.generation));
        let Some(found) = found else { return Ok(ItemOutcome::NoCurrentVersion) };
        found.after = Some(target.id);
        let mut after = before.clone();
        after.retain(|held| !closing.pending.iter().any(|one| one.generation == *held));
        let is_held = !after.is_empty();
        self.put_memberships(&key, target.id, &before, after, changes);
        if is_held {
            closing.done.held_by_other_lists += 1;
            return Ok(ItemOutcome::NoCurrentVersion);
        }
        let ended = self.end(key.clone(), None, by, EndReason::Withdrawn)?;
        Ok(match ended {
            Some(version) => {
                closing.done.withdrawn += 1;
                let first = closing.withdrawn_by.map_or(entry.sequence, |(first, _)| first);
                closing.withdrawn_by = Some((first, entry.sequence));
                self.record_withdrawal(&key, &withdrawal.partner, entry.time, by);
                ItemOutcome::Ended(version)
            }
            None => ItemOutcome::NoCurrentVersion,
        })
    }
}

/// Whether the close may withdraw what the lists of its submission lack.
fn may_withdraw(state: &SubmissionState, close: &Close) -> bool {
    let is_complete = state.rejected == 0 && close.policy.unreadable == 0;
    close.batches.is_some() && (is_complete || close.policy.shrink)
}

/// Whether a generation is part of the list that a submission replaces. What a later submission sent is newer: an older
/// one that is closed after it, such as a command that was run again after it had stopped, does not undo it.
fn is_replaced(generation: &Generation, submission: u64) -> bool {
    generation.state == GenerationState::Closed && generation.submission < submission
}

/// Decides about the members of a list that a submission lacks.
fn replace_generations(
    number: u64,
    list: &mut ListRecord,
    submission: u64,
    withdraws: bool,
    closing: &mut ListClosing,
) {
    for generation in &mut list.generations {
        if !is_replaced(generation, submission) {
            continue;
        }
        if withdraws {
            generation.state = GenerationState::Withdrawing;
            let generation = GenerationKey { list: number, number: generation.number };
            closing.pending.push(PendingGeneration { generation, after: None });
        } else {
            closing.done.not_withdrawn += exclusive_members(generation);
        }
    }
}

/// The number of members.
fn all_members(generation: &Generation) -> u64 {
    generation.members
}

/// The number of members that no other list holds.
fn exclusive_members(generation: &Generation) -> u64 {
    generation.members.saturating_sub(generation.shared)
}
