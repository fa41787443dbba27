//! What is released to law enforcement, and what the contributor sees of its being read.

use std::time::Duration;

use super::super::failure::Failure;
use super::super::words;
use super::stage::Stage;
use super::tip::NEWS_SITES;
use super::{LABEL, heading, say};
use crate::client::{self, Client, ClientError, FeedEvent, FeedStart, Report};
use crate::clock::{Clock, SystemClock};
use crate::wire::{pb, timestamp};

/// The paper that the liaison reads on, and that the release names.
const WARRANT: &str = "W-2019-17";

/// facegraph shares the sites that it found, as belonging to the campaign, and tells what it shared.
///
/// Before the tip waits, or this would be the news that takes it up again.
pub async fn share_found(facegraph: &Client, campaign: &str) -> Result<String, Failure> {
    let items = NEWS_SITES.map(|site| found(site, campaign));
    let report = Report {
        submission_id: "harbour-sites".into(),
        sharing: None,
        replaces_audience: None,
        items: items.to_vec(),
        batch_items: Report::BATCH_ITEMS,
    };
    facegraph.submit_report(report, |_| {}).await?;
    Ok(format!("{}, of the campaign", NEWS_SITES.join(", ")))
}

/// facegraph releases its part of the campaign to cyber-unit, which reads that and nothing else; facegraph
/// sees that it did, when and for what purpose.
pub async fn release_and_read(stage: &Stage, campaign: &str) -> Result<(), Failure> {
    heading("facegraph releases what it found to law enforcement")?;
    let facegraph = stage.connected("facegraph").await?;
    let cyber_unit = stage.client("cyber-unit")?;
    match cyber_unit.pull(&FeedStart::Beginning, None, 100).await {
        Err(ClientError::Invalid { message: why, .. }) => {
            say(&format!("cyber-unit pulls without a purpose: {why}"))?;
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
    let cyber_unit = cyber_unit.for_purpose(purpose);
    let before = cyber_unit.pull(&FeedStart::Beginning, None, 100).await?.items.len();
    say(&format!(
        "under warrant {WARRANT} it is given {}",
        words::count(before as u64, "indicator")
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
        "facegraph releases all that it has in the campaign: {}",
        words::count(released.changed, "version")
    ))?;
    let (mut from, mut more, mut given) = (FeedStart::Beginning, true, Vec::new());
    while more {
        let page = cyber_unit.pull(&from, None, 100).await?;
        (from, more) = (FeedStart::Cursor(page.cursor.clone().unwrap_or_default()), page.more);
        given.extend(client::events(page));
    }
    let told: Vec<_> = given.iter().map(|event| told(event, campaign)).collect();
    let expected = ["campaign", "enforcement"].into_iter().chain(NEWS_SITES);
    if before > 0 || told.iter().map(String::as_str).ne(expected) {
        return Err(Failure::failed(format!("the liaison was given something else: {given:?}")));
    }
    say("cyber-unit pulls again: what facegraph says of the campaign, what it did,")?;
    say(&format!("{}, and nothing else", NEWS_SITES.join(", ")))?;
    show_accesses(stage, given.len()).await
}

/// What a liaison is given of facegraph's, in a word.
fn told(event: &FeedEvent, of: &str) -> String {
    match event {
        FeedEvent::Item(item) if item.author == "facegraph" => {
            item.indicator.clone().unwrap_or_default().value
        }
        FeedEvent::Campaign(event) => {
            let said = event.contribution.clone().unwrap_or_default();
            let is_it = said.author == "facegraph" && said.campaign_id == of;
            if is_it { "campaign".into() } else { format!("{said:?}") }
        }
        FeedEvent::Enforcement(event) => {
            let done = event.enforcement.clone().unwrap_or_default();
            if done.author == "facegraph" { "enforcement".into() } else { format!("{done:?}") }
        }
        other => format!("{other:?}"),
    }
}

async fn show_accesses(stage: &Stage, given: usize) -> Result<(), Failure> {
    let accesses = stage.connected("facegraph").await?.accesses(Some("cyber-unit"), None).await?;
    let objects: usize = accesses.iter().map(|access| access.objects.len()).sum();
    let Some(access) = accesses.first().filter(|_| objects == given) else {
        return Err(Failure::failed(format!("{given} were to be listed: {accesses:?}")));
    };
    say(&format!(
        "facegraph sees it: {} took {} by pull, {} {}, at {}",
        access.liaison,
        words::count(objects as u64, "object"),
        words::name(access.purpose().as_str_name(), "PURPOSE_KIND_"),
        access.reference,
        words::time(access.accessed_at.as_ref()).unwrap_or_default()
    ))
}

fn found(site: &str, campaign: &str) -> pb::SubmittedIndicator {
    let said = pb::Assessment {
        labels: vec![LABEL.into()],
        campaign: campaign.into(),
        ..pb::Assessment::default()
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::Domain.into(),
        value: site.into(),
        assessment: Some(said),
        ..Default::default()
    }
}
