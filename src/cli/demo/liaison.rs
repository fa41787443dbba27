//! A release to law enforcement, and the access log of the author.

use std::time::Duration;

use super::super::failure::Failure;
use super::super::text;
use super::stage::Stage;
use super::tip::NEWS_SITES;
use super::{heading, say};
use crate::client::{self, ClientError, FeedEvent, FeedStart};
use crate::clock::{Clock, SystemClock};
use crate::wire::{pb, timestamp};

/// The document that the liaison reads under, and that the release names.
const WARRANT: &str = "W-2019-17";

/// facegraph releases its part of the campaign to cyber-unit. cyber-unit can read that and nothing
/// else; facegraph sees the access, its time and its purpose.
pub async fn release_and_read(stage: &Stage, campaign: &str) -> Result<(), Failure> {
    heading("facegraph releases what it found to law enforcement")?;
    let facegraph = stage.connected("facegraph").await?;
    let cyber_unit = stage.client("cyber-unit")?;
    match cyber_unit.pull(&FeedStart::Beginning, None, 100).await {
        Err(ClientError::Invalid { message, .. }) => {
            say(&format!("cyber-unit pulls without a purpose: {message}"))?;
        }
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Failure::failed("the liaison read without a purpose")),
    }
    let until = SystemClock.now().plus(Duration::from_secs(86_400));
    let purpose = pb::Purpose {
        kind: pb::PurposeKind::Warrant.into(),
        reference: WARRANT.into(),
        jurisdiction: "GB".into(),
        until: Some(timestamp(until)),
    };
    let cyber_unit = cyber_unit.with_purpose(purpose);
    let before = cyber_unit.pull(&FeedStart::Beginning, None, 100).await?.items.len();
    say(&format!(
        "under warrant {WARRANT} it receives {}",
        text::count(before as u64, "indicator")
    ))?;
    let request = pb::ReleaseIndicatorsRequest {
        request_id: "harbour-release".into(),
        what: Some(pb::release_indicators_request::What::Campaign(campaign.into())),
        liaisons: vec!["cyber-unit".into()],
        basis: format!("warrant {WARRANT}"),
        ..Default::default()
    };
    let released = facegraph.release(request).await?;
    say(&format!(
        "facegraph releases all its objects of the campaign: {}",
        text::count(released.changed, "version")
    ))?;
    let (mut from, mut more, mut events) = (FeedStart::Beginning, true, Vec::new());
    while more {
        let page = cyber_unit.pull(&from, None, 100).await?;
        (from, more) = (FeedStart::Cursor(page.cursor.clone().unwrap_or_default()), page.more);
        events.extend(client::page_events(page));
    }
    let received: Vec<_> = events.iter().map(|event| label(event, campaign)).collect();
    let expected = ["campaign", "enforcement"].into_iter().chain(NEWS_SITES);
    if before > 0 || received.iter().map(String::as_str).ne(expected) {
        return Err(Failure::failed(format!("the liaison received something else: {events:?}")));
    }
    say("cyber-unit pulls again and receives the contribution and the enforcement of facegraph,")?;
    say(&format!("and {}; nothing else", NEWS_SITES.join(", ")))?;
    show_accesses(stage, events.len()).await
}

/// A short label for an event of facegraph; the debug output for anything else.
fn label(event: &FeedEvent, campaign: &str) -> String {
    match event {
        FeedEvent::Item(item) if item.author == "facegraph" => {
            item.indicator.clone().unwrap_or_default().value
        }
        FeedEvent::Campaign(event) => {
            let contribution = event.contribution.clone().unwrap_or_default();
            let is_expected =
                contribution.author == "facegraph" && contribution.campaign_id == campaign;
            if is_expected { "campaign".into() } else { format!("{contribution:?}") }
        }
        FeedEvent::Enforcement(event) => {
            let enforcement = event.enforcement.clone().unwrap_or_default();
            if enforcement.author == "facegraph" {
                "enforcement".into()
            } else {
                format!("{enforcement:?}")
            }
        }
        other => format!("{other:?}"),
    }
}

async fn show_accesses(stage: &Stage, expected: usize) -> Result<(), Failure> {
    let accesses = stage.connected("facegraph").await?.accesses(Some("cyber-unit"), None).await?;
    let objects: usize = accesses.iter().map(|access| access.objects.len()).sum();
    let Some(access) = accesses.first().filter(|_| objects == expected) else {
        return Err(Failure::failed(format!("expected {expected} accesses: {accesses:?}")));
    };
    say(&format!(
        "audit accesses of facegraph: {} read {} by pull, {} {}, at {}",
        access.liaison,
        text::count(objects as u64, "object"),
        text::enum_name(access.purpose().as_str_name(), "PURPOSE_KIND_"),
        access.reference,
        text::local_time(access.accessed_at.as_ref()).unwrap_or_default()
    ))
}
