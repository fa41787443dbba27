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
        if let Self::Answer(given) = &mut self {
            given.state = pb::TipState::Unspecified.into();
        }
        self
    }
}

/// Sends a request, and returns the answer and whether it is a replay.
pub async fn send(client: &Client, request: IdempotentRequest) -> (IdempotentResponse, bool) {
    match request {
        IdempotentRequest::Submit(request) => {
            let mut given = soon(client.submit(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (IdempotentResponse::Submit(given), replayed)
        }
        IdempotentRequest::Campaign(request) => {
            let mut given = soon(client.put_campaign(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (IdempotentResponse::Campaign(given), replayed)
        }
        IdempotentRequest::Tip(request) => {
            let mut given = soon(client.send_tip(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (IdempotentResponse::Tip(given), replayed)
        }
        IdempotentRequest::Answer(request) => {
            let mut given = soon(client.respond_to_tip(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (IdempotentResponse::Answer(given), replayed)
        }
        IdempotentRequest::Release(request) => {
            let mut given = soon(client.release(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (IdempotentResponse::Release(given), replayed)
        }
        IdempotentRequest::WithdrawTip(tip) => {
            let mut given = soon(client.withdraw_tip(&tip)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (IdempotentResponse::WithdrawTip(given), replayed)
        }
    }
}
