//! The follower: applies each entry of the journal to the index, in order, as it comes.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::error::{Error, Result};
use crate::index::{Applier, Index};
use crate::journal::Log;

/// How many entries are taken from the journal at once.
const ENTRIES_AT_ONCE: usize = 256;
/// How many of them are applied before progress is told.
const ENTRIES_OF_A_STEP: usize = 32;

/// How long it waits before the database of the index is opened again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Keeps one index up with one journal. Recovery is the normal path: a start replays with the code
/// that runs all day.
#[derive(Debug)]
pub struct Follower {
    log: Arc<Log>,
    applier: Applier,
}

impl Follower {
    /// Takes up the index where it stands.
    pub fn new(log: Arc<Log>, index: Arc<Index>) -> Result<Self> {
        Ok(Self { log, applier: Applier::new(index)? })
    }

    /// Applies what the journal holds now, or what it can until `progress`, which gets the sequence after each step, ends
    /// it.
    pub fn catch_up(&mut self, mut progress: impl FnMut(u64) -> ControlFlow<()>) -> Result<()> {
        loop {
            let entries = self
                .log
                .read_blocking(self.applier.next_sequence(), ENTRIES_AT_ONCE)
                .map_err(|error| Error::internal("journal_read", error))?;
            if entries.is_empty() {
                return Ok(());
            }
            for step in entries.chunks(ENTRIES_OF_A_STEP) {
                self.applier.apply(step.iter().map(|logged| &logged.entry))?;
                if progress(self.applier.next_sequence() - 1).is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Applies what comes, until it is told to stop and has applied all that was appended, or
    /// until a fault, which is for the node to stop on: nothing is skipped.
    pub fn run(mut self, runtime: &tokio::runtime::Handle, stop: &CancellationToken) -> Result<()> {
        let mut head = self.log.watch();
        loop {
            self.keep_up(runtime, stop, |_| ControlFlow::Continue(()))?;
            let ended = runtime.block_on(async {
                tokio::select! {
                    changed = head.changed() => changed.is_err(),
                    () = stop.cancelled() => true,
                }
            });
            if ended {
                return self.keep_up(runtime, stop, |_| ControlFlow::Continue(()));
            }
        }
    }

    /// Like [`Self::catch_up`], over failures of the database.
    ///
    /// A database that fails is opened again, as often as it takes; once the node is told to stop, the next start
    /// goes on. Blocks.
    pub fn keep_up(
        &mut self,
        runtime: &tokio::runtime::Handle,
        stop: &CancellationToken,
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        while let Err(fault) = self.catch_up(|sequence| {
            pause = FIRST_PAUSE;
            progress(sequence)
        }) {
            if !self.applier.has_failed() {
                return Err(fault);
            }
            while self.applier.has_failed() {
                let waited = runtime
                    .block_on(async { stop.run_until_cancelled(tokio::time::sleep(pause)).await });
                if waited.is_none() {
                    return Ok(());
                }
                pause = LONGEST_PAUSE.min(pause * 2);
                if let Err(error) = self.applier.reopen_database() {
                    let source = error.source_text();
                    warn!(label = error.label(), source, "the index is not open again: {error}");
                }
            }
        }
        Ok(())
    }
}
