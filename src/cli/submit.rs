//! `tipoff submit`

mod batches;
pub(super) mod counts;
mod dry_run;
mod inputs;
mod items;
mod outcome;
mod transfer;

use std::ops::ControlFlow;
use std::path::PathBuf;

use prost::Message;
use sha2::{Digest, Sha256};

use self::counts::SourcedCount;
use self::inputs::{Inputs, Totals};
pub use self::items::{ItemDefaults, Source, Submittable, merge};
use self::outcome::{Rejections, Sent};
use self::transfer::Transfer;
use super::audience::ReplacesFlags;
use super::enforcement::repeats;
use super::failure::{Failure, Outcome};
use super::{Global, identity, output, platform, request, text};
use crate::client::{Client, CloseOptions, ReportSummary, SubmissionOptions};
use crate::domain::Kind;
use crate::domain::list::ListName;
use crate::domain::sharing::Tlp;
use crate::formats::{Assumed, Class, Format, Reading, Region};
use crate::wire::pb;

/// Counts of removed assets that a submission may have. They are held in memory.
const MAX_COUNTS: u64 = 100_000;

/// Read a report in any known format and share it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Formats: meta-ttp (Meta's tables of tactics, techniques and procedures), csv (with a \
                  header that names value, kind and platform), jsonl, stix, misp, threatexchange, \
                  twitter-archive, markdown, html, text, list. Try --dry-run first: it reads the files \
                  and sends nothing."
)]
#[allow(clippy::struct_excessive_bools)] // Each is a flag of the command.
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
    /// Column that contains the values, if its name is not recognised
    #[arg(long, value_name = "NAME")]
    column: Option<String>,
    /// Country of phone numbers without a country code, such as FR
    #[arg(long, value_name = "CC")]
    region: Option<Region>,
    /// Platform of handles that do not name one in the input
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Accept platform names that Tipoff does not know, in --platform and in the files
    #[arg(long)]
    new_platform: bool,
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
    #[arg(long, value_name = "TIME", value_parser = text::read_end, requires = "releases")]
    release_until: Option<prost_types::Timestamp>,
    #[command(flatten)]
    defaults: ItemDefaults,
    /// Name of a list that you submit repeatedly. Values that are no longer in it are withdrawn
    #[arg(long, value_name = "NAME", value_parser = ListName::parse)]
    list: Option<ListName>,
    /// Withdraw missing values even if they are many, or if some records could not be read
    #[arg(long, requires = "list")]
    shrink: bool,
    /// Send it as a new submission even if the same was sent before
    #[arg(long)]
    again: bool,
    /// Send counts even if you reported the same numbers of these assets within a month
    #[arg(long)]
    as_well: bool,
    /// Show how each record is read, and send nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    replaces: ReplacesFlags,
}

/// Says what of a file was not read.
fn remarks(file: &str, reading: &Reading) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(encoding) = reading.guessed_encoding {
        remarks.push(format!("{file}: is not UTF-8 and was read as {encoding}: check its letters"));
    }
    if !reading.unread_columns.is_empty() {
        let columns = reading.unread_columns.iter().map(|name| text::one_line(name));
        let columns = columns.collect::<Vec<_>>().join(", ");
        remarks.push(format!("{file}: columns not read: {columns}"));
    }
    if !reading.skipped.is_empty() {
        let skipped = reading.skipped.iter();
        let skipped = skipped.map(|(what, count)| format!("{count} {}", text::one_line(what)));
        let skipped = skipped.collect::<Vec<_>>().join(", ");
        remarks.push(format!("{file}: not read: {skipped}"));
    }
    remarks
}

/// How to send a list that has lost its last value.
const TO_EMPTY: &str = "To empty the list, pass --shrink";

impl Submit {
    pub async fn run(&self, global: &Global) -> Outcome {
        platform::check("--platform", self.platform.as_deref(), self.new_platform)?;
        let inputs = tokio::task::block_in_place(|| self.open())?;
        if self.dry_run {
            return tokio::task::block_in_place(|| dry_run::run(&inputs, &self.defaults, global));
        }
        let client = identity::client(global)?;
        let (totals, counts) = tokio::task::block_in_place(|| self.check(&inputs))?;
        let counts = self.enforcements(&client, &counts).await?;
        let mut rejections = Rejections::new(global.json);
        let submission_id = self.submission_id(&inputs);
        let is_sent = totals.indicators > 0 || self.list.is_some();
        let mut transfer = Transfer::new(self, totals.indicators);
        let summary = if is_sent {
            transfer.run(&client, &submission_id, &inputs, &mut rejections).await?
        } else {
            Transfer::reject_unreadable(&inputs, &mut rejections)?;
            ReportSummary::default()
        };
        if let Some(failure) = rejections.common_failure(totals.indicators - transfer.repeated) {
            return Err(failure);
        }
        let sent = Sent {
            submission_id: is_sent.then_some(submission_id),
            summary,
            counts: counts::send(&client, counts, &self.sharing(None)).await?,
            rejections,
            totals,
            repeated: transfer.repeated,
            campaigns_left_out: transfer.campaigns_left_out,
        };
        sent.report(global)
    }

    /// Whether nothing may be left of a list.
    fn empties_list(&self) -> bool {
        self.list.is_some() && self.shrink
    }

