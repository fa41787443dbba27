//! Three nats-servers as child processes: JetStream keeps the journal of the nodes on all of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::super::failure::Failure;
use super::node::free_port;
use crate::clock::{Clock, SystemClock};
use crate::domain::PartnerId;
use crate::tls::Authority;
use crate::tls::authority::{AuthorityError, Usage};

/// A journal on three servers loses nothing if one is lost.
const SERVERS: usize = 3;
/// How long a server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The servers. Nodes need a certificate of their authority, and a password.
pub struct Nats {
    program: PathBuf,
    folder: PathBuf,
    servers: Vec<Server>,
}

struct Server {
    /// The port for nodes, and the one for the other servers.
    port: u16,
    route: u16,
    process: Option<Child>,
}

/// The version of a nats-server. An error says how to get one.
pub async fn version(program: &Path) -> Result<String, Failure> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().await;
    match output {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Err(Failure::usage(format!(
            "{} --version failed: {}",
            program.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
        Err(error) => Err(Failure::usage(format!(
            "--cluster needs nats-server 2.14.5 or newer, but {} cannot be run: {error}. `make demo CLUSTER=1` \
             installs it; otherwise get it from https://nats.io/download and pass it as --nats-server",
            program.display()
        ))),
    }
}

impl Nats {
    /// Creates the authority, the certificates, the logins and the configurations.
    pub fn prepare(program: &Path, folder: &Path) -> Result<Self, Failure> {
        let server = || Ok(Server { port: free_port()?, route: free_port()?, process: None });
        let servers = (0..SERVERS).map(|_| server()).collect::<Result<_, Failure>>()?;
        let nats = Self { program: program.to_owned(), folder: folder.to_owned(), servers };
        nats.issue().map_err(Failure::failed)?;
        for login in ["node", "system"] {
            let password = uuid::Uuid::new_v4().simple().to_string();
            let file = folder.join(format!("{login}.login"));
            fs::write(file, format!("{login}:{password}")).map_err(Failure::failed)?;
        }
        for at in 0..SERVERS {
            let config = nats.config(at).map_err(Failure::failed)?;
            fs::write(nats.config_file(at), config).map_err(Failure::failed)?;
        }
        Ok(nats)
    }

    /// The table `[jetstream]` of a node.
    pub fn table(&self) -> toml::Table {
        let url = |server: &Server| format!("tls://127.0.0.1:{}", server.port);
        let urls: Vec<_> = self.servers.iter().map(url).collect();
        let at = |path: &str| self.folder.join(path).display().to_string();
        let mut table = toml::Table::new();
        table.insert("servers".into(), urls.into());
        table.insert("credentials".into(), at("node.login").into());
        table.insert("system_credentials".into(), at("system.login").into());
        table.insert("ca".into(), at("node/ca.pem").into());
        table.insert("certificate".into(), at("node/cert.pem").into());
        table.insert("key".into(), at("node/key.pem").into());
        table.insert("max_gb".into(), 1.into());
        table
    }

    /// Starts all servers.
    pub async fn start(&mut self) -> Result<Duration, Failure> {
        let clock = SystemClock;
        let started = clock.instant();
        for at in 0..SERVERS {
            self.spawn(at)?;
        }
        for at in 0..SERVERS {
            self.wait(at).await?;
        }
        Ok(clock.instant().duration_since(started))
    }

    /// Starts a server again, on its data.
    pub async fn restart(&mut self, at: usize) -> Result<(), Failure> {
        self.spawn(at)?;
        self.wait(at).await
    }

    /// Kills a server with SIGKILL.
    pub async fn kill(&mut self, at: usize) -> Result<(), Failure> {
        if let Some(mut process) = self.servers[at].process.take() {
            process.kill().await.map_err(Failure::failed)?;
        }
        Ok(())
    }

    /// Kills all servers. Errors do not matter: the processes end with the demo.
    pub async fn kill_all(&mut self) {
        for at in 0..SERVERS {
            let _ = self.kill(at).await;
        }
    }

    fn issue(&self) -> Result<(), AuthorityError> {
        let now = SystemClock.now();
        let authority = Authority::init(&self.folder.join("ca"), "nats.tipoff.example", now)?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        authority.issue(&Usage::Server { names }, 30, now, &self.folder.join("server"))?;
        let usage = Usage::Partner { id: PartnerId::from_stored("node"), workload: None };
        authority.issue(&usage, 30, now, &self.folder.join("node"))?;
        Ok(())
    }

    fn config(&self, at: usize) -> std::io::Result<String> {
        let password = |login: &str| {
            let text = fs::read_to_string(self.folder.join(format!("{login}.login")))?;
            Ok::<_, std::io::Error>(
                text.trim_start_matches(login).trim_start_matches(':').to_owned(),
            )
        };
        let (node, system) = (password("node")?, password("system")?);
        let route = |server: &Server| format!("nats://127.0.0.1:{}", server.route);
        let routes: Vec<_> = self.servers.iter().map(route).collect();
        let tls = self.folder.join("server");
        let (server, tls) = (&self.servers[at], tls.display());
        Ok(format!(
            "listen: 127.0.0.1:{}\nserver_name: nats-{}\nmax_payload: 8MB\n\
             tls {{ ca_file: \"{tls}/ca.pem\", cert_file: \"{tls}/cert.pem\", key_file: \"{tls}/key.pem\", \
             verify: true }}\n\
             jetstream {{ store_dir: \"{}\", sync_interval: always, max_file_store: 4G }}\n\
             accounts {{\n  SYS {{ users: [{{user: system, password: {system:?}, permissions: \
             {{ publish: \"$SYS.REQ.SERVER.PING.JSZ\", subscribe: \"_INBOX.>\" }}}}] }}\n  \
             TIPOFF {{ jetstream: enabled, users: [{{user: node, password: {node:?}}}] }}\n}}\n\
             system_account: SYS\n\
             cluster {{ name: tipoff, listen: \"127.0.0.1:{}\", routes: [{}] }}\n",
            server.port,
            at + 1,
            self.folder.join(format!("data-{}", at + 1)).display(),
            server.route,
            routes.join(", "),
        ))
    }

    fn config_file(&self, at: usize) -> PathBuf {
        self.folder.join(format!("nats-{}.conf", at + 1))
    }

    fn log_file(&self, at: usize) -> PathBuf {
        self.folder.join(format!("nats-{}.log", at + 1))
    }

    fn spawn(&mut self, at: usize) -> Result<(), Failure> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file(at));
        let process = Command::new(&self.program)
            .arg("--config")
            .arg(self.config_file(at))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.map_err(Failure::failed)?)
            .kill_on_drop(true)
            .spawn();
        let process = process
            .map_err(|error| Failure::failed(format!("cannot start nats-server: {error}")))?;
        self.servers[at].process = Some(process);
        Ok(())
    }

    /// Waits until a server greets clients.
    async fn wait(&self, at: usize) -> Result<(), Failure> {
        let greeting = async {
            while !greets(self.servers[at].port).await {
                tokio::time::sleep(POLL_INTERVAL).await;
            }
        };
        tokio::time::timeout(START_TIMEOUT, greeting).await.map_err(|_| {
            Failure::failed(format!(
                "nats-server {} did not start: {}",
                at + 1,
                fs::read_to_string(self.log_file(at)).unwrap_or_default()
            ))
        })
    }
}

async fn greets(port: u16) -> bool {
    let Ok(mut connection) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    let mut start = [0; 4];
    let read = tokio::time::timeout(Duration::from_secs(1), connection.read_exact(&mut start));
    matches!(read.await, Ok(Ok(_))) && &start == b"INFO"
}
