//! `tipoff submit`

pub(super) mod counts;
mod items;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::io::Read;
use std::path::PathBuf;
use std::{fs, io};

use prost::Message;
use serde_json::json;
use sha2::{Digest, Sha256};

use self::counts::CountReceipts;
pub use self::items::{ItemDefaults, Source, Submittable, merge};
use super::audience::ReplacesFlags;
use super::failure::{Completion, Failure, Outcome};
use super::{Global, identity, output, request, words};
use crate::client::{Client, Report, ReportSummary};
use crate::domain::Kind;
use crate::domain::sharing::Tlp;
use crate::formats::dry_run::DryRunLine;
use crate::formats::{self, Assumed, Class, Format, Record};
use crate::wire::pb;

/// Read a report in any known format, and share it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Formats: meta-ttp (Meta's tables by tactic, technique, procedure), csv (a \
                        header that names value, and kind and platform), jsonl, list. Run it with \
                        --dry-run first: it reads, and sends nothing."
)]
pub struct Submit {
    /// Files to read; `-` is stdin
    #[arg(required = true, value_name = "FILE|-")]
    files: Vec<PathBuf>,
    /// The files' format; found out when left out
    #[arg(long)]
    format: Option<Format>,
    /// The kind of values whose kind the input does not say, such as `pdq`
    #[arg(long)]
    kind: Option<Kind>,
    /// The platform of handles whose platform the input does not say
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// What recipients may do with it: RED, AMBER+STRICT, AMBER, GREEN, CLEAR
    #[arg(long, value_name = "TLP")]
    tlp: Option<Tlp>,
    /// A group that receives it
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// A partner that receives it
    #[arg(long = "to", value_name = "PARTNER")]
    partners: Vec<String>,
    /// A liaison that it is released to
    #[arg(long = "release-to", value_name = "LIAISON", requires = "release_basis")]
    releases: Vec<String>,
    /// On what ground it is released, at most 500 characters
    #[arg(long, value_name = "TEXT", requires = "releases")]
    release_basis: Option<String>,
    /// Until when it is released; with no end when left out
    #[arg(long, value_name = "TIME", value_parser = words::read_time, requires = "releases")]
    release_until: Option<prost_types::Timestamp>,
    #[command(flatten)]
    saying: ItemDefaults,
    /// Send it as a new submission, though the same was sent before
    #[arg(long)]
    again: bool,
    /// Read the files, say what each record is, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    replaces: ReplacesFlags,
}

/// A file that was read.
struct Input {
    name: String,
    bytes: Vec<u8>,
    records: Vec<Record>,
}

impl Submit {
    pub async fn run(&self, global: &Global) -> Outcome {
        let inputs =
            self.files.iter().map(|file| self.read(file)).collect::<Result<Vec<_>, _>>()?;
        if self.dry_run {
            return dry_run(&inputs, global);
        }
        let client = identity::client(global)?;
        let records =
            inputs.iter().flat_map(|input| input.records.iter().map(|r| (input.name.as_str(), r)));
        let submittable = merge(records, &self.saying);
        if submittable.items.is_empty() && submittable.aggregates.is_empty() {
            return Err(Failure::usage("the input holds no indicator: look at it with --dry-run"));
        }
        let report = Report {
            submission_id: self.submission_id(&inputs),
            sharing: Some(self.sharing()),
            replaces_audience: self.replaces.audience(),
            items: submittable.items.clone(),
            batch_items: Report::BATCH_ITEMS,
        };
        let submission_id = report.submission_id.clone();
        let (submission_id, summary) = match submittable.items.len() {
            0 => (None, ReportSummary::default()),
            _ => (Some(submission_id.as_str()), send(&client, report).await?),
        };
        let placed = placed(&inputs, &submittable);
        let campaign = self.saying.campaign.as_deref();
        let counted = counts::send(&client, &placed, &self.sharing(), campaign).await?;
        tell(submission_id, &submittable, &summary, &counted, global)
    }

