//! The Prometheus metrics of a node: one struct, prefix `tipoff_`, base units.
//!
//! Labels never contain values, notes, indicator ids or tokens.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

/// All metrics of a node.
pub struct Metrics {
    registry: Registry,
    submitted: Counter,
    partner_submitted: Family<Partner, Counter>,
    partner_withdrawn: Family<Partner, Counter>,
    rejected: Family<Label, Counter>,
    append_seconds: Histogram,
    head: Gauge,
    index_checkpoint: Gauge,
    delivered: Counter,
    removals: Counter,
    streams: Gauge,
    lookups: Counter,
    denied: Family<Denied, Counter>,
    refused_connections: Family<Label, Counter>,
    certificate_expiry_seconds: Gauge<f64, AtomicU64>,
    revocation_list_expiry_seconds: Gauge<f64, AtomicU64>,
    identity_reload_failed: Gauge,
    disk_bytes: Family<Store, Gauge>,
    lag_entries: Family<Subscription, Gauge>,
    tips_overdue: Gauge,
    /// The subscriptions whose lag is currently exported.
    exported_lags: Mutex<BTreeSet<Subscription>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    label: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Denied {
    method: &'static str,
    label: &'static str,
}

/// The number of partners is limited by the registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Partner {
    partner: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Store {
    store: &'static str,
}

/// The number of subscriptions per partner is limited, so the number of label sets is too.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
struct Subscription {
    partner: String,
    subscription: String,
}

impl Metrics {
    /// All metrics, initially zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("tipoff"),
            submitted: Counter::default(),
            partner_submitted: Family::default(),
            partner_withdrawn: Family::default(),
            rejected: Family::default(),
            append_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            head: Gauge::default(),
            index_checkpoint: Gauge::default(),
            delivered: Counter::default(),
            removals: Counter::default(),
            streams: Gauge::default(),
            lookups: Counter::default(),
            denied: Family::default(),
            refused_connections: Family::default(),
            certificate_expiry_seconds: Gauge::default(),
            revocation_list_expiry_seconds: Gauge::default(),
            identity_reload_failed: Gauge::default(),
            disk_bytes: Family::default(),
            lag_entries: Family::default(),
            tips_overdue: Gauge::default(),
            exported_lags: Mutex::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let Self { registry: r, .. } = self;
        r.register("submitted", "Accepted items of submissions", self.submitted.clone());
        r.register(
            "partner_submitted",
            "Accepted items of submissions of a partner, since it was enrolled; the same on every node",
            self.partner_submitted.clone(),
        );
        r.register(
            "partner_withdrawn",
            "Assessments that a partner withdrew, since it was enrolled; the same on every node",
            self.partner_withdrawn.clone(),
        );
        r.register("rejected", "Rejected items and requests, by reason", self.rejected.clone());
        r.register_with_unit(
            "append",
            "Time from the arrival of a submission request to its receipt",
            Unit::Seconds,
            self.append_seconds.clone(),
        );
        r.register(
            "head",
            "Sequence of the newest durable entry of the journal",
            self.head.clone(),
        );
        r.register(
            "index_checkpoint",
            "Sequence of the last entry that the index has applied",
            self.index_checkpoint.clone(),
        );
        r.register("delivered", "Items sent to feeds", self.delivered.clone());
        r.register("removals", "Removals sent to feeds", self.removals.clone());
        r.register("streams", "Open feeds", self.streams.clone());
        r.register("lookups", "Values looked up", self.lookups.clone());
        r.register("denied", "Calls denied, by method and reason", self.denied.clone());
        r.register(
            "refused_connections",
            "Refused connections, by reason",
            self.refused_connections.clone(),
        );
        r.register_with_unit(
            "certificate_expiry_timestamp",
            "Expiry of the server's certificate, as time since the epoch",
            Unit::Seconds,
            self.certificate_expiry_seconds.clone(),
        );
        r.register_with_unit(
            "revocation_list_expiry_timestamp",
            "Expiry of the first revocation list, as time since the epoch; 0 without a list",
            Unit::Seconds,
            self.revocation_list_expiry_seconds.clone(),
        );
        r.register(
            "identity_reload_failed",
            "1 if the last reload of the identity folder failed: certificates and revocation lists may be outdated",
            self.identity_reload_failed.clone(),
        );
        r.register_with_unit("disk", "Size on disk", Unit::Bytes, self.disk_bytes.clone());
        r.register(
            "feed_lag_entries",
            "Entries that a subscription has not acknowledged",
            self.lag_entries.clone(),
        );
        r.register("tips_overdue", "Tip threads with an overdue answer", self.tips_overdue.clone());
    }

    /// Counts accepted items.
    pub fn submitted(&self, items: u64) {
        self.submitted.inc_by(items);
    }

    /// Counts rejected items or a rejected request.
    pub fn rejected(&self, label: &'static str, count: u64) {
        if count > 0 {
            self.rejected.get_or_create(&Label { label }).inc_by(count);
        }
    }

