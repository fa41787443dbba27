//! Events of tips, for their parties. The filter does not apply, because no party may miss a tip.

use crate::domain::accepted::TipRecord;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, Entry};
use crate::domain::{PartnerId, Position, TipId};
use crate::error::Result;
use crate::exchange::feeds::changes::releases::replaced_by_response;
use crate::exchange::feeds::changes::{Input, NextEvent};
use crate::exchange::feeds::event::{FeedEvent, TipEvent};
use crate::exchange::visibility::tip::without_content;

/// Indicators of a tip entry that its event contains. Bounds the message; the others are read with the tip.
const MAX_INDICATORS: usize = 100;

/// The next event of an entry that changes tips. An entry that changes several tips has one event for each.
pub fn changes(input: &Input<'_>) -> Result<NextEvent> {
    let entry_end = FeedPosition::after_entry(input.entry().sequence);
    // Tips are never public.
    if input.visibility.public_only() {
        return Ok(NextEvent { event: None, position: entry_end });
    }
    let (tip, position) = next_tip(input)?;
    let tip = tip.map(|tip| FeedEvent::Tip(Box::new(tip)));
    if position < entry_end || !input.visibility.is_liaison() {
        return Ok(NextEvent { event: tip, position });
    }
    Ok(match (tip, replaced_by_response(input)?) {
        // First the response, then the removal of the enforcement that the response replaces.
        (Some(tip), Some(_)) => {
            let last = Position::new(input.entry().sequence, u32::MAX - 1);
            NextEvent { event: Some(tip), position: FeedPosition::after_item(last) }
        }
        (tip, removal) => NextEvent { event: tip.or(removal), position: entry_end },
    })
}

/// The event of the next tip in the entry whose parties include the reader, and the position after it.
fn next_tip(input: &Input<'_>) -> Result<(Option<TipEvent>, FeedPosition)> {
    let (entry, reader_id) = (input.entry(), &input.visibility.reader().id);
    let entry_end = FeedPosition::after_entry(entry.sequence);
    let mut tips = Vec::new();
    for id in tips_of_entry(entry, reader_id) {
        tips.extend(input.view.tip(id)?.filter(|tip| tip.concerns(reader_id)));
    }
    for (index, tip) in (0u32..).zip(&tips) {
        let item = Position::new(entry.sequence, index);
        if input.was_delivered(item) {
            continue;
        }
        // Positions count the reader's own tips only, so that they reveal nothing about others.
        let is_last = index as usize + 1 == tips.len();
        let position = if is_last { entry_end } else { FeedPosition::after_item(item) };
        if let Some(event) = tip_event(input, tip, position)? {
            return Ok((Some(event), position));
        }
    }
    Ok((None, entry_end))
}

/// The event of one tip. `None` if the reader may not see this change.
fn tip_event(
    input: &Input<'_>,
    tip: &TipRecord,
    position: FeedPosition,
) -> Result<Option<TipEvent>> {
    let (reader_view, sequence) = (input.reader_view(), input.entry().sequence);
    let Some(mut entry) = reader_view.tip_entry(tip, sequence, MAX_INDICATORS)? else {
        return Ok(None);
    };
    if reader_view.is_hidden(tip) {
        if !reader_view.hides_entry(tip, &entry.record) {
            return Ok(None);
        }
        entry = without_content(entry);
    }
    let accessed = reader_view.accessed_of_tip(tip, std::slice::from_ref(&entry), &[]);
    let mut tip = reader_view.tip(tip.clone())?;
    // The event shows the state after this entry, which may not be the current one.
    for thread in &mut tip.threads {
        if let Some(change) = entry.record.thread(&thread.recipient) {
            thread.state = change.to;
            if change.is_move() {
                thread.changed = entry.record.accepted;
            }
        }
    }
    tip.threads.retain(|thread| entry.record.thread(&thread.recipient).is_some());
    entry.indicators.truncate(MAX_INDICATORS);
    Ok(Some(TipEvent { position, tip, entry, now: input.now, accessed }))
}

/// The tips that an entry may change. If the entry names the parties, only tips of the reader are returned.
fn tips_of_entry(entry: &Entry, reader_id: &PartnerId) -> Vec<TipId> {
    let is_author = entry.author.as_ref() == Some(reader_id);
    match &entry.body {
        Body::TipSent(sent) if is_author || sent.recipients.contains(reader_id) => vec![sent.id],
        Body::TipResponded(response) => vec![response.tip],
        Body::TipWithdrawn(tip) => vec![*tip],
        Body::TipsReopened(reopened) => reopened.threads.iter().map(|(tip, ..)| *tip).collect(),
        Body::Referred(referral) if referral.partner == *reader_id => {
            referral.to.iter().map(|tip| tip.id).collect()
        }
        Body::Referred(referral) => {
            let own_tips = referral.to.iter().filter(|tip| tip.owner == *reader_id);
            own_tips.map(|tip| tip.id).collect()
        }
        _ => Vec::new(),
    }
}
