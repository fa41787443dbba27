//! Releasing to liaisons, and who read what.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;

impl Client {
    /// Releases this partner's own current assessments to liaisons, or takes releases back.
    pub async fn release(
        &self,
        request: pb::ReleaseIndicatorsRequest,
    ) -> Result<pb::ReleaseIndicatorsResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.indicator_service();
            async move { service.release_indicators(request).await }
        })
        .await
    }

    /// What liaisons were given of this partner's own, the newest first: of one liaison where it is named,
    /// and since a time where there is one.
    pub async fn accesses(
        &self,
        liaison: Option<&str>,
        since: Option<prost_types::Timestamp>,
    ) -> Result<Vec<pb::Access>, ClientError> {
        let liaison = liaison.unwrap_or_default();
        all_pages(|page_token| async move {
            let page_size = PAGE_SIZE;
            let liaison = liaison.to_owned();
            let request = pb::ListAccessesRequest { liaison, since, page_size, page_token };
            let page = self.call(request, |request| {
                let mut service = self.audit_service();
                async move { service.list_accesses(request).await }
            });
            let page = page.await?;
            Ok((page.accesses, page.next_page_token))
        })
        .await
    }
}
