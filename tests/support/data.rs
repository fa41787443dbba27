//! The published reports that are not part of this repository.

use std::env;
use std::path::PathBuf;

/// The folder of the reports: `TIPOFF_TEST_DATA`, relative to the repository, or `../shared/data`.
pub fn folder() -> PathBuf {
    let folder = env::var("TIPOFF_TEST_DATA").unwrap_or_else(|_| "../shared/data".into());
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    assert!(
        folder.join("expected.json").exists(),
        "the test data is not in {}: set TIPOFF_TEST_DATA",
        folder.display()
    );
    folder
}
