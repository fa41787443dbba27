//! Indicators: lookup, submission, withdrawal, sightings and feedback.

use super::pages::batches;
use super::{Client, ClientError};
use crate::wire::pb;
use pb::indicator_service_client::IndicatorServiceClient;

impl Client {
    /// Looks up any number of values. Results come in the order of `keys`.
    pub async fn lookup(
        &self,
        keys: &[pb::IndicatorKey],
    ) -> Result<Vec<pb::LookupResult>, ClientError> {
        let mut results = Vec::with_capacity(keys.len());
        for keys in batches(keys) {
            let request =
                pb::LookupIndicatorsRequest { keys: keys.to_vec(), read_after: self.read_after() };
            let page = self
                .call(Self::indicator_service, IndicatorServiceClient::lookup_indicators, request)
                .await?;
            results.extend(page.results);
        }
        Ok(results)
    }

    /// Returns everything that this partner may see of one indicator.
    pub async fn indicator(
        &self,
        key: pb::IndicatorKey,
    ) -> Result<pb::GetIndicatorResponse, ClientError> {
        let request = pb::GetIndicatorRequest {
            indicator: Some(pb::get_indicator_request::Indicator::Key(key)),
            read_after: self.read_after(),
        };
        self.call(Self::indicator_service, IndicatorServiceClient::get_indicator, request).await
    }

    /// Submits one batch, or closes a submission. Safe to retry: a batch is stored once.
    pub async fn submit(
        &self,
        request: pb::SubmitIndicatorsRequest,
    ) -> Result<pb::Receipt, ClientError> {
        let response =
            self.write(Self::indicator_service, IndicatorServiceClient::submit_indicators, request);
        response.await?.receipt.ok_or_else(ClientError::no_receipt)
    }

    /// Withdraws this partner's assessments of any number of indicators, or all of one submission.
    ///
    /// Sends up to 1,000 indicators per call. If a call fails, the calls before it have taken
    /// effect, and the whole request can be repeated.
    pub async fn withdraw(
        &self,
        request: pb::WithdrawIndicatorsRequest,
    ) -> Result<pb::WithdrawIndicatorsResponse, ClientError> {
        let pb::WithdrawIndicatorsRequest { keys, audience, submission_id } = request;
        if keys.is_empty() {
            // Withdraw the submission. If that is empty too, the exchange rejects the request.
            return self.withdraw_once(Vec::new(), audience, submission_id).await;
        }
        let mut all = pb::WithdrawIndicatorsResponse::default();
        for keys in batches(&keys) {
            let page =
                self.withdraw_once(keys.to_vec(), audience.clone(), submission_id.clone()).await?;
            all.items.extend(page.items);
            all.withdrawn += page.withdrawn;
            all.sequences.extend(page.sequences);
        }
        Ok(all)
    }

    /// Reports up to 1,000 sightings. Idempotent by request id.
    pub async fn report_sightings(
        &self,
        request: pb::ReportSightingsRequest,
    ) -> Result<pb::ReportSightingsResponse, ClientError> {
        self.write(Self::indicator_service, IndicatorServiceClient::report_sightings, request).await
    }

    /// Sends an opinion of another partner's assessment. Idempotent by request id.
    pub async fn give_feedback(
        &self,
        request: pb::GiveFeedbackRequest,
    ) -> Result<pb::GiveFeedbackResponse, ClientError> {
        self.write(Self::indicator_service, IndicatorServiceClient::give_feedback, request).await
    }

    async fn withdraw_once(
        &self,
        keys: Vec<pb::IndicatorKey>,
        audience: Option<pb::Audience>,
        submission_id: String,
    ) -> Result<pb::WithdrawIndicatorsResponse, ClientError> {
        let request = pb::WithdrawIndicatorsRequest { keys, audience, submission_id };
        self.write(Self::indicator_service, IndicatorServiceClient::withdraw_indicators, request)
            .await
    }
}
