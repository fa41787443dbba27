//! promtool, the checker of Prometheus, as `make tools` installs it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs promtool with an input. Returns what it printed, and whether it found nothing wrong.
pub fn promtool(arguments: &[&str], input: &str) -> (bool, String) {
    let mut command = Command::new(path());
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end before it has read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(printed).unwrap())
}

/// The program. A test that needs it is never skipped.
fn path() -> PathBuf {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/promtool");
    let named = std::env::var_os("TIPOFF_PROMTOOL").map(PathBuf::from);
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&paths).map(|folder| folder.join("promtool"));
    let found = named.into_iter().chain([installed]).chain(on_path).find(|path| path.exists());
    found.expect("promtool is not there: `make tools` installs it on Debian; elsewhere, set TIPOFF_PROMTOOL to its path")
}
