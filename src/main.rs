//! The `tipoff` binary: flags to command to exit code.

use std::process::ExitCode;

/// Many small buffers of many lengths, freed by other threads than made them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tipoff::cli::run()
}
