//! `tipoff export`

mod campaigns;
mod selection;
mod spool;
mod summary;
mod target;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use indicatif::ProgressBar;

use self::campaigns::Campaigns;
use self::selection::Selection;
use self::spool::Spool;
use self::target::Target;
use super::failure::{Completion, Failure, Outcome};
use super::filter::{FilterFlags, check_groups};
use super::purpose::PurposeFlags;
use super::{Global, identity, output, shutdown};
use crate::client::{Client, FeedStart};
use crate::domain::ReceivedAssessment;
use crate::formats::export::stix::BundleWriter;
use crate::formats::export::{
    Cells, CsvWriter, DescriptorWriter, FeedError, FeedWriter, ListWriter, Rules, Tally, Writer,
};
use crate::wire::pb;

/// Write what you may see now in the format of another tool
#[derive(Debug, clap::Args)]
#[command(
    after_help = "TLP:RED is never exported. An existing file is replaced once the new one is complete; \
                  of an existing MISP feed, the manifest is replaced last. What was left out, and what \
                  the format has no place for, is counted on stderr. The same content gives the same \
                  bytes. docs/interop.md lists what each format keeps, and how to load it."
)]
pub struct Export {
    /// Format to write
    #[arg(long)]
    format: Format,
    /// File to write, or for misp the folder; default: stdout
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    /// Also export TLP:AMBER+STRICT, for use within your organisation only
    #[arg(long)]
    include_strict: bool,
    /// In a list, include values that a partner calls non-malicious, a victim's, an abused
    /// service's or a third party's, and those whose only verdict is unknown
    #[arg(long)]
    include_harmless: bool,
    /// In csv, write cells as they are, for programs: a spreadsheet may take some for formulas
    #[arg(long)]
    raw: bool,
    #[command(flatten)]
    filter: FilterFlags,
    #[command(flatten)]
    purpose: PurposeFlags,
}

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// STIX 2.1 bundle, with campaigns and enforcements
    Stix,
    /// MISP feed: a folder with manifest.json, hashes.csv and events
    Misp,
    /// Threat descriptors of Meta's ThreatExchange, as JSON
    #[value(name = "threatexchange")]
    ThreatExchange,
    /// Table; submit reads it again
    Csv,
    /// One value per line, such as a block list
    List,
}

/// The format of an export that is one file.
#[derive(Clone, Copy, Debug)]
enum FileFormat {
    Stix,
    ThreatExchange,
    Csv,
    List,
}

impl Format {
    /// The format as one file. `None` for one that is a folder.
    const fn of_file(self) -> Option<FileFormat> {
        match self {
            Format::Misp => None,
            Format::Stix => Some(FileFormat::Stix),
            Format::ThreatExchange => Some(FileFormat::ThreatExchange),
            Format::Csv => Some(FileFormat::Csv),
            Format::List => Some(FileFormat::List),
        }
    }
}

/// What the thread that writes needs.
struct Job {
    rules: Rules,
    selection: Selection,
    include_harmless: bool,
    cells: Cells,
    spool: Spool,
    campaigns: Campaigns,
    bar: ProgressBar,
    is_interrupted: Arc<AtomicBool>,
}

/// Where the thread writes to.
enum Sink {
    File(FileFormat, Target),
    Feed(PathBuf, Box<FeedWriter>),
}

impl Export {
    /// Whether the files are for this user only.
    pub fn writes_private_files(&self) -> bool {
        self.include_strict
    }

    pub async fn run(&self, global: &Global) -> Outcome {
        self.check_flags(global)?;
        let filter = self.filter.filter()?;
        let client = self.purpose.client(identity::client(global)?);
        let me = client.who_am_i().await?;
        check_groups(&filter.groups, &me)?;
        // Before a temporary file is created: a signal then ends the command, which deletes the file.
        let shutdown = shutdown::requested()?;
        tokio::pin!(shutdown);
        let sink = self.open()?;
        let job = tokio::select! {
            job = self.receive(&client, &me, filter, &sink) => job?,
            () = &mut shutdown => return Err(interrupted()),
        };
        let is_interrupted = Arc::clone(&job.is_interrupted);
        let campaign_ids = job.spool.campaigns.len() as u64;
        let mut writing = tokio::task::spawn_blocking(move || job.write(sink));
        let written = tokio::select! {
            written = &mut writing => written,
            () = &mut shutdown => {
                is_interrupted.store(true, Ordering::Relaxed);
                writing.await
            }
        };
        let tally =
            written.map_err(|error| Failure::failed(format!("cannot export: {error}")))??;
        if global.json {
            output::json(&summary::object(&tally))?;
        } else {
            let is_described = self.format == Format::Stix;
            let campaign_ids = if is_described { 0 } else { campaign_ids };
            let noun = if self.format == Format::List { "value" } else { "object" };
            let lines = summary::lines(&tally, noun, campaign_ids, self.out.as_deref());
            for line in lines {
                output::remark(&line);
            }
        }
        Ok(Completion::Whole)
    }

    fn check_flags(&self, global: &Global) -> Result<(), Failure> {
        if self.raw && self.format != Format::Csv {
            return Err(Failure::usage("--raw is for --format csv"));
        }
        if self.include_harmless && self.format != Format::List {
            return Err(Failure::usage(
                "--include-harmless is for --format list: the other formats say what each value is",
            ));
        }
        if global.json && self.out.is_none() {
            return Err(Failure::usage(
                "--json prints a summary on stdout: name a file for the export with --out",
            ));
        }
        Ok(())
    }

