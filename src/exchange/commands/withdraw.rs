//! Withdrawals of assessments.

use std::collections::BTreeSet;

use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{AppendId, Body, ItemOutcome, SubmissionId, Target, Withdrawal};
use crate::domain::sharing::Audience;
use crate::domain::{IndicatorId, PartnerId, Position, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::exchange::commands::Commands;
use crate::exchange::commit::{TARGETS_PER_ENTRY, targets_bytes};
use crate::exchange::core::{Caller, Core};
use crate::index::View;
use crate::index::record::EndReason;

/// The result of a withdrawal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WithdrawalReceipt {
    /// The versions that ended, each with its indicator.
    pub versions: Vec<(IndicatorId, Position)>,
    /// The sequences of the entries that ended them. For a submission, those of earlier withdrawals too.
    pub sequences: Vec<u64>,
}

impl WithdrawalReceipt {
    fn add(&mut self, more: Self) {
        self.versions.extend(more.versions);
        self.sequences.extend(more.sequences);
    }
}

impl Commands {
    /// Withdraws the caller's assessments of indicators, for one audience or all. An indicator without an assessment is
    /// no error. The withdrawal is durable and applied when this returns. Idempotent.
    pub async fn withdraw(
        &self,
        caller: &Caller,
        indicators: BTreeSet<IndicatorId>,
        audience: Option<&Audience>,
    ) -> Result<WithdrawalReceipt> {
        self.core.catch_up_with_others().await?;
        let (partner, audience) = (caller.partner().clone(), audience.map(AudienceDigest::of));
        let selecting =
            move |core: &Core| targets(&core.index.read()?, &partner, &indicators, audience);
        let targets = self.core.blocking(selecting).await?;
        self.commit_withdrawal(caller, caller.partner(), targets).await
    }

    /// Withdraws the current versions of a submission.
    pub async fn withdraw_submission(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
    ) -> Result<WithdrawalReceipt> {
        self.core.catch_up_with_others().await?;
        let (partner, submission) = (caller.partner().clone(), submission.clone());
        let reading =
            self.core.blocking(move |core| batches_of(&core.index.read()?, &partner, &submission));
        let entries = reading.await?;
        self.withdraw_entries(caller, caller.partner(), &entries).await
    }

    /// Withdraws the current versions that a partner submitted at or after a time, because its keys are compromised.
    pub(in crate::exchange) async fn withdraw_since(
        &self,
        operator: &Caller,
        partner: &PartnerId,
        since: Timestamp,
    ) -> Result<WithdrawalReceipt> {
        let id = partner.clone();
        let reading = self.core.blocking(move |core| core.index.read()?.entries_since(&id, since));
        let entries = reading.await?;
        self.withdraw_entries(operator, partner, &entries).await
    }

    /// Withdraws the current versions of entries.
    async fn withdraw_entries(
        &self,
        caller: &Caller,
        partner: &PartnerId,
        entries: &[u64],
    ) -> Result<WithdrawalReceipt> {
        let mut receipt = WithdrawalReceipt::default();
        let (mut pending, mut withdrawn_by) = (Vec::new(), BTreeSet::new());
        for sequence in entries {
            let (partner_id, sequence) = (partner.clone(), *sequence);
            let reading = self
                .core
                .blocking(move |core| versions_of(&core.index.read()?, &partner_id, sequence));
            let versions = reading.await?;
            pending.extend(versions.current);
            withdrawn_by.extend(versions.withdrawn_by);
            if pending.len() >= TARGETS_PER_ENTRY {
                let rest = pending.split_off(pending.len() / TARGETS_PER_ENTRY * TARGETS_PER_ENTRY);
                let full = std::mem::replace(&mut pending, rest);
                receipt.add(self.commit_withdrawal(caller, partner, full).await?);
            }
        }
        receipt.add(self.commit_withdrawal(caller, partner, pending).await?);
        withdrawn_by.extend(receipt.sequences);
        receipt.sequences = withdrawn_by.into_iter().collect();
        Ok(receipt)
    }

