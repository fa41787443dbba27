//! The tips of a campaign, as one of their parties may see them.

use crate::domain::{CampaignId, Indicator, IndicatorId, PartnerId};
use crate::error::Result;
use crate::exchange::queries::Queries;
use crate::exchange::visibility::tip::{indicators_added, is_hidden, of_party, withdrawal_of};
use crate::index::View;
use crate::index::record::{TipEntryRecord, TipRecord};

/// The most tips of a campaign that are looked at: the newest.
const MOST_TIPS: usize = 1_000;

/// The most of what was added to them that is looked at: all of the newest tips.
const MOST_ADDED: usize = 10_000;

/// A tip of a campaign, with what was added to it that a party may see.
#[derive(Debug)]
pub(in crate::exchange) struct TipPart {
    /// The tip.
    pub tip: TipRecord,
    /// What was added, the oldest first; of a tip that is hidden, its withdrawal alone.
    pub added: Vec<TipEntryRecord>,
}

impl Queries {
    /// The tips of a campaign that a partner sent or received, the newest first, and whether there are
    /// more. The partner is known to see the campaign. One that was withdrawn is its sender's, and that of
    /// a recipient that saw the campaign by then: another was never told that it is of that campaign.
    pub(in crate::exchange) fn tips_in(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        campaign: CampaignId,
    ) -> Result<(Vec<TipRecord>, bool)> {
        let mut tips = Vec::new();
        for (looked, id) in view.tips_of_campaign(campaign, me).enumerate() {
            if looked == MOST_TIPS {
                return Ok((tips, true));
            }
            let Some(tip) = view.tip(id?)? else { continue };
            if is_hidden(view, &tip, me) && !self.knew(view, me, campaign, &tip)? {
                continue;
            }
            tips.push(of_party(view, tip, me));
        }
        Ok((tips, false))
    }

    /// The same tips with what was added to them, and whether that may not be all of
    /// it.
    pub(in crate::exchange) fn parts_of(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        tips: &[TipRecord],
    ) -> Result<(Vec<TipPart>, bool)> {
        let (mut parts, mut looked) = (Vec::with_capacity(tips.len()), 0);
        for tip in tips {
            if looked >= MOST_ADDED {
                break;
            }
            let mut added = Vec::new();
            if is_hidden(view, tip, me) {
                looked += 1;
                added.extend(self.withdrawal_for(view, me, tip)?);
            } else {
                let thread = (tip.sender != *me).then_some(me);
                let entries = view.entries_of_tip(tip.id, thread, 0);
                for sequence in entries.take(MOST_ADDED - looked) {
                    looked += 1;
                    added.extend(self.core.added_to(view, me, tip, sequence?)?);
                }
            }
            parts.push(TipPart { tip: tip.clone(), added });
        }
        Ok((parts, looked >= MOST_ADDED))
    }

    /// Whether a recipient saw the campaign of a tip when the tip was withdrawn.
    fn knew(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        campaign: CampaignId,
        tip: &TipRecord,
    ) -> Result<bool> {
        let Some(withdrawal) = self.withdrawal_for(view, me, tip)? else { return Ok(false) };
        let before = withdrawal.sequence.saturating_sub(1);
        let Some(reader) = view.registry().reader_at(me, before) else { return Ok(false) };
        view.campaign_visible_at(campaign, &reader, before)
    }

    /// The withdrawal of a tip, as a party may see it.
    fn withdrawal_for(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        tip: &TipRecord,
    ) -> Result<Option<TipEntryRecord>> {
        match withdrawal_of(view, tip.id)? {
            Some(entry) => self.core.added_to(view, me, tip, entry),
            None => Ok(None),
        }
    }
}

/// The indicators of a tip, at most so many: those that it came with, and those that were added to it.
pub(in crate::exchange) fn indicators_of(
    view: &View<'_>,
    me: &PartnerId,
    part: &TipPart,
    most: usize,
) -> Result<Vec<(IndicatorId, Indicator)>> {
    let mut found = Vec::new();
    for added in part.added.iter().filter(|added| added.indicators > 0) {
        let left = most - found.len();
        if left == 0 {
            break;
        }
        let more = indicators_added(view, me, &part.tip, added, 0, left)?.into_iter();
        found.extend(more.map(|(_, one)| (one.id, one.indicator)));
    }
    Ok(found)
}
