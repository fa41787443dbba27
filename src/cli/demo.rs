//! `tipoff demo`: the story of a report, for real. A development PKI, a server on loopback with
//! mutual TLS and sled, three platforms and a liaison as real clients.

mod desk;
mod feedback;
mod follower;
mod later;
mod liaison;
mod reader;
mod stage;
mod tally;
mod tip;
mod withdrawal;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use self::follower::Follower;
use self::reader::Reader;
use self::stage::Stage;
use self::withdrawal::WithdrawnReport;
use super::failure::{Completion, Failure, Outcome};
use super::submit::{ItemDefaults, Submittable, merge};
use super::{Global, output, stop, words};
use crate::client::{ClientError, FeedStart, Report, ReportSummary};
use crate::clock::{Clock, SystemClock};
use crate::formats::{self, Record};
use crate::wire::pb;

/// The report that the project ships: invented, with reserved names.
const SAMPLE: &[u8] = include_bytes!("../../samples/harbour-network.csv");
const SAMPLE_NAME: &str = "samples/harbour-network.csv";
/// What birdsite holds the network to be doing, and what it calls the operation.
const LABEL: &str = "coordinated-inauthentic-behavior";
const CAMPAIGN: &str = "Harbour network";
/// The one site in the sample that is a victim's.
const SAMPLE_VICTIM: &str = "harbour-library.example";