    /// Checks that the output can be written, before anything is fetched.
    fn open(&self) -> Result<Sink, Failure> {
        if let Some(format) = self.format.of_file() {
            let target = Target::open(self.out.as_deref(), self.rules())?;
            return Ok(Sink::File(format, target));
        }
        let Some(path) = &self.out else {
            return Err(Failure::usage("a MISP feed is a folder: name it with --out"));
        };
        if path.is_file() {
            let path = path.display();
            return Err(Failure::usage(format!("{path} is a file: a MISP feed is a folder")));
        }
        let feed = FeedWriter::new(path, self.rules()).map_err(|error| match &error {
            FeedError::Write(..) => Failure::failed(error),
            FeedError::Occupied(_) => Failure::usage(error),
        })?;
        Ok(Sink::Feed(path.clone(), Box::new(feed)))
    }

    fn rules(&self) -> Rules {
        Rules { include_strict: self.include_strict }
    }

    async fn receive(
        &self,
        client: &Client,
        me: &pb::WhoAmIResponse,
        filter: pb::Filter,
        sink: &Sink,
    ) -> Result<Job, Failure> {
        let rules = self.rules();
        let bar = output::counter("receiving");
        let folder = match sink {
            Sink::File(_, target) => target.folder(),
            Sink::Feed(folder, _) => folder.clone(),
        };
        let (sent, selection) = if self.format == Format::List {
            // The exchange checks a filter that it receives: an unknown label must not give an empty list.
            client.pull(&FeedStart::Now, Some(filter.clone()), 1).await?;
            Selection::split(filter.clone())
        } else {
            (filter.clone(), Selection::default())
        };
        let may_write = |received: &ReceivedAssessment| {
            rules.refusal(received).is_none() && selection.matches(received)
        };
        let mut spool = Spool::receive(client, sent, &folder, may_write, &bar).await?;
        bar.finish_and_clear();
        let campaigns = if self.format == Format::Stix {
            let role = me.partner.clone().unwrap_or_default().role();
            let is_liaison = role == pb::Role::Liaison;
            Campaigns::fetch(client, &mut spool, &filter, is_liaison).await?
        } else {
            Campaigns::default()
        };
        Ok(Job {
            rules,
            selection,
            include_harmless: self.include_harmless,
            cells: if self.raw { Cells::Raw } else { Cells::Safe },
            bar: output::progress("writing", usize::try_from(spool.count).unwrap_or(usize::MAX)),
            spool,
            campaigns,
            is_interrupted: Arc::default(),
        })
    }
}

impl Job {
    fn write(mut self, sink: Sink) -> Result<Tally, Failure> {
        let mut tally = Tally::default();
        match sink {
            Sink::Feed(path, mut feed) => {
                let failure = |error: std::io::Error| cannot_write(&path, &error);
                self.write_all(feed.as_mut(), &mut tally, failure)?;
            }
            Sink::File(format, target) => {
                let failure = |error: std::io::Error| target.failure(&error);
                let mut writer = self.writer(format, &target, &mut tally).map_err(failure)?;
                self.write_all(writer.as_mut(), &mut tally, failure)?;
                drop(writer);
                target.finish()?;
            }
        }
        self.bar.finish_and_clear();
        Ok(tally)
    }

    /// The writer of a format that is one file.
    fn writer(
        &mut self,
        format: FileFormat,
        target: &Target,
        tally: &mut Tally,
    ) -> std::io::Result<Box<dyn Writer>> {
        let output = target.output()?;
        Ok(match format {
            FileFormat::Stix => Box::new(self.bundle(BundleWriter::new(output), tally)?),
            FileFormat::ThreatExchange => Box::new(DescriptorWriter::new(output)),
            FileFormat::List => {
                Box::new(ListWriter::new(output, self.spool.strictest, self.include_harmless)?)
            }
            FileFormat::Csv => Box::new(CsvWriter::new(output, self.cells)?),
        })
    }

    /// Campaigns and enforcements, before the assessments that refer to them.
    fn bundle<W: std::io::Write>(
        &mut self,
        mut bundle: BundleWriter<W>,
        tally: &mut Tally,
    ) -> std::io::Result<BundleWriter<W>> {
        self.campaigns.apply(self.rules, tally);
        for contribution in &self.campaigns.contributions {
            bundle.add_contribution(contribution)?;
        }
        for enforcement in &self.campaigns.enforcements {
            bundle.add_enforcement(enforcement)?;
        }
        tally.written +=
            (self.campaigns.contributions.len() + self.campaigns.enforcements.len()) as u64;
        Ok(bundle)
    }

    fn write_all(
        &mut self,
        writer: &mut dyn Writer,
        tally: &mut Tally,
        failure: impl Fn(std::io::Error) -> Failure,
    ) -> Result<(), Failure> {
        let (rules, bar, is_interrupted) = (self.rules, &self.bar, &self.is_interrupted);
        let selection = &self.selection;
        self.spool.read(|received| {
            if is_interrupted.load(Ordering::Relaxed) {
                return Err(interrupted());
            }
            bar.inc(1);
            if !selection.matches(received) {
                return writer.pass_over(received, tally).map_err(&failure);
            }
            match rules.refusal(received) {
                Some(reason) => {
                    tally.leave_out(reason);
                    writer.withhold(received, tally).map_err(&failure)?;
                }
                None => writer.add(received, tally).map_err(&failure)?,
            }
            Ok(())
        })?;
        writer.finish(tally).map_err(failure)
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot write to the folder {}: {error}", path.display()))
}

fn interrupted() -> Failure {
    Failure::failed("interrupted: no file was changed")
}
