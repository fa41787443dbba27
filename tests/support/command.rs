//! Runs the commands as a person or a script does.

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::World;
use super::process::Process;

/// A world with a running exchange.
pub struct Stage {
    pub world: World,
    pub exchange: Process,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(Process::prepare)
    }

    /// A world with an exchange that is prepared in this way.
    pub fn with(prepare: impl FnOnce(&World) -> Process) -> Self {
        let world = World::new();
        let mut exchange = prepare(&world);
        exchange.start();
        exchange.wait_ready();
        Self { world, exchange }
    }

    /// A command of a partner.
    pub fn tipoff(&self, partner: &str, arguments: &[&str]) -> Command {
        let mut command = tipoff(arguments);
        command.env("TIPOFF_SERVER", self.exchange.url());
        command.env("TIPOFF_IDENTITY", self.world.identity(partner));
        command
    }

    pub fn run(&self, partner: &str, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.tipoff(partner, arguments))
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.world.path(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

/// The exit code and the output of a command.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Asserts that a command succeeded.
pub fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        Self::from(command.stdin(Stdio::null()).output().unwrap())
    }

    pub fn with_input(command: &mut Command, input: &[u8]) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Self::from(child.wait_with_output().unwrap())
    }

    pub fn lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The items and removals among the lines. `--count` counts these. A feed from the start begins
    /// with the groups of its reader.
    pub fn counted(&self) -> Vec<Value> {
        let is_counted = |line: &Value| line["value"].is_string() || line["removed"].is_string();
        self.lines().into_iter().filter(is_counted).collect()
    }

    /// Asserts this exit code, this text on stderr, and nothing on stdout.
    pub fn failed(&self, code: i32, says: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(self.err.contains(says), "{says:?} is not in {self:?}");
        assert_eq!(self.out, "", "errors are on stderr");
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The binary, without the environment of this process.
pub fn tipoff(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tipoff"));
    command.args(arguments);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TIPOFF_")) {
        command.env_remove(name);
    }
    // No configuration file of whoever runs the tests.
    command.env("XDG_CONFIG_HOME", "/nonexistent");
    command
}