    fn read(&self, file: &PathBuf) -> Result<Input, Failure> {
        let name = file.display().to_string();
        let bytes = if name == "-" {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
        } else {
            fs::read(file)
        };
        let bytes =
            bytes.map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
        let assumed = Assumed { kind: self.kind, platform: self.platform.clone() };
        let records = formats::read_as(&bytes, self.format, &assumed)
            .map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
        Ok(Input { name, bytes, records })
    }

    fn sharing(&self) -> pb::Sharing {
        let is_named = !self.groups.is_empty() || !self.partners.is_empty();
        let named =
            pb::NamedAudience { groups: self.groups.clone(), partners: self.partners.clone() };
        let release = |liaison: &String| pb::Release {
            liaison: liaison.clone(),
            basis: self.release_basis.clone().unwrap_or_default(),
            until: self.release_until,
        };
        pb::Sharing {
            tlp: self.tlp.map_or(pb::Tlp::Unspecified, pb::Tlp::from).into(),
            audience: is_named.then_some(pb::sharing::Audience::Named(named)),
            releases: self.releases.iter().map(release).collect(),
        }
    }

    /// The same input with the same options is the same submission, so that running the command
    /// again sends nothing twice.
    fn submission_id(&self, inputs: &[Input]) -> String {
        let mut hash = Sha256::new();
        for input in inputs {
            hash.update((input.bytes.len() as u64).to_be_bytes());
            hash.update(&input.bytes);
        }
        let read_as = (&self.format, &self.kind, &self.platform);
        let options = (read_as, &self.tlp, &self.groups, &self.partners, &self.releases);
        hash.update(format!("{options:?} {:?}", self.saying));
        // Said only where there is one: the ids of submissions are kept for good.
        if let Some(audience) = self.replaces.audience() {
            hash.update(audience.encode_to_vec());
        }
        if let Some(basis) = &self.release_basis {
            hash.update(format!("{basis:?} {:?}", self.release_until));
        }
        request::id(hash, self.again)
    }
}

/// The counts of an input, each with the digest of its file.
fn placed<'a>(inputs: &[Input], submittable: &'a Submittable) -> Vec<counts::Placed<'a>> {
    let digests: HashMap<&str, [u8; 32]> = inputs
        .iter()
        .map(|input| (input.name.as_str(), Sha256::digest(&input.bytes).into()))
        .collect();
    let placed = submittable.aggregates.iter().map(|(source, count)| {
        (source, count, digests.get(source.file.as_str()).copied().unwrap_or_default())
    });
    placed.collect()
}

async fn send(client: &Client, report: Report) -> Result<ReportSummary, Failure> {
    let bar = output::progress("submitting", report.items.len());
    let summary = client.submit_report(report, |done| bar.set_position(done as u64)).await;
    bar.finish_and_clear();
    Ok(summary?)
}

fn dry_run(inputs: &[Input], global: &Global) -> Outcome {
    let (mut indicators, mut aggregates, mut neither, mut unreadable) = (0, 0, 0, 0);
    let mut rows = Vec::new();
    for input in inputs {
        for record in &input.records {
            let line = DryRunLine::of(&input.name, record);
            if global.json {
                output::json(&line)?;
                continue;
            }
            *match &record.class {
                Class::Indicator(_) => &mut indicators,
                Class::Aggregate(_) => &mut aggregates,
                Class::Neither(_) => &mut neither,
                Class::Unreadable(_) => &mut unreadable,
            } += 1;
            let place = if inputs.len() > 1 {
                format!("{} {}", line.file, line.row)
            } else {
                line.row.to_string()
            };
            let class = match &record.class {
                Class::Unreadable(_) => "unreadable".to_owned(),
                _ => line.class.to_owned(),
            };
            let platform = line.platform.filter(|_| line.class != "aggregate").unwrap_or_default();
            let what = line.kind.map(str::to_owned).or(line.asset).unwrap_or_default();
            let value = match (line.value, line.count, line.reason) {
                (Some(value), ..) => value,
                (None, Some(count), _) => count.to_string(),
                (None, None, reason) => {
                    let raw: String = line.raw.chars().take(60).collect();
                    let cut = if raw.len() < line.raw.len() { "…" } else { "" };
                    format!("{}: {raw:?}{cut}", reason.unwrap_or_default())
                }
            };
            rows.push([place, class, what, platform, value]);
        }
    }
    if !global.json {
        let header = ["ROW", "CLASS", "KIND", "PLATFORM", "VALUE OR REASON"];
        output::line(&output::table(header, rows))?;
        output::line(&format!(
            "indicators {indicators}, counts of removed assets {aggregates}, neither {neither}, \
             unreadable {unreadable}"
        ))?;
    }
    Ok(Completion::Whole)
}

