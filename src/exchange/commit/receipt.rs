//! Receipts, read from an entry and its outcome.

use crate::domain::entry::{Body, ItemOutcome, Rejection, RequestId, VoidReason};
use crate::domain::submission::ItemReceipt;
use crate::domain::{Position, Timestamp};
use crate::error::Result;
use crate::exchange::commit::refused;
use crate::exchange::core::{Caller, Core};

/// What became of a request under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestReceipt {
    /// Its entry.
    pub sequence: u64,
    /// When it was taken.
    pub accepted: Timestamp,
    /// How many of its items count.
    pub counted: usize,
    /// The items that do not, and why.
    pub rejected: Vec<Rejection>,
    /// Whether it had been taken before.
    pub replayed: bool,
}

impl Core {
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

    pub(in crate::exchange) async fn request_receipt(
        &self,
        sequence: u64,
        replayed: bool,
    ) -> Result<RequestReceipt> {
        let entry = self.entry(sequence).await?;
        let accepted = entry.entry.time;
        let (counted, rejected) = match &entry.entry.body {
            Body::Sightings(sightings) => (sightings.items.len(), sightings.rejected.clone()),
            Body::Feedback(_) => (1, Vec::new()),
            Body::TipSent(sent) => (sent.indicators.len(), sent.rejected.clone()),
            Body::TipResponded(response) => (response.indicators.len(), response.rejected.clone()),
            _ => return Err(refused(&VoidReason::Conflicts(sequence))),
        };
        Ok(RequestReceipt { sequence, accepted, counted, rejected, replayed })
    }
}

/// What became of each item of an entry, by index: of those that were taken and of those that could not
/// be read.
pub(in crate::exchange) fn item_receipts(
    sequence: u64,
    indexes: impl Iterator<Item = u32>,
    outcomes: &[ItemOutcome],
    rejected: &[Rejection],
) -> Vec<(u32, ItemReceipt)> {
    let taken = indexes.zip(outcomes).map(|(index, outcome)| {
        let own = Position::new(sequence, index);
        let receipt = match outcome {
            ItemOutcome::Replaced(_) | ItemOutcome::Moved { .. } => ItemReceipt::Replaced(own),
            ItemOutcome::Unchanged(current) | ItemOutcome::Merged { current, .. } => {
                ItemReceipt::Unchanged(*current)
            }
            ItemOutcome::Created
            | ItemOutcome::Ended(_)
            | ItemOutcome::NoCurrentVersion
            | ItemOutcome::Released(_)
            | ItemOutcome::Retracted(_)
            | ItemOutcome::Full(_) => ItemReceipt::Created(own),
        };
        (index, receipt)
    });
    let rejected =
        rejected.iter().map(|one| (one.index, ItemReceipt::Rejected(one.invalid.clone())));
    let mut items: Vec<_> = taken.chain(rejected).collect();
    items.sort_by_key(|(index, _)| *index);
    items
}
