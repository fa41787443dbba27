//! Legal holds.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;

impl Client {
    /// Has the exchange keep copies of this partner's own current assessments.
    pub async fn place_hold(
        &self,
        request: pb::PlaceHoldRequest,
    ) -> Result<pb::PlaceHoldResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.audit_service();
            async move { service.place_hold(request).await }
        })
        .await
    }

    /// Has a hold last its whole time again from now on, and gives it as it is then.
    pub async fn renew_hold(&self, hold: &str) -> Result<pb::Hold, ClientError> {
        let request = pb::RenewHoldRequest { hold_id: hold.to_owned() };
        let renewed = self.call(request, |request| {
            let mut service = self.audit_service();
            async move { service.renew_hold(request).await }
        });
        let none = || ClientError::Fault("it sent an answer without a hold".into());
        renewed.await?.hold.ok_or_else(none)
    }

    /// Ends a hold. `NotFound` where there is none: after a try that broke, that may be this one's own
    /// doing.
    pub async fn lift_hold(&self, hold: &str) -> Result<(), ClientError> {
        let request = pb::LiftHoldRequest { hold_id: hold.to_owned() };
        let lifted = self.call(request, |request| {
            let mut service = self.audit_service();
            async move { service.lift_hold(request).await }
        });
        lifted.await.map(|pb::LiftHoldResponse {}| ())
    }

    /// This partner's holds; for an operator those of everybody, without why.
    pub async fn holds(&self) -> Result<Vec<pb::Hold>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListHoldsRequest { page_size: PAGE_SIZE, page_token };
            let page = self.call(request, |request| {
                let mut service = self.audit_service();
                async move { service.list_holds(request).await }
            });
            let page = page.await?;
            Ok((page.holds, page.next_page_token))
        })
        .await
    }

    /// The copies that a hold of this partner's keeps.
    pub async fn held(&self, hold: &str) -> Result<Vec<pb::VisibleAssessment>, ClientError> {
        all_pages(|page_token| async move {
            let (hold_id, page_size) = (hold.to_owned(), PAGE_SIZE);
            let request = pb::ListHeldObjectsRequest { hold_id, page_size, page_token };
            let page = self.call(request, |request| {
                let mut service = self.audit_service();
                async move { service.list_held_objects(request).await }
            });
            let page = page.await?;
            Ok((page.objects, page.next_page_token))
        })
        .await
    }
}
