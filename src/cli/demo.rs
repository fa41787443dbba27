//! `tipoff demo` runs a real exchange on this machine: a development PKI, a server on loopback with
//! mutual TLS and sled, and three platforms and a liaison as real clients. It follows one report
//! from submission to withdrawal. With `--cluster` the exchange has three nodes on three nats-servers.

mod cluster;
mod desk;
mod feedback;
mod follower;
mod later;
mod liaison;
mod nats;
mod node;
mod reader;
mod stage;
mod submission;
mod tally;
mod tip;
mod withdrawal;

use std::path::PathBuf;
use std::time::Duration;

use self::follower::Follower;
use self::reader::Reader;
use self::stage::Stage;
use self::withdrawal::WithdrawnReport;
use super::failure::{Completion, Failure, Outcome};
use super::submit::{ItemDefaults, Submittable, merge};
use super::{Global, output, shutdown, text};
use crate::client::{ClientError, FeedStart, ReportSummary};
use crate::clock::{Clock, SystemClock};
use crate::formats::{self, Record};
use crate::wire::pb;

/// The sample report: invented, with reserved names.
const SAMPLE: &[u8] = include_bytes!("../../samples/harbour-network.csv");
const SAMPLE_NAME: &str = "samples/harbour-network.csv";
/// The label and campaign name that birdsite gives to the network.
const LABEL: &str = "coordinated-inauthentic-behavior";
const CAMPAIGN: &str = "Harbour network";
/// The sample's only site with involvement `victim`.
const SAMPLE_VICTIM: &str = "harbour-library.example";

/// Run a demo: an exchange, three platforms and a liaison on this machine
#[derive(Debug, clap::Args)]
pub struct Demo {
    /// Use these reports instead of the sample
    #[arg(long, value_name = "FILE", num_args = 1..)]
    data: Vec<PathBuf>,
    /// Keep the exchange running at the end, and print commands to try
    #[arg(long)]
    keep: bool,
    /// Run three nodes on three nats-servers, and kill one of each half-way
    #[arg(long)]
    cluster: bool,
    /// Program of --cluster, 2.14.5 or newer
    #[arg(long, value_name = "FILE", default_value = "nats-server", env = "TIPOFF_NATS_SERVER")]
    nats_server: PathBuf,
}

