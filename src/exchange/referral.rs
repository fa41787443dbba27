//! What a submission brings to the owners of platforms: worked out when it closes, by whichever node
//! comes to it first, and taken once.

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

/// How often a referral is worked out anew, where what anybody may see changed before it was taken.
const TRIES: usize = 5;

/// What there is to refer, by owner, and how many assets go to nobody.
#[derive(Debug, Default)]
struct Found {
    to: BTreeMap<PartnerId, (u32, Tlp)>,
    not_referred: u32,
}

impl Core {
    /// Refers what a caller's submission brought, where that is left to do, and gives what was referred
    /// of it in all.
    pub(in crate::exchange) async fn refer_submission(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
    ) -> Result<ReferralProgress> {
        self.refer(caller.partner(), submission).await?;
        self.index.read()?.referral_progress(caller.partner(), submission)
    }

    /// Every node may do so: the entry's id is derived from the close, so it is written once, and it is
    /// void where this was done.
    pub(in crate::exchange) async fn refer(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<()> {
        // Where the rights change again and again somebody else has the next turn.
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

    /// What a submission's referral is by now; `None` where nothing is left to refer.
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
            // There may be many of them: others get their turn.
            tokio::task::yield_now().await;
        }
        Ok(found)
    }
}

/// An owner as the rule of sight knows it, unless it takes no referrals.
fn takes_referrals(registry: &Registry, owner: &PartnerId) -> Option<Reader> {
    let takes = registry.partner(owner).is_some_and(|partner| !partner.referrals_off);
    registry.reader(owner).filter(|_| takes)
}

/// Draws the id of a tip.
pub(in crate::exchange) fn random_tip_id() -> TipId {
    TipId::new(uuid::Builder::from_random_bytes(rand::random()).into_uuid())
}
