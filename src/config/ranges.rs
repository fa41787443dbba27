//! The range and the unit of every number in the configuration.
//!
//! Code that multiplies, converts or allocates by a configured number relies on these ranges:
//! nothing overflows, and no number is 0 where 0 makes no sense. `docs/configuration.md` lists the
//! ranges; a test keeps the two in sync.

use std::fmt;
use std::ops::RangeInclusive;

use super::{Config, ConfigError};

/// A numeric setting.
#[derive(Debug)]
pub struct Number {
    /// Its key, including its table.
    pub key: &'static str,
    /// The allowed values.
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

/// Every numeric setting.
#[allow(clippy::cast_lossless)] // Some are usize, which has no `From` for u64. None is wider than 64 bits.
pub const NUMBERS: &[Number] = &[
    number!(server.drain_timeout_s, 0..=3_600, "s"),
    number!(storage.min_free_mb, 1..=1_000_000_000, "MB"),
    number!(storage.journal_cache_mb, 1..=1_000_000, "MB"),
    number!(storage.index_cache_mb, 1..=1_000_000, "MB"),
    number!(storage.tail_mb, 1..=1_000_000, "MB"),
    number!(storage.append_queue, 1..=1_000_000, "appends"),
    number!(storage.accesses_kept_days, 1..=36_500, "days"),
    number!(storage.withdrawals_kept_days, 1..=36_500, "days"),
    number!(jetstream.replicas, 1..=5, "servers"),
    number!(jetstream.max_gb, 1..=1_000_000, "GB"),
    // An append is retried for 10 s, and the servers must remember it until then.
    number!(jetstream.duplicate_window_s, 120..=600, "s"),
    number!(jetstream.connect_timeout_s, 1..=3_600, "s"),
    number!(requests.unary_timeout_s, 1..=3_600, "s"),
    // A journal entry is limited to 4 MB and is larger than the request that it stores.
    number!(requests.max_message_kb, 1..=4_096, "KB"),
    // 1,000 is the API's documented limit, and response sizes are computed from it.
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
    number!(connections.handshakes_per_address, 1..=1_000_000, "handshakes"),
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

/// Checks every number. The error names the first one out of range.
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

/// Formats the range: `1 to 1024 (KB)`.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, max) = (self.range.start(), self.range.end());
        write!(f, "{min} to {max} ({})", self.unit)
    }
}
