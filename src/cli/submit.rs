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
use super::{Global, identity, output, request, text};
use crate::client::{Client, Report, ReportSummary};
use crate::domain::Kind;
use crate::domain::sharing::Tlp;
use crate::formats::dry_run::DryRunLine;
use crate::formats::{self, Assumed, Class, Format, Record};
use crate::wire::pb;

/// Read a report in any known format and share it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Formats: meta-ttp (Meta's tables of tactics, techniques and procedures), csv (with a \
                  header that names value, kind and platform), jsonl, markdown, list. Try --dry-run \
                  first: it reads the files and sends nothing."
)]
pub struct Submit {
    /// Files to read; `-` is stdin
    #[arg(required = true, value_name = "FILE|-")]
    files: Vec<PathBuf>,
    /// Format of the files; detected if omitted
    #[arg(long)]
    format: Option<Format>,
    /// Kind of values that do not have one in the input, such as `pdq`
    #[arg(long)]
    kind: Option<Kind>,
    /// Column of values, if no column of the table has a name that says so
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Platform of handles that do not name one in the input
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// TLP marking: RED, AMBER+STRICT, AMBER, GREEN, CLEAR
    #[arg(long, value_name = "TLP")]
    tlp: Option<Tlp>,
    /// Group that receives it; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Partner that receives it; may be repeated
    #[arg(long = "to", value_name = "PARTNER")]
    partners: Vec<String>,
    /// Liaison that it is released to; may be repeated
    #[arg(long = "release-to", value_name = "LIAISON", requires = "release_basis")]
    releases: Vec<String>,
    /// Legal basis of the release, at most 500 characters
    #[arg(long, value_name = "TEXT", requires = "releases")]
    release_basis: Option<String>,
    /// End of the release; default: no end
    #[arg(long, value_name = "TIME", value_parser = text::read_time, requires = "releases")]
    release_until: Option<prost_types::Timestamp>,
    #[command(flatten)]
    defaults: ItemDefaults,
    /// Send it as a new submission even if the same was sent before
    #[arg(long)]
    again: bool,
    /// Show how each record is read, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    replaces: ReplacesFlags,
}

/// An input file and its records.
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
        let submittable = merge(records, &self.defaults);
        if submittable.items.is_empty() && submittable.aggregates.is_empty() {
            return Err(Failure::usage("the input contains no indicator: check it with --dry-run"));
        }
        let content = pb::SubmissionBatch {
            sharing: Some(self.sharing()),
            replaces_audience: self.replaces.audience(),
            items: submittable.items.clone(),
            ..Default::default()
        };
        // Derived from what is sent, so that running the command again sends nothing twice. The files are part of it:
        // a list with a new date, or one that another version of this command reads differently, is sent anew, and
        // its values are renewed.
        let mut digest = Sha256::new_with_prefix(content.encode_to_vec());
        for input in &inputs {
            digest.update(Sha256::digest(&input.bytes));
        }
        let submission_id = request::id(digest, self.again);
        let report = Report {
            submission_id,
            sharing: content.sharing,
            replaces_audience: content.replaces_audience,
            items: content.items,
            batch_items: Report::BATCH_ITEMS,
        };
        let submission_id = report.submission_id.clone();
        let (submission_id, summary) = match submittable.items.len() {
            0 => (None, ReportSummary::default()),
            _ => (Some(submission_id.as_str()), send(&client, report).await?),
        };
        let counts = with_digests(&inputs, &submittable);
        let campaign = self.defaults.campaign.as_deref();
        let count_receipts = counts::send(&client, &counts, &self.sharing(), campaign).await?;
        report_outcome(submission_id, &submittable, &summary, &count_receipts, global)
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
        let assumed = Assumed {
            kind: self.kind,
            platform: self.platform.clone(),
            column: self.column.clone(),
        };
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
}

