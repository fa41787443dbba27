//! The `tipoff` binary: runs the command line and returns its exit code.

use std::process::ExitCode;

/// mimalloc handles many small buffers of different sizes that are freed on other threads better
/// than the system allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tipoff::cli::run()
}
