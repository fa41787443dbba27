//! Referrals: the assets of a closed submission, as a tip to each owner of their platforms. The first node that gets to
//! it computes the referral, and it is stored once.

use std::collections::BTreeMap;

use crate::domain::entry::{AppendId, Body, Referral, Referred, SubmissionId};
use crate::domain::sharing::Reader;
use crate::domain::{PartnerId, TipId, Tlp};
use crate::error::Result;
use crate::exchange::core::{Caller, Core};
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::tip::referral::{assets_of, batches_between};
use crate::index::record::ReferralProgress;
use crate::index::{Registry, View};

/// Tries to commit a referral. It is void if access rights changed after it was computed.
const TRIES: usize = 5;

/// Assets to refer, by owner, and the number of those without one that takes referrals.
#[derive(Debug, Default)]
struct Found {
    to: BTreeMap<PartnerId, (u32, Tlp)>,
    not_referred: u32,
}

impl Core {
    /// Refers the assets of a closed submission, unless that is done, and returns all its referrals.
    pub(in crate::exchange) async fn refer_submission(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
    ) -> Result<ReferralProgress> {
        self.refer(caller.partner(), submission).await?;
        self.index.read()?.referral_progress(caller.partner(), submission)
    }

    /// Commits the referral of a submission. Any node may: the id is derived from the close, so it is stored once.
    pub(in crate::exchange) async fn refer(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<()> {
        // If the rights keep changing, the next sweep tries again.
        for _ in 0..TRIES {
            let Some(referral) = self.next_referral(partner, submission).await? else { break };
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

    /// The referral of a submission by the current rights; `None` if it is done.
    async fn next_referral(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<Option<Referral>> {
        let view = self.index.read()?;
        if !view.is_unreferred(partner, submission)? {
            return Ok(None);
        }
        let ReferralProgress { up_to, close, .. } = view.referral_progress(partner, submission)?;
        let found = self.count_by_owner(&view, partner, submission, (up_to, close)).await?;
        let to = found.to.into_iter();
        let to =
            to.map(|(owner, (count, tlp))| Referred { id: random_tip_id(), owner, count, tlp });
        Ok(Some(Referral {
            partner: partner.clone(),
            submission: submission.clone(),
            after: up_to,
            close,
            to: to.collect(),
            not_referred: found.not_referred,
            visibility_sequence: view.registry().visibility_changed_at(u64::MAX),
        }))
    }

    async fn count_by_owner(
        &self,
        view: &View<'_>,
        partner: &PartnerId,
        submission: &SubmissionId,
        between: (u64, u64),
    ) -> Result<Found> {
        let (mut found, registry, now) = (Found::default(), view.registry(), self.clock.now());
        let mut readers: BTreeMap<PartnerId, Option<Reader>> = BTreeMap::new();
        for sequence in batches_between(view, partner, submission, between)? {
            for (_, current) in assets_of(view, partner, sequence)? {
                let platform = current.assessment.indicator.platform();
                let owner = platform.and_then(|platform| registry.owner(platform));
                if owner == Some(partner) {
                    continue;
                }
                let takes = owner.filter(|owner| {
                    let reader = readers
                        .entry((*owner).clone())
                        .or_insert_with(|| takes_referrals(registry, owner));
                    reader.as_ref().is_some_and(|reader| {
                        ReaderView::new(view, reader, now).may_see(
                            &current.sharing,
                            partner,
                            current.version,
                        )
                    })
                });
                match takes {
                    None => found.not_referred = found.not_referred.saturating_add(1),
                    Some(owner) => {
                        let tlp = current.sharing.tlp;
                        let (count, narrowest) = found.to.entry(owner.clone()).or_insert((0, tlp));
                        *count = count.saturating_add(1);
                        *narrowest = tlp.min(*narrowest);
                    }
                }
            }
            // A selection may be large: yield to other requests.
            tokio::task::yield_now().await;
        }
        Ok(found)
    }
}

/// The rights of an owner; `None` if it takes no referrals.
fn takes_referrals(registry: &Registry, owner: &PartnerId) -> Option<Reader> {
    let takes = registry.partner(owner).is_some_and(|partner| !partner.referrals_off);
    registry.reader(owner).filter(|_| takes)
}

/// A random id for a tip.
pub(in crate::exchange) fn random_tip_id() -> TipId {
    TipId::new(uuid::Builder::from_random_bytes(rand::random()).into_uuid())
}
