//! What a reader is told of withdrawals and expiries.

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, Entry, ItemOutcome, Outcome};
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::feeds::event::{Removal, RemovalReason, RemovedObject};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};
use crate::index::View;

/// Whose versions an entry ends without anything taking their place, and why.
pub fn ending(body: &Body) -> Option<(&PartnerId, RemovalReason)> {
    match body {
        Body::Withdrawal(withdrawal) => Some((&withdrawal.partner, RemovalReason::Withdrawn)),
        Body::Expiry(expiry) => Some((&expiry.partner, RemovalReason::Expired)),
        _ => None,
    }
}

impl Core {
    /// The removals of an entry for those who could see the versions, and asked for them, immediately
    /// before it.
    pub(in crate::exchange) fn removals(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        behind: FeedPosition,
    ) -> Result<Vec<Removal>> {
        let Some((author, reason)) = ending(&entry.body) else { return Ok(Vec::new()) };
        let Some(then) = sight.reader_at(entry.sequence.saturating_sub(1)) else {
            return Ok(Vec::new());
        };
        let before = AsOf::Sequence(entry.sequence.saturating_sub(1));
        let outcome = self.index.applied_outcome(entry.sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else { return Ok(Vec::new()) };
        let mut removals = Vec::new();
        for (index, outcome) in (0u32..).zip(outcomes) {
            let at = Position::new(entry.sequence, index);
            let ItemOutcome::Ended(version) = *outcome else { continue };
            if at <= behind.after {
                continue;
            }
            let Some(closed) = view.closed_version(version)? else { continue };
            let (sharing, said) = (&closed.sharing, &closed.metadata);
            if sight.should_deliver(
                view,
                &then,
                before,
                VersionMeta { author, version, sharing, assessment: said },
            )? {
                let (what, author) = (RemovedObject::Assessment(closed.id), author.clone());
                removals.push(Removal {
                    place: FeedPosition::after_item(at),
                    version,
                    what,
                    author,
                    reason,
                });
            }
        }
        Ok(removals)
    }
}
