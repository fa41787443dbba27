//! What a party may see of a tip.
//!
//! A recipient sees its own thread, and of the others nothing but what they show it. Once a tip is
//! withdrawn its recipients see that, and nothing of its content any more; so does a liaison while it is
//! closed with it.

pub mod referral;

use crate::domain::accepted::{TipAction, TipEntryRecord, TipRecord};
use crate::domain::entry::{TipIndicator, VoidReason};
use crate::domain::tip::TipState;
use crate::domain::{PartnerId, TipId};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, Core, reader};
use crate::exchange::liaison::AccessedObjects;
use crate::exchange::visibility::{ReaderView, restricted};
use crate::index::View;

/// What an entry added to a tip, as a party may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TipEntryView {
    /// What was added; what it moved, in the threads that the party may see alone.
    pub record: TipEntryRecord,
    /// What its author says.
    pub text: String,
    /// The first of its indicators, where they are asked for.
    pub indicators: Vec<TipIndicator>,
}

/// An indicator that a tip refers to.
#[derive(Clone, Debug, PartialEq)]
pub struct TipIndicatorView {
    /// Who added it.
    pub author: PartnerId,
    /// Its entry, and its place in what the entry added: of a referral, the entry and the item that
    /// brought it.
    pub at: (u64, u32),
    /// What it is.
    pub indicator: TipIndicator,
}

