//! Legal holds.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;
use pb::audit_service_client::AuditServiceClient;

impl Client {
    /// Places a legal hold: the exchange keeps copies of this partner's own current assessments.
    pub async fn place_hold(
        &self,
        request: pb::PlaceHoldRequest,
    ) -> Result<pb::PlaceHoldResponse, ClientError> {
        self.write(Self::audit_service, AuditServiceClient::place_hold, request).await
    }

    /// Restarts a hold's full duration from now, and returns the updated hold.
    pub async fn renew_hold(&self, hold: &str) -> Result<pb::Hold, ClientError> {
        let request = pb::RenewHoldRequest { hold_id: hold.to_owned() };
        let renewed = self.call(Self::audit_service, AuditServiceClient::renew_hold, request);
        let none = || ClientError::Fault("the response has no hold".into());
        renewed.await?.hold.ok_or_else(none)
    }

    /// Ends a hold. `NotFound` if it does not exist. After a retry that may mean that the first
    /// attempt ended it.
    pub async fn lift_hold(&self, hold: &str) -> Result<(), ClientError> {
        let request = pb::LiftHoldRequest { hold_id: hold.to_owned() };
        let lifted = self.call(Self::audit_service, AuditServiceClient::lift_hold, request);
        lifted.await.map(|pb::LiftHoldResponse {}| ())
    }

    /// Returns this partner's holds. An operator gets everybody's, without their reasons.
    pub async fn holds(&self) -> Result<Vec<pb::Hold>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListHoldsRequest { page_size: PAGE_SIZE, page_token };
            let page =
                self.call(Self::audit_service, AuditServiceClient::list_holds, request).await?;
            Ok((page.holds, page.next_page_token))
        })
        .await
    }

    /// Returns the copies that a hold of this partner keeps.
    pub async fn held_objects(
        &self,
        hold: &str,
    ) -> Result<Vec<pb::VisibleAssessment>, ClientError> {
        all_pages(|page_token| async move {
            let (hold_id, page_size) = (hold.to_owned(), PAGE_SIZE);
            let request = pb::ListHeldObjectsRequest { hold_id, page_size, page_token };
            let page = self
                .call(Self::audit_service, AuditServiceClient::list_held_objects, request)
                .await?;
            Ok((page.objects, page.next_page_token))
        })
        .await
    }
}
