//! Founding campaigns, and contributing to them.

use crate::domain::campaign::Contribution;
use crate::domain::entry::{Body, CampaignPut, Outcome, RequestId, VoidReason};
use crate::domain::sharing::SharingRequest;
use crate::domain::submission::ItemReceipt;
use crate::domain::{CampaignId, Sharing, Timestamp};
use crate::error::{Error, Result};
use crate::exchange::commands::Commands;
use crate::exchange::commit::{item_receipts, refused};
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::unknown_campaign;

/// A request to found a campaign or contribute to one.
#[derive(Clone, Debug)]
pub struct CampaignRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The campaign. `None` founds a new one.
    pub campaign: Option<CampaignId>,
    /// The sharing that the author asked for.
    pub sharing: SharingRequest,
    /// The contribution.
    pub contribution: Contribution,
}

/// The result of a [`CampaignRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignReceipt {
    /// The campaign.
    pub campaign: CampaignId,
    /// The receipt of the contribution, with its current version.
    pub receipt: ItemReceipt,
    /// When the contribution was accepted.
    pub accepted: Timestamp,
    /// Whether an earlier attempt stored the request.
    pub replayed: bool,
}

impl Commands {
    /// Founds a campaign, or contributes to one that the caller may see. Idempotent by key.
    pub async fn put_campaign(
        &self,
        caller: &Caller,
        request: CampaignRequest,
    ) -> Result<CampaignReceipt> {
        if let Some(sequence) = self.core.find_request(caller, &request.request, request.digest)? {
            return self.campaign_receipt(sequence, true).await;
        }
        let sharing = self.check_campaign(caller, request.campaign, request.sharing)?;
        let put = CampaignPut {
            request: request.request.clone(),
            digest: request.digest,
            // Each attempt has a new random id. The first entry under the key decides.
            campaign: request
                .campaign
                .unwrap_or_else(|| CampaignId::from_random(self.core.settings.random_ids.next())),
            founds: request.campaign.is_none(),
            sharing,
            contribution: request.contribution,
        };
        let body = Body::CampaignPut(put);
        let (sequence, replayed) =
            self.core.commit_request(caller, &request.request, request.digest, body).await?;
        self.campaign_receipt(sequence, replayed).await
    }

    /// Resolves the sharing of a contribution. Fails if the caller may not see the campaign.
    fn check_campaign(
        &self,
        caller: &Caller,
        campaign: Option<CampaignId>,
        sharing: SharingRequest,
    ) -> Result<Sharing> {
        let view = self.core.index.read()?;
        let reader = rights_of(view.registry(), caller.partner())?;
        if let Some(campaign) = campaign
            && !ReaderView::new(&view, &reader, self.core.clock.now()).sees_campaign(campaign)?
        {
            return Err(unknown_campaign());
        }
        Ok(Sharing::resolve(sharing, caller.partner(), view.registry().as_ref())?)
    }

    async fn campaign_receipt(&self, sequence: u64, replayed: bool) -> Result<CampaignReceipt> {
        let logged = self.core.entry(sequence).await?;
        let Body::CampaignPut(put) = &logged.entry.body else {
            return Err(refused(&VoidReason::Conflicts(sequence)));
        };
        let outcome = self.core.index.applied_outcome(sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else {
            return Err(Error::internal("receipt", format!("entry {sequence} is void")));
        };
        let receipts = item_receipts(sequence, std::iter::once(0), outcomes, &[]);
        let receipt = receipts.into_iter().next().map(|(_, receipt)| receipt);
        let missing = || Error::internal("receipt", format!("entry {sequence} has no receipt"));
        let receipt = receipt.ok_or_else(missing)?;
        Ok(CampaignReceipt {
            campaign: put.campaign,
            receipt,
            accepted: logged.entry.time,
            replayed,
        })
    }
}
