//! Withdrawals.

use std::collections::BTreeSet;

use crate::domain::audience::AudienceDigest;
use crate::domain::entry::{AppendId, Body, ItemOutcome, SubmissionId, Target, Withdrawal};
use crate::domain::sharing::Audience;
use crate::domain::{IndicatorId, PartnerId, Position, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::exchange::commands::Commands;
use crate::exchange::core::Caller;
use crate::index::View;
use crate::index::record::EndReason;

/// Versions that one entry ends. A larger withdrawal becomes several entries, so that it delays no receipt.
const TARGETS_PER_ENTRY: usize = 500;

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
    /// Withdraws the caller's assessments of indicators, for one audience or all. An indicator without one is no error.
    /// Durable and applied when it returns. Idempotent.
    pub async fn withdraw(
        &self,
        caller: &Caller,
        indicators: &BTreeSet<IndicatorId>,
        audience: Option<&Audience>,
    ) -> Result<WithdrawalReceipt> {
        let audience = audience.map(AudienceDigest::of);
        let targets = self.targets(caller.partner(), indicators, audience)?;
        self.commit_withdrawal(caller, caller.partner(), targets).await
    }

    /// The current assessments of a partner of these indicators, for one audience or all.
    fn targets(
        &self,
        partner: &PartnerId,
        indicators: &BTreeSet<IndicatorId>,
        audience: Option<AudienceDigest>,
    ) -> Result<Vec<Target>> {
        let (view, mut targets) = (self.core.index.read()?, Vec::new());
        for id in indicators {
            let current = view.current_by(*id, partner)?.into_iter();
            let named = current.filter(|target| audience.is_none_or(|a| a == target.audience));
            // No version: the entry ends whichever is current when it is applied.
            targets.extend(named.map(|target| Target { version: None, ..target }));
        }
        Ok(targets)
    }

    /// Withdraws the current versions of a submission.
    pub async fn withdraw_submission(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
    ) -> Result<WithdrawalReceipt> {
        let entries = batches_of(&self.core.index.read()?, caller.partner(), submission)?;
        self.end_entries(caller, caller.partner(), &entries).await
    }

    /// Withdraws the current versions that a partner submitted at or after a time, because its keys were compromised.
    pub(in crate::exchange) async fn withdraw_since(
        &self,
        operator: &Caller,
        partner: &PartnerId,
        since: Timestamp,
    ) -> Result<WithdrawalReceipt> {
        let entries = self.core.index.read()?.entries_since(partner, since)?;
        self.end_entries(operator, partner, &entries).await
    }

    async fn end_entries(
        &self,
        by: &Caller,
        partner: &PartnerId,
        entries: &[u64],
    ) -> Result<WithdrawalReceipt> {
        let mut withdrawn = WithdrawalReceipt::default();
        let (mut standing, mut before) = (Vec::new(), BTreeSet::new());
        for sequence in entries {
            self.collect_versions(partner, *sequence, &mut standing, &mut before)?;
            if standing.len() >= TARGETS_PER_ENTRY {
                let rest =
                    standing.split_off(standing.len() / TARGETS_PER_ENTRY * TARGETS_PER_ENTRY);
                withdrawn.add(
                    self.commit_withdrawal(by, partner, std::mem::replace(&mut standing, rest))
                        .await?,
                );
            }
            // A selection may be large: yield to other requests.
            tokio::task::yield_now().await;
        }
        withdrawn.add(self.commit_withdrawal(by, partner, standing).await?);
        before.extend(withdrawn.sequences);
        withdrawn.sequences = before.into_iter().collect();
        Ok(withdrawn)
    }

    /// Collects the current versions of an entry, and the entries that withdrew the others.
    fn collect_versions(
        &self,
        partner: &PartnerId,
        sequence: u64,
        standing: &mut Vec<Target>,
        before: &mut BTreeSet<u64>,
    ) -> Result<()> {
        let view = self.core.index.read()?;
        let brought = view.versions_of(sequence)?;
        for target in brought.iter().flat_map(|brought| brought.targets(sequence)) {
            let current = view.current(target.id, partner, target.audience)?;
            if current.is_some_and(|current| Some(current.version) == target.version) {
                standing.push(target);
            } else if let Some(version) = target.version
                && let Some(closed) = view.closed_version(version)?
                && closed.why == EndReason::Withdrawn
            {
                // Withdrawn before, by an earlier try or by itself: the answer names that entry too.
                before.insert(closed.by.sequence);
            }
        }
        Ok(())
    }

    async fn commit_withdrawal(
        &self,
        by: &Caller,
        partner: &PartnerId,
        targets: Vec<Target>,
    ) -> Result<WithdrawalReceipt> {
        let mut withdrawn = WithdrawalReceipt::default();
        for targets in targets.chunks(TARGETS_PER_ENTRY) {
            let targets = targets.to_vec();
            // The same targets can be withdrawn again later, so the checkpoint is part of the key. A retry at the
            // same checkpoint is stored once.
            let id = AppendId::derive(&[
                b"withdraw",
                partner.as_str().as_bytes(),
                &self.core.index.checkpoint().to_be_bytes(),
                &digest_of(&targets),
            ]);
            let body =
                Body::Withdrawal(Withdrawal { partner: partner.clone(), targets: targets.clone() });
            let committed = self.core.commit(id, Some(by.partner()), body).await?;
            let outcomes = committed.items()?;
            let ended = targets.iter().zip(outcomes).filter_map(|(target, outcome)| {
                let ItemOutcome::Ended(version) = outcome else { return None };
                Some((target.id, *version))
            });
            let before = withdrawn.versions.len();
            withdrawn.versions.extend(ended);
            if withdrawn.versions.len() > before {
                withdrawn.sequences.push(committed.sequence);
            }
        }
        Ok(withdrawn)
    }
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

fn digest_of(targets: &[Target]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(targets.len() * 36);
    for Target { id, audience, version } in targets {
        bytes.extend_from_slice(id.as_bytes());
        bytes.extend_from_slice(&audience.0);
        let version = version.unwrap_or_default();
        bytes.extend_from_slice(&version.sequence.to_be_bytes());
        bytes.extend_from_slice(&version.index.to_be_bytes());
    }
    bytes
}
