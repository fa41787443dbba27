//! What a party may see of a tip.
//!
//! A recipient sees its own thread, and the entries of other recipients that they show to all. Once a tip is
//! withdrawn, its recipients see the withdrawal but no content. The same is true for a liaison while its thread is
//! closed.

pub mod referral;

use crate::domain::accepted::{TipAction, TipEntryRecord, TipRecord};
use crate::domain::entry::{TipIndicator, VoidReason};
use crate::domain::tip::TipState;
use crate::domain::{PartnerId, TipId};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, Core, rights_of};
use crate::exchange::liaison::AccessedObjects;
use crate::exchange::visibility::{ReaderView, restricted};
use crate::index::View;

/// An entry of a tip, as a party may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TipEntryView {
    /// The entry, with only the threads that the party may see.
    pub record: TipEntryRecord,
    /// The text: the narrative for the first entry, else the message of a response.
    pub text: String,
    /// Its first indicators, up to the number that was requested.
    pub indicators: Vec<TipIndicator>,
}

/// An indicator of a tip.
#[derive(Clone, Debug, PartialEq)]
pub struct TipIndicatorView {
    /// Who added it.
    pub author: PartnerId,
    /// The sequence of the entry that added it, and its index there. For a referral, the sequence and index of the
    /// submitted item.
    pub at: (u64, u32),
    /// The indicator.
    pub indicator: TipIndicator,
}

