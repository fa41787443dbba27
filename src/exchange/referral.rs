//! Referrals: after a submission closes, each owner of a platform gets a tip with the assets on its platform. Any node
//! may compute the referral; it is stored once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::entry::{AppendId, Body, Referral, Referred, SubmissionId};
use crate::domain::sharing::Reader;
use crate::domain::{PartnerId, TipId, Tlp};
use crate::error::Result;
use crate::exchange::core::{Caller, Core};
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::tip::referral::{assets_of, batches_between};
use crate::index::record::ReferralProgress;
use crate::index::{Registry, View};

/// The most attempts to commit a referral. An attempt is void if access rights changed after it was computed.
const MAX_ATTEMPTS: usize = 5;

/// The assets of a submission, counted by owner.
#[derive(Debug, Default)]
struct AssetCounts {
    /// The number of assets of each owner, and their most restrictive TLP.
    by_owner: BTreeMap<PartnerId, (u32, Tlp)>,
    /// The number of assets that no owner takes.
    not_referred: u32,
}

impl Core {
    /// Refers the assets of a closed submission unless that is done already. Returns all its referrals.
    pub(in crate::exchange) async fn refer_submission(
        self: &Arc<Self>,
        caller: &Caller,
        submission: &SubmissionId,
    ) -> Result<ReferralProgress> {
        self.refer(caller.partner(), submission).await?;
        self.index.read()?.referral_progress(caller.partner(), submission)
    }

    /// Commits the referral of a submission. The id is derived from the close and from the access rights with which it
    /// was computed. Two nodes whose rights differ may both store one: apply makes the second void.
    pub(in crate::exchange) async fn refer(
        self: &Arc<Self>,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<()> {
        // If the rights keep changing, the next sweep tries again.
        for _ in 0..MAX_ATTEMPTS {
            let (author, id) = (partner.clone(), submission.clone());
            let referral = self.blocking(move |core| core.next_referral(&author, &id)).await?;
            let Some(referral) = referral else { break };
            let id = AppendId::derive(&[
                b"referral",
                partner.as_str().as_bytes(),
                submission.as_str().as_bytes(),
                &referral.close.to_be_bytes(),
                &referral.visibility_sequence.to_be_bytes(),
            ]);
            self.commit(id, None, Body::Referred(referral)).await?;
        }
        Ok(())
    }

    /// Computes the referral of a submission with the current access rights; `None` if it is done already.
    fn next_referral(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<Option<Referral>> {
        let view = self.index.read()?;
        if !view.is_unreferred(partner, submission)? {
            return Ok(None);
        }
        let ReferralProgress { up_to, close, .. } = view.referral_progress(partner, submission)?;
        let counts = self.count_by_owner(&view, partner, submission, (up_to, close))?;
        let referred = counts.by_owner.into_iter();
        let referred = referred.map(|(owner, (count, tlp))| Referred {
            id: self.random_tip_id(),
            owner,
            count,
            tlp,
        });
        Ok(Some(Referral {
            partner: partner.clone(),
            submission: submission.clone(),
            after: up_to,
            close,
            to: referred.collect(),
            not_referred: counts.not_referred,
            visibility_sequence: view.registry().visibility_changed_at(u64::MAX),
        }))
    }

    /// Counts the assets of the batches in the range `(after, up_to)`.
    fn count_by_owner(
        &self,
        view: &View<'_>,
        partner: &PartnerId,
        submission: &SubmissionId,
        range: (u64, u64),
    ) -> Result<AssetCounts> {
        let (registry, now) = (view.registry(), self.clock.now());
        let mut counts = AssetCounts::default();
        let mut readers: BTreeMap<PartnerId, Option<Reader>> = BTreeMap::new();
        for sequence in batches_between(view, partner, submission, range)? {
            for (_, current) in assets_of(view, partner, sequence)? {
                let platform = current.assessment.indicator.platform();
                let owner = platform.and_then(|platform| registry.owner(platform));
                if owner == Some(partner) {
                    continue;
                }
                let recipient = owner.filter(|owner| {
                    let reader = readers
                        .entry((*owner).clone())
                        .or_insert_with(|| referral_reader(registry, owner));
                    reader.as_ref().is_some_and(|reader| {
                        ReaderView::new(view, reader, now).may_see(
                            &current.sharing,
                            partner,
                            current.version,
                        )
                    })
                });
                match recipient {
                    None => counts.not_referred = counts.not_referred.saturating_add(1),
                    Some(owner) => {
                        let tlp = current.sharing.tlp;
                        let (count, strictest) =
                            counts.by_owner.entry(owner.clone()).or_insert((0, tlp));
                        *count = count.saturating_add(1);
                        *strictest = tlp.min(*strictest);
                    }
                }
            }
        }
        Ok(counts)
    }
}

/// The access rights of an owner; `None` if it takes no referrals.
fn referral_reader(registry: &Registry, owner: &PartnerId) -> Option<Reader> {
    let takes_referrals = registry.partner(owner).is_some_and(|partner| !partner.referrals_off);
    registry.reader(owner).filter(|_| takes_referrals)
}

impl Core {
    /// A random id for a tip.
    pub(in crate::exchange) fn random_tip_id(&self) -> TipId {
        let bytes = self.settings.random_ids.next();
        TipId::new(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}
