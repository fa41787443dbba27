//! What a caller may see of legal holds.

use crate::domain::PartnerId;
use crate::domain::accepted::HoldRecord;
use crate::domain::entry::{HoldId, VoidReason};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, Core};
use crate::index::View;

/// A legal hold, as the caller may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// The id.
    pub id: HoldId,
    /// Who placed it.
    pub author: PartnerId,
    /// The hold. The reason is empty for anyone but the author.
    pub record: HoldRecord,
}

impl Core {
    /// A hold of the caller. Fails if it has ended or never existed.
    pub(in crate::exchange) fn own_hold(
        &self,
        view: &View<'_>,
        caller: &Caller,
        id: HoldId,
    ) -> Result<LegalHold> {
        let record = view.hold(caller.partner(), id)?;
        let record = record.filter(|record| !record.has_ended(self.clock.now()));
        let record = record.ok_or_else(|| refused(&VoidReason::HoldGone))?;
        Ok(LegalHold { id, author: caller.partner().clone(), record })
    }
}
