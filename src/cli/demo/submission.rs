//! birdsite submits its report, and the exchange, or a part of it, is killed half-way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::super::failure::Failure;
use super::super::submit::Submittable;
use super::stage::Stage;
use super::{heading, say};
use crate::client::{Report, ReportBatch, ReportSummary, SubmissionOptions};
use crate::clock::{Clock, SystemClock};
use crate::formats::Record;

/// Batches of the report. More for a cluster: it has no restart during which they wait.
const BATCHES: usize = 8;
const CLUSTER_BATCHES: usize = 96;

/// Submits the report, and prints the counts.
pub async fn submit(
    stage: &mut Stage,
    inputs: &[(String, Vec<Record>)],
    report: &Submittable,
) -> Result<ReportSummary, Failure> {
    let (what, with) = if stage.is_cluster() {
        ("node 1 and nats-server 1 are", "the way to another node")
    } else {
        ("the exchange is", "the restart")
    };
    heading(&format!("birdsite submits its report, and {what} killed half-way"))?;
    print_input(inputs, report)?;
    let (summary, took) = submit_and_kill(stage, report).await?;
    say(&format!(
        "{} created, {} replaced, {} unchanged, {} rejected, {} batches, {} ms with {with}",
        summary.created,
        summary.replaced,
        summary.unchanged,
        summary.rejected.len(),
        summary.batches,
        took.as_millis()
    ))?;
    Ok(summary)
}

fn print_input(inputs: &[(String, Vec<Record>)], report: &Submittable) -> Result<(), Failure> {
    for (name, records) in inputs {
        say(&format!("{name}: {} records", records.len()))?;
    }
    say(&format!(
        "{} indicators, {} counts of removed assets, {} neither, {} unreadable, {} repeated",
        report.items.len(),
        report.aggregates.len(),
        report.neither,
        report.unreadable,
        report.repeated
    ))?;
    for (source, count) in &report.aggregates {
        let meaning = format!("{:?} is {} {}", source.raw.trim(), count.count, count.kind());
        say(&format!("row {}: {meaning}: a count, not an indicator", source.row))?;
    }
    Ok(())
}

/// Submits the report. Kills when half of the items have a receipt: a single node is restarted, and a cluster goes on
/// without the node and the nats-server.
async fn submit_and_kill(
    stage: &mut Stage,
    report: &Submittable,
) -> Result<(ReportSummary, Duration), Failure> {
    let clock = SystemClock;
    let started = clock.instant();
    let total = report.items.len();
    let batches = if stage.is_cluster() { CLUSTER_BATCHES } else { BATCHES };
    let batch_items = (total / batches).clamp(1, SubmissionOptions::BATCH_ITEMS);
    let submission = Report {
        submission_id: "harbour-network".into(),
        batch: ReportBatch { items: report.items.clone(), ..ReportBatch::default() },
        options: SubmissionOptions { batch_items, ..SubmissionOptions::default() },
        ..Report::default()
    };
    let client = stage.client("birdsite")?;
    let (half, done) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let submitting = {
        let (half, done) = (Arc::clone(&half), Arc::clone(&done));
        let client = client.clone();
        tokio::spawn(async move {
            let progress = |items: usize| {
                done.store(items, Ordering::Relaxed);
                if items * 2 >= total {
                    half.notify_one();
                }
            };
            client.submit_report(submission, progress).await
        })
    };
    half.notified().await;
    let killed_at = done.load(Ordering::Relaxed);
    stage.kill().await?;
    let killed: Instant = clock.instant();
    if stage.is_cluster() {
        say(&format!("SIGKILL to both after {killed_at} of {total} receipts; they stay down"))?;
    } else {
        say(&format!("SIGKILL after {killed_at} of {total} receipts"))?;
        stage.start_node(0).await?;
        let restart = clock.instant().duration_since(killed);
        say(&format!("restarted on the same data: ready after {} ms", restart.as_millis()))?;
    }
    let summary = submitting.await.map_err(Failure::failed)??;
    if stage.is_cluster() {
        let took = clock.instant().duration_since(killed);
        say(&format!(
            "birdsite went on at {}, and had all receipts {} ms after the kill",
            stage.name_of(&client.server()),
            took.as_millis()
        ))?;
    }
    Ok((summary, clock.instant().duration_since(started)))
}
