//! Tips as their senders and recipients may see them.
//!
//! A recipient sees its own thread, and of the others nothing but what they show it. Once a tip is
//! withdrawn its recipients see that, and nothing of its content any more; so does a liaison while it is
//! closed with it.

use super::lane::{accessed_of_tip, ending_of, is_hidden, is_liaison, without_content};
use super::tip_of;
use crate::domain::entry::{TipIndicator, VoidReason};
use crate::domain::purpose::Purpose;
use crate::domain::{Invalid, PartnerId, Timestamp, TipId};
use crate::error::Result;
use crate::exchange::campaigns::campaign_visible;
use crate::exchange::restricted;
use crate::exchange::submit::refused;
use crate::exchange::{AccessedObjects, Caller, Exchange, GIVEN_AT_ONCE};
use crate::index::View;
use crate::index::record::{TipEntryRecord, TipRecord};

/// What a caller asks of a tip: a page of what was added to it, and a page of its indicators.
#[derive(Clone, Debug)]
pub struct TipDetailQuery {
    /// The tip.
    pub tip: TipId,
    /// Of the sender: the recipient whose thread it asks for; all of them where `None`.
    pub recipient: Option<PartnerId>,
    /// The entry behind which the first page begins.
    pub behind: u64,
    /// How many entries it takes.
    pub entries: usize,
    /// The indicator behind which the second page begins, by entry and place.
    pub behind_indicator: Option<(u64, u32)>,
    /// How many indicators it takes.
    pub indicators: usize,
    /// Of a liaison, for what it reads.
    pub purpose: Option<Purpose>,
}

/// A tip as a caller may see it.
#[derive(Clone, Debug)]
pub struct TipView {
    /// The tip, with the threads that the caller may see.
    pub tip: TipRecord,
    /// What its sender tells.
    pub narrative: String,
    /// A page of what was added to it, oldest first, the tip itself among it.
    pub entries: Vec<TipEntryView>,
    /// Whether there is more behind it.
    pub more_entries: bool,
    /// A page of its indicators.
    pub indicators: Vec<TipIndicatorView>,
    /// Whether there is more behind it.
    pub more_indicators: bool,
    /// The time by the exchange's clock.
    pub now: Timestamp,
    /// Of a liaison, what of it is to be written down before it leaves.
    pub accessed: AccessedObjects,
}

