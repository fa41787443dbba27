//! The tips of a campaign, as one of their parties may see them.

use crate::domain::accepted::{TipEntryRecord, TipRecord};
use crate::domain::{CampaignId, Indicator, IndicatorId};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::tip::withdrawal_of;

/// The most tips of a campaign that are looked at: the newest.
const MAX_TIPS: usize = 1_000;

/// The most of what was added to them that is looked at: all of the newest tips.
const MAX_TIP_ENTRIES: usize = 10_000;

/// A tip of a campaign, with what was added to it that a party may see.
#[derive(Debug)]
pub(in crate::exchange) struct CampaignTip {
    /// The tip.
    pub tip: TipRecord,
    /// What was added, the oldest first; of a tip that is hidden, its withdrawal alone.
    pub added: Vec<TipEntryRecord>,
}

/// The tips of a campaign that a partner sent or received, the newest first, and whether there are
/// more. The partner is known to see the campaign. One that was withdrawn is its sender's, and that of
/// a recipient that saw the campaign by then: another was never told that it is of that campaign.
pub(in crate::exchange) fn tips_in(
    seen: ReaderView<'_>,
    campaign: CampaignId,
) -> Result<(Vec<TipRecord>, bool)> {
    let mut tips = Vec::new();
    for (looked, id) in seen.view.tips_of_campaign(campaign, &seen.reader.id).enumerate() {
        if looked == MAX_TIPS {
            return Ok((tips, true));
        }
        let Some(tip) = seen.view.tip(id?)? else { continue };
        if seen.is_hidden(&tip) && !knew(seen, campaign, &tip)? {
            continue;
        }
        tips.push(seen.own_threads(tip));
    }
    Ok((tips, false))
}

/// The same tips with what was added to them, and whether that may not be all of
/// it.
pub(in crate::exchange) fn parts_of(
    seen: ReaderView<'_>,
    tips: &[TipRecord],
) -> Result<(Vec<CampaignTip>, bool)> {
    let (mut parts, mut looked) = (Vec::with_capacity(tips.len()), 0);
    for tip in tips {
        if looked >= MAX_TIP_ENTRIES {
            break;
        }
        let mut added = Vec::new();
        if seen.is_hidden(tip) {
            looked += 1;
            added.extend(withdrawal_for(seen, tip)?);
        } else {
            let thread = (tip.sender != seen.reader.id).then_some(&seen.reader.id);
            let entries = seen.view.entries_of_tip(tip.id, thread, 0);
            for sequence in entries.take(MAX_TIP_ENTRIES - looked) {
                looked += 1;
                added.extend(seen.tip_entry_record(tip, sequence?)?);
            }
        }
        parts.push(CampaignTip { tip: tip.clone(), added });
    }
    Ok((parts, looked >= MAX_TIP_ENTRIES))
}

/// Whether a recipient saw the campaign of a tip when the tip was withdrawn.
fn knew(seen: ReaderView<'_>, campaign: CampaignId, tip: &TipRecord) -> Result<bool> {
    let Some(withdrawal) = withdrawal_for(seen, tip)? else { return Ok(false) };
    let before = withdrawal.sequence.saturating_sub(1);
    let Some(reader) = seen.view.registry().reader_at(&seen.reader.id, before) else {
        return Ok(false);
    };
    seen.view.campaign_visible_at(campaign, &reader, before)
}

/// The withdrawal of a tip, as a party may see it.
pub fn withdrawal_for(seen: ReaderView<'_>, tip: &TipRecord) -> Result<Option<TipEntryRecord>> {
    match withdrawal_of(seen.view, tip.id)? {
        Some(entry) => seen.tip_entry_record(tip, entry),
        None => Ok(None),
    }
}

/// The indicators of a tip, at most so many: those that it came with, and those that were added to it.
pub(in crate::exchange) fn indicators_of(
    seen: ReaderView<'_>,
    part: &CampaignTip,
    most: usize,
) -> Result<Vec<(IndicatorId, Indicator)>> {
    let mut found = Vec::new();
    for added in part.added.iter().filter(|added| added.indicators > 0) {
        let left = most - found.len();
        if left == 0 {
            break;
        }
        let more = seen.entry_indicators(&part.tip, added, 0, left)?.into_iter();
        found.extend(more.map(|(_, one)| (one.id, one.indicator)));
    }
    Ok(found)
}