    /// Commits a withdrawal of targets, as several entries if there are many.
    async fn commit_withdrawal(
        &self,
        caller: &Caller,
        partner: &PartnerId,
        targets: Vec<Target>,
    ) -> Result<WithdrawalReceipt> {
        let mut receipt = WithdrawalReceipt::default();
        let mut remaining = targets.as_slice();
        while !remaining.is_empty() {
            let is_own = caller.partner() == partner;
            let allowance = if is_own {
                self.core.withdrawal_allowance(partner)?.require()?
            } else {
                usize::MAX
            };
            let count = remaining.len().min(allowance).min(TARGETS_PER_ENTRY);
            let (targets, next) = remaining.split_at(count);
            remaining = next;
            let targets = targets.to_vec();
            // The same targets can be withdrawn again later, so the checkpoint is part of the key. Retries at the same
            // checkpoint are stored once.
            let id = AppendId::derive(&[
                b"withdraw",
                partner.as_str().as_bytes(),
                &self.core.index.checkpoint().to_be_bytes(),
                &targets_bytes(&targets),
            ]);
            let withdrawal =
                Withdrawal { partner: partner.clone(), targets: targets.clone(), closed: None };
            let body = Body::Withdrawal(withdrawal);
            let committed = self.core.commit(id, Some(caller.partner()), body).await?;
            let outcomes = committed.items()?;
            let ended = targets.iter().zip(outcomes).filter_map(|(target, outcome)| {
                let ItemOutcome::Ended(version) = outcome else { return None };
                Some((target.id, *version))
            });
            let count_before = receipt.versions.len();
            receipt.versions.extend(ended);
            if receipt.versions.len() > count_before {
                receipt.sequences.push(committed.sequence);
            }
        }
        Ok(receipt)
    }
}

/// A partner's current assessments of these indicators, for one audience or all.
fn targets(
    view: &View<'_>,
    partner: &PartnerId,
    indicators: &BTreeSet<IndicatorId>,
    audience: Option<AudienceDigest>,
) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for id in indicators {
        let current = view.current_by(*id, partner)?.into_iter();
        let selected = current.filter(|target| audience.is_none_or(|a| a == target.audience));
        // Without a version, the entry ends whichever version is current when it is applied.
        targets.extend(selected.map(|target| Target { version: None, ..target }));
    }
    Ok(targets)
}

/// The versions of one entry.
#[derive(Debug, Default)]
struct EntryState {
    /// Those that are current.
    current: Vec<Target>,
    /// The entries that withdrew the others.
    withdrawn_by: Vec<u64>,
}

/// Reads which versions of an entry are current, and what withdrew the others.
fn versions_of(view: &View<'_>, partner: &PartnerId, sequence: u64) -> Result<EntryState> {
    let mut state = EntryState::default();
    let entry_versions = view.versions_of(sequence)?;
    for target in entry_versions.iter().flat_map(|versions| versions.targets(sequence)) {
        let current = view.current(target.id, partner, target.audience)?;
        if current.is_some_and(|current| Some(current.version) == target.version) {
            state.current.push(target);
        } else if let Some(version) = target.version
            && let Some(closed) = view.closed_version(version)?
            && closed.reason == EndReason::Withdrawn
        {
            // Withdrawn earlier, by an attempt of this request or another one. The receipt names that entry too.
            state.withdrawn_by.push(closed.ended_by.sequence);
        }
    }
    Ok(state)
}

/// The sequences of a submission's batches. Fails if the partner has no such submission.
pub(in crate::exchange) fn batches_of(
    view: &View<'_>,
    partner: &PartnerId,
    submission: &SubmissionId,
) -> Result<Vec<u64>> {
    if view.submission(partner, submission)?.is_none() {
        let message = "you have no submission of this id";
        return Err(Error::new(Kind::NotFound, "submission_unknown", message));
    }
    view.batches_of(partner, submission)
}
