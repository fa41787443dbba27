//! The Prometheus metrics of a node: one struct, prefix `tipoff_`, base units. Those of the process have no prefix.
//!
//! Labels never contain values, notes, indicator ids or tokens.

mod calls;
mod identity;
mod labels;
#[cfg(target_os = "linux")]
mod process;
mod series;
mod text;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

pub use self::calls::{CallMetrics, EndedCall};
pub use self::identity::IdentityMetrics;
use self::labels::{Build, Denied, Partner, Reason, Rejected, Store, Subscription};
use self::series::CurrentSeries;
pub use self::text::Format;

/// Seconds since the epoch, or of a duration.
type Seconds = Gauge<f64, AtomicU64>;

/// All metrics of a node.
pub struct Metrics {
    registry: Registry,
    /// Requests and streams.
    pub calls: CallMetrics,
    /// The identity folder of the server.
    pub identity: IdentityMetrics,
    build: Family<Build, Gauge>,
    ready: Gauge,
    submitted: Counter,
    partner_submitted: Family<Partner, Counter>,
    partner_withdrawn: Family<Partner, Counter>,
    rejected: Family<Rejected, Counter>,
    append_seconds: Histogram,
    head: Gauge,
    index_checkpoint: Gauge,
    delivered: Counter,
    removals: Counter,
    streams: Gauge,
    slow_readers: Counter,
    lookups: Counter,
    denied: Family<Denied, Counter>,
    refused_connections: Family<Reason, Counter>,
    disk_bytes: Family<Store, Gauge>,
    disk_free_bytes: Gauge,
    journal_accepted_risks: Gauge,
    journal_confirmed: Seconds,
    lag_entries: CurrentSeries<Subscription, Gauge>,
    lag_seconds: CurrentSeries<Subscription, Seconds>,
    tips_overdue: Gauge,
}

/// How far a subscription is behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Lag {
    /// The partner that it belongs to.
    pub partner: String,
    /// Its name.
    pub subscription: String,
    /// Entries that it has not acknowledged.
    pub entries: u64,
    /// The age of the oldest of them; 0 if there is none, `None` if the journal cannot tell.
    pub seconds: Option<f64>,
}

