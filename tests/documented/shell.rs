//! A shell that runs the commands of one document, one after the other.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tipoff::clock::{Clock, SystemClock};

/// The longest time for one command.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long a feed is followed whose output the document does not show.
const FOLLOW: Duration = Duration::from_millis(1_500);

/// Between two looks at what a command has printed.
const STEP: Duration = Duration::from_millis(20);

/// Variables that belong to this process or to its user, and would change what the commands do.
const OWN_VARIABLES: [&str; 6] =
    ["TIPOFF_SERVER", "TIPOFF_IDENTITY", "TIPOFF_PURPOSE", "TIPOFF_LOG", "COLUMNS", "MAKEFLAGS"];

/// What a command left: exit code, and its lines on stdout and stderr in the order in which a terminal shows
/// them.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub lines: Vec<String>,
}

pub struct Shell {
    child: Child,
    input: ChildStdin,
    codes: Receiver<String>,
    folder: PathBuf,
    count: usize,
    /// The exchange that a command of the document started.
    exchange: Option<i32>,
}

impl Shell {
    /// Starts bash with these variables, in a working directory. Its own files are in `folder`.
    pub fn start(folder: &Path, working: &Path, variables: &[(String, String)]) -> Self {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-o", "pipefail"]).current_dir(working);
        for name in OWN_VARIABLES {
            command.env_remove(name);
        }
        command.envs(variables.iter().cloned()).stdin(Stdio::piped()).stdout(Stdio::piped());
        // A group of its own, so that nothing is left if a command does not end.
        let mut child = command.process_group(0).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, codes) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let input = child.stdin.take().unwrap();
        Self { child, input, codes, folder: folder.to_owned(), count: 0, exchange: None }
    }

    /// Runs a command to its end.
    pub fn run(&mut self, command: &str) -> Ran {
        let (script, output) = self.write(command);
        let code = self.execute(&format!("source {script} > {output} 2>&1 < /dev/null"));
        Ran { code, lines: read(&output) }
    }

    /// Starts an exchange, and returns what it printed until it was ready. One that this document started
    /// before is stopped first.
    pub fn serve(&mut self, command: &str) -> Ran {
        self.stop_exchange();
        let (id, output) = self.start_in_background(command.trim_end().trim_end_matches('&'));
        self.exchange = Some(id);
        let started = SystemClock.instant();
        while !read(&output).iter().any(|line| line.starts_with('{') && line.ends_with('}')) {
            assert!(started.elapsed() < TIMEOUT, "{command}: not ready: {:?}", read(&output));
            thread::sleep(STEP);
        }
        Ran { code: 0, lines: read(&output) }
    }

    /// Runs a command that follows a feed until it has printed `lines`, and interrupts it as Ctrl-C does.
    pub fn follow(&mut self, command: &str, lines: usize) -> Ran {
        let (id, output) = self.start_in_background(command);
        let started = SystemClock.instant();
        let is_complete = || lines > 0 && read(&output).len() >= lines;
        while started.elapsed() < if lines > 0 { TIMEOUT / 4 } else { FOLLOW } && !is_complete() {
            thread::sleep(STEP);
        }
        let status = Path::new("/proc").join(id.to_string()).join("stat");
        let is_running = || fs::read_to_string(&status).is_ok_and(|stat| !stat.contains(") Z "));
        // The command ignores the signal until it has connected.
        while is_running() && started.elapsed() < TIMEOUT {
            kill(Pid::from_raw(id), Signal::SIGINT).unwrap();
            thread::sleep(STEP * 5);
        }
        let code = self.execute(&format!("wait {id}"));
        Ran { code, lines: read(&output) }
    }

    /// Stops the exchange that the document started, as an operator does. It has to end with exit code 0.
    pub fn stop_exchange(&mut self) {
        if let Some(id) = self.exchange.take() {
            kill(Pid::from_raw(id), Signal::SIGTERM).unwrap();
            assert_eq!(self.execute(&format!("wait {id}")), 0, "the exchange ends with 0");
        }
    }

    /// Lets the exchange that the document started read its configuration again.
    pub fn reload_exchange(&self) {
        kill(Pid::from_raw(self.exchange.unwrap()), Signal::SIGHUP).unwrap();
    }

    /// Returns the process id, and the file with the output.
    fn start_in_background(&mut self, command: &str) -> (i32, String) {
        let without_remark = command.split(" # ").next().unwrap();
        let (script, output) = self.write(&format!("{without_remark} < /dev/null &\n"));
        let code = self.execute(&format!("source {script} > {output} 2>&1; echo $! > {output}.id"));
        assert_eq!(code, 0);
        let id = fs::read_to_string(format!("{output}.id")).unwrap();
        (id.trim().parse().unwrap(), output)
    }

    fn write(&mut self, command: &str) -> (String, String) {
        self.count += 1;
        let path = |kind| self.folder.join(format!("{}.{kind}", self.count)).display().to_string();
        fs::write(path("sh"), command).unwrap();
        (path("sh"), path("out"))
    }

    fn execute(&mut self, line: &str) -> i32 {
        writeln!(self.input, "{line}; echo $?").unwrap();
        let code = self.codes.recv_timeout(TIMEOUT);
        code.unwrap_or_else(|_| panic!("it does not end: {line}")).parse().unwrap()
    }
}

fn read(path: &str) -> Vec<String> {
    let text = fs::read(path).unwrap_or_default();
    String::from_utf8(text).unwrap().lines().map(str::to_owned).collect()
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = Pid::from_raw(-i32::try_from(self.child.id()).unwrap());
        let _ = kill(group, Signal::SIGKILL);
        let _ = self.child.wait();
    }
}
