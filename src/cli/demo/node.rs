//! A node of the demo: a child process with a configuration and data of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::super::failure::Failure;
use crate::clock::{Clock, SystemClock};

const CONFIG: &str = include_str!("../../../samples/tipoff.toml");
/// How long a node may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A node. It listens at the same addresses after a restart.
pub struct Node {
    /// `the exchange`, or which one of its nodes.
    pub name: String,
    folder: PathBuf,
    grpc_port: u16,
    ops_port: u16,
    process: Option<Child>,
}

impl Node {
    /// Writes its configuration: the sample, with the server's identity, and the table of a shared journal.
    pub fn prepare(
        name: String,
        folder: &Path,
        identity: &Path,
        jetstream: Option<toml::Table>,
    ) -> Result<Self, Failure> {
        let (grpc_port, ops_port) = (free_port()?, free_port()?);
        let at = |path: &Path| path.display().to_string();
        let mut config: toml::Table = CONFIG.parse().map_err(Failure::failed)?;
        let mut set = |section: &str, key: &str, value: toml::Value| {
            let section = config.entry(section).or_insert_with(|| toml::Table::new().into());
            if let toml::Value::Table(section) = section {
                section.insert(key.to_owned(), value);
            }
        };
        set("server", "grpc", format!("127.0.0.1:{grpc_port}").into());
        set("server", "ops", format!("127.0.0.1:{ops_port}").into());
        set("server", "identity", at(identity).into());
        // Short heartbeats let a reader advance past entries without events for it.
        set("requests", "heartbeat_s", 1.into());
        set("storage", "data", at(&folder.join("data")).into());
        set("storage", "min_free_mb", 16.into());
        if let Some(table) = jetstream {
            set("storage", "journal", "jetstream".into());
            config.insert("jetstream".into(), table.into());
        }
        let text = toml::to_string(&config).map_err(Failure::failed)?;
        fs::create_dir_all(folder).map_err(Failure::failed)?;
        fs::write(folder.join("tipoff.toml"), text).map_err(Failure::failed)?;
        Ok(Self { name, folder: folder.to_owned(), grpc_port, ops_port, process: None })
    }

    /// Starts it on its data. Returns how long it took to become ready.
    pub async fn start(&mut self) -> Result<Duration, Failure> {
        let clock = SystemClock;
        let started = clock.instant();
        let program = env::current_exe().map_err(Failure::failed)?;
        let log_file = self.folder.join("exchange.log");
        let log = fs::OpenOptions::new().create(true).append(true).open(&log_file);
        let mut process = Command::new(program)
            .arg("serve")
            .arg("--config")
            .arg(self.folder.join("tipoff.toml"))
            .stdout(Stdio::piped())
            .stderr(log.map_err(Failure::failed)?)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::failed(format!("cannot start {}: {error}", self.name)))?;
        let Some(stdout) = process.stdout.take() else {
            return Err(Failure::failed(format!("{} has no stdout", self.name)));
        };
        self.process = Some(process);
        let mut lines = BufReader::new(stdout).lines();
        match tokio::time::timeout(START_TIMEOUT, lines.next_line()).await {
            Ok(Ok(Some(_))) => Ok(clock.instant().duration_since(started)),
            _ => Err(Failure::failed(format!(
                "{} did not start: {}",
                self.name,
                fs::read_to_string(log_file).unwrap_or_default()
            ))),
        }
    }

    /// Kills it with SIGKILL, as a crash would.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut process) = self.process.take() {
            process.kill().await.map_err(Failure::failed)?;
        }
        Ok(())
    }

    /// Its address for partners.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.grpc_port)
    }

    /// Its ops listener.
    pub fn ops(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.ops_port).into()
    }
}

/// A free port, fixed so that a process restarts at the same address.
pub fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(Failure::failed)?;
    Ok(listener.local_addr().map_err(Failure::failed)?.port())
}
