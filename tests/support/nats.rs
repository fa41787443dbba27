//! Real nats-servers on loopback, with JetStream in a temporary folder: one, or a cluster of three.

#![allow(dead_code)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::Rng;
use tempfile::TempDir;
use tipoff::clock::SystemClock;
use tipoff::config::JetStream;
use tipoff::domain::Timestamp;
use tipoff::journal::{JetStreamSettings, LocalSettings};

/// All that the login of the system account may do: see docs/operations.md.
const SYSTEM: &str = "{ publish: \"$SYS.REQ.SERVER.PING.JSZ\", subscribe: \"_INBOX.>\" }";

/// How the servers are configured.
#[derive(Clone)]
pub struct NatsOptions {
    pub servers: usize,
    /// `sync_interval` of JetStream.
    pub sync_interval: &'static str,
    pub max_payload: usize,
    /// The folder with `ca.pem`, `cert.pem` and `key.pem` of the servers. Clients need a certificate then.
    pub tls: Option<PathBuf>,
    /// Where each server runs. Those that are missing run on loopback.
    pub hosts: Vec<NatsHost>,
}

/// Where a server runs.
#[derive(Clone)]
pub struct NatsHost {
    /// The address that it listens on.
    pub address: Ipv4Addr,
    /// A program that starts it, and the arguments of that program. The server is to be the direct child.
    pub launcher: Vec<String>,
    /// The folder of its streams, if it is not in the folder of the others.
    pub store: Option<PathBuf>,
}

impl Default for NatsHost {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST, launcher: Vec::new(), store: None }
    }
}

impl Default for NatsOptions {
    fn default() -> Self {
        Self {
            servers: 1,
            sync_interval: "always",
            max_payload: 8 * 1024 * 1024,
            tls: None,
            hosts: Vec::new(),
        }
    }
}

/// Running servers. They are killed when it is dropped.
pub struct Nats {
    folder: TempDir,
    servers: Vec<Server>,
    options: NatsOptions,
}

struct Server {
    host: NatsHost,
    /// The port for clients, and the one for the other servers.
    port: u16,
    route: u16,
    process: Option<Child>,
}

impl Nats {
    /// One server.
    pub fn start() -> Self {
        Self::with(NatsOptions::default())
    }

    /// A cluster of three.
    pub fn cluster() -> Self {
        Self::with(NatsOptions { servers: 3, ..NatsOptions::default() })
    }

    pub fn with(options: NatsOptions) -> Self {
        let server = |at| Server {
            host: options.hosts.get(at).cloned().unwrap_or_default(),
            port: free_port(),
            route: free_port(),
            process: None,
        };
        let count = options.servers;
        let servers = (0..count).map(server).collect();
        let mut nats = Self { folder: tempfile::tempdir().unwrap(), servers, options };
        for (name, login) in [("node", "tipoff:secret"), ("system", "system:secret")] {
            std::fs::write(nats.folder.path().join(name), login).unwrap();
        }
        for at in 0..count {
            nats.spawn(at);
        }
        for at in 0..count {
            nats.wait(at);
        }
        nats
    }

    /// The settings of a journal in a stream on these servers, with a copy in `local`.
    pub fn settings(&self, local: LocalSettings) -> JetStreamSettings {
        JetStreamSettings {
            credentials: Some(self.folder.path().join("node")),
            system_credentials: Some(self.folder.path().join("system")),
            replicas: self.servers.len(),
            max_bytes: 512 * 1024 * 1024,
            ..JetStreamSettings::new(self.addresses(), local, Arc::new(SystemClock))
        }
    }

    /// The addresses for clients.
    pub fn addresses(&self) -> Vec<String> {
        let scheme = if self.options.tls.is_some() { "tls" } else { "nats" };
        let address =
            |server: &Server| format!("{scheme}://{}:{}", server.host.address, server.port);
        self.servers.iter().map(address).collect()
    }

    /// The table `[jetstream]` of a node that uses these servers.
    pub fn table(&self) -> JetStream {
        let settings = self.settings(LocalSettings::new("", Arc::new(Timestamp::default)));
        JetStream {
            servers: settings.servers,
            credentials: settings.credentials.unwrap(),
            system_credentials: settings.system_credentials.unwrap(),
            replicas: settings.replicas,
            max_gb: 1,
            ..JetStream::default()
        }
    }

    /// A client with the node's login, to change what a node would not. Of several servers, it takes any.
    pub async fn client(&self) -> async_nats::Client {
        let options = async_nats::ConnectOptions::new();
        let options = options.user_and_password("tipoff".into(), "secret".into());
        options.connect(self.addresses()).await.unwrap()
    }

