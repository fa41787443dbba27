//! The tips of a campaign, as one of their parties may see them.

use crate::domain::accepted::{TipEntryRecord, TipRecord};
use crate::domain::{CampaignId, Indicator, IndicatorId};
use crate::error::Result;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::tip::withdrawal_of;

/// The most tips of a campaign that one query reads: the newest.
const MAX_TIPS: usize = 1_000;

/// The most entries of these tips that one query reads, from the newest tip on.
const MAX_TIP_ENTRIES: usize = 10_000;

/// A tip of a campaign, with its entries that the reader may see.
#[derive(Debug)]
pub(in crate::exchange) struct CampaignTip {
    /// The tip.
    pub tip: TipRecord,
    /// Its entries, oldest first. A hidden tip has only its withdrawal.
    pub entries: Vec<TipEntryRecord>,
}

/// The tips of a campaign that the reader sent or received, newest first, and whether there are more. Call it only
/// if the reader sees the campaign.
///
/// A recipient gets a withdrawn tip only if it saw the campaign before the withdrawal. Otherwise it never learned
/// that the tip belongs to the campaign.
pub(in crate::exchange) fn campaign_tips(
    reader_view: ReaderView<'_>,
    campaign: CampaignId,
) -> Result<(Vec<TipRecord>, bool)> {
    let mut tips = Vec::new();
    let ids = reader_view.view.tips_of_campaign(campaign, &reader_view.reader.id);
    for (scanned, id) in ids.enumerate() {
        if scanned == MAX_TIPS {
            return Ok((tips, true));
        }
        let Some(tip) = reader_view.view.tip(id?)? else { continue };
        if reader_view.is_hidden(&tip)
            && !saw_campaign_before_withdrawal(reader_view, campaign, &tip)?
        {
            continue;
        }
        tips.push(reader_view.own_threads(tip));
    }
    Ok((tips, false))
}

/// Reads the entries of the tips. Also returns whether the limit was reached, so that entries may be missing.
pub(in crate::exchange) fn with_entries(
    reader_view: ReaderView<'_>,
    tips: &[TipRecord],
) -> Result<(Vec<CampaignTip>, bool)> {
    let (mut campaign_tips, mut scanned) = (Vec::with_capacity(tips.len()), 0);
    for tip in tips {
        if scanned >= MAX_TIP_ENTRIES {
            break;
        }
        let mut entries = Vec::new();
        if reader_view.is_hidden(tip) {
            scanned += 1;
            entries.extend(withdrawal_for(reader_view, tip)?);
        } else {
            let reader_id = &reader_view.reader.id;
            let recipient = (tip.sender != *reader_id).then_some(reader_id);
            let sequences = reader_view.view.entries_of_tip(tip.id, recipient, 0);
            for sequence in sequences.take(MAX_TIP_ENTRIES - scanned) {
                scanned += 1;
                entries.extend(reader_view.tip_entry_record(tip, sequence?)?);
            }
        }
        campaign_tips.push(CampaignTip { tip: tip.clone(), entries });
    }
    Ok((campaign_tips, scanned >= MAX_TIP_ENTRIES))
}

/// Whether a recipient saw the campaign of a tip just before the tip was withdrawn.
fn saw_campaign_before_withdrawal(
    reader_view: ReaderView<'_>,
    campaign: CampaignId,
    tip: &TipRecord,
) -> Result<bool> {
    let Some(withdrawal) = withdrawal_for(reader_view, tip)? else { return Ok(false) };
    let before = withdrawal.sequence.saturating_sub(1);
    let registry = reader_view.view.registry();
    let Some(reader) = registry.reader_at(&reader_view.reader.id, before) else {
        return Ok(false);
    };
    reader_view.view.campaign_visible_at(campaign, &reader, before)
}

/// The withdrawal of a tip, as a party may see it.
pub fn withdrawal_for(
    reader_view: ReaderView<'_>,
    tip: &TipRecord,
) -> Result<Option<TipEntryRecord>> {
    match withdrawal_of(reader_view.view, tip.id)? {
        Some(sequence) => reader_view.tip_entry_record(tip, sequence),
        None => Ok(None),
    }
}

/// The indicators of a tip, up to `limit`: those that it was sent with, and those that responses added.
pub(in crate::exchange) fn indicators_of(
    reader_view: ReaderView<'_>,
    campaign_tip: &CampaignTip,
    limit: usize,
) -> Result<Vec<(IndicatorId, Indicator)>> {
    let mut indicators = Vec::new();
    for entry in campaign_tip.entries.iter().filter(|entry| entry.indicators > 0) {
        let remaining = limit - indicators.len();
        if remaining == 0 {
            break;
        }
        let added = reader_view.entry_indicators(&campaign_tip.tip, entry, 0, remaining)?;
        indicators
            .extend(added.into_iter().map(|(_, indicator)| (indicator.id, indicator.indicator)));
    }
    Ok(indicators)
}
