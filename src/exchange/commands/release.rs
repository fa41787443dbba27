//! Releases to liaisons, and retractions of releases.

use crate::domain::accepted::AssessmentRecord;
use crate::domain::entry::{
    Body, ItemOutcome, LastPart, MAX_LIAISONS, Outcome, Rejection, Releasable, ReleaseAction,
    ReleaseEntry, RequestId, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::sharing::Directory;
use crate::domain::{Invalid, PartnerId, Tlp};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commands::selection::{Candidate, Scope, Selection, SplitRequest};
use crate::exchange::commit::refused;
use crate::exchange::core::Caller;
use crate::exchange::visibility::restricted;

/// Pairs of an object and a liaison in one entry. A larger release is split into several entries, so that it does not
/// delay other requests.
const PAIRS_PER_ENTRY: usize = 500;

/// A request to release objects, or to retract releases.
#[derive(Clone, Debug)]
pub struct ReleaseRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The objects.
    pub selection: Selection,
    /// The liaisons.
    pub liaisons: Vec<PartnerId>,
    /// Whether to release or to retract.
    pub action: ReleaseAction,
}

/// The result of a [`ReleaseRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseReceipt {
    /// The objects whose releases began, changed or ended.
    pub changed: Vec<Releasable>,
    /// The objects that already had this release.
    pub unchanged: Vec<Releasable>,
    /// The objects that already have the maximum number of releases.
    pub at_release_limit: Vec<Releasable>,
    /// Keys that are invalid or whose objects cannot be released, by index.
    pub rejected: Vec<Rejection>,
    /// The number of objects of a submission or campaign that cannot be released.
    pub left_out: u64,
    /// The sequences of the entries that changed a release.
    pub sequences: Vec<u64>,
    /// Whether an earlier attempt stored the request.
    pub replayed: bool,
}

impl Commands {
    /// Releases the caller's objects to liaisons, or retracts releases. The change is durable and applied when this
    /// returns. Idempotent by key.
    pub async fn release(
        &self,
        caller: &Caller,
        request: ReleaseRequest,
    ) -> Result<ReleaseReceipt> {
        let ReleaseRequest { request, digest, selection, mut liaisons, action } = request;
        if let Some(last) = self.core.find_request(caller, &request, digest)? {
            return self.release_receipt(last, true).await;
        }
        self.check_liaisons(&liaisons)?;
        self.check_until(&action)?;
        liaisons.sort_unstable();
        liaisons.dedup();
        let is_retraction = action == ReleaseAction::Retract;
        let reject = move |candidate: Candidate<'_>| {
            if is_retraction { None } else { reject_release(candidate) }
        };
        let selected = self.select(caller, selection, Scope::All, reject).await?;
        let objects_per_entry = (PAIRS_PER_ENTRY / liaisons.len().max(1)).max(1);
        let split = SplitRequest { request: &request, digest, selected, objects_per_entry };
        let body = |objects, last| {
            let (request, liaisons, action) = (request.clone(), liaisons.clone(), action.clone());
            Body::Release(ReleaseEntry { request, digest, last, objects, liaisons, action })
        };
        let (last, replayed) = self.commit_split(caller, split, body).await?;
        self.release_receipt(last, replayed).await
    }

    fn check_liaisons(&self, liaisons: &[PartnerId]) -> Result<()> {
        if liaisons.is_empty() || liaisons.len() > MAX_LIAISONS {
            let count = liaisons.len();
            let reason = format!("names {count} liaisons, and may name 1 to {MAX_LIAISONS}");
            return Err(Invalid::new("liaisons", reason).into());
        }
        let registry = self.core.registry();
        match liaisons.iter().find(|partner| registry.role(partner) != Some(Role::Liaison)) {
            None => Ok(()),
            Some(other) => {
                let reason = format!("`{other}` is not a liaison of this exchange");
                Err(Invalid::new("liaisons", reason).into())
            }
        }
    }

    fn check_until(&self, action: &ReleaseAction) -> Result<()> {
        match action {
            ReleaseAction::Release { until: Some(until), .. }
                if *until <= self.core.clock.now() =>
            {
                Err(Invalid::new("until", "has passed").into())
            }
            _ => Ok(()),
        }
    }

    /// The receipt of a request, from its last entry.
    async fn release_receipt(&self, last: u64, replayed: bool) -> Result<ReleaseReceipt> {
        let logged = self.core.entry(last).await?;
        let Body::Release(ReleaseEntry { last: Some(part), .. }) = &logged.entry.body else {
            return Err(refused(&VoidReason::Conflicts(last)));
        };
        let LastPart { earlier, rejected, left_out } = part.clone();
        let mut receipt =
            ReleaseReceipt { rejected, left_out, replayed, ..ReleaseReceipt::default() };
        for sequence in earlier.into_iter().chain([last]) {
            self.add_entry(sequence, &mut receipt).await?;
        }
        Ok(receipt)
    }

    /// Adds the outcomes of one entry of a request to its receipt.
    async fn add_entry(&self, sequence: u64, receipt: &mut ReleaseReceipt) -> Result<()> {
        let logged = self.core.entry(sequence).await?;
        let Body::Release(entry) = &logged.entry.body else { return Ok(()) };
        let outcome = self.core.index.applied_outcome(sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else { return Ok(()) };
        let pairs = outcomes.chunks(entry.liaisons.len().max(1));
        let changed_before = receipt.changed.len();
        for (object, outcomes) in entry.objects.iter().zip(pairs) {
            let any = |matches: fn(&ItemOutcome) -> bool| outcomes.iter().any(matches);
            if any(|outcome| {
                matches!(outcome, ItemOutcome::Released(_) | ItemOutcome::Retracted(_))
            }) {
                receipt.changed.push(object.clone());
            } else if any(|outcome| matches!(outcome, ItemOutcome::Unchanged(_))) {
                receipt.unchanged.push(object.clone());
            }
            if any(|outcome| matches!(outcome, ItemOutcome::Full(_))) {
                receipt.at_release_limit.push(object.clone());
            }
        }
        if receipt.changed.len() > changed_before {
            receipt.sequences.push(sequence);
        }
        Ok(())
    }
}

/// Why an object cannot be released; `None` if it can.
fn reject_release(candidate: Candidate<'_>) -> Option<Invalid> {
    let (Candidate::Other(sharing) | Candidate::Assessment(AssessmentRecord { sharing, .. })) =
        candidate;
    if sharing.tlp == Tlp::Red {
        let reason = "is TLP:RED, which goes to named partners only: it is released to nobody";
        return Some(Invalid::new("tlp", reason));
    }
    let Candidate::Assessment(current) = candidate else { return None };
    restricted::is_restricted(&current.assessment).then(|| {
        let reason = "is under a restricted label: it stays with the group entitled to hold it";
        Invalid::new("labels", reason)
    })
}