/// The counts of the inputs, each with the digest of its file.
fn with_digests<'a>(
    inputs: &[Input],
    submittable: &'a Submittable,
) -> Vec<counts::SourcedCount<'a>> {
    let digests: HashMap<&str, [u8; 32]> = inputs
        .iter()
        .map(|input| (input.name.as_str(), Sha256::digest(&input.bytes).into()))
        .collect();
    let counts = submittable.aggregates.iter().map(|(source, count)| {
        (source, count, digests.get(source.file.as_str()).copied().unwrap_or_default())
    });
    counts.collect()
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
            let location = if inputs.len() > 1 {
                format!("{} {}", line.file, line.row)
            } else {
                line.row.to_string()
            };
            let class = match &record.class {
                Class::Unreadable(_) => "unreadable".to_owned(),
                _ => line.class.to_owned(),
            };
            let platform = line.platform.filter(|_| line.class != "aggregate").unwrap_or_default();
            let kind = line.kind.map(str::to_owned).or(line.asset).unwrap_or_default();
            let value = match (line.value, line.count, line.reason) {
                (Some(value), ..) => value,
                (None, Some(count), _) => count.to_string(),
                (None, None, reason) => {
                    let raw: String = line.raw.chars().take(60).collect();
                    let ellipsis = if raw.len() < line.raw.len() { "…" } else { "" };
                    format!("{}: {raw:?}{ellipsis}", reason.unwrap_or_default())
                }
            };
            rows.push([location, class, kind, platform, value]);
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

/// Who assets on platforms of others were referred to, in one line. `None` if there are none.
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

fn report_outcome(
    submission_id: Option<&str>,
    submittable: &Submittable,
    summary: &ReportSummary,
    count_receipts: &CountReceipts,
    global: &Global,
) -> Outcome {
    // If every item is rejected for the same reason, an option is wrong: report it once.
    if let [(_, field, reason), rest @ ..] = summary.rejected.as_slice()
        && summary.rejected.len() == submittable.items.len()
        && rest.iter().all(|(_, f, r)| (f, r) == (field, reason))
    {
        let count = summary.rejected.len();
        return Err(Failure::usage(format!("all {count} items were rejected: {field} {reason}")));
    }
    let by_exchange = summary
        .rejected
        .iter()
        .map(|(at, field, reason)| (submittable.sources[*at].clone(), format!("{field} {reason}")));
    let rejected: Vec<(Source, String)> =
        submittable.unreadable.iter().cloned().chain(by_exchange).collect();
    if global.json {
        print_json(submission_id, submittable, summary, count_receipts, &rejected)?;
    } else {
        print_text(submission_id, submittable, summary, count_receipts, &rejected)?;
    }
    let is_whole = rejected.is_empty() && !count_receipts.any_rejected();
    Ok(if is_whole { Completion::Whole } else { Completion::InPart })
}

fn print_json(
    submission_id: Option<&str>,
    submittable: &Submittable,
    summary: &ReportSummary,
    count_receipts: &CountReceipts,
    rejected: &[(Source, String)],
) -> Result<(), Failure> {
    for (source, reason) in rejected {
        output::json(&json!({
            "rejected": { "file": source.file, "row": source.row, "raw": source.raw,
                          "reason": reason },
        }))?;
    }
    for count in count_receipts.objects() {
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
    }))
}

fn print_text(
    submission_id: Option<&str>,
    submittable: &Submittable,
    summary: &ReportSummary,
    count_receipts: &CountReceipts,
    rejected: &[(Source, String)],
) -> Result<(), Failure> {
    for (Source { file, row, raw }, reason) in rejected {
        let label = output::paint(output::BAD, "rejected");
        output::line(&format!("{label}  {file} {row}: {raw:?} {reason}"))?;
    }
    count_receipts.print()?;
    if submittable.campaigns_left_out > 0 {
        let records = text::count(submittable.campaigns_left_out as u64, "record");
        output::line(&format!(
            "ignored the campaign name of {records}: pass the id of the campaign with --campaign"
        ))?;
    }
    output::line(&format!(
        "{} created, {} replaced, {} unchanged, {} rejected",
        output::paint(output::GOOD, &summary.created.to_string()),
        summary.replaced,
        summary.unchanged,
        rejected.len()
    ))?;
    let Some(submission_id) = submission_id else { return Ok(()) };
    if let Some(referred) = referred(summary) {
        output::line(&referred)?;
    }
    let replayed = if summary.batches > 0 && summary.replayed == summary.batches {
        " (already sent: these are the earlier receipts; --again sends it as a new submission)"
    } else {
        ""
    };
    output::line(&format!("submission {submission_id}{replayed}"))
}
