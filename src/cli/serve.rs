//! `tipoff serve`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::failure::{Completion, Failure, Outcome};
use super::{output, stop};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, ConfigError};
use crate::journal::LocalSettings;
use crate::server::{self, Node, ServeError};

/// Run an exchange
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prints one JSON line on stdout when it is ready: the addresses it is bound \
                        to. SIGTERM drains it, SIGHUP reads certificates and suspensions again."
)]
pub struct Serve {
    /// The configuration file; every key is optional
    #[arg(long, value_name = "FILE", default_value = "tipoff.toml")]
    config: PathBuf,
    /// Where the journal and the index are kept; before what the file says
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Read the configuration, say what is wrong with it, and stop
    #[arg(long)]
    check_config: bool,
}

impl Serve {
    pub async fn run(&self) -> Outcome {
        let config = self.read_config().map_err(Failure::usage)?;
        if self.check_config {
            Node::check(&config).map_err(failure)?;
            output::line(&format!("{} is in order", self.config.display()))?;
            return Ok(Completion::Whole);
        }
        let mut shutdown = Box::pin(stop::told()?);
        let node = tokio::select! {
            node = Node::start(config, Arc::new(SystemClock)) => node.map_err(failure)?,
            () = &mut shutdown => {
                info!("stopped before it was ready");
                return Ok(Completion::Whole);
            }
        };
        let (reloads, reload) = mpsc::channel(1);
        tokio::spawn(reload_on_hangup(self.config.clone(), self.data.clone(), reloads));
        let bound = node.bound();
        output::json(&bound)?;
        info!(grpc = %bound.grpc, ops = %bound.ops, "the exchange is ready");
        node.serve(shutdown, reload).await.map_err(failure)?;
        info!("stopped");
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

/// The same for who may name no file: the usual one, or every key at its default where that does not exist.
pub fn read_config_or_default(
    path: Option<&Path>,
    data: Option<&Path>,
) -> Result<Config, ConfigError> {
    let usual = Path::new("tipoff.toml");
    if let Some(path) = path.or_else(|| usual.exists().then_some(usual)) {
        return read_config(path, data);
    }
    let mut config = Config::default();
    if let Some(data) = data {
        data.clone_into(&mut config.storage.data);
    }
    Ok(config)
}

/// How a stopped node's journal is opened.
pub fn journal_settings(config: &Config) -> LocalSettings {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    server::journal_settings(&config.storage, &clock)
}

async fn reload_on_hangup(path: PathBuf, data: Option<PathBuf>, reloads: mpsc::Sender<Config>) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return };
    while hangup.recv().await.is_some() {
        match read_config(&path, data.as_deref()) {
            Ok(config) => {
                if reloads.send(config).await.is_err() {
                    return;
                }
            }
            Err(error) => warn!("the old configuration stays in use: {error}"),
        }
    }
}

fn failure(error: ServeError) -> Failure {
    match error {
        ServeError::Config(_) | ServeError::Identity(_) => Failure::usage(error),
        _ => Failure::failed(error),
    }
}
