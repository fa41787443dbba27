//! The indicators of a referral.

use crate::domain::accepted::{AssessmentRecord, TipRecord};
use crate::domain::entry::{SubmissionId, Target, TipIndicator};
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;
use crate::index::{View, is_asset};

impl ReaderView<'_> {
    /// Up to `limit` indicators of a referral that its recipient may see now, each with the sequence and index of its
    /// item. Starts after the item `after`.
    pub fn referred_indicators(
        &self,
        tip: &TipRecord,
        after: Option<(u64, u32)>,
        limit: usize,
    ) -> Result<Vec<((u64, u32), TipIndicator)>> {
        let fields = (tip.referral, &tip.submission, tip.threads.first());
        let (Some(range), Some(submission), Some(thread)) = fields else { return Ok(Vec::new()) };
        let (owner, registry) = (&thread.recipient, self.view.registry());
        // The sender, too, gets what the recipient may see.
        let Some(recipient) = registry.reader(owner) else { return Ok(Vec::new()) };
        let recipient = ReaderView { reader: &recipient, ..*self };
        let from = after.map_or(0, |(sequence, _)| sequence);
        let mut referred = Vec::new();
        let sequences = batches_between(self.view, &tip.sender, submission, range)?;
        for sequence in sequences.into_iter().filter(|sequence| *sequence >= from) {
            for (position, current) in assets_of(self.view, &tip.sender, sequence)? {
                let at = (position.sequence, position.index);
                let indicator = &current.assessment.indicator;
                let platform = indicator.platform();
                let is_owner = platform.and_then(|p| registry.owner(p)) == Some(owner);
                let may_see = || recipient.may_see(&current.sharing, &tip.sender, current.version);
                if after.is_none_or(|after| at > after) && is_owner && may_see() {
                    let (index, id) = (at.1, current.id);
                    let indicator = indicator.clone();
                    referred.push((at, TipIndicator { index, id, indicator, restricted: false }));
                    if referred.len() == limit {
                        return Ok(referred);
                    }
                }
            }
        }
        Ok(referred)
    }
}

/// The sequences of a submission's batches after `after` and up to `up_to`, in order.
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

/// The current assessments of a batch whose indicators are assets: objects on a platform.
pub(in crate::exchange) fn assets_of(
    view: &View<'_>,
    author: &PartnerId,
    sequence: u64,
) -> Result<Vec<(Position, AssessmentRecord)>> {
    let mut assets = Vec::new();
    let entry_versions = view.versions_of(sequence)?;
    let targets = entry_versions.iter().flat_map(|versions| versions.targets(sequence));
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
