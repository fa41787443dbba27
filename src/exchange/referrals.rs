//! What a submission brings to the owners of platforms: worked out when it closes, by whichever node
//! comes to it first, and taken once.

use std::collections::BTreeMap;

use super::tips::drawn;
use super::{Caller, Exchange};
use crate::domain::entry::{
    AppendId, Body, Referral, Referred, SubmissionId, Target, TipIndicator,
};
use crate::domain::sharing::Reader;
use crate::domain::{PartnerId, Position, Tlp, may_see};
use crate::error::Result;
use crate::index::record::{AssessmentRecord, ReferralProgress, TipRecord};
use crate::index::{Registry, View, is_asset};
use crate::journal::Append;

/// How often a referral is worked out anew, where what anybody may see changed before it was taken.
const TRIES: usize = 5;
/// How many submissions are looked at, at once.
const AT_ONCE: usize = 64;

/// What there is to refer, by owner, and how many assets go to nobody.
#[derive(Debug, Default)]
struct Found {
    to: BTreeMap<PartnerId, (u32, Tlp)>,
    not_referred: u32,
}

impl Exchange {
    /// Refers what the submissions brought that are closed by now, and tells how many those were.
    pub async fn refer_due(&self) -> Result<usize> {
        let due = self.index.read()?.unreferred(AT_ONCE)?;
        for (partner, submission) in &due {
            self.refer(partner, submission).await?;
        }
        Ok(due.len())
    }

    /// Refers what a caller's submission brought, where that is left to do, and gives what was referred
    /// of it in all.
    pub(super) async fn refer_submission(
        &self,
        caller: &Caller,
        submission: &SubmissionId,
    ) -> Result<ReferralProgress> {
        self.refer(caller.partner(), submission).await?;
        self.index.read()?.referred(caller.partner(), submission)
    }

    /// Every node may do so: the entry's id is derived from the close, so it is written once, and it is
    /// void where this was done.
    async fn refer(&self, partner: &PartnerId, submission: &SubmissionId) -> Result<()> {
        // Where the rights change again and again somebody else has the next turn.
        for _ in 0..TRIES {
            let Some(referral) = self.to_refer(partner, submission).await? else { break };
            let id = AppendId::derive(&[
                b"referral",
                partner.as_str().as_bytes(),
                submission.as_str().as_bytes(),
                &referral.close.to_be_bytes(),
                &referral.rights.to_be_bytes(),
            ]);
            let stamp = self.append(Append::new(id, None, Body::Referred(referral))).await?;
            self.index.outcome(stamp.sequence).await?;
        }
        Ok(())
    }

    /// What a submission's referral is by now; `None` where nothing is left to refer.
    async fn to_refer(
        &self,
        partner: &PartnerId,
        submission: &SubmissionId,
    ) -> Result<Option<Referral>> {
        let view = self.index.read()?;
        if !view.is_unreferred(partner, submission)? {
            return Ok(None);
        }
        let ReferralProgress { up_to, close, .. } = view.referred(partner, submission)?;
        let found = self.found_to_refer(&view, partner, submission, (up_to, close)).await?;
        let to = found.to.into_iter();
        let to = to.map(|(owner, (count, tlp))| Referred { id: drawn(), owner, count, tlp });
        Ok(Some(Referral {
            partner: partner.clone(),
            submission: submission.clone(),
            after: up_to,
            close,
            to: to.collect(),
            not_referred: found.not_referred,
            rights: view.registry().sight_changed(u64::MAX),
        }))
    }

    async fn found_to_refer(
        &self,
        view: &View<'_>,
        partner: &PartnerId,
        submission: &SubmissionId,
        between: (u64, u64),
    ) -> Result<Found> {
        let (mut found, registry) = (Found::default(), view.registry());
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
                    reader.as_ref().is_some_and(|reader| self.sees(reader, partner, &current))
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

    /// What a referral refers to, as its recipient may see it now, behind an item of an entry; at most so
    /// many, each with its item.
    pub(super) fn referred_indicators(
        &self,
        view: &View<'_>,
        tip: &TipRecord,
        behind: Option<(u64, u32)>,
        most: usize,
    ) -> Result<Vec<((u64, u32), TipIndicator)>> {
        let parts = (tip.referral, &tip.submission, tip.threads.first());
        let (Some(between), Some(submission), Some(thread)) = parts else { return Ok(Vec::new()) };
        let owner = &thread.recipient;
        let from = behind.map_or(0, |(entry, _)| entry);
        let registry = view.registry();
        let Some(reader) = registry.reader(owner) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let sequences = batches_between(view, &tip.sender, submission, between)?;
        for sequence in sequences.into_iter().filter(|sequence| *sequence >= from) {
            for (at, current) in assets_of(view, &tip.sender, sequence)? {
                let at = (at.sequence, at.index);
                let indicator = &current.assessment.indicator;
                let platform = indicator.platform();
                let owns = platform.and_then(|p| registry.owner(p)) == Some(owner);
                let is_behind = behind.is_none_or(|behind| at > behind);
                if is_behind && owns && self.sees(&reader, &tip.sender, &current) {
                    let (index, id) = (at.1, current.id);
                    let indicator = indicator.clone();
                    found.push((at, TipIndicator { index, id, indicator, restricted: false }));
                    if found.len() == most {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }

    fn sees(&self, reader: &Reader, author: &PartnerId, current: &AssessmentRecord) -> bool {
        may_see(reader, &current.sharing, author, current.version, self.clock.now())
    }
}

/// The entries of a submission's batches behind one entry and up to another, in order.
fn batches_between(
    view: &View<'_>,
    partner: &PartnerId,
    submission: &SubmissionId,
    (after, up_to): (u64, u64),
) -> Result<Vec<u64>> {
    let mut sequences = view.batches_of(partner, submission)?;
    sequences.retain(|sequence| (after + 1..=up_to).contains(sequence));
    sequences.sort_unstable();
    Ok(sequences)
}

/// The versions of a batch that are current and about things that live on platforms.
fn assets_of(
    view: &View<'_>,
    author: &PartnerId,
    sequence: u64,
) -> Result<Vec<(Position, AssessmentRecord)>> {
    let mut assets = Vec::new();
    let brought = view.versions_of(sequence)?;
    let targets = brought.iter().flat_map(|brought| brought.targets(sequence));
    for Target { id, audience, version } in targets {
        let Some(version) = version else { continue };
        let current = view.current(id, author, audience)?;
        assets.extend(
            current
                .filter(|current| current.version == version)
                .filter(|current| is_asset(current.assessment.indicator.kind()))
                .map(|current| (version, current)),
        );
    }
    Ok(assets)
}

/// An owner as the rule of sight knows it, unless it takes no referrals.
fn takes_referrals(registry: &Registry, owner: &PartnerId) -> Option<Reader> {
    let takes = registry.partner(owner).is_some_and(|partner| !partner.referrals_off);
    registry.reader(owner).filter(|_| takes)
}
