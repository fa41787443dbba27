//! Samples log lines that anyone can cause without bound, such as refused connections: one line a minute for each label
//! and source is written, and the others are counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two written lines of the same label and source.
pub const INTERVAL: Duration = Duration::from_secs(60);
/// Maximum number of labels with a source that are counted separately. All others count as the source [`OTHERS`].
const MAX_SOURCES: usize = 1_024;
/// The source of lines above [`MAX_SOURCES`].
const OTHERS: &str = "others";

/// Decides which lines are written.
#[derive(Debug, Default)]
pub struct SampledLog {
    sampled: Mutex<HashMap<(&'static str, String), Sample>>,
}

/// The lines of one label and source.
#[derive(Debug)]
struct Sample {
    /// When a line was last written.
    last_written: Instant,
    /// Number of lines that were not written since the last report.
    suppressed: u64,
}

/// Lines of one label and source that were not written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuppressedLines {
    /// The label of the metric or the error.
    pub label: &'static str,
    /// The address or partner.
    pub source: String,
    /// The number of lines.
    pub count: u64,
}

impl SampledLog {
    /// Whether to write a line. If not, it is counted.
    pub fn is_due(&self, now: Instant, label: &'static str, source: &str) -> bool {
        let mut sampled = self.sampled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = (label, source.to_owned());
        if !sampled.contains_key(&key) && sampled.len() >= MAX_SOURCES {
            OTHERS.clone_into(&mut key.1);
        }
        match sampled.get_mut(&key) {
            Some(sample) if now.duration_since(sample.last_written) < INTERVAL => {
                sample.suppressed += 1;
                false
            }
            Some(sample) => {
                sample.last_written = now;
                true
            }
            None => {
                sampled.insert(key, Sample { last_written: now, suppressed: 0 });
                true
            }
        }
    }

    /// The lines that were not written since the last call, ordered by label and source. Call it once in [`INTERVAL`].
    pub fn take_suppressed(&self, now: Instant) -> Vec<SuppressedLines> {
        let mut sampled = self.sampled.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Vec::new();
        sampled.retain(|(label, source), sample| {
            let count = std::mem::take(&mut sample.suppressed);
            if count > 0 {
                taken.push(SuppressedLines { label, source: source.clone(), count });
            }
            now.duration_since(sample.last_written) < INTERVAL
        });
        taken.sort();
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, SystemClock};

    #[test]
    fn one_line_a_minute_is_written_and_the_others_are_counted() {
        let (log, start) = (SampledLog::default(), SystemClock.instant());
        assert!(log.is_due(start, "timeout", "192.0.2.1"));
        assert!(!log.is_due(start, "timeout", "192.0.2.1"));
        assert!(!log.is_due(start + INTERVAL / 2, "timeout", "192.0.2.1"));
        assert!(
            log.is_due(start, "timeout", "192.0.2.2") && log.is_due(start, "failed", "192.0.2.1")
        );
        let suppressed = SuppressedLines { label: "timeout", source: "192.0.2.1".into(), count: 2 };
        assert_eq!(log.take_suppressed(start + INTERVAL), [suppressed]);
        assert_eq!(log.take_suppressed(start + INTERVAL), []);
        assert!(log.is_due(start + INTERVAL, "timeout", "192.0.2.1"));
    }

    #[test]
    fn many_sources_take_bounded_memory() {
        let (log, now) = (SampledLog::default(), SystemClock.instant());
        let written = (0..10_000).filter(|i| log.is_due(now, "timeout", &i.to_string())).count();
        assert_eq!(written, MAX_SOURCES + 1);
        let others = log.take_suppressed(now);
        assert_eq!(others[0].source, OTHERS);
        assert_eq!(others[0].count, 10_000 - written as u64);
    }
}
