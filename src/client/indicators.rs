//! What a client says of indicators, takes back, and asks.

use super::pages::in_calls;
use super::{Client, ClientError};
use crate::wire::pb;

impl Client {
    /// What is known of each value, in order; any number of them.
    pub async fn lookup(
        &self,
        keys: &[pb::IndicatorKey],
    ) -> Result<Vec<pb::LookupResult>, ClientError> {
        let mut results = Vec::with_capacity(keys.len());
        for keys in in_calls(keys) {
            let request =
                pb::LookupIndicatorsRequest { keys: keys.to_vec(), read_after: self.read_after };
            let page = self
                .call(request, |request| {
                    let mut service = self.indicator_service();
                    async move { service.lookup_indicators(request).await }
                })
                .await?;
            results.extend(page.results);
        }
        Ok(results)
    }

    /// Everything that this partner may see of one indicator.
    pub async fn indicator(
        &self,
        key: pb::IndicatorKey,
    ) -> Result<pb::GetIndicatorResponse, ClientError> {
        let request = pb::GetIndicatorRequest {
            indicator: Some(pb::get_indicator_request::Indicator::Key(key)),
            read_after: self.read_after,
        };
        self.call(request, |request| {
            let mut service = self.indicator_service();
            async move { service.get_indicator(request).await }
        })
        .await
    }

    /// Submits one batch, or a close. Sent again where that may be done: it is not stored twice.
    pub async fn submit(
        &self,
        request: pb::SubmitIndicatorsRequest,
    ) -> Result<pb::Receipt, ClientError> {
        let response = self.call(request, |request| {
            let mut service = self.indicator_service();
            async move { service.submit_indicators(request).await }
        });
        response.await?.receipt.ok_or_else(ClientError::no_receipt)
    }

    /// Takes back what this partner said of any number of indicators, or with a submission. A call
    /// holds up to 1,000 of them; where one fails, those before it are taken back, and the whole may
    /// be asked for again.
    pub async fn withdraw(
        &self,
        request: pb::WithdrawIndicatorsRequest,
    ) -> Result<pb::WithdrawIndicatorsResponse, ClientError> {
        let pb::WithdrawIndicatorsRequest { keys, audience, submission_id } = request;
        if keys.is_empty() {
            // The submission, or nothing, which the exchange refuses by its own rules.
            return self.withdraw_once(Vec::new(), audience, submission_id).await;
        }
        let mut all = pb::WithdrawIndicatorsResponse::default();
        for keys in in_calls(&keys) {
            let page =
                self.withdraw_once(keys.to_vec(), audience.clone(), submission_id.clone()).await?;
            all.items.extend(page.items);
            all.withdrawn += page.withdrawn;
            all.sequences.extend(page.sequences);
        }
        Ok(all)
    }

    /// Reports that indicators were seen: up to 1,000, counted once for one request id.
    pub async fn report_sightings(
        &self,
        request: pb::ReportSightingsRequest,
    ) -> Result<pb::ReportSightingsResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.indicator_service();
            async move { service.report_sightings(request).await }
        })
        .await
    }

    /// Tells what this partner thinks of another's assessment, once for one request id.
    pub async fn give_feedback(
        &self,
        request: pb::GiveFeedbackRequest,
    ) -> Result<pb::GiveFeedbackResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.indicator_service();
            async move { service.give_feedback(request).await }
        })
        .await
    }

    async fn withdraw_once(
        &self,
        keys: Vec<pb::IndicatorKey>,
        audience: Option<pb::Audience>,
        submission_id: String,
    ) -> Result<pb::WithdrawIndicatorsResponse, ClientError> {
        let request = pb::WithdrawIndicatorsRequest { keys, audience, submission_id };
        self.call(request, |request| {
            let mut service = self.indicator_service();
            async move { service.withdraw_indicators(request).await }
        })
        .await
    }
}
