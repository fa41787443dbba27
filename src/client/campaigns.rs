//! Campaigns and enforcements.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;
use pb::campaign_service_client::CampaignServiceClient;

impl Client {
    /// Creates a campaign, or replaces this partner's contribution to one. Idempotent by request
    /// id.
    pub async fn put_campaign(
        &self,
        request: pb::PutCampaignRequest,
    ) -> Result<pb::PutCampaignResponse, ClientError> {
        self.write(Self::campaign_service, CampaignServiceClient::put_campaign, request).await
    }

    /// Returns the parts of a campaign that the request asks for, one page of each. `NotFound` if
    /// this partner may see nothing of it.
    pub async fn campaign(
        &self,
        request: pb::GetCampaignRequest,
    ) -> Result<pb::GetCampaignResponse, ClientError> {
        let read_after = request.read_after.or(self.read_after());
        self.call(
            Self::campaign_service,
            CampaignServiceClient::get_campaign,
            pb::GetCampaignRequest { read_after, ..request },
        )
        .await
    }

    /// Returns all visible assessments that name the campaign, oldest first.
    pub async fn campaign_indicators(
        &self,
        id: &str,
    ) -> Result<Vec<pb::VisibleAssessment>, ClientError> {
        all_pages(|page_token| async move {
            let page = pb::CampaignPage { page_size: PAGE_SIZE, page_token };
            let id = id.to_owned();
            let request =
                pb::GetCampaignRequest { id, indicators: Some(page), ..Default::default() };
            let page = self.campaign(request).await?.indicators.unwrap_or_default();
            Ok((page.assessments, page.next_page_token))
        })
        .await
    }

    /// Returns the whole timeline of a campaign, oldest first, as far as this partner may see it.
    pub async fn campaign_timeline(&self, id: &str) -> Result<Vec<pb::TimelineEvent>, ClientError> {
        all_pages(|page_token| async move {
            let page = pb::CampaignPage { page_size: PAGE_SIZE, page_token };
            let id = id.to_owned();
            let request = pb::GetCampaignRequest { id, timeline: Some(page), ..Default::default() };
            let page = self.campaign(request).await?.timeline.unwrap_or_default();
            Ok((page.events, page.next_page_token))
        })
        .await
    }

    /// Returns all visible campaigns, most recent contribution first.
    pub async fn campaigns(&self) -> Result<Vec<pb::CampaignSummary>, ClientError> {
        all_pages(|page_token| async move {
            let read_after = self.read_after();
            let request = pb::ListCampaignsRequest { page_size: PAGE_SIZE, page_token, read_after };
            let page = self
                .call(Self::campaign_service, CampaignServiceClient::list_campaigns, request)
                .await?;
            Ok((page.campaigns, page.next_page_token))
        })
        .await
    }

    /// Reports up to 1,000 enforcements, this partner's own or another's. Idempotent by request id.
    pub async fn report_enforcement(
        &self,
        request: pb::ReportEnforcementRequest,
    ) -> Result<pb::ReportEnforcementResponse, ClientError> {
        self.write(Self::campaign_service, CampaignServiceClient::report_enforcement, request).await
    }

    /// Withdraws up to 1,000 of this partner's enforcements. Idempotent.
    pub async fn withdraw_enforcements(
        &self,
        request: pb::WithdrawEnforcementsRequest,
    ) -> Result<pb::WithdrawEnforcementsResponse, ClientError> {
        self.write(Self::campaign_service, CampaignServiceClient::withdraw_enforcements, request)
            .await
    }

    /// Returns all visible enforcements that match the request, newest first, one per author and
    /// id. Ignores the page settings in `filter`.
    pub async fn enforcements(
        &self,
        filter: &pb::ListEnforcementsRequest,
    ) -> Result<Vec<pb::VisibleEnforcement>, ClientError> {
        all_pages(|page_token| async move {
            let read_after = filter.read_after.or(self.read_after());
            let page_size = PAGE_SIZE;
            let request =
                pb::ListEnforcementsRequest { page_size, page_token, read_after, ..filter.clone() };
            let page = self
                .call(Self::campaign_service, CampaignServiceClient::list_enforcements, request)
                .await?;
            Ok((page.enforcements, page.next_page_token))
        })
        .await
    }
}
