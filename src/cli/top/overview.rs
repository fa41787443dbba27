//! What `tipoff top` shows, computed from the metrics of two or three moments.

use std::collections::BTreeMap;

use serde::Serialize;

use super::exposition::{Exposition, Sample};
use super::fetch::Readiness;
use crate::cli::text;
use crate::domain::Timestamp;

/// The metrics between which rates and latencies are computed.
#[derive(Debug)]
pub struct Interval<'a> {
    /// The start of the time for latencies.
    pub latency_from: &'a Exposition,
    /// The start of the time for rates.
    pub from: &'a Exposition,
    /// The end of both.
    pub until: &'a Exposition,
    /// From `from` to `until`.
    pub seconds: f64,
}

/// A node at a moment.
#[derive(Debug, Serialize)]
pub struct Overview {
    pub version: String,
    pub commit: String,
    pub up_s: Option<f64>,
    pub ready: bool,
    /// Why it is not ready.
    pub reason: Option<String>,
    pub interval_s: f64,
    pub per_second: Rates,
    /// By calls per second, the busiest first.
    pub methods: Vec<MethodCalls>,
    /// By lag, the largest first.
    pub subscriptions: Vec<SubscriptionLag>,
    pub open_streams: u64,
    /// Entries that the index lacks.
    pub index_behind: u64,
    pub disk: Disk,
    pub process: Process,
    /// The certificate and the revocation lists, by expiry, the first one first.
    pub expiries: Vec<Expiry>,
}

/// Numbers per second.
#[derive(Debug, Serialize)]
pub struct Rates {
    pub submitted: f64,
    pub delivered: f64,
    pub lookups: f64,
    pub rejected: f64,
    pub denied: f64,
    pub requests: f64,
    /// Requests and streams that ended with a code that is the fault of the exchange.
    pub failed: f64,
}

