//! Reports of enforcements.

use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{Body, Enforcements, Outcome, Rejection, RequestId, VoidReason};
use crate::domain::sharing::SharingRequest;
use crate::domain::submission::ItemReceipt;
use crate::domain::{Invalid, Sharing, Timestamp};
use crate::error::{Error, Result};
use crate::exchange::commands::Commands;
use crate::exchange::commit::{item_receipts, refused};
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::visibility::ReaderView;

/// A request to report enforcements.
#[derive(Clone, Debug)]
pub struct EnforcementRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The sharing that the author asked for.
    pub sharing: SharingRequest,
    /// The valid enforcements, each with its index in the request.
    pub items: Vec<(u32, Enforcement)>,
    /// The rejected enforcements, each with the reason.
    pub rejected: Vec<Rejection>,
}

/// The result of an [`EnforcementRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementReceipt {
    /// The sequence of the entry.
    pub sequence: u64,
    /// When the entry was accepted.
    pub accepted: Timestamp,
    /// The receipt of each enforcement, by index.
    pub items: Vec<(u32, ItemReceipt)>,
    /// Whether an earlier attempt stored the request.
    pub replayed: bool,
}

impl Commands {
    /// Reports enforcements. Idempotent by key. An enforcement that names a hidden campaign or tip, or an action of
    /// another partner, is rejected without the others.
    pub async fn report_enforcement(
        &self,
        caller: &Caller,
        request: EnforcementRequest,
    ) -> Result<EnforcementReceipt> {
        if let Some(sequence) = self.core.find_request(caller, &request.request, request.digest)? {
            return self.enforcement_receipt(sequence, true).await;
        }
        let (key, digest) = (request.request.clone(), request.digest);
        let body = Body::Enforcements(self.check_enforcements(caller, request)?);
        let (sequence, replayed) = self.core.commit_request(caller, &key, digest, body).await?;
        self.enforcement_receipt(sequence, replayed).await
    }

    /// Resolves the sharing, and rejects the enforcements that the caller may not report.
    fn check_enforcements(
        &self,
        caller: &Caller,
        request: EnforcementRequest,
    ) -> Result<Enforcements> {
        let EnforcementRequest { request, digest, sharing, items: requested, mut rejected } =
            request;
        let view = self.core.index.read()?;
        let reader = rights_of(view.registry(), caller.partner())?;
        let reader_view = ReaderView::new(&view, &reader, self.core.clock.now());
        let sharing = Sharing::resolve(sharing, caller.partner(), view.registry().as_ref())?;
        let mut items = Vec::with_capacity(requested.len());
        for (index, enforcement) in requested {
            match reject_enforcement(reader_view, &enforcement)? {
                None => items.push((index, enforcement)),
                Some(invalid) => rejected.push(Rejection { index, invalid }),
            }
        }
        rejected.sort_by_key(|rejection| rejection.index);
        Ok(Enforcements { request, digest, sharing, items, rejected })
    }

    async fn enforcement_receipt(
        &self,
        sequence: u64,
        replayed: bool,
    ) -> Result<EnforcementReceipt> {
        let logged = self.core.entry(sequence).await?;
        let accepted = logged.entry.time;
        let Body::Enforcements(report) = &logged.entry.body else {
            return Err(refused(&VoidReason::Conflicts(sequence)));
        };
        let outcome = self.core.index.applied_outcome(sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else {
            return Err(Error::internal("receipt", format!("entry {sequence} is void")));
        };
        let indexes = report.items.iter().map(|(index, _)| *index);
        let items = item_receipts(sequence, indexes, outcomes, &report.rejected);
        Ok(EnforcementReceipt { sequence, accepted, items, replayed })
    }
}

/// Why the author may not report an enforcement: it names a campaign or tip that the author may not see, or an action
/// on a platform of another partner. `None` if it may.
pub(super) fn reject_enforcement(
    author: ReaderView<'_>,
    enforcement: &Enforcement,
) -> Result<Option<Invalid>> {
    if let Some(campaign) = enforcement.campaign
        && !author.sees_campaign(campaign)?
    {
        return Ok(Some(Invalid::new("campaign", "is not a campaign that you see")));
    }
    if let Some(tip) = enforcement.tip
        && !author.is_party_of(tip)?
    {
        return Ok(Some(Invalid::new("tip", "is not a tip of yours")));
    }
    let owner = |platform: &_| author.view.registry().owner(platform);
    Ok(enforcement.check_owners(&author.reader.id, owner).err())
}
