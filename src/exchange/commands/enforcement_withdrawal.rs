//! Withdrawals of enforcements.

use crate::domain::audience::AudienceDigest;
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::{AppendId, Body, EnforcementTarget, EnforcementWithdrawal, ItemOutcome};
use crate::domain::sharing::Audience;
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commit::TARGETS_PER_ENTRY;
use crate::exchange::core::Caller;
use crate::index::View;

/// The result of a withdrawal of enforcements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnforcementWithdrawalReceipt {
    /// The versions that ended, each with the author's id.
    pub versions: Vec<(EnforcementId, Position)>,
    /// The sequences of the entries that ended them.
    pub sequences: Vec<u64>,
}

impl Commands {
    /// Withdraws the caller's enforcements with these ids, for one audience or all. An id without a current enforcement
    /// is no error. The withdrawal is durable and applied when this returns. Idempotent.
    pub async fn withdraw_enforcements(
        &self,
        caller: &Caller,
        ids: &[EnforcementId],
        audience: Option<&Audience>,
    ) -> Result<EnforcementWithdrawalReceipt> {
        self.core.catch_up_with_others().await?;
        let audience = audience.map(AudienceDigest::of);
        let targets = targets(&self.core.index.read()?, caller.partner(), ids, audience)?;
        let mut receipt = EnforcementWithdrawalReceipt::default();
        for targets in targets.chunks(TARGETS_PER_ENTRY) {
            // The same enforcements can be withdrawn again later, so the checkpoint is part of the key. Retries at the
            // same checkpoint are stored once.
            let checkpoint = self.core.index.checkpoint().to_be_bytes();
            let mut parts: Vec<&[u8]> =
                vec![b"withdraw-enforcements", caller.partner().as_str().as_bytes(), &checkpoint];
            for target in targets {
                parts.extend([target.id.as_str().as_bytes(), target.audience.0.as_slice()]);
            }
            let body =
                Body::EnforcementWithdrawal(EnforcementWithdrawal { targets: targets.to_vec() });
            let append_id = AppendId::derive(&parts);
            let committed = self.core.commit(append_id, Some(caller.partner()), body).await?;
            let count_before = receipt.versions.len();
            for (target, outcome) in targets.iter().zip(committed.items()?) {
                if let ItemOutcome::Ended(version) = outcome {
                    receipt.versions.push((target.id.clone(), *version));
                }
            }
            if receipt.versions.len() > count_before {
                receipt.sequences.push(committed.sequence);
            }
        }
        Ok(receipt)
    }
}

/// A partner's current enforcements with these ids, for one audience or all. Each once.
fn targets(
    view: &View<'_>,
    partner: &PartnerId,
    ids: &[EnforcementId],
    audience: Option<AudienceDigest>,
) -> Result<Vec<EnforcementTarget>> {
    let mut targets: Vec<EnforcementTarget> = Vec::new();
    for id in ids {
        if targets.iter().any(|target| target.id == *id) {
            continue;
        }
        for record in view.enforcement_versions(partner, id) {
            let of_record = AudienceDigest::of(&record?.sharing.audience);
            if audience.is_none_or(|audience| audience == of_record) {
                targets.push(EnforcementTarget { id: id.clone(), audience: of_record });
            }
        }
    }
    Ok(targets)
}
