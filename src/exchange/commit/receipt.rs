//! Receipts, read from an entry and its outcome.

use std::sync::Arc;

use crate::domain::entry::{Body, ItemOutcome, Rejection, RequestId, VoidReason};
use crate::domain::submission::ItemReceipt;
use crate::domain::{Invalid, Position, Timestamp};
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

    /// Checks a request on a blocking thread and commits it under its author's key, unless it was stored before.
    /// Returns the receipt. `check` builds the body of the entry.
    pub(in crate::exchange) async fn commit_checked(
        self: &Arc<Self>,
        caller: &Caller,
        (request, digest): (&RequestId, [u8; 32]),
        check: impl FnOnce(&Self) -> Result<Body> + Send + 'static,
    ) -> Result<RequestReceipt> {
        if let Some(receipt) = self.find_receipt(caller, request, digest).await? {
            return Ok(receipt);
        }
        match self.blocking(check).await {
            Ok(body) => self.commit_for_receipt(caller, request, digest, body).await,
            // The first attempt may have been applied meanwhile. Then what it changed can fail the check, but the
            // caller gets its receipt.
            Err(error) => match self.find_receipt(caller, request, digest).await? {
                Some(receipt) => Ok(receipt),
                None => Err(error),
            },
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
            ItemOutcome::Replaced(_) => ItemReceipt::Replaced { version, withdrawn: None },
            ItemOutcome::Moved { withdrawn, .. } => {
                ItemReceipt::Replaced { version, withdrawn: *withdrawn }
            }
            ItemOutcome::Unchanged(current) | ItemOutcome::Merged { current, .. } => {
                ItemReceipt::Unchanged(*current)
            }
            ItemOutcome::Recreated(withdrawn) => ItemReceipt::Recreated { version, withdrawn: *withdrawn },
            ItemOutcome::VerdictConflict => ItemReceipt::Rejected(Invalid::new(
                "verdict",
                "differs from the verdict that this submission gave the same value before",
            )),
            ItemOutcome::Created
            // The outcomes below are those of other entries. No item of a submission, contribution or enforcement
            // has one.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::domain::entry::{AppendId, Sightings};
    use crate::domain::partner::{HourlyLimits, Partner, Role};
    use crate::domain::sharing::Audience;
    use crate::domain::{PartnerId, Sharing, Tlp};
    use crate::exchange::core::Settings;
    use crate::index::{Applier, Index};
    use crate::journal::{Append, Log, LogSettings, MemoryJournal};

    fn member(id: &str) -> Partner {
        Partner {
            id: PartnerId::parse(id).unwrap(),
            name: id.into(),
            role: Role::Member,
            platforms: Vec::new(),
            jurisdiction: None,
            purposes: Vec::new(),
            default_group: None,
            default_tlp: Tlp::Amber,
            referrals_off: false,
            limits: HourlyLimits::default(),
        }
    }

    fn sightings(request: &RequestId) -> Body {
        Body::Sightings(Sightings {
            request: request.clone(),
            digest: [1; 32],
            sharing: Sharing {
                tlp: Tlp::Green,
                audience: Audience::Everyone,
                releases: Vec::new(),
            },
            items: Vec::new(),
            rejected: Vec::new(),
        })
    }

    /// A retry whose first attempt is applied while the retry is checked. What the first attempt changed makes the
    /// check fail.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_retry_gets_its_receipt_if_the_first_attempt_is_applied_during_the_check() {
        let journal = MemoryJournal::new(Arc::new(|| Timestamp::from_millis(5)));
        let log = Arc::new(Log::start(Arc::new(journal), LogSettings::default()).unwrap());
        let index = Arc::new(Index::in_memory().unwrap());
        let (mut applier, entries) = (Applier::new(Arc::clone(&index)).unwrap(), Arc::clone(&log));
        let mut apply = move || {
            let new = entries.read_blocking(applier.next_sequence(), 10).unwrap();
            applier.apply(new.iter().map(|logged| &logged.entry)).unwrap();
        };
        let clock = Arc::new(SystemClock);
        let core = Arc::new(Core::new(log, index, clock, Settings::default()));
        let author = member("birdsite");
        let put = Body::PartnerPut(author.clone());
        core.append(Append::new(AppendId::derive(&[b"put"]), None, put)).await.unwrap();
        apply();
        let caller = core.admit(&author.id).unwrap();
        let request = RequestId::parse("sightings-1").unwrap();
        let (first_attempt, runtime) = (sightings(&request), tokio::runtime::Handle::current());
        let check = move |core: &Core| {
            let id = AppendId::derive(&[b"first"]);
            let append = Append::new(id, Some(author.id), first_attempt);
            runtime.block_on(core.append(append)).unwrap();
            apply();
            Err(refused(&VoidReason::TipWithdrawn))
        };
        let receipt = core.commit_checked(&caller, (&request, [1; 32]), check).await.unwrap();
        assert!(receipt.replayed);
    }
}
