//! Warns operators of partners that submit or withdraw far more than they usually do.

use std::collections::HashMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::PartnerId;
use crate::domain::activity::Hour;
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::sweeps::Sweeps;

/// Interval between runs of the sweep.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// A partner that does far more in the current hour than its mean of the days before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusualActivity {
    /// The partner.
    pub partner: PartnerId,
    /// What it does: `submitted` or `withdrawn`.
    pub action: &'static str,
    /// The number of objects in the current hour.
    pub count: u64,
    /// The mean of an hour.
    pub mean: u64,
}

impl Sweeps {
    /// Runs the sweep until `stop`. Logs each partner and action once an hour.
    pub async fn watch_activity(self, stop: CancellationToken) {
        let mut logged: HashMap<(PartnerId, &'static str), Hour> = HashMap::new();
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP_INTERVAL)).await.is_some() {
            let hour = Hour::of(self.core.clock.now());
            match self.core.blocking(Self::unusual_activity_of).await {
                Ok(unusual) => {
                    for UnusualActivity { partner, action, count, mean } in unusual {
                        if logged.insert((partner.clone(), action), hour) != Some(hour) {
                            warn!(%partner, action, count, mean, "unusual activity of a partner");
                        }
                    }
                }
                Err(error) => {
                    let source = error.source_text();
                    warn!(label = error.label(), source, "activity was not checked: {error}");
                }
            }
        }
    }

    /// The partners whose current hour is unusual.
    pub fn unusual_activity(&self) -> Result<Vec<UnusualActivity>> {
        Self::unusual_activity_of(&self.core)
    }

    fn unusual_activity_of(core: &Core) -> Result<Vec<UnusualActivity>> {
        let (view, now) = (core.index.read()?, Hour::of(core.clock.now()));
        let mut found = Vec::new();
        for partner in view.registry().partners() {
            let recent = view.recent_activity(&partner.id, now)?;
            let mean = recent.mean();
            let mut add = |action, count, mean| {
                let partner = partner.id.clone();
                found.push(UnusualActivity { partner, action, count, mean });
            };
            if recent.submits_unusually_many() {
                add("submitted", recent.current.submitted, mean.submitted);
            }
            if recent.withdraws_unusually_many() {
                add("withdrawn", recent.current.withdrawn, mean.withdrawn);
            }
        }
        Ok(found)
    }
}
