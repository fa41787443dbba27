//! `tipoff serve`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::failure::{Completion, Failure, Outcome};
use super::{output, shutdown};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError};
use crate::journal::LocalSettings;
use crate::server::{self, CheckReport, Node, ServeError};

/// Run an exchange
#[derive(Debug, clap::Args)]
#[command(
    after_help = "When ready, prints its bound addresses as one JSON line on stdout. SIGTERM drains \
                  and stops it; SIGHUP reloads certificates and suspensions."
)]
pub struct Serve {
    /// Configuration file; every key is optional
    #[arg(long, value_name = "FILE", default_value = "tipoff.toml")]
    config: PathBuf,
    /// Data folder for journal and index; overrides the configuration file
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Check the configuration and what it names (identity, data folder, addresses), and exit
    #[arg(long)]
    check_config: bool,
}

impl Serve {
    pub async fn run(&self) -> Outcome {
        let config = self.read_config().map_err(Failure::usage)?;
        if self.check_config {
            return self.check(&config);
        }
        let mut shutdown = Box::pin(shutdown::requested()?);
        // Before the node is ready: without a handler, the signal would end the process.
        let hangup = signal(SignalKind::hangup())
            .map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))?;
        let node = tokio::select! {
            node = Node::start(config, Arc::new(SystemClock)) => node.map_err(failure)?,
            () = &mut shutdown => {
                info!("stopped before ready");
                return Ok(Completion::Whole);
            }
        };
        let (reloads, reload) = mpsc::channel(1);
        tokio::spawn(reload_on_hangup(hangup, self.config.clone(), self.data.clone(), reloads));
        let bound = node.bound();
        output::json(&bound)?;
        info!(grpc = %bound.grpc, ops = %bound.ops, "exchange ready");
        node.serve(shutdown, reload).await.map_err(failure)?;
        info!("stopped");
        Ok(Completion::Whole)
    }

    fn check(&self, config: &Config) -> Outcome {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let CheckReport { errors, notes } = CheckReport::of(config, &clock);
        let notes = notes.iter().map(|note| format!("note: {note}"));
        // One run names everything that is wrong. The exit code is that of the first error.
        let texts: Vec<_> = errors.iter().map(ToString::to_string).chain(notes.clone()).collect();
        if let Some(first) = errors.into_iter().next() {
            return Err(failure(first).with_message(texts.join("\n")));
        }
        for note in notes {
            output::line(&note)?;
        }
        output::line(&format!("{} is valid", self.config.display()))?;
        Ok(Completion::Whole)
    }

    fn read_config(&self) -> Result<Config, ConfigError> {
        read_config(&self.config, self.data.as_deref())
    }
}

fn read_config(path: &Path, data: Option<&Path>) -> Result<Config, ConfigError> {
    let mut config = Config::read(path)?;
    if let Some(data) = data {
        data.clone_into(&mut config.storage.data);
    }
    Ok(config)
}

/// Reads the configuration at `path`, else `tipoff.toml` if it exists, else the defaults.
pub fn read_config_or_default(
    path: Option<&Path>,
    data: Option<&Path>,
) -> Result<Config, ConfigError> {
    let default_path = Path::new("tipoff.toml");
    if let Some(path) = path.or_else(|| default_path.exists().then_some(default_path)) {
        return read_config(path, data);
    }
    let mut config = Config::default();
    if let Some(data) = data {
        data.clone_into(&mut config.storage.data);
    }
    Ok(config)
}

/// Settings to open the journal of a stopped node.
pub fn journal_settings(config: &Config) -> LocalSettings {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    server::journal_settings(&config.storage, &clock)
}

async fn reload_on_hangup(
    mut hangup: Signal,
    path: PathBuf,
    data: Option<PathBuf>,
    reloads: mpsc::Sender<Config>,
) {
    while hangup.recv().await.is_some() {
        match read_config(&path, data.as_deref()) {
            Ok(config) => {
                if reloads.send(config).await.is_err() {
                    return;
                }
            }
            Err(error) => warn!("cannot reload the configuration, keeping the old one: {error}"),
        }
    }
}

fn failure(error: ServeError) -> Failure {
    match error {
        // Another start with this configuration ends in the same way: systemd does not try it.
        ServeError::Config(_)
        | ServeError::Identity(_)
        | ServeError::Data { .. }
        | ServeError::DataAccess { .. } => Failure::usage(error),
        ServeError::Journal(ref open) if open.is_misconfigured() => Failure::usage(error),
        _ => Failure::failed(error),
    }
}
