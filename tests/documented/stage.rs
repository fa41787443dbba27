//! Where a document's commands run: a home folder, a working directory, and an exchange with real identities.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::console::{Step, root};
use super::nats::Nats;
use super::shell::{Ran, Shell};
use super::support::World;
use super::support::command::{self, done};
use super::support::process::Process;
use super::support::python::python;

/// What is not run, and why. Each entry starts or contains a command of the documents.
pub const NOT_RUN: [(&str, &str); 11] = [
    ("cargo build", "the test has the binary already, and its folder is in PATH"),
    ("cargo test", "it would run the tests from within a test"),
    ("apt-get install", "it would install the package on this machine"),
    ("install -d -o root", "the user of the package does not exist here"),
    ("install -o root", "the user of the package does not exist here"),
    ("editor ", "it waits for a person; the stage has the file"),
    ("systemctl status", "no service manager runs here"),
    ("journalctl ", "no service manager runs here"),
    ("docker ", "no container engine runs here; tests/deployment runs the image"),
    ("nats stream", "the command nats is not installed here; the stream of the stage lost nothing"),
    ("65532:65532", "it gives the folder to the user of the container"),
];

/// The addresses in the documents.
const SERVER: &str = "https://exchange.example:7443";
const OPS: &str = "127.0.0.1:7445";

pub struct Stage {
    folder: TempDir,
    world: Option<World>,
    exchange: Option<Process>,
    /// The servers of an exchange whose journal is in JetStream.
    nats: Option<Nats>,
    /// A text of the document, and what stands for it in this run.
    replacements: Vec<(String, String)>,
    variables: Vec<(String, String)>,
}

impl Stage {
    /// A home, and a working directory with the samples of the repository.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let samples = folder.path().join("work/samples");
        fs::create_dir_all(&samples).unwrap();
        fs::create_dir_all(folder.path().join("home")).unwrap();
        for file in fs::read_dir(root().join("samples")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), samples.join(file.file_name())).unwrap();
        }
        // As on a terminal: curl shows no progress there.
        fs::write(folder.path().join("home/.curlrc"), "silent\nshow-error\n").unwrap();
        let mut stage = Self {
            folder,
            world: None,
            exchange: None,
            nats: None,
            replacements: vec![],
            variables: vec![],
        };
        let binary = Path::new(env!("CARGO_BIN_EXE_tipoff")).parent().unwrap().to_owned();
        let python = python().parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap();
        stage.set("PATH", &format!("{}:{}:{path}", binary.display(), python.display()));
        stage.set("HOME", &stage.path("home").display().to_string());
        stage
    }

    /// An exchange with the partners of the sample configuration. The document's commands are those of `reader`,
    /// whose identity folder is `~/.tipoff`. The other identities are in `~/identities`.
    pub fn with_exchange(reader: &str) -> Self {
        let mut stage = Self::new();
        let sample = fs::read_to_string(root().join("samples/tipoff.toml")).unwrap();
        let world = World::with(&sample[sample.find("[[partners]]").unwrap()..]);
        let mut exchange = Process::prepare(&world);
        exchange.start();
        exchange.wait_ready();
        symlink(world.identity(reader), stage.path("home/.tipoff")).unwrap();
        fs::create_dir(stage.path("home/identities")).unwrap();
        for partner in ["birdsite", "facegraph", "tubeworks", "cyber-unit", "exchange-ops"] {
            let identity = stage.path("home/identities").join(partner);
            symlink(world.identity(partner), identity).unwrap();
        }
        stage.set("TIPOFF_SERVER", &exchange.url());
        stage.set("TIPOFF_IDENTITY", &stage.path("home/.tipoff").display().to_string());
        stage.replace(SERVER, &exchange.url());
        stage.replace(OPS, &exchange.ops().to_string());
        stage.exchange = Some(exchange);
        stage.world = Some(world);
        stage
    }

    /// Reserves addresses for an exchange that the document starts. Returns the keys for its configuration.
    pub fn with_addresses() -> (Self, String) {
        let mut stage = Self::new();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (grpc, ops) = (free(), free());
        let url = format!("https://localhost:{}", grpc.port());
        stage.set("TIPOFF_SERVER", &url);
        stage.replace("https://localhost:7443", &url);
        stage.replace("127.0.0.1:7443", &grpc.to_string());
        stage.replace(OPS, &ops.to_string());
        let addresses = format!("[server]\ngrpc = \"{grpc}\"\nops = \"{ops}\"\n");
        (stage, addresses)
    }

    /// Adds an authority and the identity of a server, for an exchange that the document starts.
    pub fn with_authority(mut self) -> Self {
        self.world = Some(World::new());
        self
    }

    /// Starts a NATS server. Returns it, for the configuration of an exchange that the document starts.
    pub fn start_nats(&mut self) -> &Nats {
        self.nats.insert(Nats::start())
    }

    pub fn world(&self) -> &World {
        self.world.as_ref().unwrap()
    }

    /// A path below the stage's folder, such as `work/report.csv`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Lets a text of the document stand for another one in this run. The latest goes first.
    pub fn replace(&mut self, documented: &str, real: &str) {
        self.replacements.insert(0, (documented.to_owned(), real.to_owned()));
    }

    /// Writes a file into the working directory.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path("work").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs a command of a partner that the document does not show.
    pub fn already(&self, partner: &str, arguments: &[&str]) -> String {
        let mut command = command::tipoff(arguments);
        command.env("TIPOFF_SERVER", self.exchange.as_ref().unwrap().url());
        command.env("TIPOFF_IDENTITY", self.world().identity(partner));
        done(command::Ran::of(command.current_dir(self.path("work")))).out
    }

    /// The text of a document as it is in this run.
    pub fn real(&self, text: &str) -> String {
        let replace = |text: String, (from, to): &(String, String)| text.replace(from, to);
        self.replacements.iter().fold(text.to_owned(), replace)
    }

    /// The output of this run as a document shows it.
    pub fn documented(&self, line: &str) -> String {
        let replace = |line: String, (from, to): &(String, String)| line.replace(to, from);
        self.replacements.iter().fold(line.to_owned(), replace)
    }

    pub fn shell(&self) -> Shell {
        let files = self.path("shell");
        fs::create_dir_all(&files).unwrap();
        Shell::start(&files, &self.path("work"), &self.variables)
    }
}

/// Runs a command. None if it is in [`NOT_RUN`].
pub fn run(shell: &mut Shell, step: &Step, command: &str) -> Option<Ran> {
    if NOT_RUN.iter().any(|(part, _)| command.contains(part)) {
        return None;
    }
    if let Some(targets) = command.strip_prefix("make ") {
        // Prints what it would do. Some targets take hours.
        return Some(shell.run(&format!("make -n -C {} {}", root().display(), targets)));
    }
    if let Some(action) = command.strip_prefix("systemctl ") {
        // What systemd would do with the unit.
        match action.split_whitespace().next() {
            Some("enable" | "start") => drop(shell.serve("tipoff serve --config $UNIT_CONFIG")),
            Some("stop") => shell.stop_exchange(),
            Some("reload") => shell.reload_exchange(),
            _ => panic!("{command}: the stage cannot do that"),
        }
        return Some(Ran { code: 0, lines: Vec::new() });
    }
    let is_serve = command.contains("tipoff serve") && !command.contains("--check-config");
    let is_feed = command.contains("tipoff subscribe ") && !command.contains("--count");
    Some(match (is_serve, is_feed) {
        (true, _) => shell.serve(command),
        (_, true) => shell.follow(command, step.output.len()),
        _ => shell.run(command),
    })
}
