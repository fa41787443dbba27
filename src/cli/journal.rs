//! `tipoff journal`

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::Global;
use super::failure::{Completion, Failure, Outcome};
use super::output;
use super::serve::{journal_settings, read_config_or_default};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, JournalBackend};
use crate::journal::{self, Backend, MigrateError, MigrationOutcome, OpenError, Source};
use crate::server;

/// Inspect or migrate the journal of a stopped node
#[derive(Debug, clap::Subcommand)]
pub enum Journal {
    /// Show the journal's backend, its oldest and newest entry, and its size
    Show(Show),
    /// Move the journal to another backend; sequences, times and ids stay the same
    Migrate(Migrate),
}

/// Where the journal is.
#[derive(Debug, clap::Args)]
struct Location {
    /// The configuration file of the node [default: tipoff.toml, where it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder, instead of the one in the file
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Location {
    fn config(&self) -> Result<Config, Failure> {
        read_config_or_default(self.config.as_deref(), self.data.as_deref()).map_err(Failure::usage)
    }

    fn settings(&self) -> Result<journal::LocalSettings, Failure> {
        Ok(journal_settings(&self.config()?))
    }

    /// The settings of the journal in JetStream, whatever `storage.journal` is.
    fn jetstream_settings(&self) -> Result<journal::JetStreamSettings, Failure> {
        let mut config = self.config()?;
        config.storage.journal = JournalBackend::JetStream;
        server::check_shared_journal(&config).map_err(Failure::usage)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        Ok(server::shared_journal_settings(&config, &clock))
    }
}

/// Show what a journal holds
#[derive(Debug, clap::Args)]
pub struct Show {
    #[command(flatten)]
    location: Location,
}

/// Move a journal between backends
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Stop the node first, and run this as the node's user. The new journal is built beside the old one, and \
                  every entry is compared. Only then the old one is removed, so there must be room for both. If the \
                  command is interrupted, run it again with the same --to: nothing is lost. Afterwards, set \
                  storage.journal in the configuration.\n\n\
                  --to jetstream puts the journal into the stream of [jetstream], and leaves a local copy. --recover \
                  makes a stream again that its servers lost: stop all nodes, compare their newest entries with \
                  tipoff journal show, and run it on the most advanced one."
)]
pub struct Migrate {
    /// The backend to move to
    #[arg(long, value_name = "BACKEND", value_parser = ["sled", "files", "jetstream"])]
    to: String,
    /// Make a stream again that its servers lost, from the local copy (with --to jetstream)
    #[arg(long)]
    recover: bool,
    #[command(flatten)]
    location: Location,
}

#[derive(Serialize)]
struct JournalContents {
    backend: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_of: Option<String>,
    oldest: u64,
    head: u64,
    bytes: u64,
}

impl Journal {
    pub fn run(&self, global: &Global) -> Outcome {
        match self {
            Self::Show(show) => show.run(global),
            Self::Migrate(migrate) => migrate.run(global),
        }
    }
}

impl Show {
    fn run(&self, global: &Global) -> Outcome {
        let summary = journal::contents(&self.location.settings()?).map_err(failure)?;
        let contents = JournalContents {
            backend: summary.backend.name(),
            copy_of: summary.copy_of,
            oldest: summary.oldest,
            head: summary.head,
            bytes: summary.bytes,
        };
        if global.json {
            output::json(&contents)?;
        } else {
            output::line(&format!("backend  {}", contents.backend))?;
            if let Some(stream) = &contents.copy_of {
                output::line(&format!("copy of  the JetStream stream {stream}"))?;
            }
            output::line(&format!("oldest   {}", contents.oldest))?;
            output::line(&format!("newest   {}", contents.head))?;
            output::line(&format!("size     {:.1} MB", mb(contents.bytes)))?;
        }
        Ok(Completion::Whole)
    }
}

#[allow(clippy::cast_precision_loss)]
fn mb(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

#[derive(Serialize)]
struct MigrationResult {
    backend: String,
    entries: u64,
    changed: bool,
}

impl Migrate {
    fn run(&self, global: &Global) -> Outcome {
        let to = &self.to;
        if self.recover && to != "jetstream" {
            return Err(Failure::usage("--recover needs --to jetstream"));
        }
        let bar = output::progress("copied and compared", 0);
        let mut progress = |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let moved = if let Some(backend) = Backend::of_name(to) {
            journal::migrate(backend, &self.location.settings()?, &mut progress)
        } else {
            let source = if self.recover { Source::Copy } else { Source::Own };
            let settings = self.location.jetstream_settings()?;
            journal::migrate_to_stream(source, &settings, &mut progress)
        };
        bar.finish_and_clear();
        let moved = moved.map_err(failure)?;
        let entries = match moved {
            MigrationOutcome::Copied(entries) => entries,
            MigrationOutcome::Already | MigrationOutcome::Detached | MigrationOutcome::Finished => {
                0
            }
        };
        if global.json {
            let changed = moved != MigrationOutcome::Already;
            output::json(&MigrationResult { backend: to.clone(), entries, changed })?;
            return Ok(Completion::Whole);
        }
        output::line(&match moved {
            MigrationOutcome::Already => {
                format!("the journal is already in {to}: nothing was changed")
            }
            MigrationOutcome::Detached => {
                format!(
                    "the journal is in {to}, and no longer a copy of a stream. The stream was not changed"
                )
            }
            MigrationOutcome::Finished => {
                format!("the journal is in {to}: finished the interrupted migration")
            }
            MigrationOutcome::Copied(entries) => {
                format!(
                    "the journal is in {to}: copied and compared {entries} entries, removed the old journal"
                )
            }
        })?;
        output::remark(&format!("set storage.journal = \"{to}\" in the configuration of the node"));
        Ok(Completion::Whole)
    }
}

fn failure(error: MigrateError) -> Failure {
    match error {
        MigrateError::Nothing(_) | MigrateError::Open(OpenError::TwoBackends(_)) => {
            Failure::usage(error)
        }
        error => Failure::failed(error),
    }
}
