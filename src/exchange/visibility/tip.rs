//! What a party may see of a tip.
//!
//! A recipient sees its own thread, and of the others nothing but what they show it. Once a tip is
//! withdrawn its recipients see that, and nothing of its content any more; so does a liaison while it is
//! closed with it.

pub mod referral;

use crate::domain::entry::{TipIndicator, VoidReason};
use crate::domain::partner::Role;
use crate::domain::sharing::Community;
use crate::domain::tip::TipState;
use crate::domain::{PartnerId, TipId};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, Core};
use crate::exchange::liaison::AccessedObjects;
use crate::exchange::visibility::campaign::campaign_visible;
use crate::exchange::visibility::restricted;
use crate::index::View;
use crate::index::record::{TipAction, TipEntryRecord, TipRecord};

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

impl Core {
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
    pub(in crate::exchange) fn added_to(
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

/// A tip that a caller sent or received; for any other there is none.
pub(in crate::exchange) fn tip_of(
    view: &View<'_>,
    caller: &Caller,
    id: TipId,
) -> Result<TipRecord> {
    let tip = view.tip(id)?.filter(|tip| tip.concerns(caller.partner()));
    tip.ok_or_else(|| refused(&VoidReason::TipUnknown))
}

/// Whether nothing of a tip's content is shown to a party any more: to a recipient once the tip is
/// withdrawn, and to a liaison while it is closed with it.
pub fn is_hidden(view: &View<'_>, tip: &TipRecord, me: &PartnerId) -> bool {
    let is_closed = || tip.thread(me).is_some_and(|thread| thread.state == TipState::Closed);
    tip.sender != *me && (tip.withdrawn || (is_closed() && is_liaison(view, me)))
}

pub(in crate::exchange) fn is_liaison(view: &View<'_>, partner: &PartnerId) -> bool {
    view.registry().role(partner) == Some(Role::Liaison)
}

/// Whether an entry is one by which a tip that is hidden from a party came to be.
pub fn is_ending(tip: &TipRecord, added: &TipEntryRecord, me: &PartnerId) -> bool {
    if tip.withdrawn {
        return added.what == TipAction::Withdrawn;
    }
    added.thread(me).is_some_and(|moved| moved.is_move() && moved.to == TipState::Closed)
}

/// What was added, as who may see nothing of its content is told: that it was, and how it moved the tip.
pub fn without_content(mut shown: TipEntryView) -> TipEntryView {
    (shown.added.indicators, shown.added.enforcement) = (0, None);
    TipEntryView { added: shown.added, text: String::new(), indicators: Vec::new() }
}

/// What of a tip is about to leave for a party, where that is a liaison: the tip itself, since each
/// message and page says what it is about, and what others added to it.
pub fn accessed_of_tip(
    view: &View<'_>,
    me: &PartnerId,
    tip: &TipRecord,
    added: &[TipEntryView],
    indicators: &[TipIndicatorView],
) -> AccessedObjects {
    let mut accessed = AccessedObjects::default();
    if !is_liaison(view, me) || is_hidden(view, tip, me) {
        return accessed;
    }
    accessed.add_of_tip(&tip.sender, tip.sequence);
    let added = added.iter().filter_map(|one| {
        let author = one.added.author.as_ref()?;
        Some((author, one.added.sequence))
    });
    let indicators = indicators.iter().map(|one| (&one.author, one.at.0));
    for (author, sequence) in added.chain(indicators).filter(|(author, _)| *author != me) {
        accessed.add_of_tip(author, sequence);
    }
    accessed
}

/// The indicators that an entry added, from one of their places on, each with its place: at most so
/// many of those that a party may still be shown. What is under a restricted label stays with its
/// author and with who may hold such by now.
pub(in crate::exchange) fn indicators_added(
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
pub(in crate::exchange) fn of_party(
    view: &View<'_>,
    mut tip: TipRecord,
    me: &PartnerId,
) -> TipRecord {
    if is_hidden(view, &tip, me) {
        (tip.subject, tip.respond_by, tip.campaign, tip.submission) = (None, None, None, None);
    }
    if tip.sender != *me {
        tip.threads.retain(|thread| thread.recipient == *me);
    }
    tip
}

/// The entry that took a tip back, behind which nothing was added; `None` where it is not withdrawn.
pub(in crate::exchange) fn withdrawal_of(view: &View<'_>, id: TipId) -> Result<Option<u64>> {
    let Some(last) = view.last_of_tip(id)? else { return Ok(None) };
    let added = view.added(id, last)?;
    Ok(added.filter(|added| added.what == TipAction::Withdrawn).map(|_| last))
}