    fn open(&self) -> Result<Inputs, Failure> {
        let assumed = Assumed {
            kind: self.kind,
            platform: self.platform.clone(),
            column: self.column.clone(),
            verdict: self.defaults.verdict,
            region: self.region,
        };
        Inputs::open(&self.files, self.format, &assumed, self.empties_list())
    }

    /// Reads everything once, before anything is sent: a file that breaks off is refused as a whole.
    /// Returns the counts of removed assets, which are few.
    fn check(&self, inputs: &Inputs) -> Result<(Totals, Vec<SourcedCount>), Failure> {
        let (mut totals, mut counts) = (Totals::default(), Vec::new());
        for input in inputs.iter() {
            let (mut names_audience, mut platform) = (false, None);
            let reading = input.read(&mut |record| {
                totals.add(&record);
                names_audience |= record.details.names_audience;
                if platform.is_none() && !self.new_platform {
                    platform = platform::unknown(&record).map(|error| (record.row, error));
                }
                if let Class::Aggregate(count) = &record.class
                    && totals.aggregates <= MAX_COUNTS
                {
                    counts.push((Source::of(&input.name, &record), count.clone(), input.digest()));
                }
                ControlFlow::Continue(())
            });
            let reading = reading.map_err(|failure| match self.list {
                Some(_) if input.is_blank() => failure.with_advice(TO_EMPTY),
                _ => failure,
            })?;
            names_audience |= reading.unread_columns.iter().any(|name| name == "audience");
            self.check_audience(&input.name, names_audience)?;
            if let Some((row, error)) = platform {
                return Err(Failure::usage(format!("{} {row}: {error}", input.name)));
            }
            for remark in remarks(&input.name, &reading) {
                output::remark(&remark);
            }
        }
        if totals.aggregates > MAX_COUNTS {
            let counts = totals.aggregates;
            return Err(Failure::usage(format!(
                "the input has {counts} counts of removed assets, and may have {MAX_COUNTS}"
            )));
        }
        if totals.readable() == 0 && !self.empties_list() {
            let failure =
                Failure::usage("the input contains no indicator: check it with --dry-run");
            return Err(if self.list.is_some() { failure.with_advice(TO_EMPTY) } else { failure });
        }
        Ok((totals, counts))
    }

    /// Refuses an export of what others shared, unless the options say who receives it. Each of its values has an audience,
    /// which may be smaller than the default.
    fn check_audience(&self, file: &str, names_audience: bool) -> Result<(), Failure> {
        let is_said = self.tlp.is_some() || !self.groups.is_empty() || !self.partners.is_empty();
        if !names_audience || is_said {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{file}: was exported from an exchange, and says with whom each value was shared. Say who may receive them, \
             with --group, --to or --tlp"
        )))
    }

    /// Derived from the files and the options, so that running the command again sends nothing twice. Another
    /// version of this command may read the files differently, and sends them anew. A list is sent anew each time: its
    /// content may be what it was some versions ago, and the exchange compares it with what the list holds now.
    fn submission_id(&self, inputs: &Inputs) -> String {
        let options = pb::SubmissionBatch {
            sharing: Some(self.sharing(None)),
            replaces_audience: self.replaces.audience(),
            list: self.list.as_ref().map(ListName::to_string).unwrap_or_default(),
            items: vec![self.defaults.as_item()],
            ..Default::default()
        };
        let mut digest = Sha256::new_with_prefix(options.encode_to_vec());
        let column = self.column.as_deref().unwrap_or_default();
        let platform = self.platform.as_deref().unwrap_or_default();
        let format = self.format.map_or("", Format::as_str);
        let kind = self.kind.map_or("", Kind::as_str);
        let region = self.region.map(|region| region.to_string()).unwrap_or_default();
        for text in [env!("CARGO_PKG_VERSION"), column, platform, format, kind, &region] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        for input in inputs.iter() {
            digest.update(input.digest());
        }
        request::id(digest, self.again || self.list.is_some())
    }

    /// The counts as enforcements. Fails before anything is sent if they look like earlier ones.
    async fn enforcements(
        &self,
        client: &Client,
        counts: &[SourcedCount],
    ) -> Result<Vec<(Source, pb::Enforcement)>, Failure> {
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        let own = client.who_am_i().await?.partner.unwrap_or_default();
        let campaign = self.defaults.campaign.as_deref();
        let enforcements = counts::enforcements(counts, &own.platforms, campaign);
        if !self.as_well {
            repeats::check(client, &own.id, enforcements.iter().map(|(_, one)| one)).await?;
        }
        Ok(enforcements)
    }

    /// The sharing of objects with a marking of their own: theirs, unless the one of the options is stricter.
    fn sharing(&self, own: Option<Tlp>) -> pb::Sharing {
        let tlp = [self.tlp, own].into_iter().flatten().min();
        let is_named = !self.groups.is_empty() || !self.partners.is_empty();
        let named =
            pb::NamedAudience { groups: self.groups.clone(), partners: self.partners.clone() };
        let release = |liaison: &String| pb::Release {
            liaison: liaison.clone(),
            basis: self.release_basis.clone().unwrap_or_default(),
            until: self.release_until,
        };
        pb::Sharing {
            tlp: tlp.map_or(pb::Tlp::Unspecified, pb::Tlp::from).into(),
            audience: is_named.then_some(pb::sharing::Audience::Named(named)),
            releases: self.releases.iter().map(release).collect(),
        }
    }
}
