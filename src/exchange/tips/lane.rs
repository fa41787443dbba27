//! Tips to liaisons. A tip that is addressed to one is released to it by that, until it is closed with it
//! or withdrawn. For what it reads is said as on a feed, and what it is given is written down.

use super::withdraw::withdrawal_of;
use super::{ResponseRequest, TipEntryView, TipIndicatorView};
use crate::domain::partner::Role;
use crate::domain::purpose::Purpose;
use crate::domain::sharing::Community;
use crate::domain::tip::TipState;
use crate::domain::{Invalid, PartnerId};
use crate::error::Result;
use crate::exchange::accesses::AccessedObjects;
use crate::exchange::{Caller, Exchange};
use crate::index::View;
use crate::index::record::{TipAction, TipEntryRecord, TipRecord};

impl Exchange {
    /// Whether a caller is given tips: none to who reads what is public. An error where it does not say
    /// for what it reads, or may not read for that.
    pub(super) fn gives_tips(&self, caller: &Caller, purpose: Option<&Purpose>) -> Result<bool> {
        self.check_purpose(caller, purpose)?;
        Ok(!purpose.is_some_and(Purpose::is_public))
    }
}

/// Whether nothing of a tip's content is shown to a party any more: to a recipient once the tip is
/// withdrawn, and to a liaison while it is closed with it.
pub fn is_hidden(view: &View<'_>, tip: &TipRecord, me: &PartnerId) -> bool {
    let is_closed = || tip.thread(me).is_some_and(|thread| thread.state == TipState::Closed);
    tip.sender != *me && (tip.withdrawn || (is_closed() && is_liaison(view, me)))
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

pub(super) fn is_liaison(view: &View<'_>, partner: &PartnerId) -> bool {
    view.registry().role(partner) == Some(Role::Liaison)
}

/// The entry behind which a party is shown nothing of a tip's content.
pub(super) fn ending_of(view: &View<'_>, tip: &TipRecord, me: &PartnerId) -> Result<Option<u64>> {
    if tip.withdrawn {
        return withdrawal_of(view, tip.id);
    }
    let mut ending = None;
    for sequence in view.entries_of_tip(tip.id, Some(me), 0) {
        let sequence = sequence?;
        let added = view.added(tip.id, sequence)?;
        if added.is_some_and(|added| is_ending(tip, &added, me)) {
            ending = Some(sequence);
        }
    }
    Ok(ending)
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

/// A liaison answers what it was sent, in its own thread, and with nothing that is a platform's to report.
pub(super) fn check_answer(caller: &Caller, request: &ResponseRequest) -> Result<()> {
    if caller.role() != Role::Liaison {
        return Ok(());
    }
    let invalid = |field, reason| Err(Invalid::new(field, reason).into());
    if request.enforcement.is_some() {
        return invalid("enforcement", "is a platform's to report: say it in the message");
    }
    if request.to_all {
        return invalid("to_all", "is for members: a liaison answers in its own thread");
    }
    Ok(())
}