    /// Sets what a partner has submitted and withdrawn since it was enrolled.
    pub fn observe_partner(&self, partner: &str, submitted: u64, withdrawn: u64) {
        let labels = Partner { partner: partner.to_owned() };
        for (family, total) in
            [(&self.partner_submitted, submitted), (&self.partner_withdrawn, withdrawn)]
        {
            family.get_or_create(&labels).inner().store(total, Ordering::Relaxed);
        }
    }

    /// Records the duration from a submission's arrival to its receipt.
    pub fn appended(&self, seconds: f64) {
        self.append_seconds.observe(seconds);
    }

    /// Counts removals sent to a feed.
    pub fn removed(&self, versions: u64) {
        self.removals.inc_by(versions);
    }

    /// Counts items sent to a feed.
    pub fn delivered(&self, items: u64) {
        self.delivered.inc_by(items);
    }

    /// Counts an opened feed.
    pub fn stream_opened(&self) {
        self.streams.inc();
    }

    /// Counts a closed feed.
    pub fn stream_closed(&self) {
        self.streams.dec();
    }

    /// Counts looked-up values.
    pub fn lookups(&self, values: u64) {
        self.lookups.inc_by(values);
    }

    /// Counts a denied call. `method` is from the method table, or `unknown`; `label` is that of the error.
    pub fn denied(&self, method: &'static str, label: &'static str) {
        self.denied.get_or_create(&Denied { method, label }).inc();
    }

    /// Counts a refused connection.
    pub fn refused_connection(&self, label: &'static str) {
        self.refused_connections.get_or_create(&Label { label }).inc();
    }

    /// Sets the head of the journal and the checkpoint of the index.
    pub fn observe_positions(&self, head: u64, checkpoint: u64) {
        self.head.set(i64::try_from(head).unwrap_or(i64::MAX));
        self.index_checkpoint.set(i64::try_from(checkpoint).unwrap_or(i64::MAX));
    }

    /// Sets the size of a store on disk.
    pub fn observe_disk(&self, store: &'static str, bytes: u64) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.disk_bytes.get_or_create(&Store { store }).set(bytes);
    }

    /// Sets the lag of every subscription, by partner and name. Drops the series of deleted
    /// subscriptions.
    pub fn observe_lags(&self, lags: impl Iterator<Item = (String, String, u64)>) {
        let mut exported = self.exported_lags.lock().unwrap_or_else(PoisonError::into_inner);
        let mut deleted = std::mem::take(&mut *exported);
        for (partner, subscription, lag) in lags {
            let labels = Subscription { partner, subscription };
            let lag = i64::try_from(lag).unwrap_or(i64::MAX);
            self.lag_entries.get_or_create(&labels).set(lag);
            deleted.remove(&labels);
            exported.insert(labels);
        }
        for labels in deleted {
            self.lag_entries.remove(&labels);
        }
    }

    /// Sets the number of tip threads with an overdue answer.
    pub fn observe_overdue(&self, threads: u64) {
        self.tips_overdue.set(i64::try_from(threads).unwrap_or(i64::MAX));
    }

    /// Sets the expiry of the server's certificate.
    #[allow(clippy::cast_precision_loss)] // Seconds since the epoch are far below 2^53.
    pub fn observe_certificate(&self, not_after_ms: i64) {
        self.certificate_expiry_seconds.set(not_after_ms as f64 / 1000.0);
    }

    /// Sets when the first revocation list expires.
    #[allow(clippy::cast_precision_loss)] // Seconds since the epoch are far below 2^53.
    pub fn observe_revocation_list(&self, end_ms: i64) {
        self.revocation_list_expiry_seconds.set(end_ms as f64 / 1000.0);
    }

    /// Sets whether the last reload of the identity folder failed.
    pub fn observe_identity_reload(&self, failed: bool) {
        self.identity_reload_failed.set(i64::from(failed));
    }

    /// Encodes all metrics in the `OpenMetrics` text format.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_written_with_its_prefix_and_help() {
        let metrics = Metrics::new();
        metrics.submitted(3);
        metrics.rejected("item", 2);
        metrics.denied("unknown", "method_denied");
        let text = metrics.encode().unwrap();
        assert!(text.contains("tipoff_submitted_total 3"), "{text}");
        metrics.observe_partner("birdsite", 7, 2);
        metrics.observe_partner("birdsite", 9, 2);
        let text = metrics.encode().unwrap();
        let line = "tipoff_partner_submitted_total{partner=\"birdsite\"} 9";
        assert!(text.contains(line), "{text}");
        let line = "tipoff_partner_withdrawn_total{partner=\"birdsite\"} 2";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("tipoff_rejected_total{label=\"item\"} 2"), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.starts_with("tipoff_"), "{line}");
        }
    }

    #[test]
    fn a_lag_is_shown_for_as_long_as_its_subscription_is_there() {
        let metrics = Metrics::new();
        let lag = |name: &str, lag| ("birdsite".to_owned(), name.to_owned(), lag);
        metrics.observe_lags([lag("a", 3), lag("b", 4)].into_iter());
        metrics.observe_lags([lag("b", 1)].into_iter());
        let text = metrics.encode().unwrap();
        let line = "tipoff_feed_lag_entries{partner=\"birdsite\",subscription=\"b\"} 1";
        assert!(text.contains(line), "{text}");
        assert!(!text.contains("subscription=\"a\""), "{text}");
    }
}
