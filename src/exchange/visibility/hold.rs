//! What a caller may see of legal holds.

use crate::domain::PartnerId;
use crate::domain::accepted::HoldRecord;
use crate::domain::entry::{HoldId, VoidReason};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, Core};
use crate::index::View;

/// A hold, as who asks may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Its id.
    pub id: HoldId,
    /// Who placed it.
    pub author: PartnerId,
    /// When, until when, how much and why; the reason is there for its author alone.
    pub record: HoldRecord,
}

impl Core {
    /// A hold of the caller's that has not ended.
    pub(in crate::exchange) fn own_hold(
        &self,
        view: &View<'_>,
        caller: &Caller,
        id: HoldId,
    ) -> Result<LegalHold> {
        let kept = view.hold(caller.partner(), id)?;
        let kept = kept.filter(|kept| !kept.has_ended(self.clock.now()));
        let kept = kept.ok_or_else(|| refused(&VoidReason::HoldGone))?;
        Ok(LegalHold { id, author: caller.partner().clone(), record: kept })
    }
}
