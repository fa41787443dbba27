//! `tipoff health`

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;

use super::failure::{Completion, Failure, Outcome};
use super::{Global, output, serve};
use crate::https::probe;

/// Ask a node on this machine whether it is ready, or whether it runs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Asks for /ready of the ops listener. Prints why the node is not ready, or that nobody answers, \
                  to stderr. Needs no identity: for health checks of containers."
)]
pub struct Health {
    /// Configuration file of the node: names the ops listener; default: tipoff.toml if it exists
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the ops listener; overrides the configuration file
    #[arg(long, value_name = "ADDRESS")]
    ops: Option<SocketAddr>,
    /// Ask only whether the process runs (/live). Succeeds also while the node catches up or has no quorum
    #[arg(long)]
    live: bool,
}

/// The answer with `--json`.
#[derive(Serialize)]
struct Answer {
    ops: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ready: Option<bool>,
}

impl Health {
    pub async fn run(&self, global: &Global) -> Outcome {
        let ops = match self.ops {
            Some(ops) => ops,
            None => self.configured()?,
        };
        let timeout = global.ops_timeout();
        let (answer, state) = if self.live {
            probe::live(ops, timeout).await.map_err(Failure::failed)?;
            (Answer { ops, live: Some(true), ready: None }, "live")
        } else {
            probe::ready(ops, timeout).await.map_err(Failure::failed)?;
            (Answer { ops, live: None, ready: Some(true) }, "ready")
        };
        if global.json {
            output::json(&answer)?;
        } else {
            output::line(state)?;
        }
        Ok(Completion::Whole)
    }

    fn configured(&self) -> Result<SocketAddr, Failure> {
        let config = serve::read_config_or_default(self.config.as_deref(), None);
        Ok(config.map_err(Failure::usage)?.server.ops)
    }
}
