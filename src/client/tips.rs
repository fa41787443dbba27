//! Tips: sending, following and answering them.

use super::pages::all_pages;
use super::{Client, ClientError};
use crate::wire::pb;

impl Client {
    /// Sends a tip, once for one request id.
    pub async fn send_tip(
        &self,
        request: pb::SendTipRequest,
    ) -> Result<pb::SendTipResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.tip_service();
            async move { service.send_tip(request).await }
        })
        .await
    }

    /// Adds to a tip, once for one request id.
    pub async fn respond_to_tip(
        &self,
        request: pb::RespondToTipRequest,
    ) -> Result<pb::RespondToTipResponse, ClientError> {
        let purpose = request.purpose.clone().or_else(|| self.purpose());
        let request = pb::RespondToTipRequest { purpose, ..request };
        self.call(request, |request| {
            let mut service = self.tip_service();
            async move { service.respond_to_tip(request).await }
        })
        .await
    }

    /// Takes a tip back.
    pub async fn withdraw_tip(&self, tip_id: &str) -> Result<pb::WithdrawTipResponse, ClientError> {
        let request = pb::WithdrawTipRequest { tip_id: tip_id.to_owned() };
        self.call(request, |request| {
            let mut service = self.tip_service();
            async move { service.withdraw_tip(request).await }
        })
        .await
    }

    /// A page of a tip.
    pub async fn tip_page(
        &self,
        request: pb::GetTipRequest,
    ) -> Result<pb::GetTipResponse, ClientError> {
        let purpose = request.purpose.clone().or_else(|| self.purpose());
        let request = pb::GetTipRequest { purpose, ..request };
        self.call(request, |request| {
            let mut service = self.tip_service();
            async move { service.get_tip(request).await }
        })
        .await
    }

    /// A tip with all that was added to it, and all its indicators. `recipient` is for its sender, who may
    /// ask for one thread; empty for all of them.
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

    /// A page of the tips in one of this partner's boxes.
    pub async fn tips_page(
        &self,
        request: pb::ListTipsRequest,
    ) -> Result<pb::ListTipsResponse, ClientError> {
        let purpose = request.purpose.clone().or_else(|| self.purpose());
        let request = pb::ListTipsRequest { purpose, ..request };
        self.call(request, |request| {
            let mut service = self.tip_service();
            async move { service.list_tips(request).await }
        })
        .await
    }

    /// The tips in one of this partner's boxes, thread by thread: all that a request asks for, from its
    /// page on.
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
