//! Events of tips, for their parties. They ignore the filter, since nobody may miss a tip.

use crate::domain::accepted::TipRecord;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, Entry};
use crate::domain::{PartnerId, Position, TipId};
use crate::error::Result;
use crate::exchange::feeds::changes::releases::replaced_by_response;
use crate::exchange::feeds::changes::{Changes, Input};
use crate::exchange::feeds::event::{FeedEvent, TipEvent};
use crate::exchange::visibility::tip::without_content;

/// The indicators of a tip entry in its event. The rest are read with the tip.
const MAX_INDICATORS: usize = 100;

/// The next event of an entry that adds to tips. An entry that adds to several tips has an event for each.
pub fn changes(input: &Input<'_>) -> Result<Changes> {
    let done = FeedPosition::after_entry(input.entry().sequence);
    // Tips are never public.
    if input.visibility.public_only() {
        return Ok(Changes { event: None, position: done });
    }
    let (tip, position) = next_tip(input)?;
    let tip = tip.map(|tip| FeedEvent::Tip(Box::new(tip)));
    if position < done || !input.visibility.is_liaison() {
        return Ok(Changes { event: tip, position });
    }
    Ok(match (tip, replaced_by_response(input)?) {
        // The response first, then the removal of what its counts replace.
        (Some(tip), Some(_)) => {
            let last = Position::new(input.entry().sequence, u32::MAX - 1);
            Changes { event: Some(tip), position: FeedPosition::after_item(last) }
        }
        (tip, removal) => Changes { event: tip.or(removal), position: done },
    })
}

/// The next tip of the entry that the reader is a party of, as its event, and the position after it.
fn next_tip(input: &Input<'_>) -> Result<(Option<TipEvent>, FeedPosition)> {
    let (entry, me) = (input.entry(), &input.visibility.reader().id);
    let done = FeedPosition::after_entry(entry.sequence);
    let mut tips = Vec::new();
    for id in tips_of_entry(entry, me) {
        tips.extend(input.view.tip(id)?.filter(|tip| tip.concerns(me)));
    }
    for (at, tip) in (0u32..).zip(&tips) {
        let item = Position::new(entry.sequence, at);
        if input.was_delivered(item) {
            continue;
        }
        // Positions count the reader's own tips only, so that they reveal nothing about others.
        let is_last = at as usize + 1 == tips.len();
        let position = if is_last { done } else { FeedPosition::after_item(item) };
        if let Some(event) = tip_event(input, tip, position)? {
            return Ok((Some(event), position));
        }
    }
    Ok((None, done))
}

fn tip_event(input: &Input<'_>, tip: &TipRecord, place: FeedPosition) -> Result<Option<TipEvent>> {
    let (seen, sequence) = (input.seen(), input.entry().sequence);
    let Some(mut entry) = seen.tip_entry(tip, sequence, MAX_INDICATORS)? else {
        return Ok(None);
    };
    if seen.is_hidden(tip) {
        if !seen.is_hiding(tip, &entry.record) {
            return Ok(None);
        }
        entry = without_content(entry);
    }
    let accessed = seen.accessed_of_tip(tip, std::slice::from_ref(&entry), &[]);
    let mut tip = seen.tip(tip.clone())?;
    // The state after this entry, not the current one.
    for thread in &mut tip.threads {
        if let Some(then) = entry.record.thread(&thread.recipient) {
            thread.state = then.to;
            if then.is_move() {
                thread.changed = entry.record.accepted;
            }
        }
    }
    tip.threads.retain(|thread| entry.record.thread(&thread.recipient).is_some());
    entry.indicators.truncate(MAX_INDICATORS);
    Ok(Some(TipEvent { place, tip, entry, now: input.now, accessed }))
}

/// The tips that an entry may add to. Where the entry names the parties, those of others are left out.
fn tips_of_entry(entry: &Entry, me: &PartnerId) -> Vec<TipId> {
    let is_author = entry.author.as_ref() == Some(me);
    match &entry.body {
        Body::TipSent(sent) if is_author || sent.recipients.contains(me) => vec![sent.id],
        Body::TipResponded(response) => vec![response.tip],
        Body::TipWithdrawn(tip) => vec![*tip],
        Body::TipsReopened(reopened) => reopened.threads.iter().map(|(tip, ..)| *tip).collect(),
        Body::Referred(referral) if referral.partner == *me => {
            referral.to.iter().map(|one| one.id).collect()
        }
        Body::Referred(referral) => {
            let own = referral.to.iter().filter(|one| one.owner == *me);
            own.map(|one| one.id).collect()
        }
        _ => Vec::new(),
    }
}
