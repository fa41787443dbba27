//! Releasing to liaisons, and taking that back.

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
use crate::index::record::AssessmentRecord;

/// How many pairs of an object and a liaison one entry holds. A larger release becomes several.
const PAIRS_PER_ENTRY: usize = 500;

/// A release, or the end of one, as it was sent.
#[derive(Clone, Debug)]
pub struct ReleaseRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// What.
    pub selection: Selection,
    /// To whom.
    pub liaisons: Vec<PartnerId>,
    /// What is done.
    pub act: ReleaseAction,
}

/// What became of a request about releases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseReceipt {
    /// The objects whose releases began, changed or ended.
    pub changed: Vec<Releasable>,
    /// Those that were released so already.
    pub unchanged: Vec<Releasable>,
    /// Those on which no more releases fit.
    pub full: Vec<Releasable>,
    /// What cannot be released, or not be read, by the index of its key.
    pub rejected: Vec<Rejection>,
    /// How many versions were left out that no key named.
    pub left_out: u64,
    /// The entries that did it.
    pub sequences: Vec<u64>,
    /// Whether it had been done before.
    pub replayed: bool,
}

impl Commands {
    /// Releases a caller's own objects to liaisons, or no longer, once for one key. Durable, applied and on
    /// its way when it returns.
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

    /// What the entries of a request came to, by the last of them.
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

/// Why an object is released to nobody.
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
