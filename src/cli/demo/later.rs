//! Later events of a known network.

use super::super::failure::Failure;
use super::super::submit::{Submittable, counts};
use super::super::{render, text};
use super::desk;
use super::reader::Reader;
use super::stage::Stage;
use super::{CAMPAIGN, LABEL, heading, say};
use crate::client::FeedEvent;
use crate::clock::{Clock, SystemClock};
use crate::wire::pb;

/// birdsite shares one more account of the network, and both readers receive it. Prints how long
/// that took on this machine.
pub async fn one_more_account(
    stage: &Stage,
    report: &Submittable,
    [desk, tubeworks]: [&mut Reader; 2],
) -> Result<(), Failure> {
    heading("A week later, a new account of the same network appears")?;
    let birdsite = stage.connected("birdsite").await?;
    let item = account(report);
    let name = text::value(&item.platform, &item.value);
    let request = pb::SubmitIndicatorsRequest {
        submission_id: "harbour-network-one-more".into(),
        batch: Some(pb::SubmissionBatch {
            number: 1,
            items: vec![item.clone()],
            ..Default::default()
        }),
        close: Some(pb::SubmissionClose { batches: 1, ..Default::default() }),
    };
    let is_account = |event: &FeedEvent| match event {
        FeedEvent::Item(item_event) => item_event.indicator.as_ref().is_some_and(|indicator| {
            (indicator.kind, &indicator.platform, &indicator.value)
                == (item.kind, &item.platform, &item.value)
        }),
        _ => false,
    };
    let clock = SystemClock;
    let started = clock.instant();
    let submitting = async {
        let receipt = birdsite.submit(request).await?;
        Ok((receipt, clock.instant()))
    };
    let (accepted, to_desk, to_tubeworks) = tokio::try_join!(
        submitting,
        desk.wait_for(&name, is_account),
        tubeworks.wait_for(&name, is_account)
    )?;
    let (receipt, accepted) = accepted;
    let created = receipt.items.iter().any(|item| item.status() == pb::ItemStatus::Created);
    if !created {
        return Err(Failure::failed(format!("{name} was not accepted: {:?}", receipt.items)));
    }
    let ms = |at: std::time::Instant| at.duration_since(started).as_millis();
    say(&format!("birdsite shares {name}, label {LABEL}, campaign {CAMPAIGN}"))?;
    say(&format!(
        "receipt after {} ms; received by {} of facegraph after {} ms, by tubeworks after {} ms",
        ms(accepted),
        desk::NAME,
        ms(to_desk),
        ms(to_tubeworks)
    ))
}

/// birdsite creates the campaign before anything refers to it.
pub async fn create_campaign(stage: &Stage) -> Result<String, Failure> {
    let contribution = pb::Contribution { name: CAMPAIGN.into(), ..Default::default() };
    let request = pb::PutCampaignRequest {
        request_id: "harbour-network".into(),
        contribution: Some(contribution),
        ..Default::default()
    };
    let created = stage.connected("birdsite").await?.put_campaign(request).await?;
    Ok(created.campaign_id)
}

/// The campaign of the report.
pub fn campaign_of(report: &Submittable) -> String {
    report.items[0].assessment.clone().unwrap_or_default().campaign
}

/// Reports the counts of removed assets: birdsite's own enforcement if it owns the platform,
/// otherwise a reported removal by others. Sends them twice to show that they count once.
pub async fn report_counts(stage: &Stage, report: &Submittable) -> Result<(), Failure> {
    if report.aggregates.is_empty() {
        return Ok(());
    }
    let birdsite = stage.connected("birdsite").await?;
    let sourced: Vec<_> =
        report.aggregates.iter().cloned().map(|(source, count)| (source, count, [0; 32])).collect();
    let campaign = campaign_of(report);
    let sharing = pb::Sharing::default();
    let own = birdsite.who_am_i().await?.partner.unwrap_or_default();
    let counted = counts::enforcements(&sourced, &own.platforms, Some(&campaign));
    for _ in 0..2 {
        counts::send(&birdsite, counted.clone(), &sharing).await?;
    }
    let query = pb::ListEnforcementsRequest { campaign_id: campaign, ..Default::default() };
    let known = stage.connected("facegraph").await?.enforcements(&query).await?;
    if known.len() != sourced.len() {
        return Err(Failure::failed(format!("a count was lost or counted twice: {known:?}")));
    }
    for one in &known {
        let enforcement = one.enforcement.clone().unwrap_or_default();
        let counts: Vec<_> = enforcement.counts.iter().map(render::enforcement::count).collect();
        let kind = match enforcement.source() {
            pb::EnforcementSource::Reported => "a removal by another, reported by birdsite",
            _ => "an enforcement of birdsite",
        };
        say(&format!("{}: {kind}, sent twice and counted once", counts.join(", ")))?;
    }
    Ok(())
}

/// An account that the report does not contain.
fn account(report: &Submittable) -> pb::SubmittedIndicator {
    let is_reported = |value: &str| report.items.iter().any(|item| item.value == value);
    let candidates = (937..).map(|number| format!("harbour_watcher_{number:04}"));
    let value = candidates.into_iter().find(|value| !is_reported(value)).unwrap_or_default();
    let assessment = pb::Assessment {
        labels: vec![LABEL.into()],
        campaign: campaign_of(report),
        ..pb::Assessment::default()
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::Account.into(),
        platform: "x".into(),
        value,
        assessment: Some(assessment),
    }
}
