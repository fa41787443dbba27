//! Python with third-party clients, as `make test` installs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs a script of `tests/interop` to its end.
pub fn script(name: &str, arguments: &[&Path]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name);
    Command::new(python()).arg(script).args(arguments).output().unwrap()
}

/// The interpreter. A test that needs it is never skipped.
pub fn python() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python =
        std::env::var("TIPOFF_PYTHON").map_or(root.join(".venv/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "{} is not there: `make test` installs what this test needs",
        python.display()
    );
    python
}
