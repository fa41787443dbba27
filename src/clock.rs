//! The clock. Everything that needs the time gets it from here, so that tests can control it.

use std::fmt::Debug;
use std::time::Instant;

use crate::domain::Timestamp;

/// A source of time.
pub trait Clock: Send + Sync + Debug {
    /// The wall-clock time. May jump.
    fn now(&self) -> Timestamp;

    /// The monotonic time, for measuring durations.
    fn instant(&self) -> Instant;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[allow(clippy::disallowed_methods)] // The only place that reads the system's clock.
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
