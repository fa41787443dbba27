//! What comes later of a network that is known.

use super::super::failure::Failure;
use super::super::submit::Submittable;
use super::super::words;
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
        submission_id: format!("{CAMPAIGN}-one-more"),
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

/// An account that the report does not name.
fn account(report: &Submittable) -> pb::SubmittedIndicator {
    let named = |value: &str| report.items.iter().any(|item| item.value == value);
    let free = (937..).map(|number| format!("harbour_watcher_{number:04}"));
    let value = free.into_iter().find(|value| !named(value)).unwrap_or_default();
    let said = pb::Assessment {
        labels: vec![LABEL.into()],
        campaign: CAMPAIGN.into(),
        ..pb::Assessment::default()
    };
    pb::SubmittedIndicator {
        kind: pb::Kind::Account.into(),
        platform: "x".into(),
        value,
        assessment: Some(said),
    }
}
