//! Tips: send, follow and answer them.

use super::pages::all_pages;
use super::{Client, ClientError};
use crate::wire::pb;
use pb::tip_service_client::TipServiceClient;

impl Client {
    /// Sends a tip. Idempotent by request id.
    pub async fn send_tip(
        &self,
        request: pb::SendTipRequest,
    ) -> Result<pb::SendTipResponse, ClientError> {
        self.write(Self::tip_service, TipServiceClient::send_tip, request).await
    }

    /// Adds an entry to a tip. Idempotent by request id.
    pub async fn respond_to_tip(
        &self,
        request: pb::RespondToTipRequest,
    ) -> Result<pb::RespondToTipResponse, ClientError> {
        let purpose = request.purpose.clone().or_else(|| self.purpose());
        let request = pb::RespondToTipRequest { purpose, ..request };
        self.write(Self::tip_service, TipServiceClient::respond_to_tip, request).await
    }

    /// Withdraws a tip.
    pub async fn withdraw_tip(&self, tip_id: &str) -> Result<pb::WithdrawTipResponse, ClientError> {
        let request = pb::WithdrawTipRequest { tip_id: tip_id.to_owned() };
        self.write(Self::tip_service, TipServiceClient::withdraw_tip, request).await
    }

    /// Returns one page of a tip.
    pub async fn tip_page(
        &self,
        request: pb::GetTipRequest,
    ) -> Result<pb::GetTipResponse, ClientError> {
        let purpose = request.purpose.clone().or_else(|| self.purpose());
        let request = pb::GetTipRequest { purpose, ..request };
        self.call(Self::tip_service, TipServiceClient::get_tip, request).await
    }

    /// Returns a tip with all its entries and indicators. Its sender may pass a `recipient` to read
    /// one thread only; empty for all threads.
    pub async fn tip(
        &self,
        tip_id: &str,
        recipient: &str,
    ) -> Result<pb::GetTipResponse, ClientError> {
        let mut whole = pb::GetTipResponse::default();
        let mut request = pb::GetTipRequest {
            tip_id: tip_id.to_owned(),
            recipient: recipient.to_owned(),
            indicators_page_size: 1_000,
            ..Default::default()
        };
        let (mut entries_left, mut indicators_left) = (true, true);
        while entries_left || indicators_left {
            let page = self.tip_page(request.clone()).await?;
            whole.tip = page.tip;
            if entries_left {
                whole.entries.extend(page.entries);
                entries_left = !page.next_entries_page_token.is_empty();
                request.entries_page_token = page.next_entries_page_token;
            }
            if indicators_left {
                whole.indicators.extend(page.indicators);
                indicators_left = !page.next_indicators_page_token.is_empty();
                request.indicators_page_token = page.next_indicators_page_token;
            }
        }
        Ok(whole)
    }

    /// Returns one page of this partner's inbox or outbox.
    pub async fn tips_page(
        &self,
        request: pb::ListTipsRequest,
    ) -> Result<pb::ListTipsResponse, ClientError> {
        let purpose = request.purpose.clone().or_else(|| self.purpose());
        let request = pb::ListTipsRequest { purpose, ..request };
        self.call(Self::tip_service, TipServiceClient::list_tips, request).await
    }

    /// Returns all tips of this partner's inbox or outbox that match the request, one per thread,
    /// from the request's page on.
    pub async fn tips(&self, request: pb::ListTipsRequest) -> Result<Vec<pb::Tip>, ClientError> {
        all_pages(|page_token| {
            let mut request = request.clone();
            if !page_token.is_empty() {
                request.page_token = page_token;
            }
            async move {
                let page = self.tips_page(request).await?;
                Ok((page.tips, page.next_page_token))
            }
        })
        .await
    }
}
