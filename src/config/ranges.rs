//! The range and the unit of every number in the configuration, in one table.
//!
//! Whatever multiplies, converts or allocates by a number of the configuration relies on these ranges: none of them
//! overflows, and none is 0 where 0 would mean nothing. `docs/configuration.md` shows them, and a test holds the two
//! together.

use std::fmt;
use std::ops::RangeInclusive;

use super::{Config, ConfigError};

/// A number of the configuration.
#[derive(Debug)]
pub struct Number {
    /// Its key, with that of its table.
    pub key: &'static str,
    /// The values that it may have.
    pub range: RangeInclusive<u64>,
    /// Its unit, or what it counts.
    pub unit: &'static str,
    value: fn(&Config) -> u64,
}

macro_rules! number {
    ($table:ident . $key:ident, $range:expr, $unit:expr) => {
        Number {
            key: concat!(stringify!($table), ".", stringify!($key)),
            range: $range,
            unit: $unit,
            value: |config| config.$table.$key as u64,
        }
    };
}

/// Every number of the configuration.
#[allow(clippy::cast_lossless)] // Some are usize, which has no `From` for u64. None is wider than 64 bits.
pub const NUMBERS: &[Number] = &[
    number!(server.drain_timeout_s, 0..=3_600, "s"),
    number!(storage.min_free_mb, 1..=1_000_000_000, "MB"),
    number!(storage.journal_cache_mb, 1..=1_000_000, "MB"),
    number!(storage.index_cache_mb, 1..=1_000_000, "MB"),
    number!(storage.tail_mb, 1..=1_000_000, "MB"),
    number!(storage.append_queue, 1..=1_000_000, "appends"),
    number!(storage.accesses_kept_days, 1..=36_500, "days"),
    number!(requests.unary_timeout_s, 1..=3_600, "s"),
    // An entry of the journal has at most 4 MB, and holds more than the message that it was made of.
    number!(requests.max_message_kb, 1..=4_096, "KB"),
    // 1,000 is what the API promises at most, and what answers are bounded for.
    number!(requests.batch_items, 1..=1_000, "items"),
    number!(requests.lookup_values, 1..=1_000, "values"),
    number!(requests.batches_in_flight, 1..=10_000, "batches"),
    number!(requests.heartbeat_s, 1..=86_400, "s"),
    number!(requests.blocked_s, 1..=86_400, "s"),
    number!(requests.read_after_timeout_s, 0..=3_600, "s"),
    number!(requests.idle_close_s, 1..=31_536_000, "s"),
    number!(requests.subscriptions_per_partner, 0..=100_000, "subscriptions"),
    number!(connections.total, 1..=1_000_000, "connections"),
    number!(connections.per_identity, 1..=1_000_000, "connections"),
    number!(connections.per_address, 1..=1_000_000, "connections"),
    number!(connections.handshake_timeout_s, 1..=3_600, "s"),
    number!(connections.handshakes_in_flight, 1..=1_000_000, "handshakes"),
    number!(connections.first_request_timeout_s, 1..=3_600, "s"),
    number!(connections.concurrent_streams, 1..=1_000_000, "calls"),
    number!(connections.in_flight, 1..=1_000_000, "calls"),
    number!(connections.reset_streams, 0..=1_000_000, "streams"),
    number!(connections.pending_resets, 0..=1_000_000, "streams"),
    number!(connections.header_kb, 1..=1_024, "KB"),
    number!(connections.stream_window_kb, 1..=131_071, "KB"),
    // HTTP/2 allows a window of 2^31 - 1 bytes.
    number!(connections.connection_window_kb, 16..=2_097_151, "KB"),
    number!(connections.keepalive_s, 1..=86_400, "s"),
    number!(connections.keepalive_timeout_s, 1..=3_600, "s"),
    number!(connections.max_age_s, 1..=31_536_000, "s"),
    number!(connections.max_age_grace_s, 1..=86_400, "s"),
];

/// Checks every number against its range, and names the first that is outside.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let outside = NUMBERS.iter().find(|number| !number.range.contains(&(number.value)(config)));
    match outside {
        None => Ok(()),
        Some(number) => Err(ConfigError::Range {
            key: number.key,
            value: (number.value)(config),
            range: number.to_string(),
        }),
    }
}

/// `1 to 1024 (KB)`
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (least, most) = (self.range.start(), self.range.end());
        write!(f, "{least} to {most} ({})", self.unit)
    }
}
