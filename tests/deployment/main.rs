//! What an operator installs: the unit of systemd, the container, and the health check.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod container;
mod dockerfile;
mod health;
#[path = "../support/mod.rs"]
mod support;
mod system_calls;
mod systemd;

use std::path::{Path, PathBuf};

/// A file of this repository.
fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
