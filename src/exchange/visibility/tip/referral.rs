//! What a referral refers to.

use crate::domain::accepted::{AssessmentRecord, TipRecord};
use crate::domain::entry::{SubmissionId, Target, TipIndicator};
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;
use crate::index::{View, is_asset};

impl ReaderView<'_> {
    /// The indicators that a referral refers to, as its recipient may see them now, after an item of an
    /// entry; at most `limit`, each with its entry and item.
    pub fn referred_indicators(
        &self,
        tip: &TipRecord,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Vec<((u64, u32), TipIndicator)>> {
        let parts = (tip.referral, &tip.submission, tip.threads.first());
        let (Some(range), Some(submission), Some(thread)) = parts else { return Ok(Vec::new()) };
        let (owner, registry) = (&thread.recipient, self.view.registry());
        // The sender sees what its recipient sees.
        let Some(recipient) = registry.reader(owner) else { return Ok(Vec::new()) };
        let recipient = ReaderView { reader: &recipient, ..*self };
        let from = after.map_or(0, |(entry, _)| entry);
        let mut found = Vec::new();
        let sequences = batches_between(self.view, &tip.sender, submission, range)?;
        for sequence in sequences.into_iter().filter(|sequence| *sequence >= from) {
            for (at, current) in assets_of(self.view, &tip.sender, sequence)? {
                let at = (at.sequence, at.index);
                let indicator = &current.assessment.indicator;
                let platform = indicator.platform();
                let owns = platform.and_then(|p| registry.owner(p)) == Some(owner);
                let sees = || recipient.may_see(&current.sharing, &tip.sender, current.version);
                if after.is_none_or(|after| at > after) && owns && sees() {
                    let (index, id) = (at.1, current.id);
                    let indicator = indicator.clone();
                    found.push((at, TipIndicator { index, id, indicator, restricted: false }));
                    if found.len() == limit {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(found)
    }
}

/// The entries of a submission's batches behind one entry and up to another, in order.
pub(in crate::exchange) fn batches_between(
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
pub(in crate::exchange) fn assets_of(
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
