//! Releases to liaisons, and retractions.

use crate::domain::accepted::AssessmentRecord;
use crate::domain::entry::{
    Body, ItemOutcome, LastPart, MAX_LIAISONS, Outcome, Rejection, Releasable, ReleaseAction,
    ReleaseEntry, RequestId, VoidReason,
};
use crate::domain::partner::Role;
use crate::domain::sharing::Community;
use crate::domain::{Invalid, PartnerId, Tlp};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commands::selection::{Candidate, Parts, Scope, Selection};
use crate::exchange::commit::refused;
use crate::exchange::core::Caller;
use crate::exchange::visibility::restricted;

/// Pairs of an object and a liaison in one entry. A larger release becomes several entries.
const PAIRS_PER_ENTRY: usize = 500;

/// A request to release or retract.
#[derive(Clone, Debug)]
pub struct ReleaseRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request: tells a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The objects.
    pub selection: Selection,
    /// The liaisons.
    pub liaisons: Vec<PartnerId>,
    /// Release or retract.
    pub act: ReleaseAction,
}

/// The result of a [`ReleaseRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseReceipt {
    /// The objects whose releases began, changed or ended.
    pub changed: Vec<Releasable>,
    /// The objects that had this release before.
    pub unchanged: Vec<Releasable>,
    /// The objects that have the most releases already.
    pub full: Vec<Releasable>,
    /// Keys that are invalid or whose objects cannot be released, by index.
    pub rejected: Vec<Rejection>,
    /// How many objects of a submission or campaign cannot be released.
    pub left_out: u64,
    /// The sequences of its entries.
    pub sequences: Vec<u64>,
    /// Whether an earlier try had stored it.
    pub replayed: bool,
}

impl Commands {
    /// Releases the caller's objects to liaisons, or retracts releases. Durable and applied when it returns. Idempotent
    /// by key.
    pub async fn release(
        &self,
        caller: &Caller,
        request: ReleaseRequest,
    ) -> Result<ReleaseReceipt> {
        let ReleaseRequest { request, digest, selection, mut liaisons, act } = request;
        if let Some(last) = self.core.find_request(caller, &request, digest)? {
            return self.release_receipt(last, true).await;
        }
        self.check_liaisons(&liaisons)?;
        self.check_until(&act)?;
        liaisons.sort_unstable();
        liaisons.dedup();
        let retracts = act == ReleaseAction::Retract;
        let refuses = |meant: Candidate<'_>| if retracts { None } else { refuses(meant) };
        let selected = self.select(caller.partner(), &selection, Scope::All, refuses).await?;
        let at_once = (PAIRS_PER_ENTRY / liaisons.len().max(1)).max(1);
        let parts = Parts { request: &request, digest, selected, at_once };
        let body = |objects, last| {
            let (request, liaisons, act) = (request.clone(), liaisons.clone(), act.clone());
            Body::Release(ReleaseEntry { request, digest, last, objects, liaisons, action: act })
        };
        let (last, replayed) = self.commit_split(caller, parts, body).await?;
        self.release_receipt(last, replayed).await
    }

    fn check_liaisons(&self, liaisons: &[PartnerId]) -> Result<()> {
        if liaisons.is_empty() || liaisons.len() > MAX_LIAISONS {
            let count = liaisons.len();
            let reason = format!("names {count} liaisons, and may name 1 to {MAX_LIAISONS}");
            return Err(Invalid::new("liaisons", reason).into());
        }
        let registry = self.core.registry();
        match liaisons.iter().find(|one| registry.role(one) != Some(Role::Liaison)) {
            None => Ok(()),
            Some(other) => {
                let reason = format!("`{other}` is not a liaison of this exchange");
                Err(Invalid::new("liaisons", reason).into())
            }
        }
    }

    fn check_until(&self, act: &ReleaseAction) -> Result<()> {
        match act {
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
        let mut released =
            ReleaseReceipt { rejected, left_out, replayed, ..ReleaseReceipt::default() };
        for sequence in earlier.into_iter().chain([last]) {
            self.add_entry(sequence, &mut released).await?;
        }
        Ok(released)
    }

    async fn add_entry(&self, sequence: u64, released: &mut ReleaseReceipt) -> Result<()> {
        let logged = self.core.entry(sequence).await?;
        let Body::Release(entry) = &logged.entry.body else { return Ok(()) };
        let outcome = self.core.index.applied_outcome(sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else { return Ok(()) };
        let pairs = outcomes.chunks(entry.liaisons.len().max(1));
        let before = released.changed.len();
        for (object, outcomes) in entry.objects.iter().zip(pairs) {
            let any = |is: fn(&ItemOutcome) -> bool| outcomes.iter().any(is);
            if any(|one| matches!(one, ItemOutcome::Released(_) | ItemOutcome::Retracted(_))) {
                released.changed.push(object.clone());
            } else if any(|one| matches!(one, ItemOutcome::Unchanged(_))) {
                released.unchanged.push(object.clone());
            }
            if any(|one| matches!(one, ItemOutcome::Full(_))) {
                released.full.push(object.clone());
            }
        }
        if released.changed.len() > before {
            released.sequences.push(sequence);
        }
        Ok(())
    }
}

/// Why an object cannot be released.
fn refuses(meant: Candidate<'_>) -> Option<Invalid> {
    let (Candidate::Other(sharing) | Candidate::Assessment(AssessmentRecord { sharing, .. })) =
        meant;
    if sharing.tlp == Tlp::Red {
        let reason = "is TLP:RED, which goes to named partners only: it is released to nobody";
        return Some(Invalid::new("tlp", reason));
    }
    let Candidate::Assessment(current) = meant else { return None };
    restricted::is_restricted(&current.assessment).then(|| {
        let reason = "is under a restricted label: it stays with the group entitled to hold it";
        Invalid::new("labels", reason)
    })
}
