//! Requests under a key of their own, which may be sent again whenever an answer may have been lost.

use std::mem::take;

use tipoff::client::Client;
use tipoff::wire::pb;

use super::soon;

/// A request that is done once, however often it is sent.
#[derive(Clone, Debug)]
pub enum Keyed {
    Submit(pb::SubmitIndicatorsRequest),
    Campaign(pb::PutCampaignRequest),
    Tip(pb::SendTipRequest),
    Answer(pb::RespondToTipRequest),
    Release(pb::ReleaseIndicatorsRequest),
    /// The key is the tip's id.
    WithdrawTip(String),
}

/// What such a request is answered with, without whether it had been done before.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    Submit(pb::Receipt),
    Campaign(pb::PutCampaignResponse),
    Tip(pb::SendTipResponse),
    Answer(pb::RespondToTipResponse),
    Release(pb::ReleaseIndicatorsResponse),
    WithdrawTip(pb::WithdrawTipResponse),
}

impl Given {
    /// What is given again: an answer to a tip says besides where that stands now, and not then.
    pub fn lasting(mut self) -> Self {
        if let Self::Answer(given) = &mut self {
            given.state = pb::TipState::Unspecified.into();
        }
        self
    }
}

/// Sends one, and gives the answer and whether the exchange says that it had been done before.
pub async fn send(client: &Client, request: Keyed) -> (Given, bool) {
    match request {
        Keyed::Submit(request) => {
            let mut given = soon(client.submit(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (Given::Submit(given), replayed)
        }
        Keyed::Campaign(request) => {
            let mut given = soon(client.put_campaign(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (Given::Campaign(given), replayed)
        }
        Keyed::Tip(request) => {
            let mut given = soon(client.send_tip(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (Given::Tip(given), replayed)
        }
        Keyed::Answer(request) => {
            let mut given = soon(client.respond_to_tip(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (Given::Answer(given), replayed)
        }
        Keyed::Release(request) => {
            let mut given = soon(client.release(request)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (Given::Release(given), replayed)
        }
        Keyed::WithdrawTip(tip) => {
            let mut given = soon(client.withdraw_tip(&tip)).await.unwrap();
            let replayed = take(&mut given.replayed);
            (Given::WithdrawTip(given), replayed)
        }
    }
}