/// What became of assets on platforms of others, in a line; nothing where there are none.
fn referred(summary: &ReportSummary) -> Option<String> {
    let mut parts: Vec<String> =
        summary.referred.iter().map(|(owner, count)| format!("{count} to {owner}")).collect();
    if parts.is_empty() && summary.not_referred == 0 {
        return None;
    }
    if parts.is_empty() {
        parts.push("nothing".into());
    }
    Some(format!("referred {}; {} not referred", parts.join(", "), summary.not_referred))
}

fn tell(
    submission_id: Option<&str>,
    submittable: &Submittable,
    summary: &ReportSummary,
    counted: &CountReceipts,
    global: &Global,
) -> Outcome {
    let of_exchange = summary
        .rejected
        .iter()
        .map(|(at, field, reason)| (submittable.sources[*at].clone(), format!("{field} {reason}")));
    let rejected: Vec<(Source, String)> =
        submittable.unreadable.iter().cloned().chain(of_exchange).collect();
    let is_whole = rejected.is_empty() && !counted.is_in_part();
    let done = if is_whole { Completion::Whole } else { Completion::InPart };
    // An option that the exchange does not take is one mistake, and not one an item.
    if let [(_, field, reason), rest @ ..] = summary.rejected.as_slice()
        && summary.rejected.len() == submittable.items.len()
        && rest.iter().all(|(_, f, r)| (f, r) == (field, reason))
    {
        let count = summary.rejected.len();
        return Err(Failure::usage(format!(
            "each of the {count} items is rejected: {field} {reason}"
        )));
    }
    if global.json {
        for (source, reason) in &rejected {
            output::json(&json!({
                "rejected": { "file": source.file, "row": source.row, "raw": source.raw,
                              "reason": reason },
            }))?;
        }
        for count in counted.objects() {
            output::json(&count)?;
        }
        output::json(&json!({
            "submission": submission_id,
            "created": summary.created,
            "replaced": summary.replaced,
            "unchanged": summary.unchanged,
            "rejected": rejected.len(),
            "aggregates": submittable.aggregates.len(),
            "neither": submittable.neither,
            "repeated_in_input": submittable.repeated,
            "batches": summary.batches,
            "replayed_batches": summary.replayed,
            "campaigns_left_out": submittable.campaigns_left_out,
            "referred": summary.referred.iter().cloned().collect::<BTreeMap<_, _>>(),
            "not_referred": summary.not_referred,
        }))?;
    } else {
        for (source, reason) in &rejected {
            let rejected = output::paint(output::BAD, "rejected");
            let Source { file, row, raw } = source;
            output::line(&format!("{rejected}  {file} {row}: {raw:?} {reason}"))?;
        }
        counted.tell()?;
        if submittable.campaigns_left_out > 0 {
            let records = words::count(submittable.campaigns_left_out as u64, "record");
            output::line(&format!(
                "what the file calls the campaign of {records} is left out: --campaign takes the id of one"
            ))?;
        }
        output::line(&format!(
            "{} created, {} replaced, {} unchanged, {} rejected",
            output::paint(output::GOOD, &summary.created.to_string()),
            summary.replaced,
            summary.unchanged,
            rejected.len()
        ))?;
        let Some(submission_id) = submission_id else { return Ok(done) };
        if let Some(referred) = referred(summary) {
            output::line(&referred)?;
        }
        let replayed = if summary.batches > 0 && summary.replayed == summary.batches {
            " (sent before: these are the receipts of that time; --again sends it anew)"
        } else {
            ""
        };
        output::line(&format!("submission {submission_id}{replayed}"))?;
    }
    Ok(done)
}
