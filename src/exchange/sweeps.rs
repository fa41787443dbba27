//! Sweeps: periodic work of the exchange itself. Any node may run them: the id of each entry is derived from its
//! content, so the entry is stored once.

mod activity;
mod expiry;
mod idle_close;
mod lists;
mod referral;
mod release_expiry;
mod reopening;
mod retention;

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};

pub use self::activity::UnusualActivity;
use crate::domain::Timestamp;
use crate::domain::entry::{AppendId, Body};
use crate::error::Result;
use crate::exchange::core::Core;

/// Runs the periodic work.
#[derive(Clone, Debug)]
pub struct Sweeps {
    core: Arc<Core>,
}

impl Sweeps {
    pub(in crate::exchange) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Commits an entry of the exchange itself.
    async fn commit_own(&self, id: AppendId, body: Body) -> Result<()> {
        self.core.commit(id, None, body).await?;
        Ok(())
    }

    /// The time that was this long ago.
    fn ago(&self, age: Duration) -> Timestamp {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.core.clock.now().as_millis().saturating_sub(age))
    }
}

/// Logs one run of a sweep: how many objects it handled, or why it failed. The next run tries again.
fn log_result(sweep: &'static str, result: Result<usize>) {
    match result {
        Ok(0) => {}
        Ok(count) => info!(sweep, count, "sweep done"),
        // The journal logs a full disk once.
        Err(error) if error.label() == "storage_full" => debug!(sweep, "sweep failed: {error}"),
        Err(error) => {
            let (label, source) = (error.label(), error.source_text());
            warn!(sweep, label, source, "sweep failed: {error}");
        }
    }
}
