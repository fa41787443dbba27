//! Withdrawals and expiries.

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, ItemOutcome, Outcome};
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::event::{FeedEvent, Removal, RemovalReason, RemovedObject};
use crate::exchange::visibility::VersionMeta;

/// The author whose versions an entry ends without replacing them, and the reason.
pub fn removal_cause(body: &Body) -> Option<(&PartnerId, RemovalReason)> {
    match body {
        Body::Withdrawal(withdrawal) => Some((&withdrawal.partner, RemovalReason::Withdrawn)),
        Body::Expiry(expiry) => Some((&expiry.partner, RemovalReason::Expired)),
        _ => None,
    }
}

/// The versions that an entry ended and that the reader may hold: it could see them, and its filter matched them,
/// immediately before the entry.
pub fn changes(input: &Input<'_>) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some((author, reason)) = removal_cause(&entry.body) else { return Ok(None) };
    if !input.may_hold_versions() {
        return Ok(None);
    }
    let Some(reader_before) = input.reader_before() else { return Ok(None) };
    let outcome = input.view.outcome(entry.sequence)?;
    let Outcome::Applied(outcomes) = &*outcome else { return Ok(None) };
    let mut removals = Vec::new();
    for (index, outcome) in (0u32..).zip(outcomes) {
        let item = Position::new(entry.sequence, index);
        let ItemOutcome::Ended(version) = *outcome else { continue };
        if input.was_delivered(item) {
            continue;
        }
        let Some(closed) = input.view.closed_version(version)? else { continue };
        let (sharing, assessment) = (&closed.sharing, &closed.metadata);
        if input.visibility.should_deliver(
            input.view,
            &reader_before,
            input.before(),
            VersionMeta { author, version, sharing, assessment },
        )? {
            let (object, author) = (RemovedObject::Assessment(closed.id), author.clone());
            removals.push(Removal {
                position: FeedPosition::after_item(item),
                version,
                object,
                author,
                reason,
            });
        }
    }
    Ok((!removals.is_empty()).then_some(FeedEvent::Removals(removals)))
}