/// The story of a report, for real: an exchange, three platforms and a liaison on this machine
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Run it on these reports instead of the sample that is shipped
    #[arg(long, value_name = "FILE", num_args = 1..)]
    data: Vec<PathBuf>,
    /// Leave the exchange running at the end, and say what to try next
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub async fn run(&self, _global: &Global) -> Outcome {
        let inputs = self.read()?;
        let records = inputs.iter().flat_map(|(name, all)| all.iter().map(|r| (name.as_str(), r)));
        let mut report = merge(records, &ItemDefaults::labelled(LABEL));
        if report.items.is_empty() {
            return Err(Failure::usage("the report holds no indicator"));
        }
        let stop = stop::told()?;
        tokio::pin!(stop);
        let mut stage = Stage::set()?;
        let told = tokio::select! {
            told = self.tell(&mut stage, &inputs, &mut report) => told,
            () = &mut stop => Err(Failure::failed("interrupted")),
        };
        if let (Ok(withdrawn), true) = (&told, self.keep)
            && stage.linger(&report.items[0], withdrawn).is_ok()
        {
            stop.await;
        }
        stage.clear().await;
        told.map(|_| Completion::Whole)
    }

    fn read(&self) -> Result<Vec<(String, Vec<Record>)>, Failure> {
        let read = |name: String, bytes: &[u8]| {
            let records = formats::read(bytes, None)
                .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
            Ok((name, records))
        };
        if self.data.is_empty() {
            return Ok(vec![read(SAMPLE_NAME.into(), SAMPLE)?]);
        }
        let files = self.data.iter().map(|path| {
            let name = path.display().to_string();
            let bytes = std::fs::read(path)
                .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
            read(name, &bytes)
        });
        files.collect()
    }

    async fn tell(
        &self,
        stage: &mut Stage,
        inputs: &[(String, Vec<Record>)],
        report: &mut Submittable,
    ) -> Result<WithdrawnReport, Failure> {
        heading("An exchange starts")?;
        let ready = stage.start().await?;
        say(&format!(
            "a certificate authority, an identity for each partner in {}",
            stage.shown()
        ))?;
        say(&format!("the exchange is ready at {}, after {} ms", stage.url(), ready.as_millis()))?;
        report.name_campaign(&later::found(stage).await?);
        let report = &*report;

        heading("facegraph and tubeworks follow, the liaison may not")?;
        let followers = [
            Follower::start(stage, "facegraph").await?,
            Follower::start(stage, "tubeworks").await?,
        ];
        say("facegraph and tubeworks subscribed over mutual TLS")?;
        refused_to_liaison(stage).await?;

        heading("birdsite submits its report, and the exchange is killed half-way")?;
        for (name, records) in inputs {
            say(&format!("{name}: {} records", records.len()))?;
        }
        say(&format!(
            "{} indicators, {} counts of removed assets, {} neither, {} unreadable, {} repeated",
            report.items.len(),
            report.aggregates.len(),
            report.neither,
            report.unreadable.len(),
            report.repeated
        ))?;
        for (source, count) in &report.aggregates {
            let what = format!("{:?} is {} {}", source.raw.trim(), count.count, count.kind());
            say(&format!("row {}: {what}: a count, and no indicator", source.row))?;
        }
        let (summary, took) = submit_and_kill(stage, report).await?;
        say(&format!(
            "{} created, {} replaced, {} unchanged, {} rejected, {} batches, {} ms with the restart",
            summary.created,
            summary.replaced,
            summary.unchanged,
            summary.rejected.len(),
            summary.batches,
            took.as_millis()
        ))?;

        heading("Who received what")?;
        let mut rows = Vec::new();
        let taken = summary.created + summary.replaced;
        let mut complete = true;
        let mut readers = Vec::new();
        for follower in followers {
            let (tally, reader) = follower.finish(taken, Duration::from_secs(60)).await?;
            complete &= tally.distinct() == taken && tally.unknown(report) == 0;
            rows.push(tally.row(taken));
            readers.push(reader);
        }
        let header =
            ["PARTNER", "RECEIVED", "OF", "TWICE", "FIRST ms", "MEDIAN ms", "LAST ms", "RESUMED"];
        show(&output::table(header, rows))?;
        say(
            "from the journal's timestamp to the item in the partner's hand; LAST has the restart in it",
        )?;

        heading("What is known")?;
        known_to(stage, "facegraph", &report.items[0]).await?;
        let nobodys = "nobody-shared-this.example";
        let nobodys = pb::IndicatorKey { value: nobodys.into(), ..pb::IndicatorKey::default() };
        unknown_to(stage, "facegraph", nobodys).await?;

        heading("The counts")?;
        counts(report, &summary)?;
        if !complete {
            return Err(Failure::failed("a follower did not receive exactly what was taken"));
        }
        say(&output::paint(output::GOOD, "every follower holds exactly what was taken"))?;

        later::report_counts(stage, report).await?;
        tip::show_referrals(stage, &summary).await?;

        let tubeworks =
            readers.pop().ok_or_else(|| Failure::failed("tubeworks follows no more"))?;
        Box::pin(Self::tell_what_follows(stage, report, tubeworks)).await
    }

    /// What becomes of a report once it is shared. facegraph goes on under a name, and tubeworks on the
    /// feed that it has.
    async fn tell_what_follows(
        stage: &Stage,
        report: &Submittable,
        mut tubeworks: Reader,
    ) -> Result<WithdrawnReport, Failure> {
        let mut desk = desk::open(stage, tubeworks.held().len()).await?;
        let wrong = withdrawal::choose(desk.held(), &report.items[0])
            .ok_or_else(|| Failure::failed("of the report nothing was taken"))?;
        let campaign = later::campaign_of(report);
        let mut tip = tip::tell(stage, report, &campaign, &mut desk).await?;
        liaison::release_and_read(stage, &campaign).await?;
        later::one_more_account(stage, report, [&mut desk, &mut tubeworks]).await?;
        tip.show_reopened(&mut desk).await?;
        feedback::give(stage, &wrong).await?;
        let withdrawn = withdrawal::withdraw(stage, &wrong, &mut desk, &mut tubeworks).await?;
        withdrawal::show_who_was_told(stage, &withdrawn, &mut desk).await?;
        let standing = desk::hold_what_stands(stage, &desk, &tubeworks).await?;
        say(&output::paint(
            output::GOOD,
            &format!(
                "both hold what stands, as a snapshot has it: {}",
                words::count(standing as u64, "indicator")
            ),
        ))?;
        Ok(withdrawn)
    }
}

