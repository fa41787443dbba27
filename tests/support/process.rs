//! The exchange as a child process that can be killed.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::{fs, net};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::Rng;
use tipoff::client::Client;
use tipoff::config::JournalBackend;

use super::{TRUST_DOMAIN, World};

pub struct Process {
    config: PathBuf,
    log: PathBuf,
    address: Ipv4Addr,
    port: u16,
    ops: u16,
    child: Option<Child>,
    /// The soft and the hard limit of open files.
    open_files: Option<(u32, u32)>,
    environment: Vec<(&'static str, String)>,
    /// A program that starts it, and the arguments of that program.
    launcher: Vec<String>,
}

impl Process {
    /// Writes the configuration of a world, with ports that stay the same over restarts.
    pub fn prepare(world: &World) -> Self {
        Self::prepare_at(world, &world.config.storage.data, Ipv4Addr::LOCALHOST)
    }

    /// The same for a node of several, with its data and its address.
    pub fn prepare_at(world: &World, data: &Path, address: Ipv4Addr) -> Self {
        let (port, ops) = (free_port(), free_port());
        let config = world.path(format!("tipoff-{port}.toml"));
        let text = format!(
            "[server]\ngrpc = \"{address}:{port}\"\nops = \"{address}:{ops}\"\ntrust_domain = \
             \"{TRUST_DOMAIN}\"\nidentity = \"{}\"\ndrain_timeout_s = 10\n[storage]\ndata = \"{}\"\n\
             min_free_mb = 16\njournal = \"{}\"\n{}",
            world.config.server.identity.display(),
            data.display(),
            match world.config.storage.journal {
                JournalBackend::Sled => "sled",
                JournalBackend::Files => "files",
                JournalBackend::JetStream => "jetstream",
            },
            world.partners,
        );
        fs::write(&config, text).unwrap();
        let log = world.path(format!("tipoff-{port}.log"));
        Self {
            config,
            log,
            address,
            port,
            ops,
            child: None,
            open_files: None,
            environment: Vec::new(),
            launcher: Vec::new(),
        }
    }

    /// Adds tables to its configuration, from its next start on.
    pub fn add_config(&self, toml: &str) {
        let config = fs::read_to_string(&self.config).unwrap();
        fs::write(&self.config, format!("{config}\n{toml}")).unwrap();
    }

    fn command(&self) -> Command {
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let tipoff = env!("CARGO_BIN_EXE_tipoff");
        let mut command = match (self.open_files, self.launcher.split_first()) {
            (None, None) => Command::new(tipoff),
            (None, Some((launcher, arguments))) => {
                let mut command = Command::new(launcher);
                command.args(arguments).arg(tipoff);
                command
            }
            (Some((soft, hard)), _) => {
                let mut shell = Command::new("sh");
                let limited =
                    format!("ulimit -Sn {soft} && ulimit -Hn {hard} && exec \"$0\" \"$@\"");
                shell.args(["-c", &limited, tipoff]);
                shell
            }
        };
        command.arg("serve").arg("--config").arg(&self.config);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(log);
        command
    }

    /// Limits its open files, from its next start on.
    pub fn limit_open_files(&mut self, soft: u32, hard: u32) {
        self.open_files = Some((soft, hard));
    }

    /// Sets a variable of its environment, from its next start on.
    pub fn set_env(&mut self, name: &'static str, value: &str) {
        self.environment.push((name, value.to_owned()));
    }

    /// Starts it by another program, from its next start on. The node is to be the direct child of this process.
    pub fn set_launcher(&mut self, launcher: &[&str]) {
        self.launcher = launcher.iter().map(ToString::to_string).collect();
    }

    /// The configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Starts it. It may not be ready yet: clients wait for it.
    pub fn start(&mut self) {
        assert!(self.child.is_none());
        self.child = Some(self.command().spawn().unwrap());
    }

    /// Waits until it prints its addresses.
    pub fn wait_ready(&mut self) -> serde_json::Value {
        let stdout = self.child.as_mut().unwrap().stdout.take().unwrap();
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {}", self.log()))
    }

    /// Starts it, and waits until it exits.
    pub fn run_to_end(&self) -> (ExitStatus, String) {
        let output = self.command().output().unwrap();
        (output.status, self.log())
    }

    /// Sends SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            let status = child.wait().unwrap();
            assert!(status.code().is_none(), "it had ended by itself: {status}: {}", self.log());
        }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.id()).unwrap()), signal).unwrap();
    }

    /// Sends SIGTERM, and waits until it exits.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.wait()
    }

    /// Waits until it exits.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.take().unwrap().wait().unwrap()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn client(&self, world: &World, partner: &str) -> Client {
        Client::new(&self.url(), &world.identity(partner)).unwrap()
    }

    /// Its address, without a scheme.
    pub fn address(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }

    pub fn grpc(&self) -> SocketAddr {
        (self.address, self.port).into()
    }

    pub fn ops(&self) -> SocketAddr {
        (self.address, self.ops).into()
    }

    pub fn url(&self) -> String {
        match self.address {
            Ipv4Addr::LOCALHOST => format!("https://localhost:{}", self.port),
            address => format!("https://{address}:{}", self.port),
        }
    }
}

/// A free port that nobody else gets while the exchange is down: below the ephemeral range, and
/// each only once.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let port = rand::rng().random_range(20_000..32_000);
        let is_new = GIVEN.lock().unwrap().insert(port);
        if is_new && net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
