//! Receipts, read from an entry and its outcome.

use crate::domain::entry::{Body, ItemOutcome, Rejection, RequestId, VoidReason};
use crate::domain::submission::ItemReceipt;
use crate::domain::{Position, Timestamp};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, Core};

/// The result of a request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestReceipt {
    /// The sequence of the entry.
    pub sequence: u64,
    /// When the entry was accepted.
    pub accepted: Timestamp,
    /// The number of accepted items.
    pub counted: usize,
    /// The rejected items, each with the reason.
    pub rejected: Vec<Rejection>,
    /// Whether an earlier attempt stored the request.
    pub replayed: bool,
}

impl Core {
    /// The receipt of a request, if it was stored before under this key. Fails if the key was used for another request.
    pub(in crate::exchange) async fn find_receipt(
        &self,
        caller: &Caller,
        request: &RequestId,
        digest: [u8; 32],
    ) -> Result<Option<RequestReceipt>> {
        match self.find_request(caller, request, digest)? {
            Some(sequence) => self.request_receipt(sequence, true).await.map(Some),
            None => Ok(None),
        }
    }

    /// Commits a request under its author's key, and returns the receipt.
    pub(in crate::exchange) async fn commit_for_receipt(
        &self,
        caller: &Caller,
        request: &RequestId,
        digest: [u8; 32],
        body: Body,
    ) -> Result<RequestReceipt> {
        let (sequence, replayed) = self.commit_request(caller, request, digest, body).await?;
        self.request_receipt(sequence, replayed).await
    }

    /// The receipt of the request in an entry.
    pub(in crate::exchange) async fn request_receipt(
        &self,
        sequence: u64,
        replayed: bool,
    ) -> Result<RequestReceipt> {
        let logged = self.entry(sequence).await?;
        let accepted = logged.entry.time;
        let (counted, rejected) = match &logged.entry.body {
            Body::Sightings(sightings) => (sightings.items.len(), sightings.rejected.clone()),
            Body::Feedback(_) => (1, Vec::new()),
            Body::TipSent(tip) => (tip.indicators.len(), tip.rejected.clone()),
            Body::TipResponded(response) => (response.indicators.len(), response.rejected.clone()),
            _ => return Err(refused(&VoidReason::Conflicts(sequence))),
        };
        Ok(RequestReceipt { sequence, accepted, counted, rejected, replayed })
    }
}

/// The receipts of all items of a request, by index: those in the entry with their outcomes, and the rejected ones.
pub(in crate::exchange) fn item_receipts(
    sequence: u64,
    indexes: impl Iterator<Item = u32>,
    outcomes: &[ItemOutcome],
    rejected: &[Rejection],
) -> Vec<(u32, ItemReceipt)> {
    let stored = indexes.zip(outcomes).map(|(index, outcome)| {
        let version = Position::new(sequence, index);
        let receipt = match outcome {
            ItemOutcome::Replaced(_) | ItemOutcome::Moved { .. } => ItemReceipt::Replaced(version),
            ItemOutcome::Unchanged(current) | ItemOutcome::Merged { current, .. } => {
                ItemReceipt::Unchanged(*current)
            }
            ItemOutcome::Created
            | ItemOutcome::Ended(_)
            | ItemOutcome::NoCurrentVersion
            | ItemOutcome::Released(_)
            | ItemOutcome::Retracted(_)
            | ItemOutcome::Full(_) => ItemReceipt::Created(version),
        };
        (index, receipt)
    });
    let rejected = rejected
        .iter()
        .map(|rejection| (rejection.index, ItemReceipt::Rejected(rejection.invalid.clone())));
    let mut items: Vec<_> = stored.chain(rejected).collect();
    items.sort_by_key(|(index, _)| *index);
    items
}
