//! Long output in the user's pager.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::process::{Child, Command, Stdio};

use nix::unistd::dup2_stdout;

use super::output;

/// A pager that shows what this process writes to stdout.
#[derive(Debug)]
pub struct Pager(Child);

impl Pager {
    /// Starts the program in `TIPOFF_PAGER` or `PAGER`, otherwise `less`, if stdout is a terminal. `None` if there is no such
    /// program, or the user wants none: then the output goes to the terminal directly.
    pub fn start() -> Option<Self> {
        if !io::stdout().is_terminal() || env::var_os("TERM").is_some_and(|name| name == "dumb") {
            return None;
        }
        let chosen = ["TIPOFF_PAGER", "PAGER"].into_iter().find_map(|name| env::var(name).ok());
        let program = chosen.unwrap_or_else(|| "less".into());
        let mut words = program.split_whitespace();
        let program = words.next().filter(|program| *program != "cat")?;
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped());
        if env::var_os("LESS").is_none() {
            // Shows colours, and what fits on one screen without waiting for a key.
            command.env("LESS", "FRX");
        }
        if env::var_os("LESSCHARSET").is_none() {
            command.env("LESSCHARSET", "utf-8");
        }
        let mut child = command.spawn().ok()?;
        let input = child.stdin.take()?;
        dup2_stdout(&input).ok()?;
        output::begin_pager();
        Some(Self(child))
    }

    /// Tells the pager that nothing more comes, and waits until the user leaves it.
    pub fn finish(mut self) {
        let _ = io::stdout().flush();
        if let Ok(nothing) = std::fs::OpenOptions::new().write(true).open("/dev/null") {
            // stdout is the only end of the pipe that is still open.
            let _ = dup2_stdout(&nothing);
        }
        let _ = self.0.wait();
        output::end_pager();
    }
}
