//! Requests with an idempotency key, which may be repeated when an answer was lost.

use std::mem::take;

use tipoff::client::Client;
use tipoff::wire::pb;

use super::soon;

/// An idempotent request.
#[derive(Clone, Debug)]
pub enum IdempotentRequest {
    Submit(pb::SubmitIndicatorsRequest),
    Campaign(pb::PutCampaignRequest),
    Tip(pb::SendTipRequest),
    Answer(pb::RespondToTipRequest),
    Release(pb::ReleaseIndicatorsRequest),
    /// The key is the id of the tip.
    WithdrawTip(String),
}

/// The answer to such a request, without its `replayed` mark.
#[derive(Clone, Debug, PartialEq)]
pub enum IdempotentResponse {
    Submit(pb::Receipt),
    Campaign(pb::PutCampaignResponse),
    Tip(pb::SendTipResponse),
    Answer(pb::RespondToTipResponse),
    Release(pb::ReleaseIndicatorsResponse),
    WithdrawTip(pb::WithdrawTipResponse),
}

impl IdempotentResponse {
    /// The part of the answer that does not change when it is repeated. The answer to a tip also
    /// has the current state of the tip.
    pub fn lasting(mut self) -> Self {
        if let Self::Answer(response) = &mut self {
            response.state = pb::TipState::Unspecified.into();
        }
        self
    }
}

/// Sends a request, and returns the answer and whether it is a replay.
pub async fn send(client: &Client, request: IdempotentRequest) -> (IdempotentResponse, bool) {
    match request {
        IdempotentRequest::Submit(request) => {
            let mut response = soon(client.submit(request)).await.unwrap();
            let replayed = take(&mut response.replayed);
            (IdempotentResponse::Submit(response), replayed)
        }
        IdempotentRequest::Campaign(request) => {
            let mut response = soon(client.put_campaign(request)).await.unwrap();
            let replayed = take(&mut response.replayed);
            (IdempotentResponse::Campaign(response), replayed)
        }
        IdempotentRequest::Tip(request) => {
            let mut response = soon(client.send_tip(request)).await.unwrap();
            let replayed = take(&mut response.replayed);
            (IdempotentResponse::Tip(response), replayed)
        }
        IdempotentRequest::Answer(request) => {
            let mut response = soon(client.respond_to_tip(request)).await.unwrap();
            let replayed = take(&mut response.replayed);
            (IdempotentResponse::Answer(response), replayed)
        }
        IdempotentRequest::Release(request) => {
            let mut response = soon(client.release(request)).await.unwrap();
            let replayed = take(&mut response.replayed);
            (IdempotentResponse::Release(response), replayed)
        }
        IdempotentRequest::WithdrawTip(tip) => {
            let mut response = soon(client.withdraw_tip(&tip)).await.unwrap();
            let replayed = take(&mut response.replayed);
            (IdempotentResponse::WithdrawTip(response), replayed)
        }
    }
}
