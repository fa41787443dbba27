//! What is released to law enforcement, and what the contributor sees of its being read.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::failure::Failure;
use super::super::words;
use super::stage::Stage;
use super::tip::NEWS_SITES;
use super::{LABEL, heading, say};
use crate::client::{Client, ClientError, From, Report};
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

/// facegraph releases the sites to cyber-unit, which reads those and nothing else; facegraph sees that it
/// did, when and for what purpose.
pub async fn release_and_read(stage: &Stage, campaign: &str) -> Result<(), Failure> {
    heading("facegraph releases what it found to law enforcement")?;
    let facegraph = stage.connected("facegraph").await?;
    let cyber_unit = stage.client("cyber-unit")?;
    match cyber_unit.pull(&From::Start, None, 100).await {
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
    let before = cyber_unit.pull(&From::Start, None, 100).await?.items.len();
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
        "facegraph releases what it said of the campaign: {}",
        words::count(released.changed, "version")
    ))?;
    let given = cyber_unit.pull(&From::Start, None, 100).await?.items;
    let values: BTreeSet<_> =
        given.iter().filter_map(|item| Some(item.indicator.as_ref()?.value.as_str())).collect();
    if before > 0 || values != BTreeSet::from(NEWS_SITES) {
        return Err(Failure::failed(format!("the liaison was given something else: {values:?}")));
    }
    say(&format!(
        "cyber-unit pulls again: {}, and nothing else",
        Vec::from_iter(values).join(", ")
    ))?;
    show_accesses(stage).await
}

async fn show_accesses(stage: &Stage) -> Result<(), Failure> {
    let accesses = stage.connected("facegraph").await?.accesses(Some("cyber-unit"), None).await?;
    let [access] = accesses.as_slice() else {
        return Err(Failure::failed(format!("one access was to be listed: {accesses:?}")));
    };
    say(&format!(
        "facegraph sees it: {} took {} by pull, {} {}, at {}",
        access.liaison,
        words::count(access.objects.len() as u64, "object"),
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