    /// Kills a server.
    pub fn kill(&mut self, at: usize) {
        if let Some(mut process) = self.servers[at].process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts a server again, on the same port and folder.
    pub fn restart(&mut self, at: usize) {
        self.restart_all(&[at]);
    }

    /// Starts servers again, all of them before it waits for one.
    pub fn restart_all(&mut self, servers: &[usize]) {
        for at in servers {
            self.kill(*at);
            self.spawn(*at);
        }
        for at in servers {
            self.wait(*at);
        }
    }

    /// Stops the execution of a server. It keeps its connections.
    pub fn pause(&self, at: usize) {
        self.signal(at, Signal::SIGSTOP);
    }

    /// Continues a server.
    pub fn resume(&self, at: usize) {
        self.signal(at, Signal::SIGCONT);
    }

    /// The folder of a server's streams.
    pub fn store(&self, at: usize) -> PathBuf {
        let in_folder = || self.folder.path().join(format!("n{at}"));
        self.servers[at].host.store.clone().unwrap_or_else(in_folder)
    }

    fn signal(&self, at: usize, signal: Signal) {
        let process = self.servers[at].process.as_ref().unwrap();
        kill(Pid::from_raw(process.id().try_into().unwrap()), signal).unwrap();
    }

    fn spawn(&mut self, at: usize) {
        let file = self.folder.path().join(format!("n{at}.conf"));
        std::fs::write(&file, self.config(at)).unwrap();
        let log = self.folder.path().join(format!("n{at}.log"));
        let log = std::fs::File::options().create(true).append(true).open(log).unwrap();
        let mut command = match self.servers[at].host.launcher.split_first() {
            None => Command::new(path()),
            Some((launcher, arguments)) => {
                let mut command = Command::new(launcher);
                command.args(arguments).arg(path());
                command
            }
        };
        command.arg("--config").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.servers[at].process = Some(command.spawn().unwrap());
    }

    fn config(&self, at: usize) -> String {
        let server = &self.servers[at];
        let mut config = format!(
            "listen: {}:{}\nserver_name: n{at}\nmax_payload: {}\n\
             jetstream {{ store_dir: \"{}\", sync_interval: {}, max_file_store: 4G }}\n\
             accounts {{\n  SYS {{ users: [{{user: system, password: secret, permissions: {SYSTEM}}}] }}\n  \
             TIPOFF {{ jetstream: enabled, users: [{{user: tipoff, password: secret}}] }}\n}}\n\
             system_account: SYS\n",
            server.host.address,
            server.port,
            self.options.max_payload,
            self.store(at).display(),
            self.options.sync_interval,
        );
        if let Some(tls) = &self.options.tls {
            let tls = tls.display();
            writeln!(
                config,
                "tls {{ ca_file: \"{tls}/ca.pem\", cert_file: \"{tls}/cert.pem\", key_file: \"{tls}/key.pem\", \
                 verify: true }}"
            )
            .unwrap();
        }
        if self.servers.len() > 1 {
            let route = |s: &Server| format!("nats://{}:{}", s.host.address, s.route);
            let routes: Vec<_> = self.servers.iter().map(route).collect();
            writeln!(
                config,
                "cluster {{ name: tipoff, listen: \"{}:{}\", routes: [{}] }}",
                server.host.address,
                server.route,
                routes.join(", ")
            )
            .unwrap();
        }
        config
    }

    /// Waits until a server greets a client.
    fn wait(&mut self, at: usize) {
        for _ in 0..400 {
            let server = &mut self.servers[at];
            let ended = server.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "nats-server ended: {}", self.log(at));
            if greets(server.host.address, server.port) {
                return;
            }
            sleep(Duration::from_millis(25));
        }
        panic!("nats-server does not answer: {}", self.log(at));
    }

    /// What a server logged.
    pub fn log(&self, at: usize) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("n{at}.log"))).unwrap_or_default()
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        for server in &mut self.servers {
            if let Some(process) = &mut server.process {
                let _ = process.kill();
                let _ = process.wait();
            }
        }
    }
}

fn greets(address: Ipv4Addr, port: u16) -> bool {
    let address = SocketAddr::from((address, port));
    let Ok(mut connection) = TcpStream::connect_timeout(&address, Duration::from_millis(200))
    else {
        return false;
    };
    let mut start = [0; 4];
    let _ = connection.set_read_timeout(Some(Duration::from_millis(200)));
    connection.read_exact(&mut start).is_ok() && &start == b"INFO"
}

/// A free port that nobody else gets while a server is down: below the ephemeral range, apart from those of the
/// exchange, and each only once.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = rand::rng().random_range(12_000..20_000);
        let is_new = GIVEN.lock().unwrap().insert(port);
        if is_new && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The program. A test that needs it is never skipped.
pub fn path() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/nats-server");
    let named = std::env::var_os("TIPOFF_NATS_SERVER").map(PathBuf::from);
    let found = named.into_iter().chain([installed]).find(|path| path.exists());
    found.expect(
        "nats-server is not there: `make tools` installs it; or set TIPOFF_NATS_SERVER to its path",
    )
}
