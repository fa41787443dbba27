//! What all commands share: flags, environment, and the user's configuration file.

use std::path::PathBuf;
use std::time::Duration;

use super::failure::Failure;
use super::numbers;
use super::output::ColorChoice;
use super::profile::{self, Profile};
use crate::https::client;

/// Where an exchange listens by default.
const DEFAULT_SERVER: &str = "https://localhost:7443";
/// How long to wait for an answer by default.
const DEFAULT_TIMEOUT_S: u32 = 30;

/// Flags that every command has.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Every command")]
pub struct GlobalFlags {
    /// Name of an exchange in ~/.config/tipoff/config.toml
    #[arg(long, global = true, value_name = "NAME", env = "TIPOFF_EXCHANGE")]
    pub exchange: Option<String>,
    /// Address of the exchange
    #[arg(
        help = "Address of the exchange; of each of its nodes, separated by commas or with the flag \
                  repeated, to go on at another one if one fails [default: https://localhost:7443]"
    )]
    #[arg(long, global = true, value_name = "URL", value_delimiter = ',', env = "TIPOFF_SERVER")]
    pub server: Vec<String>,
    /// Folder with your ca.pem, cert.pem and key.pem
    #[arg(long, global = true, value_name = "DIR", env = "TIPOFF_IDENTITY")]
    pub identity: Option<PathBuf>,
    /// How long to wait for an answer of the exchange; 0: without limit [default: 30]
    #[arg(long, global = true, value_name = "SECONDS", env = "TIPOFF_TIMEOUT")]
    #[arg(value_parser = numbers::at_least::<u32>(0))]
    pub timeout: Option<u32>,
    /// Print one JSON object per line on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Print only results and errors: no remarks, no progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: ColorChoice,
    /// Do not show long output in a pager
    #[arg(long, global = true)]
    pub no_pager: bool,
    /// Log more to stderr; repeat for more detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// What all commands share, from flags, environment and the user's configuration file.
#[derive(Clone, Debug)]
pub struct Global {
    /// Addresses of the exchange, one for each node. At least one.
    pub servers: Vec<String>,
    /// Folder with ca.pem, cert.pem and key.pem.
    pub identity: Option<PathBuf>,
    /// How long to wait for an answer. `None`: without limit.
    pub timeout: Option<Duration>,
    /// Whether to print JSON.
    pub json: bool,
}

impl Global {
    /// The addresses of the exchange, for people.
    pub fn server(&self) -> String {
        self.servers.join(", ")
    }

    /// How long to wait for an ops listener. It is on this machine, so it has less time than an exchange.
    pub fn ops_timeout(&self) -> Duration {
        self.timeout.unwrap_or(client::TIMEOUT).min(client::TIMEOUT)
    }

    pub fn new(flags: GlobalFlags, uses_profile: bool) -> Result<Self, Failure> {
        let GlobalFlags { exchange, server, identity, timeout, json, .. } = flags;
        let servers = Some(server).filter(|servers| !servers.is_empty());
        let given = Profile { servers, identity, timeout };
        let profile =
            if uses_profile { given.or(profile::read(exchange.as_deref())?) } else { given };
        let seconds = profile.timeout.unwrap_or(DEFAULT_TIMEOUT_S);
        Ok(Self {
            servers: profile.servers.unwrap_or_else(|| vec![DEFAULT_SERVER.into()]),
            identity: profile.identity,
            timeout: (seconds > 0).then(|| Duration::from_secs(seconds.into())),
            json,
        })
    }
}
