//! The follower: applies each new entry of the journal to the index, in order.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::error::{Error, Result};
use crate::index::{Applier, Index};
use crate::journal::Log;

/// The most entries per read from the journal. Bounds memory.
const READ_BATCH: usize = 256;
/// The most entries that are applied before progress is reported.
const APPLY_BATCH: usize = 32;

/// The first wait before a failed index database is reopened. It doubles with each failure.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
/// The longest wait between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Keeps the index up to date with the journal. There is no separate recovery path: after a restart, the same code
/// continues from the checkpoint.
#[derive(Debug)]
pub struct Follower {
    log: Arc<Log>,
    applier: Applier,
}

impl Follower {
    /// A follower that continues from the checkpoint of the index.
    pub fn new(log: Arc<Log>, index: Arc<Index>) -> Result<Self> {
        Ok(Self { log, applier: Applier::new(index)? })
    }

    /// Applies all entries that the journal has. Calls `progress` with the last applied sequence after each batch, and
    /// stops if it returns `Break`.
    pub fn catch_up(&mut self, mut progress: impl FnMut(u64) -> ControlFlow<()>) -> Result<()> {
        loop {
            let entries = self
                .log
                .read_blocking(self.applier.next_sequence(), READ_BATCH)
                .map_err(|error| Error::internal("journal_read", error))?;
            if entries.is_empty() {
                return Ok(());
            }
            for batch in entries.chunks(APPLY_BATCH) {
                self.applier.apply(batch.iter().map(|logged| &logged.entry))?;
                if progress(self.applier.next_sequence() - 1).is_break() {
                    return Ok(());
                }
            }
        }
    }

    /// Applies entries as they are appended, until `stop` is cancelled and all appended entries are applied. An error
    /// must stop the node, since an entry is never skipped.
    pub fn run(mut self, runtime: &tokio::runtime::Handle, stop: &CancellationToken) -> Result<()> {
        let mut head = self.log.watch();
        loop {
            self.keep_up(runtime, stop, |_| ControlFlow::Continue(()))?;
            let is_last = runtime.block_on(async {
                tokio::select! {
                    changed = head.changed() => changed.is_err(),
                    () = stop.cancelled() => true,
                }
            });
            if is_last {
                return self.keep_up(runtime, stop, |_| ControlFlow::Continue(()));
            }
        }
    }

    /// Like [`Self::catch_up`], but reopens the index database if it fails, until that succeeds or `stop` is cancelled.
    /// Blocks.
    pub fn keep_up(
        &mut self,
        runtime: &tokio::runtime::Handle,
        stop: &CancellationToken,
        mut progress: impl FnMut(u64) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut backoff = INITIAL_BACKOFF;
        while let Err(error) = self.catch_up(|sequence| {
            backoff = INITIAL_BACKOFF;
            progress(sequence)
        }) {
            if !self.applier.has_failed() {
                return Err(error);
            }
            while self.applier.has_failed() {
                let slept = runtime.block_on(async {
                    stop.run_until_cancelled(tokio::time::sleep(backoff)).await
                });
                if slept.is_none() {
                    return Ok(());
                }
                backoff = MAX_BACKOFF.min(backoff * 2);
                if let Err(error) = self.applier.reopen_database() {
                    let source = error.source_text();
                    warn!(label = error.label(), source, "the index is not open again: {error}");
                }
            }
        }
        Ok(())
    }
}
