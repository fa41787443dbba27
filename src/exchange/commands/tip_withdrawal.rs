//! Withdrawing tips.

use crate::domain::TipId;
use crate::domain::entry::{AppendId, Body, Outcome, VoidReason};
use crate::error::{Error, Kind, Result};
use crate::exchange::commands::Commands;
use crate::exchange::commit::refused;
use crate::exchange::core::Caller;
use crate::exchange::visibility::tip::withdrawal_of;
use crate::index::View;

impl Commands {
    /// Withdraws a tip from all recipients. Returns the sequence of the withdrawal, and whether the tip was withdrawn
    /// before. Idempotent.
    pub async fn withdraw_tip(&self, caller: &Caller, id: TipId) -> Result<(u64, bool)> {
        if let Some(earlier) = self.check_withdrawal(caller, id)? {
            return Ok((earlier, true));
        }
        let append_id = AppendId::derive(&[
            b"tip-withdrawal",
            id.as_bytes(),
            &self.core.index.checkpoint().to_be_bytes(),
        ]);
        let body = Body::TipWithdrawn(id);
        let committed = self.core.commit(append_id, Some(caller.partner()), body).await?;
        match &*committed.outcome {
            Outcome::Applied(_) => Ok((committed.sequence, committed.repeated)),
            Outcome::Void(VoidReason::TipWithdrawn) => {
                Ok((find_withdrawal(&self.core.index.read()?, id)?, true))
            }
            Outcome::Void(reason) => Err(refused(reason)),
        }
    }

    /// The sequence of an earlier withdrawal, if the tip is withdrawn. Fails if the caller did not send the tip.
    fn check_withdrawal(&self, caller: &Caller, id: TipId) -> Result<Option<u64>> {
        let view = self.core.index.read()?;
        let tip = self.core.own_tip(&view, caller, id)?;
        if tip.sender != *caller.partner() {
            let message = "only the sender can withdraw a tip";
            return Err(Error::new(Kind::Denied, "tip_not_yours", message));
        }
        tip.withdrawn.then(|| find_withdrawal(&view, id)).transpose()
    }
}

/// The sequence of the withdrawal of a withdrawn tip.
fn find_withdrawal(view: &View<'_>, id: TipId) -> Result<u64> {
    let missing =
        || Error::internal("index_corrupt", format!("the withdrawal of tip {id} is missing"));
    withdrawal_of(view, id)?.ok_or_else(missing)
}
