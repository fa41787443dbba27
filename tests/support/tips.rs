//! Helpers to send and answer tips.

use std::collections::BTreeSet;

use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, page_events};
use tipoff::wire::pb;

/// A tip to some partners.
pub fn tip(request: &str, recipients: &[&str]) -> pb::SendTipRequest {
    pb::SendTipRequest {
        request_id: request.into(),
        recipients: recipients.iter().map(ToString::to_string).collect(),
        narrative: "a network of accounts that post the same".into(),
        ..Default::default()
    }
}

/// A tip with a value in every field.
pub fn full(request: &str, recipients: &[&str]) -> pb::SendTipRequest {
    pb::SendTipRequest {
        subject: "secret subject".into(),
        indicators: vec![key("secret.example")],
        tlp: pb::Tlp::Red.into(),
        ..tip(request, recipients)
    }
}

pub fn key(value: &str) -> pb::IndicatorKey {
    pb::IndicatorKey { value: value.into(), ..Default::default() }
}

/// An answer that moves a tip, with a message.
pub fn move_to(request: &str, tip: &str, state: pb::TipState) -> pb::RespondToTipRequest {
    pb::RespondToTipRequest {
        state: state.into(),
        ..reply(request, tip, &format!("to {}", state.as_str_name()))
    }
}

/// An answer with a message only.
pub fn reply(request: &str, tip: &str, message: &str) -> pb::RespondToTipRequest {
    pb::RespondToTipRequest {
        request_id: request.into(),
        tip_id: tip.into(),
        message: message.into(),
        ..Default::default()
    }
}

/// Moves a tip from state to state.
pub async fn walk(client: &Client, tip: &str, states: &[pb::TipState]) {
    for (at, state) in states.iter().enumerate() {
        let request = format!("{}-{at}-{}", state.as_str_name(), &tip[..8]);
        let response = client.respond_to_tip(move_to(&request, tip, *state)).await.unwrap();
        assert_eq!(response.state(), *state);
    }
}

/// All tip events of a partner's feed, from the beginning.
pub async fn tip_events(client: &Client) -> Vec<pb::TipEvent> {
    let (mut from, mut collected) = (FeedStart::Beginning, Vec::new());
    loop {
        let mut page = client.pull(&from, None, 100).await.unwrap();
        let (more, cursor) = (page.more, page.cursor.take());
        collected.extend(page_events(page).filter_map(|event| match event {
            FeedEvent::Tip(tip) => Some(*tip),
            _ => None,
        }));
        from = FeedStart::Cursor(cursor.unwrap());
        if !more {
            return collected;
        }
    }
}

pub async fn received(client: &Client) -> Vec<pb::Tip> {
    client.tips(pb::ListTipsRequest { page_size: 1_000, ..Default::default() }).await.unwrap()
}

pub async fn sent(client: &Client) -> Vec<pb::Tip> {
    let request = pb::ListTipsRequest {
        r#box: pb::TipBox::Sent.into(),
        page_size: 1_000,
        ..Default::default()
    };
    client.tips(request).await.unwrap()
}

/// The state of a tip with a recipient.
pub fn state(tip: &pb::Tip, recipient: &str) -> pb::TipState {
    tip.threads.iter().find(|thread| thread.recipient == recipient).unwrap().state()
}

pub fn values(indicators: &[pb::TipIndicator]) -> BTreeSet<String> {
    indicators.iter().map(|listed| listed.indicator.clone().unwrap().value).collect()
}

/// The field of a refused request.
pub fn field<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> (String, String) {
    match answer {
        Err(ClientError::Invalid { fields, .. }) => fields[0].clone(),
        answer => panic!("{answer:?}"),
    }
}
