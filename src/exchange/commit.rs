//! The one way into the journal: an idempotency key, an append, and the outcome that apply decided.

mod receipt;
mod refusal;

pub use self::receipt::RequestReceipt;
pub(in crate::exchange) use self::receipt::item_receipts;
pub(in crate::exchange) use self::refusal::refused;
use crate::domain::entry::{AppendId, Body, Outcome, RequestId, VoidReason};
use crate::error::Result;
use crate::exchange::core::{Caller, Core};
use crate::journal::Append;

impl Core {
    /// The entry of a request that was taken under this key. An error where another was.
    pub(in crate::exchange) fn keyed_before(
        &self,
        caller: &Caller,
        request: &RequestId,
        digest: [u8; 32],
    ) -> Result<Option<u64>> {
        match self.index.read()?.taken_request(caller.partner(), request)? {
            None => Ok(None),
            Some(taken) if taken.digest == digest => Ok(Some(taken.sequence)),
            Some(taken) => Err(refused(&VoidReason::Conflicts(taken.sequence))),
        }
    }

    /// Appends a request, and gives the entry by which it counts, and whether that was there before.
    pub(in crate::exchange) async fn keyed(
        &self,
        caller: &Caller,
        request: &RequestId,
        digest: [u8; 32],
        body: Body,
    ) -> Result<(u64, bool)> {
        let id = AppendId::derive(&[
            b"request",
            caller.partner().as_str().as_bytes(),
            request.as_str().as_bytes(),
            &digest,
            &self.index.checkpoint().to_be_bytes(),
        ]);
        let author = Some(caller.partner().clone());
        let stamp = self.append(Append::new(id, author, body)).await?;
        match &*self.index.outcome(stamp.sequence).await? {
            Outcome::Taken(_) => Ok((stamp.sequence, stamp.repeated)),
            Outcome::Void(VoidReason::Repeats(first)) => Ok((*first, true)),
            Outcome::Void(reason) => Err(refused(reason)),
        }
    }
}