impl Metrics {
    /// All metrics, initially zero.
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            calls: CallMetrics::default(),
            identity: IdentityMetrics::default(),
            build: Family::default(),
            ready: Gauge::default(),
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
            slow_readers: Counter::default(),
            lookups: Counter::default(),
            denied: Family::default(),
            refused_connections: Family::default(),
            disk_bytes: Family::default(),
            disk_free_bytes: Gauge::default(),
            journal_accepted_risks: Gauge::default(),
            journal_confirmed: Seconds::default(),
            lag_entries: CurrentSeries::default(),
            lag_seconds: CurrentSeries::default(),
            tips_overdue: Gauge::default(),
        };
        let mut registry = Registry::default();
        let ours = registry.sub_registry_with_prefix("tipoff");
        metrics.register_node(ours);
        metrics.register_exchange(ours);
        metrics.identity.register(ours);
        metrics.calls.register(ours);
        #[cfg(target_os = "linux")]
        registry.register_collector(Box::new(process::ProcessCollector));
        metrics.registry = registry;
        metrics
    }

    /// The metrics of the node: its build, stores and connections.
    fn register_node(&self, r: &mut Registry) {
        r.register(
            "build_info",
            "1, with the version and the commit as labels",
            self.build.clone(),
        );
        r.register("ready", "1 if the node takes requests, as /ready says", self.ready.clone());
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
        r.register_with_unit(
            "append",
            "Time from the arrival of a submission request to its receipt",
            Unit::Seconds,
            self.append_seconds.clone(),
        );
        r.register_with_unit("disk", "Size on disk", Unit::Bytes, self.disk_bytes.clone());
        r.register_with_unit(
            "disk_free",
            "Free space on the disk of the data folder",
            Unit::Bytes,
            self.disk_free_bytes.clone(),
        );
        r.register(
            "journal_accepted_risks",
            "Number of accepted risks of the servers and the stream of a shared journal",
            self.journal_accepted_risks.clone(),
        );
        r.register_with_unit(
            "journal_confirmed_age",
            "Time since the quorum of a shared journal confirmed the head; 0 without one",
            Unit::Seconds,
            self.journal_confirmed.clone(),
        );
        r.register(
            "refused_connections",
            "Refused connections, by reason",
            self.refused_connections.clone(),
        );
    }

    /// The metrics of what partners do.
    fn register_exchange(&self, r: &mut Registry) {
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
        r.register(
            "rejected",
            "Rejected items and requests, by partner and reason",
            self.rejected.clone(),
        );
        r.register("delivered", "Items sent to feeds", self.delivered.clone());
        r.register("removals", "Removals sent to feeds", self.removals.clone());
        r.register("streams", "Open feeds", self.streams.clone());
        r.register(
            "slow_readers",
            "Feeds and snapshots that ended because their reader left a message unread for too long",
            self.slow_readers.clone(),
        );
        r.register("lookups", "Values looked up", self.lookups.clone());
        r.register("denied", "Calls denied, by method and reason", self.denied.clone());
        r.register(
            "feed_lag_entries",
            "Entries that a subscription has not acknowledged",
            self.lag_entries.family(),
        );
        r.register_with_unit(
            "feed_lag",
            "Age of the oldest entry that a subscription has not acknowledged; 0 if there is none",
            Unit::Seconds,
            self.lag_seconds.family(),
        );
        r.register("tips_overdue", "Tip threads with an overdue answer", self.tips_overdue.clone());
    }

    /// Sets what was built.
    pub fn observe_build(&self, version: &'static str, commit: Option<&'static str>) {
        let build = Build { version, commit: commit.unwrap_or("unknown") };
        self.build.get_or_create(&build).set(1);
    }

    /// Sets whether the node takes requests.
    pub fn observe_ready(&self, is_ready: bool) {
        self.ready.set(i64::from(is_ready));
    }

    /// Counts accepted items.
    pub fn submitted(&self, items: u64) {
        self.submitted.inc_by(items);
    }

    /// Counts rejected items or a rejected request of a partner in the registry.
    pub fn rejected(&self, partner: &str, label: &'static str, count: u64) {
        if count > 0 {
            let labels = Rejected { partner: partner.to_owned(), label };
            self.rejected.get_or_create(&labels).inc_by(count);
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

    /// Counts a feed or a snapshot that ended because its reader was too slow.
    pub fn slow_reader_ended(&self) {
        self.slow_readers.inc();
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
        self.refused_connections.get_or_create(&Reason { label }).inc();
    }

    /// Sets the head of the journal and the checkpoint of the index.
    pub fn observe_positions(&self, head: u64, checkpoint: u64) {
        self.head.set(signed(head));
        self.index_checkpoint.set(signed(checkpoint));
    }

    /// Sets the size of a store on disk.
    pub fn observe_disk(&self, store: &'static str, bytes: u64) {
        self.disk_bytes.get_or_create(&Store { store }).set(signed(bytes));
    }

    /// Sets the free space on the disk of the data folder.
    pub fn observe_free_disk(&self, bytes: u64) {
        self.disk_free_bytes.set(signed(bytes));
    }

    /// Sets the age of the last confirmation of a shared journal's head, and the number of accepted risks.
    pub fn observe_shared_journal(&self, confirmed_ago_seconds: f64, accepted_risks: u64) {
        self.journal_confirmed.set(confirmed_ago_seconds);
        self.journal_accepted_risks.set(signed(accepted_risks));
    }

    /// Sets the lag of every subscription. Drops the series of deleted subscriptions.
    pub fn observe_lags(&self, lags: &[Lag]) {
        let labels = |lag: &Lag| Subscription {
            partner: lag.partner.clone(),
            subscription: lag.subscription.clone(),
        };
        let entries = lags.iter().map(|lag| (labels(lag), signed(lag.entries)));
        self.lag_entries.replace(entries, |gauge, entries| {
            gauge.set(entries);
        });
        let seconds = lags.iter().filter_map(|lag| Some((labels(lag), lag.seconds?)));
        self.lag_seconds.replace(seconds, |gauge, seconds| {
            gauge.set(seconds);
        });
    }

    /// Sets the number of tip threads with an overdue answer.
    pub fn observe_overdue(&self, threads: u64) {
        self.tips_overdue.set(signed(threads));
    }

    /// Encodes all metrics.
    pub fn encode(&self, format: Format) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encoding::text::encode(&mut text, &self.registry)?;
        Ok(match format {
            Format::OpenMetrics => text,
            Format::Prometheus => text::to_prometheus(&text),
        })
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
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
mod tests;
