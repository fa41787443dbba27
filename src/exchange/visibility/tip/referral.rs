//! What a referral refers to.

use crate::domain::entry::{SubmissionId, Target, TipIndicator};
use crate::domain::sharing::Reader;
use crate::domain::{PartnerId, Position, may_see};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::index::record::{AssessmentRecord, TipRecord};
use crate::index::{View, is_asset};

impl Core {
    /// What a referral refers to, as its recipient may see it now, behind an item of an entry; at most so
    /// many, each with its item.
    pub(in crate::exchange) fn referred_indicators(
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

    pub(in crate::exchange) fn sees(
        &self,
        reader: &Reader,
        author: &PartnerId,
        current: &AssessmentRecord,
    ) -> bool {
        may_see(reader, &current.sharing, author, current.version, self.clock.now())
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
