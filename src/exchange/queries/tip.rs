//! One tip, with a page of its entries and a page of its indicators.

use crate::domain::accepted::TipRecord;
use crate::domain::entry::VoidReason;
use crate::domain::purpose::Purpose;
use crate::domain::{Invalid, PartnerId, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, rights_of};
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
    /// For the sender: show only the thread of this recipient. `None` for all threads.
    pub recipient: Option<PartnerId>,
    /// The page of entries starts after this sequence.
    pub after_entry: u64,
    /// The limit of the page of entries.
    pub entry_limit: usize,
    /// The page of indicators starts after this indicator, given by sequence and index.
    pub after_indicator: Option<(u64, u32)>,
    /// The limit of the page of indicators.
    pub indicator_limit: usize,
    /// The purpose of a liaison.
    pub purpose: Option<Purpose>,
}

/// A tip as a caller may see it.
#[derive(Clone, Debug)]
pub struct TipView {
    /// The tip, with the threads that the caller may see.
    pub tip: TipRecord,
    /// The narrative; empty if the content is hidden from the caller.
    pub narrative: String,
    /// A page of its entries, oldest first. The first entry is the tip itself.
    pub entries: Vec<TipEntryView>,
    /// Whether there are more entries.
    pub more_entries: bool,
    /// A page of its indicators.
    pub indicators: Vec<TipIndicatorView>,
    /// Whether there are more indicators.
    pub more_indicators: bool,
    /// The time by the exchange's clock.
    pub now: Timestamp,
    /// For a liaison: the objects to record in the access log before the answer is sent.
    pub accessed: AccessedObjects,
}

impl Queries {
    /// A tip that the caller sent or received.
    pub fn show_tip(&self, caller: &Caller, query: &TipDetailQuery) -> Result<TipView> {
        let me = caller.partner();
        if !self.core.may_read_tips(caller, query.purpose.as_ref())? {
            return Err(refused(&VoidReason::TipUnknown));
        }
        let mut query = query.clone();
        let view = &self.core.index.read()?;
        let reader = rights_of(view.registry(), me)?;
        let reader_view = ReaderView::new(view, &reader, self.core.clock.now());
        if reader_view.is_liaison() {
            // The tip, its entries and its indicators must fit into one record of the access log.
            let limit = (MAX_OBJECTS_PER_ACCESS - 1).saturating_sub(query.entry_limit);
            query.indicator_limit = query.indicator_limit.min(limit);
        }
        let query = &query;
        let tip = reader_view.own_tip(query.tip)?;
        let recipient = match &query.recipient {
            _ if tip.sender != *me => Some(me),
            Some(named) if tip.thread(named).is_none() => {
                return Err(Invalid::new("recipient", "is no recipient of the tip").into());
            }
            named => named.as_ref(),
        };
        let (mut entries, mut indicators, mut narrative) = Default::default();
        if reader_view.is_hidden(&tip) {
            // A hidden tip has only this entry, on every page.
            if let Some(sequence) = hiding_entry(reader_view, &tip)? {
                let entry = reader_view.tip_entry(&tip, sequence, 0)?;
                entries = entry.into_iter().map(without_content).collect();
            }
        } else {
            entries = read_entries(reader_view, &tip, recipient, query)?;
            indicators = read_indicators(reader_view, &tip, recipient, query)?;
            narrative = view.tip_text(tip.id, tip.sequence)?;
        }
        let more_entries = entries.len() > query.entry_limit;
        entries.truncate(query.entry_limit);
        let more_indicators = indicators.len() > query.indicator_limit;
        indicators.truncate(query.indicator_limit);
        let mut tip = reader_view.tip(tip)?;
        if let Some(recipient) = recipient {
            tip.threads.retain(|thread| thread.recipient == *recipient);
        }
        let accessed = reader_view.accessed_of_tip(&tip, &entries, &indicators);
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

/// Reads a page of entries: one more than the limit if there are more.
fn read_entries(
    reader_view: ReaderView<'_>,
    tip: &TipRecord,
    recipient: Option<&PartnerId>,
    query: &TipDetailQuery,
) -> Result<Vec<TipEntryView>> {
    let from = query.after_entry.saturating_add(1);
    let mut entries = Vec::new();
    for sequence in
        reader_view.view.entries_of_tip(tip.id, recipient, from).take(query.entry_limit + 1)
    {
        entries.extend(reader_view.tip_entry(tip, sequence?, 0)?);
    }
    Ok(entries)
}

/// Reads a page of indicators: one more than the limit if there are more.
fn read_indicators(
    reader_view: ReaderView<'_>,
    tip: &TipRecord,
    recipient: Option<&PartnerId>,
    query: &TipDetailQuery,
) -> Result<Vec<TipIndicatorView>> {
    let limit = query.indicator_limit + 1;
    let after = query.after_indicator;
    let mut indicators = Vec::new();
    // The indicators of a referral are older than its entry, so they come first.
    if tip.referral.is_some() && after.is_none_or(|(sequence, _)| sequence < tip.sequence) {
        let referred = reader_view.referred_indicators(tip, after, limit)?;
        let author = tip.sender.clone();
        indicators.extend(referred.into_iter().map(|(at, indicator)| TipIndicatorView {
            author: author.clone(),
            at,
            indicator,
        }));
    }
    let from = after.map_or(0, |(sequence, _)| sequence);
    for sequence in reader_view.view.entries_of_tip(tip.id, recipient, from) {
        let sequence = sequence?;
        if indicators.len() >= limit {
            break;
        }
        let Some(entry) = reader_view.view.tip_entry(tip.id, sequence)? else { continue };
        let is_visible =
            tip.sender == reader_view.reader.id || entry.is_in_thread(&reader_view.reader.id);
        if !is_visible || entry.indicators == 0 {
            continue;
        }
        let Some(author) = entry.author.clone() else { continue };
        let first = match after {
            Some((last_sequence, index)) if last_sequence == sequence => index.saturating_add(1),
            _ => 0,
        };
        let remaining = limit - indicators.len();
        let added = reader_view.entry_indicators(tip, &entry, first, remaining)?.into_iter();
        indicators.extend(added.map(|(index, indicator)| TipIndicatorView {
            author: author.clone(),
            at: (sequence, index),
            indicator,
        }));
    }
    Ok(indicators)
}

/// The sequence of the entry that hid the content of a tip from the reader: the withdrawal, or the last time its
/// thread was closed.
fn hiding_entry(reader_view: ReaderView<'_>, tip: &TipRecord) -> Result<Option<u64>> {
    if tip.withdrawn {
        return withdrawal_of(reader_view.view, tip.id);
    }
    let mut hiding = None;
    for sequence in reader_view.view.entries_of_tip(tip.id, Some(&reader_view.reader.id), 0) {
        let sequence = sequence?;
        let entry = reader_view.view.tip_entry(tip.id, sequence)?;
        if entry.is_some_and(|entry| reader_view.hides_entry(tip, &entry)) {
            hiding = Some(sequence);
        }
    }
    Ok(hiding)
}
