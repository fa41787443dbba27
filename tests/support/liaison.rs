//! A liaison, and releases to it.

use std::time::Duration;

use tipoff::client::{Client, ClientError};
use tipoff::clock::Clock;
use tipoff::domain::Timestamp;
use tipoff::wire::pb::{self, Tlp, release_indicators_request::What};
use tipoff::wire::timestamp;

use super::{Running, World, batch, domain, named, sharing};

pub const HOUR: Duration = Duration::from_secs(3_600);

/// A warrant of the liaison `cyber-unit`, valid for an hour from a time.
pub fn warrant(now: Timestamp) -> pb::Purpose {
    pb::Purpose {
        kind: pb::PurposeKind::Warrant.into(),
        reference: "W-17".into(),
        jurisdiction: "GB".into(),
        until: Some(timestamp(now.plus(HOUR))),
    }
}

/// The liaison `cyber-unit`, under its warrant.
pub fn cyber_unit(world: &World, node: &Running) -> Client {
    world.client(node, "cyber-unit").with_purpose(warrant(now()))
}

pub fn now() -> Timestamp {
    tipoff::clock::SystemClock.now()
}

pub fn key(value: &str) -> pb::IndicatorKey {
    pb::IndicatorKey { value: value.into(), ..Default::default() }
}

pub fn keys(values: &[&str]) -> What {
    let keys = values.iter().map(|value| key(value)).collect();
    What::Indicators(pb::IndicatorKeys { keys, audience: None })
}

/// A release to `cyber-unit`.
pub fn release(id: &str, what: What, basis: &str) -> pb::ReleaseIndicatorsRequest {
    pb::ReleaseIndicatorsRequest {
        request_id: id.into(),
        what: Some(what),
        liaisons: vec!["cyber-unit".into()],
        basis: basis.into(),
        ..Default::default()
    }
}

/// The retraction of a release.
pub fn retract(id: &str, what: What) -> pb::ReleaseIndicatorsRequest {
    pb::ReleaseIndicatorsRequest { retract: true, ..release(id, what, "") }
}

/// Submits domains to the group `core`.
pub async fn submit(client: &Client, id: &str, values: &[&str]) -> pb::Receipt {
    submit_as(client, id, sharing(Tlp::Amber, named(&["core"], &[])), values).await
}

pub async fn submit_as(
    client: &Client,
    id: &str,
    sharing: pb::Sharing,
    values: &[&str],
) -> pb::Receipt {
    let items = values.iter().map(|value| domain(value)).collect();
    client.submit(batch(id, 1, Some(sharing), items)).await.unwrap()
}

/// The values of items, in order.
pub fn values(items: &[pb::FeedItem]) -> Vec<String> {
    let mut values: Vec<_> =
        items.iter().map(|item| item.indicator.clone().unwrap().value).collect();
    values.sort();
    values
}

/// The field that an error names.
pub fn field(error: &ClientError) -> &str {
    match error {
        ClientError::Invalid { fields, .. } => &fields[0].0,
        other => panic!("{other}"),
    }
}
