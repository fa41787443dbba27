//! The environment of the demo: a folder with a PKI and the data, and the exchange as a child
//! process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::super::failure::Failure;
use super::super::{output, text};
use crate::client::{Client, RetryPolicy};
use crate::clock::{Clock, SystemClock};
use crate::domain::PartnerId;
use crate::tls::Authority;
use crate::tls::authority::Usage;
use crate::wire::pb;

const CONFIG: &str = include_str!("../../../samples/tipoff.toml");
const PARTNERS: [&str; 5] = ["birdsite", "facegraph", "tubeworks", "cyber-unit", "exchange-ops"];
/// How long the exchange may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The folder and the exchange that runs in it.
pub struct Stage {
    folder: PathBuf,
    grpc_port: u16,
    exchange: Option<Child>,
}

impl Stage {
    /// Creates the folder with an authority, all identities and a configuration.
    pub fn create() -> Result<Self, Failure> {
        let folder = env::temp_dir().join(format!("tipoff-demo-{}", uuid::Uuid::now_v7()));
        let now = SystemClock.now();
        let made = (|| {
            let authority = Authority::init(&folder.join("ca"), "tipoff.example", now)?;
            let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
            authority.issue(&Usage::Server { names }, 30, now, &folder.join("server"))?;
            for partner in PARTNERS {
                let id = PartnerId::from_stored(partner);
                let usage = Usage::Partner { id, workload: None };
                authority.issue(&usage, 30, now, &folder.join(partner))?;
            }
            Ok::<_, crate::tls::authority::AuthorityError>(())
        })();
        made.map_err(Failure::failed)?;
        let mut stage = Self { folder, grpc_port: free_port()?, exchange: None };
        if let Err(error) = stage.configure() {
            stage.remove();
            return Err(error);
        }
        Ok(stage)
    }

    /// Starts the exchange on the data in the folder. Returns how long it took to become ready.
    pub async fn start(&mut self) -> Result<Duration, Failure> {
        let clock = SystemClock;
        let started = clock.instant();
        let program = env::current_exe().map_err(Failure::failed)?;
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("exchange.log"))
            .map_err(Failure::failed)?;
        let mut exchange = Command::new(program)
            .arg("serve")
            .arg("--config")
            .arg(self.folder.join("tipoff.toml"))
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Failure::failed(format!("cannot start the exchange: {error}")))?;
        let Some(stdout) = exchange.stdout.take() else {
            return Err(Failure::failed("the exchange has no stdout"));
        };
        self.exchange = Some(exchange);
        let mut lines = BufReader::new(stdout).lines();
        match tokio::time::timeout(START_TIMEOUT, lines.next_line()).await {
            Ok(Ok(Some(_))) => Ok(clock.instant().duration_since(started)),
            _ => Err(Failure::failed(format!(
                "the exchange did not start: {}",
                fs::read_to_string(self.folder.join("exchange.log")).unwrap_or_default()
            ))),
        }
    }

    /// Kills the exchange with SIGKILL, as a crash would.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.kill().await.map_err(Failure::failed)?;
        }
        Ok(())
    }

    /// A client of a partner. Its retries outlast a restart of the exchange.
    pub fn client(&self, partner: &str) -> Result<Client, Failure> {
        let retry_policy = RetryPolicy {
            max_retries: Some(60),
            timeout: None,
            max_delay: Duration::from_secs(1),
            ..RetryPolicy::default()
        };
        Ok(Client::new(&self.url(), &self.folder.join(partner))?.with_retry_policy(retry_policy))
    }

    /// Like [`Stage::client`], but already connected, so that measurements exclude the handshake.
    pub async fn connected(&self, partner: &str) -> Result<Client, Failure> {
        let client = self.client(partner)?;
        client.who_am_i().await?;
        Ok(client)
    }

    /// The address of the exchange.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.grpc_port)
    }

    /// The folder.
    pub fn folder(&self) -> String {
        self.folder.display().to_string()
    }

    /// Prints commands to try while the exchange keeps running: with a known value, and with a
    /// withdrawn one and the journal entry of its withdrawal.
    pub fn print_next_steps(
        &self,
        known: &pb::SubmittedIndicator,
        withdrawn: &str,
        sequence: u64,
    ) -> Result<(), Failure> {
        let value = text::value(&known.platform, &known.value);
        let folder = self.folder.display();
        let heading = "The exchange is still running. In another terminal, as facegraph:";
        output::line(&format!("\n{}", output::paint(output::BOLD, heading)))?;
        let url = self.url();
        output::line(&format!("  export TIPOFF_SERVER={url} TIPOFF_IDENTITY={folder}/facegraph"))?;
        for command in [
            "whoami",
            &format!("lookup '{value}' '{withdrawn}'"),
            "subscribe --from start --count 5",
            "pull --format csv --kind domain",
            "subscription list",
            &format!("sighting '{value}' --count 3"),
        ] {
            output::line(&format!("  tipoff {command}"))?;
        }
        output::line("As birdsite, the author:")?;
        output::line(&format!("  export TIPOFF_IDENTITY={folder}/birdsite"))?;
        output::line(&format!("  tipoff audit deliveries {sequence}"))?;
        output::line(&format!("  tipoff withdraw '{value}'"))?;
        output::line("As the operator:")?;
        output::line(&format!("  export TIPOFF_IDENTITY={folder}/exchange-ops"))?;
        output::line("  tipoff group list")?;
        output::line("  tipoff partner suspend tubeworks")?;
        output::line(&format!("\nCtrl-C stops the exchange and removes {folder}"))
    }

    /// Stops the exchange and removes the folder.
    pub async fn clear(mut self) {
        if let Some(mut exchange) = self.exchange.take() {
            // An error does not matter: the process ends with the demo.
            let _ = exchange.kill().await;
        }
        self.remove();
    }

    fn configure(&mut self) -> Result<(), Failure> {
        let at = |path: &Path| path.display().to_string();
        let mut config: toml::Table = CONFIG.parse().map_err(Failure::failed)?;
        let mut set = |section: &str, key: &str, value: toml::Value| {
            let section = config.entry(section).or_insert_with(|| toml::Table::new().into());
            if let toml::Value::Table(section) = section {
                section.insert(key.to_owned(), value);
            }
        };
        let grpc = format!("127.0.0.1:{}", self.grpc_port);
        set("server", "grpc", grpc.into());
        set("server", "ops", "127.0.0.1:0".into());
        set("server", "identity", at(&self.folder.join("server")).into());
        // Short heartbeats let a reader advance past entries without events for it.
        set("requests", "heartbeat_s", 1.into());
        set("storage", "data", at(&self.folder.join("data")).into());
        set("storage", "min_free_mb", 16.into());
        let text = toml::to_string(&config).map_err(Failure::failed)?;
        fs::write(self.folder.join("tipoff.toml"), text).map_err(Failure::failed)
    }

    fn remove(&self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            output::remark(&format!("cannot remove {}: {error}", self.folder.display()));
        }
    }
}

/// A free port, fixed so that the exchange restarts at the same address.
fn free_port() -> Result<u16, Failure> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(Failure::failed)?;
    Ok(listener.local_addr().map_err(Failure::failed)?.port())
}