/// Submits the report; when half of it has receipts, the exchange is killed and started again.
async fn submit_and_kill(
    stage: &mut Stage,
    report: &Submittable,
) -> Result<(ReportSummary, Duration), Failure> {
    let clock = SystemClock;
    let begun = clock.instant();
    let total = report.items.len();
    let batch_items = (total / 8).clamp(1, Report::BATCH_ITEMS);
    let submission = Report {
        submission_id: "harbour-network".into(),
        sharing: None,
        replaces_audience: None,
        items: report.items.clone(),
        batch_items,
    };
    let client = stage.client("birdsite")?;
    let (half, done) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let submitting = {
        let (half, done) = (Arc::clone(&half), Arc::clone(&done));
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
    say(&format!("SIGKILL after {killed_at} of {total} receipts"))?;
    let down: Instant = clock.instant();
    stage.start().await?;
    let up = clock.instant().duration_since(down);
    say(&format!("started again on the same data: ready after {} ms", up.as_millis()))?;
    let summary = submitting.await.map_err(Failure::failed)??;
    Ok((summary, clock.instant().duration_since(begun)))
}

async fn refused_to_liaison(stage: &Stage) -> Result<(), Failure> {
    let client = stage.client("cyber-unit")?;
    match client.subscribe(FeedStart::Beginning, None).next().await {
        Err(error @ ClientError::Invalid { .. }) => {
            say(&format!("cyber-unit subscribes: refused, {error}"))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::failed("the liaison was let into the feed")),
    }
}

async fn known_to(
    stage: &Stage,
    partner: &str,
    item: &pb::SubmittedIndicator,
) -> Result<(), Failure> {
    let key = pb::IndicatorKey {
        kind: item.kind,
        platform: item.platform.clone(),
        value: item.value.clone(),
    };
    let clock = SystemClock;
    let begun = clock.instant();
    let results = stage.client(partner)?.lookup(&[key]).await?;
    let took = clock.instant().duration_since(begun);
    match results.first().and_then(|result| result.result.as_ref()) {
        Some(pb::lookup_result::Result::Known(summary)) => {
            let stands = summary.strongest.clone().unwrap_or_default();
            say(&format!(
                "{partner} looks up {}: known, by {}, after {:.1} ms with the connection",
                words::value(&item.platform, &item.value),
                stands.author,
                took.as_secs_f64() * 1000.0
            ))
        }
        _ => Err(Failure::failed(format!("{} is not known to {partner}", item.value))),
    }
}

async fn unknown_to(stage: &Stage, partner: &str, key: pb::IndicatorKey) -> Result<(), Failure> {
    let value = words::value(&key.platform, &key.value);
    let results = stage.client(partner)?.lookup(&[key]).await?;
    match results.first().and_then(|result| result.result.as_ref()) {
        Some(pb::lookup_result::Result::Unknown(_)) => {
            say(&format!("{partner} looks up {value}: not known"))
        }
        _ => Err(Failure::failed(format!("{value} should not be known to {partner}"))),
    }
}

fn counts(report: &Submittable, summary: &ReportSummary) -> Result<(), Failure> {
    let rejected = summary.rejected.len() + report.unreadable.len();
    say(&format!(
        "{} distinct indicators = {} created + {} replaced + {} unchanged + {} rejected",
        report.items.len() + report.unreadable.len(),
        summary.created,
        summary.replaced,
        summary.unchanged,
        rejected
    ))?;
    for (kind, platform, count) in tally::by_kind(&report.items) {
        say(format!("  {count:>6}  {kind} {platform}").trim_end())?;
    }
    Ok(())
}

fn heading(text: &str) -> Result<(), Failure> {
    output::line(&format!("\n{}", output::paint(output::BOLD, text)))
}

fn say(text: &str) -> Result<(), Failure> {
    output::line(&format!("  {text}"))
}

/// Says a table.
fn show(table: &str) -> Result<(), Failure> {
    table.lines().try_for_each(say)
}
