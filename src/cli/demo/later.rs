//! What comes later of a network that is known.

use super::super::failure::Failure;
use super::super::submit::{Submittable, counts};
use super::super::{deeds, words};
use super::desk;
use super::reader::Reader;
use super::stage::Stage;
use super::{CAMPAIGN, LABEL, heading, say};
use crate::client::FeedEvent;
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// One more account of the network: birdsite shares it, and it reaches both readers. How
/// long that took is told, and is as good as the machine that it runs on.
pub async fn one_more_account(
    stage: &Stage,
    report: &Submittable,
    [desk, tubeworks]: [&mut Reader; 2],
) -> Result<(), Failure> {
    heading("A week later in the story, a new account of the same network appears")?;
    let birdsite = stage.connected("birdsite").await?;
    let item = account(report);
    let shown = words::value(&item.platform, &item.value);
    let request = pb::SubmitIndicatorsRequest {
        submission_id: "harbour-network-one-more".into(),
        batch: Some(pb::SubmissionBatch {
            number: 1,
            items: vec![item.clone()],
            ..Default::default()
        }),
        close: Some(pb::SubmissionClose { batches: 1 }),
    };
    let is_it = |event: &FeedEvent| match event {
        FeedEvent::Item(given) => given.indicator.as_ref().is_some_and(|indicator| {
            (indicator.kind, &indicator.platform, &indicator.value)
                == (item.kind, &item.platform, &item.value)
        }),
        _ => false,
    };
    let clock = SystemClock;
    let begun = clock.instant();
    let submitting = async {
        let receipt = birdsite.submit(request).await?;
        Ok((receipt, clock.instant()))
    };
    let (taken, to_desk, to_tubeworks) = tokio::try_join!(
        submitting,
        desk.wait_for(&shown, is_it),
        tubeworks.wait_for(&shown, is_it)
    )?;
    let (receipt, taken) = taken;
    let created = receipt.items.iter().any(|item| item.status() == pb::ItemStatus::Created);
    if !created {
        return Err(Failure::failed(format!("{shown} was not taken: {:?}", receipt.items)));
    }
    let ms = |at: std::time::Instant| at.duration_since(begun).as_millis();
    say(&format!("birdsite shares {shown}, {LABEL}, campaign {CAMPAIGN}"))?;
    say(&format!(
        "its receipt came after {} ms; {} of facegraph has it after {} ms, tubeworks after {} ms",
        ms(taken),
        desk::NAME,
        ms(to_desk),
        ms(to_tubeworks)
    ))
}

/// The campaign that birdsite founds, before anything is said to belong to it.
pub async fn found(stage: &Stage) -> Result<String, Failure> {
    let contribution = pb::Contribution { name: CAMPAIGN.into(), ..Default::default() };
    let request = pb::PutCampaignRequest {
        request_id: "harbour-network".into(),
        contribution: Some(contribution),
        ..Default::default()
    };
    let founded = stage.connected("birdsite").await?.put_campaign(request).await?;
    Ok(founded.campaign_id)
}

/// The campaign that the report belongs to.
pub fn campaign_of(report: &Submittable) -> String {
    report.items[0].assessment.clone().unwrap_or_default().campaign
}

/// The report's counts of removed assets: birdsite's own enforcement where it owns the platform, and else
/// what it reports of others. Sent twice, they count once.
pub async fn report_counts(stage: &Stage, report: &Submittable) -> Result<(), Failure> {
    if report.aggregates.is_empty() {
        return Ok(());
    }
    let birdsite = stage.connected("birdsite").await?;
    let placed: Vec<_> =
        report.aggregates.iter().map(|(source, count)| (source, count, [0; 32])).collect();
    let campaign = campaign_of(report);
    let sharing = pb::Sharing::default();
    for _ in 0..2 {
        counts::send(&birdsite, &placed, &sharing, Some(&campaign)).await?;
    }
    let query = pb::ListEnforcementsRequest { campaign_id: campaign, ..Default::default() };
    let known = stage.connected("facegraph").await?.enforcements(&query).await?;
    if known.len() != placed.len() {
        return Err(Failure::failed(format!("a count was lost or counted twice: {known:?}")));
    }
    for one in &known {
        let done = one.enforcement.clone().unwrap_or_default();
        let counts: Vec<_> = done.counts.iter().map(deeds::count).collect();
        let whose = match done.source() {
            pb::EnforcementSource::Reported => "a removal by another, reported by birdsite",
            _ => "an enforcement of birdsite",
        };
        say(&format!("{}: {whose}, sent twice and counted once", counts.join(", ")))?;
    }
    Ok(())
}

/// An account that the report does not name.
fn account(report: &Submittable) -> pb::SubmittedIndicator {
    let named = |value: &str| report.items.iter().any(|item| item.value == value);
    let free = (937..).map(|number| format!("harbour_watcher_{number:04}"));
    let value = free.into_iter().find(|value| !named(value)).unwrap_or_default();
    let said = pb::Assessment {
        labels: vec![LABEL.into()],
        campaign: campaign_of(report),
        ..pb::Assessment::default()
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::Account.into(),
        platform: "x".into(),
        value,
        assessment: Some(said),
    }
}
