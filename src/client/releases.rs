//! Releases to liaisons, and the log of what liaisons accessed.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;
use pb::audit_service_client::AuditServiceClient;
use pb::indicator_service_client::IndicatorServiceClient;

impl Client {
    /// Releases this partner's own current assessments to liaisons, or retracts releases.
    pub async fn release(
        &self,
        request: pb::ReleaseIndicatorsRequest,
    ) -> Result<pb::ReleaseIndicatorsResponse, ClientError> {
        self.write(Self::indicator_service, IndicatorServiceClient::release_indicators, request)
            .await
    }

    /// Returns which of this partner's objects liaisons accessed, newest first. Optionally of one
    /// liaison, and since a time.
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
            let page =
                self.call(Self::audit_service, AuditServiceClient::list_accesses, request).await?;
            Ok((page.accesses, page.next_page_token))
        })
        .await
    }
}