impl ReaderView<'_> {
    /// A tip that the reader sent or received; an error for any other, as for one that does not exist.
    pub fn own_tip(&self, id: TipId) -> Result<TipRecord> {
        let tip = self.view.tip(id)?.filter(|tip| tip.concerns(&self.reader.id));
        tip.ok_or_else(|| refused(&VoidReason::TipUnknown))
    }

    /// A tip as the reader may see it: with its own thread, or all threads for the sender. Content that is
    /// hidden from the reader is blank, and so is a campaign that it does not see.
    pub fn tip(&self, tip: TipRecord) -> Result<TipRecord> {
        let mut tip = self.own_threads(tip);
        if let Some(campaign) = tip.campaign
            && !self.sees_campaign(campaign)?
        {
            tip.campaign = None;
        }
        Ok(tip)
    }

    /// Like [`ReaderView::tip`], with its campaign, whether the reader sees that or not.
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

    /// Whether an entry is the withdrawal or the closing that hides a tip from the reader.
    pub fn is_hiding(&self, tip: &TipRecord, added: &TipEntryRecord) -> bool {
        if tip.withdrawn {
            return added.action == TipAction::Withdrawn;
        }
        let moved = added.thread(&self.reader.id);
        moved.is_some_and(|moved| moved.is_move() && moved.to == TipState::Closed)
    }

    /// An entry of a tip with its text and up to `indicators` of its indicators; `None` where the reader may
    /// not see the entry.
    pub fn tip_entry(
        &self,
        tip: &TipRecord,
        sequence: u64,
        indicators: usize,
    ) -> Result<Option<TipEntryView>> {
        let Some(added) = self.tip_entry_record(tip, sequence)? else { return Ok(None) };
        // The text of the tip's first entry is its narrative.
        let text = self.view.tip_text(tip.id, sequence)?;
        let indicators = match tip.referral {
            _ if indicators == 0 => Vec::new(),
            Some(_) if sequence == tip.sequence => {
                let found = self.referred_indicators(tip, None, indicators)?;
                found.into_iter().map(|(_, indicator)| indicator).collect()
            }
            _ => {
                let found = self.entry_indicators(tip, &added, 0, indicators)?;
                found.into_iter().map(|(_, indicator)| indicator).collect()
            }
        };
        Ok(Some(TipEntryView { record: added, text, indicators }))
    }

    /// An entry of a tip without its text and indicators; `None` where the reader may not see it.
    pub fn tip_entry_record(
        &self,
        tip: &TipRecord,
        sequence: u64,
    ) -> Result<Option<TipEntryRecord>> {
        let me = &self.reader.id;
        let Some(mut added) = self.view.tip_entry(tip.id, sequence)? else { return Ok(None) };
        if tip.sender != *me {
            if !added.is_in_thread(me) {
                return Ok(None);
            }
            added.threads.retain(|thread| thread.recipient == *me);
            // A recipient does not learn in which other threads the entry stands.
            added.recipient = Some(me.clone());
            added.shown &= added.author.as_ref() == Some(me);
            // The counts of another recipient go to the sender alone, also where its message goes to all.
            if added.author.as_ref().is_some_and(|author| author != me && *author != tip.sender) {
                added.enforcement = None;
            }
        }
        if let Some(done) = &mut added.enforcement
            && let Some(campaign) = done.campaign
            && !self.sees_campaign(campaign)?
        {
            done.campaign = None;
        }
        Ok(Some(added))
    }

    /// The indicators that an entry added, from index `from` on, each with its index. Restricted ones go to
    /// their author and to readers that may hold them now. At most `limit`.
    pub fn entry_indicators(
        &self,
        tip: &TipRecord,
        added: &TipEntryRecord,
        mut from: u32,
        limit: usize,
    ) -> Result<Vec<(u32, TipIndicator)>> {
        let me = &self.reader.id;
        let author = added.author.as_ref().unwrap_or(&tip.sender);
        let may_hold = me == author || restricted::may_hold(self.view.registry(), &[me]);
        let mut visible = Vec::new();
        while visible.len() < limit {
            let left = limit - visible.len();
            let found = self.view.tip_indicators(tip.id, added.sequence, from, left)?;
            let is_last = found.len() < left;
            for one in found {
                if may_hold || !one.restricted {
                    visible.push((from, one));
                }
                from = from.saturating_add(1);
            }
            if is_last {
                break;
            }
        }
        Ok(visible)
    }

    /// The objects of a tip that the access log has to record before they leave: none unless the reader is a
    /// liaison. The tip counts too, since every page shows its subject.
    pub fn accessed_of_tip(
        &self,
        tip: &TipRecord,
        added: &[TipEntryView],
        indicators: &[TipIndicatorView],
    ) -> AccessedObjects {
        let mut accessed = AccessedObjects::default();
        if !self.is_liaison() || self.is_hidden(tip) {
            return accessed;
        }
        accessed.add_of_tip(&tip.sender, tip.sequence);
        let added = added.iter().filter_map(|one| {
            let author = one.record.author.as_ref()?;
            Some((author, one.record.sequence))
        });
        let indicators = indicators.iter().map(|one| (&one.author, one.at.0));
        let others = added.chain(indicators).filter(|(author, _)| **author != self.reader.id);
        for (author, sequence) in others {
            accessed.add_of_tip(author, sequence);
        }
        accessed
    }
}

impl Core {
    /// Like [`ReaderView::own_tip`], for a caller.
    pub(in crate::exchange) fn own_tip(
        &self,
        view: &View<'_>,
        caller: &Caller,
        id: TipId,
    ) -> Result<TipRecord> {
        let reader = reader(view.registry(), caller.partner())?;
        ReaderView::new(view, &reader, self.clock.now()).own_tip(id)
    }
}

/// An entry of a hidden tip: that it happened, and how it moved the tip.
pub fn without_content(mut entry: TipEntryView) -> TipEntryView {
    (entry.record.indicators, entry.record.enforcement) = (0, None);
    TipEntryView { record: entry.record, text: String::new(), indicators: Vec::new() }
}

/// The entry that withdrew a tip, always the last of the tip; `None` where it is not withdrawn.
pub fn withdrawal_of(view: &View<'_>, id: TipId) -> Result<Option<u64>> {
    let Some(last) = view.last_tip_entry(id)? else { return Ok(None) };
    let added = view.tip_entry(id, last)?;
    Ok(added.filter(|added| added.action == TipAction::Withdrawn).map(|_| last))
}
