//! One tip, with its entries and indicators page by page.

use crate::domain::accepted::TipRecord;
use crate::domain::entry::VoidReason;
use crate::domain::purpose::Purpose;
use crate::domain::{Invalid, PartnerId, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, reader};
use crate::exchange::liaison::{AccessedObjects, MAX_OBJECTS_PER_ACCESS};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::tip::{
    TipEntryView, TipIndicatorView, withdrawal_of, without_content,
};

/// A query for one tip: a page of its entries, and a page of its indicators.
#[derive(Clone, Debug)]
pub struct TipDetailQuery {
    /// The tip.
    pub tip: TipId,
    /// From the sender: the recipient whose thread to show. `None` for all.
    pub recipient: Option<PartnerId>,
    /// The entry after which the page of entries starts.
    pub behind: u64,
    /// The most entries.
    pub entries: usize,
    /// The indicator after which the page of indicators starts, by entry and index.
    pub after_indicator: Option<(u64, u32)>,
    /// The most indicators.
    pub indicators: usize,
    /// The purpose of a liaison.
    pub purpose: Option<Purpose>,
}

/// A tip as a caller may see it.
#[derive(Clone, Debug)]
pub struct TipView {
    /// The tip, with the threads that the caller may see.
    pub tip: TipRecord,
    /// The narrative.
    pub narrative: String,
    /// A page of its entries, oldest first. The first entry is the tip itself.
    pub entries: Vec<TipEntryView>,
    /// Whether there are more.
    pub more_entries: bool,
    /// A page of its indicators.
    pub indicators: Vec<TipIndicatorView>,
    /// Whether there are more.
    pub more_indicators: bool,
    /// The time by the exchange's clock.
    pub now: Timestamp,
    /// For a liaison: what the access log has to record before it is sent.
    pub accessed: AccessedObjects,
}

impl Queries {
    /// A tip that the caller sent or received.
    pub fn show_tip(&self, caller: &Caller, asked: &TipDetailQuery) -> Result<TipView> {
        let me = caller.partner();
        if !self.core.may_read_tips(caller, asked.purpose.as_ref())? {
            return Err(refused(&VoidReason::TipUnknown));
        }
        let mut asked = asked.clone();
        let view = &self.core.index.read()?;
        let reader = reader(view.registry(), me)?;
        let seen = ReaderView::new(view, &reader, self.core.clock.now());
        if seen.is_liaison() {
            // Together with the tip, no more objects than one access records.
            let most = (MAX_OBJECTS_PER_ACCESS - 1).saturating_sub(asked.entries);
            asked.indicators = asked.indicators.min(most);
        }
        let asked = &asked;
        let tip = seen.own_tip(asked.tip)?;
        let of = match &asked.recipient {
            _ if tip.sender != *me => Some(me),
            Some(named) if tip.thread(named).is_none() => {
                return Err(Invalid::new("recipient", "is no recipient of the tip").into());
            }
            named => named.as_ref(),
        };
        let (mut entries, mut indicators, mut narrative) = Default::default();
        if seen.is_hidden(&tip) {
            // Whatever page was asked for: there is only this entry.
            if let Some(entry) = hiding_entry(seen, &tip)? {
                let shown = seen.tip_entry(&tip, entry, 0)?;
                entries = shown.into_iter().map(without_content).collect();
            }
        } else {
            entries = entries_shown(seen, &tip, of, asked)?;
            indicators = indicators_shown(seen, &tip, of, asked)?;
            narrative = view.tip_text(tip.id, tip.sequence)?;
        }
        let more_entries = entries.len() > asked.entries;
        entries.truncate(asked.entries);
        let more_indicators = indicators.len() > asked.indicators;
        indicators.truncate(asked.indicators);
        let mut tip = seen.tip(tip)?;
        if let Some(of) = of {
            tip.threads.retain(|thread| thread.recipient == *of);
        }
        let accessed = seen.accessed_of_tip(&tip, &entries, &indicators);
        let now = self.core.clock.now();
        Ok(TipView {
            tip,
            narrative,
            entries,
            more_entries,
            indicators,
            more_indicators,
            now,
            accessed,
        })
    }
}

/// One more than the limit, if there are more.
fn entries_shown(
    seen: ReaderView<'_>,
    tip: &TipRecord,
    of: Option<&PartnerId>,
    asked: &TipDetailQuery,
) -> Result<Vec<TipEntryView>> {
    let from = asked.behind.saturating_add(1);
    let mut shown = Vec::new();
    for sequence in seen.view.entries_of_tip(tip.id, of, from).take(asked.entries + 1) {
        if let Some(one) = seen.tip_entry(tip, sequence?, 0)? {
            shown.push(one);
        }
    }
    Ok(shown)
}

/// One more than the limit, if there are more.
fn indicators_shown(
    seen: ReaderView<'_>,
    tip: &TipRecord,
    of: Option<&PartnerId>,
    asked: &TipDetailQuery,
) -> Result<Vec<TipIndicatorView>> {
    let most = asked.indicators + 1;
    let behind = asked.after_indicator;
    let mut shown = Vec::new();
    // The indicators of a referral are older than its entry.
    if tip.referral.is_some() && behind.is_none_or(|(entry, _)| entry < tip.sequence) {
        let found = seen.referred_indicators(tip, behind, most)?;
        let author = tip.sender.clone();
        shown.extend(found.into_iter().map(|(at, indicator)| TipIndicatorView {
            author: author.clone(),
            at,
            indicator,
        }));
    }
    let from = behind.map_or(0, |(entry, _)| entry);
    for sequence in seen.view.entries_of_tip(tip.id, of, from) {
        let sequence = sequence?;
        if shown.len() >= most {
            break;
        }
        let Some(added) = seen.view.tip_entry(tip.id, sequence)? else { continue };
        let is_shown = tip.sender == seen.reader.id || added.is_in_thread(&seen.reader.id);
        if !is_shown || added.indicators == 0 {
            continue;
        }
        let Some(author) = added.author.clone() else { continue };
        let first = match behind {
            Some((entry, place)) if entry == sequence => place.saturating_add(1),
            _ => 0,
        };
        let left = most - shown.len();
        let found = seen.entry_indicators(tip, &added, first, left)?.into_iter();
        shown.extend(found.map(|(place, indicator)| TipIndicatorView {
            author: author.clone(),
            at: (sequence, place),
            indicator,
        }));
    }
    Ok(shown)
}

/// The entry that hid the content of a tip from the reader: the withdrawal, or the last closing.
fn hiding_entry(seen: ReaderView<'_>, tip: &TipRecord) -> Result<Option<u64>> {
    if tip.withdrawn {
        return withdrawal_of(seen.view, tip.id);
    }
    let mut hiding = None;
    for sequence in seen.view.entries_of_tip(tip.id, Some(&seen.reader.id), 0) {
        let sequence = sequence?;
        let added = seen.view.tip_entry(tip.id, sequence)?;
        if added.is_some_and(|added| seen.is_hiding(tip, &added)) {
            hiding = Some(sequence);
        }
    }
    Ok(hiding)
}
