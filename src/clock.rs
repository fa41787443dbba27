//! Time comes in through here.

use std::fmt::Debug;
use std::time::Instant;

use crate::domain::Timestamp;

/// Where the service has its time from.
pub trait Clock: Send + Sync + Debug {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// A time that only goes forward, for measuring how long something took.
    fn instant(&self) -> Instant;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[allow(clippy::disallowed_methods)] // The one place where the machine is asked.
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    fn instant(&self) -> Instant {
        Instant::now()
    }
}
