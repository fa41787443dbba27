//! Legal holds: copies of a partner's objects that the exchange keeps even if the objects end.

use crate::domain::entry::{
    Body, HoldAction, HoldChange, HoldId, HoldPlaced, LastPart, Rejection, RequestId, VoidReason,
};
use crate::error::{Error, Kind, Result};
use crate::exchange::commands::Commands;
use crate::exchange::commands::selection::{Scope, Selection, SplitRequest};
use crate::exchange::commit::refused;
use crate::exchange::core::Caller;
use crate::exchange::visibility::hold::LegalHold;

/// Objects in one entry. A larger hold is split into several entries, so that it does not delay other requests.
const OBJECTS_PER_ENTRY: usize = 500;

/// A request to place a hold.
#[derive(Clone, Debug)]
pub struct HoldRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The objects to hold.
    pub selection: Selection,
    /// The reason of the hold. Only its author may see it.
    pub reason: Box<str>,
}

/// The result of a [`HoldRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedHold {
    /// The hold.
    pub hold: LegalHold,
    /// The keys that select nothing, by index.
    pub rejected: Vec<Rejection>,
    /// The sequences of the entries.
    pub sequences: Vec<u64>,
    /// Whether an earlier attempt stored the request.
    pub replayed: bool,
}

impl Commands {
    /// Places a hold: copies the caller's current assessments. Idempotent by key.
    pub async fn place_hold(&self, caller: &Caller, request: HoldRequest) -> Result<PlacedHold> {
        let HoldRequest { request, digest, selection, reason } = request;
        let hold = HoldId::of(caller.partner(), &request);
        if let Some(last) = self.core.find_request(caller, &request, digest)? {
            return self.placed_hold(caller, hold, last, true).await;
        }
        let selected = self.select(caller, selection, Scope::Assessments, |_| None).await?;
        if selected.objects.is_empty() {
            let message = "there is nothing to keep: none of your current assessments match";
            return Err(Error::new(Kind::NotFound, "nothing_to_hold", message));
        }
        let split = SplitRequest {
            request: &request,
            digest,
            selected,
            objects_per_entry: OBJECTS_PER_ENTRY,
        };
        let body = |objects, last| {
            let (request, reason) = (request.clone(), reason.clone());
            Body::HoldPlaced(HoldPlaced { hold, request, digest, last, reason, objects })
        };
        let (last, replayed) = self.commit_split(caller, split, body).await?;
        self.placed_hold(caller, hold, last, replayed).await
    }

    /// The result of a request, from its last entry.
    async fn placed_hold(
        &self,
        caller: &Caller,
        hold: HoldId,
        last: u64,
        replayed: bool,
    ) -> Result<PlacedHold> {
        let logged = self.core.entry(last).await?;
        let Body::HoldPlaced(HoldPlaced { last: Some(part), .. }) = &logged.entry.body else {
            return Err(refused(&VoidReason::Conflicts(last)));
        };
        let LastPart { earlier, rejected, .. } = part.clone();
        let sequences = earlier.into_iter().chain([last]).collect();
        let hold = self.core.own_hold(&self.core.index.read()?, caller, hold)?;
        Ok(PlacedHold { hold, rejected, sequences, replayed })
    }

    /// Renews a hold of the caller: its full duration starts again now.
    pub async fn renew_hold(&self, caller: &Caller, hold: HoldId) -> Result<LegalHold> {
        self.change_hold(caller, hold, HoldAction::Renewed).await?;
        self.core.own_hold(&self.core.index.read()?, caller, hold)
    }

    /// Lifts a hold of the caller.
    pub async fn lift_hold(&self, caller: &Caller, hold: HoldId) -> Result<()> {
        self.change_hold(caller, hold, HoldAction::Lifted).await
    }

    async fn change_hold(&self, caller: &Caller, hold: HoldId, action: HoldAction) -> Result<()> {
        // The error is the same for a hold of another partner and for a hold that does not exist.
        self.core.own_hold(&self.core.index.read()?, caller, hold)?;
        let body = Body::HoldChange(HoldChange { hold, action });
        self.core.commit_change(Some(caller.partner()), body).await?.items()?;
        Ok(())
    }
}
