//! The one way into the journal: an idempotency key, an append, and the outcome that apply decided.
//!
//! 1. A command builds the body of an entry and derives its [`AppendId`]: the idempotency key.
//! 2. [`Core::commit`] appends it. The writer of the [`Log`](crate::journal::Log) gathers waiting entries and stores
//!    them in one durable write. An id that is already in the journal is not stored again.
//! 3. The [`Follower`](super::Follower) applies the entry. Apply decides whether the entry is applied or void, because
//!    only apply knows all earlier entries, in the same order on every node.
//! 4. `commit` returns that outcome. The receipt is read from it.
//!
//! An append has one of three results: stored; rejected, and nothing was written; or unknown, and the caller has to
//! send the same request again. See [`Core::append`] for the errors.

mod receipt;
mod refusal;
mod withdrawal;

use std::sync::Arc;

pub use self::receipt::RequestReceipt;
pub(in crate::exchange) use self::receipt::item_receipts;
pub(in crate::exchange) use self::refusal::refused;
pub(in crate::exchange) use self::withdrawal::{TARGETS_PER_ENTRY, targets_bytes};
use crate::domain::PartnerId;
use crate::domain::entry::{AppendId, Body, ItemOutcome, Outcome, RequestId, VoidReason};
use crate::error::{Error, Result};
use crate::exchange::core::{Caller, Core};
use crate::journal::Append;

/// An entry that is durable and applied.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The sequence of the entry.
    pub sequence: u64,
    /// Whether an earlier append with the same id stored the entry.
    pub repeated: bool,
    /// The outcome that apply decided.
    pub outcome: Arc<Outcome>,
}

impl Committed {
    /// The outcomes of the entry's items. Fails with the error for the caller if the entry is void.
    pub fn items(&self) -> Result<&[ItemOutcome]> {
        match &*self.outcome {
            Outcome::Applied(items) => Ok(items),
            Outcome::Void(reason) => Err(refused(reason)),
        }
    }
}

impl Core {
    /// Appends an entry and waits until it is applied. `author` is `None` for entries of the exchange itself.
    ///
    /// Idempotent: within the journal's deduplication window, an id is stored once. A repeat returns the first outcome.
    pub(in crate::exchange) async fn commit(
        &self,
        id: AppendId,
        author: Option<&PartnerId>,
        body: Body,
    ) -> Result<Committed> {
        self.commit_append(Append::new(id, author.cloned(), body)).await
    }

    /// Like [`Core::commit`], for an entry that is already encoded.
    pub(in crate::exchange) async fn commit_append(&self, append: Append) -> Result<Committed> {
        let stamp = self.append(append).await?;
        let outcome = self.index.outcome(stamp.sequence).await?;
        Ok(Committed { sequence: stamp.sequence, repeated: stamp.repeated, outcome })
    }

    /// Commits a change for which the author sent no idempotency key, such as a change of the registry. The id is
    /// derived from the encoded entry and the checkpoint. So a retry before the checkpoint moves is stored once, and
    /// the same change can be made again later.
    pub(in crate::exchange) async fn commit_change(
        &self,
        author: Option<&PartnerId>,
        body: Body,
    ) -> Result<Committed> {
        let unkeyed = Append::new(AppendId::from_bytes([0; 16]), author.cloned(), body);
        let checkpoint = self.index.checkpoint().to_be_bytes();
        let id = AppendId::derive(&[b"change", unkeyed.encoded(), &checkpoint]);
        let append = Append::with_id(id, unkeyed.encoded())
            .map_err(|error| Error::internal("append_again", error))?;
        self.commit_append(append).await
    }

    /// Commits a request under its author's key. Returns the sequence of the entry that holds the request, and whether
    /// an earlier attempt stored it. Fails if the key was used for another request.
    ///
    /// Two layers make it idempotent. The journal stores an id once within its deduplication window; the checkpoint
    /// in the id lets a request that was void be decided again. Apply keeps the key for good, and answers
    /// [`VoidReason::Repeats`] if the journal stored the request twice.
    pub(in crate::exchange) async fn commit_request(
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
        let committed = self.commit(id, Some(caller.partner()), body).await?;
        match &*committed.outcome {
            Outcome::Applied(_) => Ok((committed.sequence, committed.repeated)),
            Outcome::Void(VoidReason::Repeats(first)) => Ok((*first, true)),
            Outcome::Void(reason) => Err(refused(reason)),
        }
    }

    /// The sequence of the entry that holds a request, if the request was stored before under this key. Fails if the
    /// key was used for another request.
    pub(in crate::exchange) fn find_request(
        &self,
        caller: &Caller,
        request: &RequestId,
        digest: [u8; 32],
    ) -> Result<Option<u64>> {
        match self.index.read()?.request_record(caller.partner(), request)? {
            None => Ok(None),
            Some(record) if record.digest == digest => Ok(Some(record.sequence)),
            Some(record) => Err(refused(&VoidReason::Conflicts(record.sequence))),
        }
    }
}