/// Unary calls of a method.
#[derive(Debug, Serialize)]
pub struct MethodCalls {
    pub method: String,
    pub per_second: f64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// How far a subscription is behind.
#[derive(Debug, Serialize)]
pub struct SubscriptionLag {
    pub partner: String,
    pub subscription: String,
    pub lag_entries: u64,
    pub lag_s: Option<f64>,
}

/// Sizes in bytes.
#[derive(Debug, Serialize)]
#[allow(clippy::struct_field_names)] // Each number has its unit.
pub struct Disk {
    pub journal_bytes: Option<u64>,
    pub index_bytes: Option<u64>,
    pub free_bytes: Option<u64>,
}

/// What the process uses.
#[derive(Debug, Serialize)]
pub struct Process {
    /// Processor cores.
    pub cpu_cores: Option<f64>,
    pub resident_bytes: Option<u64>,
    pub open_files: Option<u64>,
    pub max_files: Option<u64>,
}

/// When the certificate or a revocation list expires.
#[derive(Debug, Serialize)]
pub struct Expiry {
    /// `certificate` or `revocation list`.
    pub what: &'static str,
    /// Of a revocation list.
    pub issuer: Option<String>,
    pub expires_at: String,
    pub left_s: f64,
}

/// The codes that are the fault of the exchange, as in the alerts. `UNIMPLEMENTED` is what callers get for a wrong method.
const FAULTS: &[&str] = &["UNKNOWN", "DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];

const CALLS: &str = "tipoff_request_duration_seconds";

impl Overview {
    /// A node at the end of an interval.
    pub fn of(interval: &Interval<'_>, readiness: &Readiness, now: Timestamp) -> Self {
        let last = interval.until;
        let build = last.named("tipoff_build_info").next();
        let build = |label| build.map(|build| build.label(label).to_owned()).unwrap_or_default();
        let disk = |store| {
            let of_store = |sample: &&Sample| sample.label("store") == store;
            last.named("tipoff_disk_bytes").find(of_store).map(|sample| whole(sample.value))
        };
        let number = |name| last.value(name).map(whole);
        let head = number("tipoff_head").unwrap_or_default();
        Self {
            version: build("version"),
            commit: build("commit"),
            up_s: last
                .value("process_start_time_seconds")
                .map(|start| (seconds(now) - start).max(0.0)),
            ready: readiness.is_ok(),
            reason: readiness.clone().err(),
            interval_s: interval.seconds,
            per_second: rates(interval),
            methods: methods(interval),
            subscriptions: subscriptions(last),
            open_streams: number("tipoff_streams").unwrap_or_default(),
            index_behind: head.saturating_sub(number("tipoff_index_checkpoint").unwrap_or(head)),
            disk: Disk {
                journal_bytes: disk("journal"),
                index_bytes: disk("index"),
                free_bytes: number("tipoff_disk_free_bytes"),
            },
            process: Process {
                cpu_cores: last
                    .value("process_cpu_seconds_total")
                    .map(|_| interval.rate("process_cpu_seconds_total", |_| true)),
                resident_bytes: number("process_resident_memory_bytes"),
                open_files: number("process_open_fds"),
                max_files: number("process_max_fds"),
            },
            expiries: expiries(last, now),
        }
    }
}

impl Interval<'_> {
    /// The increase per second of those series of a counter that are wanted.
    fn rate(&self, name: &str, is_wanted: impl Fn(&Sample) -> bool) -> f64 {
        let wanted = self.until.named(name).filter(|sample| is_wanted(sample));
        // A sum of nothing is -0.
        let increase = wanted.map(|sample| increase(self.from, sample)).fold(0.0, |a, b| a + b);
        if self.seconds > 0.0 { increase / self.seconds } else { 0.0 }
    }
}

/// The increase of a series of a counter since an earlier scrape. A series that was not there began at 0, and one that
/// fell began again with the process.
fn increase(earlier: &Exposition, sample: &Sample) -> f64 {
    let before = earlier.named(&sample.name).find(|one| one.labels == sample.labels);
    let before = before.map_or(0.0, |one| one.value);
    if sample.value >= before { sample.value - before } else { sample.value }
}

fn rates(interval: &Interval<'_>) -> Rates {
    let all = |_: &Sample| true;
    Rates {
        submitted: interval.rate("tipoff_submitted_total", all),
        delivered: interval.rate("tipoff_delivered_total", all),
        lookups: interval.rate("tipoff_lookups_total", all),
        rejected: interval.rate("tipoff_rejected_total", all),
        denied: interval.rate("tipoff_denied_total", all),
        requests: interval.rate("tipoff_requests_total", all),
        failed: interval
            .rate("tipoff_requests_total", |sample| FAULTS.contains(&sample.label("code"))),
    }
}

fn methods(interval: &Interval<'_>) -> Vec<MethodCalls> {
    let counts = format!("{CALLS}_count");
    let mut methods: Vec<_> = interval
        .until
        .named(&counts)
        .filter(|sample| increase(interval.latency_from, sample) > 0.0)
        .map(|sample| {
            let full_name = sample.label("method");
            let buckets = buckets(interval, full_name);
            let quantile_ms = |q| quantile(&buckets, q).map(|seconds| seconds * 1000.0);
            let name = full_name.strip_prefix("/tipoff.v1.").unwrap_or(full_name);
            MethodCalls {
                method: name.trim_start_matches('/').to_owned(),
                per_second: interval.rate(&counts, |one| one.labels == sample.labels),
                p50_ms: quantile_ms(0.5),
                p99_ms: quantile_ms(0.99),
            }
        })
        .collect();
    methods.sort_by(|a, b| {
        b.per_second.total_cmp(&a.per_second).then_with(|| a.method.cmp(&b.method))
    });
    methods
}

/// The upper bounds of the buckets of a method in ascending order, each with the number of calls up to it.
fn buckets(interval: &Interval<'_>, method: &str) -> Vec<(f64, f64)> {
    let name = format!("{CALLS}_bucket");
    let of_method = interval.until.named(&name).filter(|sample| sample.label("method") == method);
    let mut buckets: Vec<(f64, f64)> = of_method
        .filter_map(|it| Some((it.label("le").parse().ok()?, increase(interval.latency_from, it))))
        .collect();
    buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    buckets
}

/// A quantile, as `histogram_quantile` of Prometheus computes it: calls are spread evenly within their bucket, and those
/// above the last bound count as that.
fn quantile(buckets: &[(f64, f64)], q: f64) -> Option<f64> {
    let total = buckets.last()?.1;
    if total <= 0.0 {
        return None;
    }
    let rank = q * total;
    let at = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (lower, below) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
    let (upper, count) = buckets[at];
    if upper.is_infinite() {
        return Some(lower);
    }
    let inside = count - below;
    Some(if inside > 0.0 { lower + (upper - lower) * (rank - below) / inside } else { lower })
}

fn subscriptions(metrics: &Exposition) -> Vec<SubscriptionLag> {
    let ages = metrics.named("tipoff_feed_lag_seconds");
    let ages: BTreeMap<_, _> = ages.map(|sample| (&sample.labels, sample.value)).collect();
    let mut subscriptions: Vec<_> = metrics
        .named("tipoff_feed_lag_entries")
        .map(|sample| SubscriptionLag {
            partner: sample.label("partner").to_owned(),
            subscription: sample.label("subscription").to_owned(),
            lag_entries: whole(sample.value),
            lag_s: ages.get(&sample.labels).copied(),
        })
        .collect();
    subscriptions.sort_by(|a, b| {
        b.lag_entries
            .cmp(&a.lag_entries)
            .then_with(|| (&a.partner, &a.subscription).cmp(&(&b.partner, &b.subscription)))
    });
    subscriptions
}

fn expiries(metrics: &Exposition, now: Timestamp) -> Vec<Expiry> {
    let certificate = metrics.named("tipoff_certificate_expiry_timestamp_seconds");
    let lists = metrics.named("tipoff_revocation_list_expiry_timestamp_seconds");
    let all = certificate
        .map(|sample| ("certificate", None, sample.value))
        .chain(lists.map(|it| ("revocation list", Some(it.label("issuer").to_owned()), it.value)));
    // 0 is none, in versions that had one series for all lists.
    let mut all: Vec<_> = all
        .filter(|(_, _, end)| *end > 0.0)
        .map(|(what, issuer, end)| Expiry {
            what,
            issuer,
            expires_at: text::instant(i64::try_from(whole(end)).unwrap_or(i64::MAX)),
            left_s: end - seconds(now),
        })
        .collect();
    all.sort_by(|a, b| a.left_s.total_cmp(&b.left_s));
    all
}

/// A count, without its fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // What is out of range becomes the nearest.
pub fn whole(value: f64) -> u64 {
    value as u64
}

#[allow(clippy::cast_precision_loss)] // Milliseconds since the epoch are far below 2^53.
fn seconds(time: Timestamp) -> f64 {
    time.as_millis() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_prometheus() {
        // As promtool computes histogram_quantile over the same buckets.
        let buckets = [(0.1, 10.0), (0.2, 30.0), (0.4, 40.0), (f64::INFINITY, 40.0)];
        let near = |q: f64, expected: f64| {
            let found = quantile(&buckets, q).unwrap();
            assert!((found - expected).abs() < 1e-9, "{q}: {found}");
        };
        near(0.25, 0.1);
        near(0.5, 0.15);
        near(0.99, 0.392);
        let above = [(0.1, 1.0), (f64::INFINITY, 4.0)];
        assert_eq!(quantile(&above, 0.99), Some(0.1), "above the last bound");
        assert_eq!(quantile(&[(0.1, 0.0), (f64::INFINITY, 0.0)], 0.5), None, "no calls");
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn a_counter_that_began_again_is_not_negative() {
        let read = |text| Exposition::parse(text).unwrap();
        let before = read("a_total{b=\"1\"} 100\n");
        let after = read("a_total{b=\"1\"} 4\na_total{b=\"2\"} 6\n");
        let interval =
            Interval { latency_from: &before, from: &before, until: &after, seconds: 2.0 };
        let rate = interval.rate("a_total", |_| true);
        assert!((rate - 5.0).abs() < 1e-9, "{rate}");
    }
}
