//! A settable clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use tipoff::clock::{Clock, SystemClock};
use tipoff::domain::Timestamp;

/// The system time at its creation, plus what was added since.
#[derive(Debug)]
pub struct SetClock(AtomicI64);

impl SetClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(SystemClock.now().as_millis())))
    }

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn instant(&self) -> Instant {
        SystemClock.instant()
    }
}

/// A stopwatch.
pub struct Stopwatch(Instant);

/// Starts a stopwatch.
pub fn stopwatch() -> Stopwatch {
    Stopwatch(SystemClock.instant())
}

impl Stopwatch {
    pub fn elapsed(&self) -> Duration {
        SystemClock.instant().duration_since(self.0)
    }
}
