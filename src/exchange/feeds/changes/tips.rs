//! What is added to tips, as its parties are told: whatever they ask for, since a tip that nobody was
//! alerted to is none.

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, Entry};
use crate::domain::{PartnerId, Position, TipId};
use crate::error::Result;
use crate::exchange::core::{Core, reader};
use crate::exchange::feeds::event::TipEvent;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::tip::without_content;
use crate::index::View;
use crate::index::record::TipRecord;

/// How many indicators are told with what added them.
const MAX_INDICATORS: usize = 100;

impl Core {
    /// What a partner is told of an entry of tips behind a place, and the place behind that. An entry
    /// that adds to several tips is told tip by tip.
    pub(in crate::exchange) fn tip_events(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        entry: &Entry,
        behind: FeedPosition,
    ) -> Result<(Option<TipEvent>, FeedPosition)> {
        let done = FeedPosition::after_entry(entry.sequence);
        let mut tips = Vec::new();
        for id in named(entry, me) {
            tips.extend(view.tip(id)?.filter(|tip| tip.concerns(me)));
        }
        for (at, tip) in (0u32..).zip(&tips) {
            let position = Position::new(entry.sequence, at);
            if position <= behind.after {
                continue;
            }
            // Its own are counted alone, so that their places tell nothing of the others.
            let is_last = at as usize + 1 == tips.len();
            let place = if is_last { done } else { FeedPosition::after_item(position) };
            if let Some(told) = self.tip_event(view, me, tip, (entry.sequence, place))? {
                return Ok((Some(told), place));
            }
        }
        Ok((None, done))
    }

    pub(in crate::exchange) fn tip_event(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        tip: &TipRecord,
        (sequence, place): (u64, FeedPosition),
    ) -> Result<Option<TipEvent>> {
        let reader = reader(view.registry(), me)?;
        let seen = ReaderView::new(view, &reader, self.clock.now());
        let Some(mut added) = seen.tip_entry(tip, sequence, MAX_INDICATORS)? else {
            return Ok(None);
        };
        if seen.is_hidden(tip) {
            if !seen.is_hiding(tip, &added.record) {
                return Ok(None);
            }
            added = without_content(added);
        }
        let accessed = seen.accessed_of_tip(tip, std::slice::from_ref(&added), &[]);
        let mut tip = seen.tip(tip.clone())?;
        // Where it stood then, and not where it stands by now.
        for thread in &mut tip.threads {
            if let Some(then) = added.record.thread(&thread.recipient) {
                thread.state = then.to;
                if then.is_move() {
                    thread.changed = added.record.accepted;
                }
            }
        }
        tip.threads.retain(|thread| added.record.thread(&thread.recipient).is_some());
        added.indicators.truncate(MAX_INDICATORS);
        Ok(Some(TipEvent { place, tip, entry: added, now: self.clock.now(), accessed }))
    }
}

/// The tips that an entry may add to, as far as it says who their parties are.
fn named(entry: &Entry, me: &PartnerId) -> Vec<TipId> {
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