/// What an entry added to a tip, as a party may see it.
#[derive(Clone, Debug, PartialEq)]
pub struct TipEntryView {
    /// What was added; what it moved, in the threads that the party may see alone.
    pub added: TipEntryRecord,
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

impl Exchange {
    /// A tip that the caller sent or received.
    pub fn show_tip(&self, caller: &Caller, asked: &TipDetailQuery) -> Result<TipView> {
        let me = caller.partner();
        if !self.gives_tips(caller, asked.purpose.as_ref())? {
            return Err(refused(&VoidReason::TipUnknown));
        }
        let mut asked = asked.clone();
        let view = &self.index.read()?;
        if is_liaison(view, me) {
            // With the tip itself, no more than one access holds.
            let most = (GIVEN_AT_ONCE - 1).saturating_sub(asked.entries);
            asked.indicators = asked.indicators.min(most);
        }
        let asked = &asked;
        let tip = tip_of(view, caller, asked.tip)?;
        let of = match &asked.recipient {
            _ if tip.sender != *me => Some(me),
            Some(named) if tip.thread(named).is_none() => {
                return Err(Invalid::new("recipient", "is no recipient of the tip").into());
            }
            named => named.as_ref(),
        };
        let (mut entries, mut indicators, mut narrative) = Default::default();
        if is_hidden(view, &tip, me) {
            // Wherever a page stands: there is nothing else to turn to.
            if let Some(entry) = ending_of(view, &tip, me)? {
                let shown = self.added_shown(view, me, &tip, entry, 0)?;
                entries = shown.into_iter().map(without_content).collect();
            }
        } else {
            entries = self.entries_shown(view, me, &tip, of, asked)?;
            indicators = self.indicators_shown(view, me, &tip, of, asked)?;
            narrative = view.tip_text(tip.id, tip.sequence)?;
        }
        let more_entries = entries.len() > asked.entries;
        entries.truncate(asked.entries);
        let more_indicators = indicators.len() > asked.indicators;
        indicators.truncate(asked.indicators);
        let mut tip = self.outline(view, tip, me)?;
        if let Some(of) = of {
            tip.threads.retain(|thread| thread.recipient == *of);
        }
        let accessed = accessed_of_tip(view, me, &tip, &entries, &indicators);
        let now = self.clock.now();
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

    /// One more than asked for, where there are more.
    fn entries_shown(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        tip: &TipRecord,
        of: Option<&PartnerId>,
        asked: &TipDetailQuery,
    ) -> Result<Vec<TipEntryView>> {
        let from = asked.behind.saturating_add(1);
        let mut shown = Vec::new();
        for sequence in view.entries_of_tip(tip.id, of, from).take(asked.entries + 1) {
            if let Some(one) = self.added_shown(view, me, tip, sequence?, 0)? {
                shown.push(one);
            }
        }
        Ok(shown)
    }

    /// What an entry added to a tip, with so many of its indicators; `None` where it added nothing that
    /// the party may see.
    pub(in crate::exchange) fn added_shown(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        tip: &TipRecord,
        sequence: u64,
        indicators: usize,
    ) -> Result<Option<TipEntryView>> {
        let Some(added) = self.added_to(view, me, tip, sequence)? else { return Ok(None) };
        // The tip's own text is its narrative.
        let text = view.tip_text(tip.id, sequence)?;
        let indicators = match tip.referral {
            _ if indicators == 0 => Vec::new(),
            Some(_) if sequence == tip.sequence => {
                let found = self.referred_indicators(view, tip, None, indicators)?;
                found.into_iter().map(|(_, indicator)| indicator).collect()
            }
            _ => {
                let found = indicators_added(view, me, tip, &added, 0, indicators)?;
                found.into_iter().map(|(_, indicator)| indicator).collect()
            }
        };
        Ok(Some(TipEntryView { added, text, indicators }))
    }

    /// What an entry added to a tip, without its text and its indicators.
    pub(super) fn added_to(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        tip: &TipRecord,
        sequence: u64,
    ) -> Result<Option<TipEntryRecord>> {
        let Some(mut added) = view.added(tip.id, sequence)? else { return Ok(None) };
        if tip.sender != *me {
            if !added.stands_in(me) {
                return Ok(None);
            }
            added.threads.retain(|thread| thread.recipient == *me);
            // In whose thread it stands is told of its own alone.
            added.recipient = Some(me.clone());
            added.shown &= added.author.as_ref() == Some(me);
            // Of what another recipient shows, what it did is the sender's alone to see.
            if added.author.as_ref().is_some_and(|author| author != me && *author != tip.sender) {
                added.enforcement = None;
            }
        }
        if let Some(done) = &mut added.enforcement
            && let Some(campaign) = done.campaign
            && !campaign_visible(view, me, campaign, self.clock.now())?
        {
            done.campaign = None;
        }
        Ok(Some(added))
    }

    /// One more than asked for, where there are more.
    fn indicators_shown(
        &self,
        view: &View<'_>,
        me: &PartnerId,
        tip: &TipRecord,
        of: Option<&PartnerId>,
        asked: &TipDetailQuery,
    ) -> Result<Vec<TipIndicatorView>> {
        let most = asked.indicators + 1;
        let behind = asked.behind_indicator;
        let mut shown = Vec::new();
        // What a referral refers to lies before its own entry.
        if tip.referral.is_some() && behind.is_none_or(|(entry, _)| entry < tip.sequence) {
            let found = self.referred_indicators(view, tip, behind, most)?;
            let author = tip.sender.clone();
            shown.extend(found.into_iter().map(|(at, indicator)| TipIndicatorView {
                author: author.clone(),
                at,
                indicator,
            }));
        }
        let from = behind.map_or(0, |(entry, _)| entry);
        for sequence in view.entries_of_tip(tip.id, of, from) {
            let sequence = sequence?;
            if shown.len() >= most {
                break;
            }
            let Some(added) = view.added(tip.id, sequence)? else { continue };
            let is_shown = tip.sender == *me || added.stands_in(me);
            if !is_shown || added.indicators == 0 {
                continue;
            }
            let Some(author) = added.author.clone() else { continue };
            let first = match behind {
                Some((entry, place)) if entry == sequence => place.saturating_add(1),
                _ => 0,
            };
            let left = most - shown.len();
            let found = indicators_added(view, me, tip, &added, first, left)?.into_iter();
            shown.extend(found.map(|(place, indicator)| TipIndicatorView {
                author: author.clone(),
                at: (sequence, place),
                indicator,
            }));
        }
        Ok(shown)
    }

    /// A tip as one of its parties may see it: with its own thread, or all of them for the sender; of one
    /// that is hidden from it, nothing of the content. Its campaign is blank for who does not see
    /// that.
    pub(in crate::exchange) fn outline(
        &self,
        view: &View<'_>,
        tip: TipRecord,
        me: &PartnerId,
    ) -> Result<TipRecord> {
        let mut tip = of_party(view, tip, me);
        if let Some(campaign) = tip.campaign
            && !campaign_visible(view, me, campaign, self.clock.now())?
        {
            tip.campaign = None;
        }
        Ok(tip)
    }
}

/// The indicators that an entry added, from one of their places on, each with its place: at most so
/// many of those that a party may still be shown. What is under a restricted label stays with its
/// author and with who may hold such by now.
pub(super) fn indicators_added(
    view: &View<'_>,
    me: &PartnerId,
    tip: &TipRecord,
    added: &TipEntryRecord,
    mut from: u32,
    most: usize,
) -> Result<Vec<(u32, TipIndicator)>> {
    let author = added.author.as_ref().unwrap_or(&tip.sender);
    let may_hold = me == author || restricted::may_hold(view.registry(), &[me]);
    let mut shown = Vec::new();
    while shown.len() < most {
        let left = most - shown.len();
        let found = view.tip_indicators(tip.id, added.sequence, from, left)?;
        let is_last = found.len() < left;
        for one in found {
            if may_hold || !one.restricted {
                shown.push((from, one));
            }
            from = from.saturating_add(1);
        }
        if is_last {
            break;
        }
    }
    Ok(shown)
}

/// The same as [`Exchange::outline`] by whose it is alone: its campaign is there also for who does not
/// see that.
pub(super) fn of_party(view: &View<'_>, mut tip: TipRecord, me: &PartnerId) -> TipRecord {
    if is_hidden(view, &tip, me) {
        (tip.subject, tip.respond_by, tip.campaign, tip.submission) = (None, None, None, None);
    }
    if tip.sender != *me {
        tip.threads.retain(|thread| thread.recipient == *me);
    }
    tip
}