impl Demo {
    pub async fn run(&self, _global: &Global) -> Outcome {
        let inputs = self.read()?;
        let records = inputs.iter().flat_map(|(name, all)| all.iter().map(|r| (name.as_str(), r)));
        let mut report = merge(records, &ItemDefaults::labelled(LABEL));
        if report.items.is_empty() {
            return Err(Failure::usage("the report contains no indicator"));
        }
        let shutdown = shutdown::requested()?;
        tokio::pin!(shutdown);
        let nats_server = self.cluster.then_some(self.nats_server.as_path());
        let version = match nats_server {
            Some(program) => Some(nats::version(program).await?),
            None => None,
        };
        let mut stage = Stage::create(nats_server)?;
        let outcome = tokio::select! {
            outcome = Self::play(&mut stage, version.as_deref(), &inputs, &mut report) => outcome,
            () = &mut shutdown => Err(Failure::failed("interrupted")),
        };
        if let (Ok(withdrawn), true) = (&outcome, self.keep)
            && stage
                .print_next_steps(&report.items[0], &withdrawn.value, withdrawn.sequence)
                .is_ok()
        {
            shutdown.await;
        }
        stage.clear().await;
        outcome.map(|_| Completion::Whole)
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

    /// Plays the demo up to the sharing of the report, then [`Self::play_after_sharing`].
    async fn play(
        stage: &mut Stage,
        nats_version: Option<&str>,
        inputs: &[(String, Vec<Record>)],
        report: &mut Submittable,
    ) -> Result<WithdrawnReport, Failure> {
        start_exchange(stage, nats_version).await?;
        report.assign_campaign(&later::create_campaign(stage).await?);
        let report = &*report;
        let followers = start_followers(stage).await?;
        let summary = submission::submit(stage, inputs, report).await?;
        let (readers, complete) = finish_followers(stage, followers, report, &summary).await?;
        show_lookups(stage, report).await?;
        show_totals(report, &summary, complete)?;
        later::report_counts(stage, report).await?;
        tip::show_referrals(stage, &summary).await?;

        let [_, tubeworks] = readers;
        let withdrawn = Box::pin(Self::play_after_sharing(stage, report, tubeworks)).await?;
        if stage.is_cluster() {
            cluster::bring_back(stage).await?;
            cluster::compare(stage).await?;
        }
        Ok(withdrawn)
    }

    /// Plays what happens after the report is shared. facegraph continues with a durable
    /// subscription, tubeworks with its open feed.
    async fn play_after_sharing(
        stage: &Stage,
        report: &Submittable,
        mut tubeworks: Reader,
    ) -> Result<WithdrawnReport, Failure> {
        let mut desk = desk::open(stage, tubeworks.replica().len()).await?;
        let wrong = withdrawal::choose(desk.replica(), &report.items[0])
            .ok_or_else(|| Failure::failed("no item of the report was accepted"))?;
        let campaign = later::campaign_of(report);
        let mut tip = tip::play(stage, report, &campaign, &mut desk).await?;
        liaison::release_and_read(stage, &campaign).await?;
        later::one_more_account(stage, report, [&mut desk, &mut tubeworks]).await?;
        tip.show_reopened(&mut desk).await?;
        feedback::give(stage, &wrong).await?;
        let withdrawn = withdrawal::withdraw(stage, &wrong, &mut desk, &mut tubeworks).await?;
        withdrawal::show_deliveries(stage, &withdrawn, &mut desk).await?;
        let current = desk::compare_with_snapshot(stage, &desk, &tubeworks).await?;
        say(&output::paint(
            output::GOOD,
            &format!(
                "both have exactly what a snapshot returns: {}",
                text::count(current as u64, "indicator")
            ),
        ))?;
        Ok(withdrawn)
    }
}

async fn start_exchange(stage: &mut Stage, nats_version: Option<&str>) -> Result<(), Failure> {
    let heads = ["Start an exchange", "Start an exchange: three nodes on three nats-servers"];
    heading(heads[usize::from(stage.is_cluster())])?;
    say(&format!(
        "a certificate authority, and an identity for each partner in {}",
        stage.folder()
    ))?;
    if let (Some(ready), Some(version)) = (stage.start_servers().await?, nats_version) {
        let ready = ready.as_millis();
        say(&format!(
            "{version}: three servers answer after {ready} ms, over TLS with certificates"
        ))?;
        say("each entry of the journal is on the disks of two of them before it has a receipt")?;
    }
    for at in 0..stage.nodes().len() {
        let ready = stage.start_node(at).await?;
        let node = &stage.nodes()[at];
        say(&format!("{} is ready at {} after {} ms", node.name, node.url(), ready.as_millis()))?;
    }
    Ok(())
}

async fn start_followers(stage: &Stage) -> Result<[Follower; 2], Failure> {
    heading("facegraph and tubeworks subscribe; the liaison is refused")?;
    let followers = [
        Follower::start(stage, "facegraph", 0).await?,
        Follower::start(stage, "tubeworks", 2).await?,
    ];
    say("facegraph and tubeworks subscribed over mutual TLS")?;
    if stage.is_cluster() {
        say("facegraph is connected to node 1, tubeworks to node 3; each knows all addresses")?;
    }
    refuse_liaison(stage).await?;
    Ok(followers)
}

/// Waits for both followers and prints what they received. Returns their readers, and whether each
/// received exactly what was accepted.
async fn finish_followers(
    stage: &Stage,
    followers: [Follower; 2],
    report: &Submittable,
    summary: &ReportSummary,
) -> Result<([Reader; 2], bool), Failure> {
    heading("Who received what")?;
    let accepted = summary.created + summary.replaced;
    let timeout = Duration::from_secs(60);
    let [facegraph, tubeworks] = followers;
    let (facegraph_tally, facegraph) = facegraph.finish(accepted, timeout).await?;
    let (tubeworks_tally, tubeworks) = tubeworks.finish(accepted, timeout).await?;
    let tallies = [facegraph_tally, tubeworks_tally];
    let complete =
        tallies.iter().all(|tally| tally.distinct() == accepted && tally.unknown(report) == 0);
    let header =
        ["PARTNER", "RECEIVED", "OF", "TWICE", "FIRST ms", "MEDIAN ms", "LAST ms", "RECONNECTS"];
    show(&output::table(header, tallies.map(|tally| tally.row(accepted))))?;
    let with = if stage.is_cluster() { "the way to another node" } else { "the restart" };
    say(&format!("measured from the journal timestamp to delivery; LAST includes {with}"))?;
    Ok(([facegraph, tubeworks], complete))
}

async fn refuse_liaison(stage: &Stage) -> Result<(), Failure> {
    let client = stage.client("cyber-unit")?;
    match client.subscribe(FeedStart::Beginning, None).next().await {
        Err(error @ ClientError::Invalid { .. }) => {
            say(&format!("cyber-unit subscribes: refused, {error}"))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(Failure::failed("the liaison could subscribe")),
    }
}

async fn show_lookups(stage: &Stage, report: &Submittable) -> Result<(), Failure> {
    heading("Lookups")?;
    known_to(stage, "facegraph", &report.items[0]).await?;
    let unshared = pb::IndicatorKey {
        value: "nobody-shared-this.example".into(),
        ..pb::IndicatorKey::default()
    };
    unknown_to(stage, "facegraph", unshared).await
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
    let started = clock.instant();
    let results = stage.client(partner)?.lookup(&[key]).await?;
    let took = clock.instant().duration_since(started);
    match results.first().and_then(|result| result.result.as_ref()) {
        Some(pb::lookup_result::Result::Known(summary)) => {
            let strongest = summary.strongest.clone().unwrap_or_default();
            say(&format!(
                "{partner} looks up {}: known, by {}, after {:.1} ms including the connection",
                text::value(&item.platform, &item.value),
                strongest.author,
                took.as_secs_f64() * 1000.0
            ))
        }
        _ => Err(Failure::failed(format!("{} is not known to {partner}", item.value))),
    }
}

async fn unknown_to(stage: &Stage, partner: &str, key: pb::IndicatorKey) -> Result<(), Failure> {
    let value = text::value(&key.platform, &key.value);
    let results = stage.client(partner)?.lookup(&[key]).await?;
    match results.first().and_then(|result| result.result.as_ref()) {
        Some(pb::lookup_result::Result::Unknown(_)) => {
            say(&format!("{partner} looks up {value}: unknown"))
        }
        _ => Err(Failure::failed(format!("{value} should not be known to {partner}"))),
    }
}

/// Prints the totals. Fails unless `complete`: each follower received exactly what was accepted.
fn show_totals(
    report: &Submittable,
    summary: &ReportSummary,
    complete: bool,
) -> Result<(), Failure> {
    heading("Totals")?;
    counts(report, summary)?;
    if !complete {
        return Err(Failure::failed("a follower did not receive exactly what was accepted"));
    }
    say(&output::paint(output::GOOD, "every follower has exactly what was accepted"))
}

fn counts(report: &Submittable, summary: &ReportSummary) -> Result<(), Failure> {
    let rejected = summary.rejected.len() + report.unreadable;
    say(&format!(
        "{} distinct indicators = {} created + {} replaced + {} unchanged + {} rejected",
        report.items.len() + report.unreadable,
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

/// Prints a table, indented.
fn show(table: &str) -> Result<(), Failure> {
    table.lines().try_for_each(say)
}