impl ReaderView<'_> {
    /// A tip that the reader sent or received. Any other tip is the same error as a tip that does not exist.
    pub fn own_tip(&self, id: TipId) -> Result<TipRecord> {
        let tip = self.view.tip(id)?.filter(|tip| tip.concerns(&self.reader.id));
        tip.ok_or_else(|| refused(&VoidReason::TipUnknown))
    }

    /// A tip as the reader may see it: a recipient gets its own thread, the sender all threads. Removes hidden content,
    /// and a campaign that the reader does not see.
    pub fn tip(&self, tip: TipRecord) -> Result<TipRecord> {
        let mut tip = self.own_threads(tip);
        if let Some(campaign) = tip.campaign
            && !self.sees_campaign(campaign)?
        {
            tip.campaign = None;
        }
        Ok(tip)
    }

    /// Like [`ReaderView::tip`], but keeps the campaign even if the reader does not see it.
    pub fn own_threads(&self, mut tip: TipRecord) -> TipRecord {
        if self.is_hidden(&tip) {
            (tip.subject, tip.respond_by, tip.campaign, tip.submission) = (None, None, None, None);
        }
        if tip.sender != self.reader.id {
            tip.threads.retain(|thread| thread.recipient == self.reader.id);
        }
        tip
    }

    /// Whether the content of a tip is hidden from the reader: from a recipient once the tip is withdrawn,
    /// and from a liaison while its thread is closed.
    pub fn is_hidden(&self, tip: &TipRecord) -> bool {
        let me = &self.reader.id;
        let is_closed = || tip.thread(me).is_some_and(|thread| thread.state == TipState::Closed);
        tip.sender != *me && (tip.withdrawn || (self.is_liaison() && is_closed()))
    }

    /// Whether an entry hides the tip from the reader: its withdrawal, or for a liaison, the closing of its thread.
    pub fn hides_entry(&self, tip: &TipRecord, entry: &TipEntryRecord) -> bool {
        if tip.withdrawn {
            return entry.action == TipAction::Withdrawn;
        }
        let thread = entry.thread(&self.reader.id);
        thread.is_some_and(|thread| thread.is_move() && thread.to == TipState::Closed)
    }

    /// An entry of a tip with its text and up to `indicators` of its indicators; `None` if the reader may
    /// not see the entry.
    pub fn tip_entry(
        &self,
        tip: &TipRecord,
        sequence: u64,
        indicators: usize,
    ) -> Result<Option<TipEntryView>> {
        let Some(entry) = self.tip_entry_record(tip, sequence)? else { return Ok(None) };
        // The text of the tip's first entry is its narrative.
        let text = self.view.tip_text(tip.id, sequence)?;
        let indicators = match tip.referral {
            _ if indicators == 0 => Vec::new(),
            Some(_) if sequence == tip.sequence => {
                let referred = self.referred_indicators(tip, None, indicators)?;
                referred.into_iter().map(|(_, indicator)| indicator).collect()
            }
            _ => {
                let added = self.entry_indicators(tip, &entry, 0, indicators)?;
                added.into_iter().map(|(_, indicator)| indicator).collect()
            }
        };
        Ok(Some(TipEntryView { record: entry, text, indicators }))
    }

    /// An entry of a tip without its text and indicators; `None` if the reader may not see it.
    pub fn tip_entry_record(
        &self,
        tip: &TipRecord,
        sequence: u64,
    ) -> Result<Option<TipEntryRecord>> {
        let me = &self.reader.id;
        let Some(mut entry) = self.view.tip_entry(tip.id, sequence)? else { return Ok(None) };
        if tip.sender != *me {
            if !entry.is_in_thread(me) {
                return Ok(None);
            }
            entry.threads.retain(|thread| thread.recipient == *me);
            // A recipient does not learn which other threads contain the entry.
            entry.recipient = Some(me.clone());
            entry.shown &= entry.author.as_ref() == Some(me);
            // Only the sender sees another recipient's enforcement, even if the response is shown to all.
            if entry.author.as_ref().is_some_and(|author| author != me && *author != tip.sender) {
                entry.enforcement = None;
            }
        }
        if let Some(enforcement) = &mut entry.enforcement
            && let Some(campaign) = enforcement.campaign
            && !self.sees_campaign(campaign)?
        {
            enforcement.campaign = None;
        }
        Ok(Some(entry))
    }

    /// Up to `limit` indicators that an entry added, from index `from` on, each with its index. Restricted ones are
    /// only for their author and for readers that may hold them now.
    pub fn entry_indicators(
        &self,
        tip: &TipRecord,
        entry: &TipEntryRecord,
        mut from: u32,
        limit: usize,
    ) -> Result<Vec<(u32, TipIndicator)>> {
        let me = &self.reader.id;
        let author = entry.author.as_ref().unwrap_or(&tip.sender);
        let may_hold = me == author || restricted::may_hold(self.view.registry(), &[me]);
        let mut visible = Vec::new();
        while visible.len() < limit {
            let remaining = limit - visible.len();
            let read = self.view.tip_indicators(tip.id, entry.sequence, from, remaining)?;
            let is_last = read.len() < remaining;
            for indicator in read {
                if may_hold || !indicator.restricted {
                    visible.push((from, indicator));
                }
                from = from.saturating_add(1);
            }
            if is_last {
                break;
            }
        }
        Ok(visible)
    }

    /// The objects of a tip that the access log must record before they are sent; empty if the reader is no liaison.
    /// Includes the tip itself, since every page shows its subject.
    pub fn accessed_of_tip(
        &self,
        tip: &TipRecord,
        entries: &[TipEntryView],
        indicators: &[TipIndicatorView],
    ) -> AccessedObjects {
        let mut accessed = AccessedObjects::default();
        if !self.is_liaison() || self.is_hidden(tip) {
            return accessed;
        }
        accessed.add_tip_entry(&tip.sender, tip.sequence);
        let entries = entries.iter().filter_map(|entry| {
            let author = entry.record.author.as_ref()?;
            Some((author, entry.record.sequence))
        });
        let indicators = indicators.iter().map(|indicator| (&indicator.author, indicator.at.0));
        let others = entries.chain(indicators).filter(|(author, _)| **author != self.reader.id);
        for (author, sequence) in others {
            accessed.add_tip_entry(author, sequence);
        }
        accessed
    }
}

impl Core {
    /// [`ReaderView::own_tip`] for a caller.
    pub(in crate::exchange) fn own_tip(
        &self,
        view: &View<'_>,
        caller: &Caller,
        id: TipId,
    ) -> Result<TipRecord> {
        let reader = rights_of(view.registry(), caller.partner())?;
        ReaderView::new(view, &reader, self.clock.now()).own_tip(id)
    }
}

/// Removes the content of an entry of a hidden tip. Its action and state changes remain.
pub fn without_content(mut entry: TipEntryView) -> TipEntryView {
    (entry.record.indicators, entry.record.enforcement) = (0, None);
    TipEntryView { record: entry.record, text: String::new(), indicators: Vec::new() }
}

/// The sequence of a tip's withdrawal, which is always its last entry; `None` if the tip is not withdrawn.
pub fn withdrawal_of(view: &View<'_>, id: TipId) -> Result<Option<u64>> {
    let Some(last) = view.last_tip_entry(id)? else { return Ok(None) };
    let entry = view.tip_entry(id, last)?;
    Ok(entry.filter(|entry| entry.action == TipAction::Withdrawn).map(|_| last))
}
