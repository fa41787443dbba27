//! Campaigns, and what was done against them.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;

impl Client {
    /// Founds a campaign, or says what this partner holds one to be, once for one request id.
    pub async fn put_campaign(
        &self,
        request: pb::PutCampaignRequest,
    ) -> Result<pb::PutCampaignResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.campaign_service();
            async move { service.put_campaign(request).await }
        })
        .await
    }

    /// What this partner may see of one campaign, as far as it is asked for, page by page. `NotFound`
    /// where that is nothing.
    pub async fn campaign(
        &self,
        request: pb::GetCampaignRequest,
    ) -> Result<pb::GetCampaignResponse, ClientError> {
        let read_after = request.read_after.or(self.read_after);
        self.call(pb::GetCampaignRequest { read_after, ..request }, |request| {
            let mut service = self.campaign_service();
            async move { service.get_campaign(request).await }
        })
        .await
    }

    /// Every assessment that names a campaign and that this partner may see, the oldest first.
    pub async fn campaign_indicators(
        &self,
        id: &str,
    ) -> Result<Vec<pb::VisibleAssessment>, ClientError> {
        all_pages(|page_token| async move {
            let page = pb::CampaignPage { page_size: PAGE_SIZE, page_token };
            let id = id.to_owned();
            let asked = pb::GetCampaignRequest { id, indicators: Some(page), ..Default::default() };
            let page = self.campaign(asked).await?.indicators.unwrap_or_default();
            Ok((page.assessments, page.next_page_token))
        })
        .await
    }

    /// Everything that happened of a campaign, the oldest first, by what this partner may see.
    pub async fn campaign_timeline(&self, id: &str) -> Result<Vec<pb::TimelineEvent>, ClientError> {
        all_pages(|page_token| async move {
            let page = pb::CampaignPage { page_size: PAGE_SIZE, page_token };
            let id = id.to_owned();
            let asked = pb::GetCampaignRequest { id, timeline: Some(page), ..Default::default() };
            let page = self.campaign(asked).await?.timeline.unwrap_or_default();
            Ok((page.events, page.next_page_token))
        })
        .await
    }

    /// Every campaign that this partner may see, the one with the newest contribution first.
    pub async fn campaigns(&self) -> Result<Vec<pb::CampaignSummary>, ClientError> {
        all_pages(|page_token| async move {
            let read_after = self.read_after;
            let request = pb::ListCampaignsRequest { page_size: PAGE_SIZE, page_token, read_after };
            let page = self.call(request, |request| {
                let mut service = self.campaign_service();
                async move { service.list_campaigns(request).await }
            });
            let page = page.await?;
            Ok((page.campaigns, page.next_page_token))
        })
        .await
    }

    /// Reports what this partner did, or what another did: up to 1,000, once for one request id.
    pub async fn report_enforcement(
        &self,
        request: pb::ReportEnforcementRequest,
    ) -> Result<pb::ReportEnforcementResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.campaign_service();
            async move { service.report_enforcement(request).await }
        })
        .await
    }

    /// Every enforcement that this partner may see and that the request asks for, the newest first: each
    /// (author, id) once. The request's own page is not looked at.
    pub async fn enforcements(
        &self,
        asked: &pb::ListEnforcementsRequest,
    ) -> Result<Vec<pb::VisibleEnforcement>, ClientError> {
        all_pages(|page_token| async move {
            let read_after = asked.read_after.or(self.read_after);
            let page_size = PAGE_SIZE;
            let request =
                pb::ListEnforcementsRequest { page_size, page_token, read_after, ..asked.clone() };
            let page = self.call(request, |request| {
                let mut service = self.campaign_service();
                async move { service.list_enforcements(request).await }
            });
            let page = page.await?;
            Ok((page.enforcements, page.next_page_token))
        })
        .await
    }
}
