//! Counts what a follower received, and when.

use std::collections::{BTreeMap, HashSet};

use super::super::submit::Submittable;
use super::super::text;
use crate::domain::Timestamp;
use crate::wire::pb;

/// What one follower received.
pub struct Tally {
    partner: &'static str,
    received: usize,
    versions: HashSet<(u64, u32)>,
    values: Vec<(i32, String, String)>,
    latencies_ms: Vec<i64>,
    /// How often its feed reconnected.
    pub reconnects: u64,
}

impl Tally {
    /// An empty tally.
    pub fn new(partner: &'static str) -> Self {
        Self {
            partner,
            received: 0,
            versions: HashSet::new(),
            values: Vec::new(),
            latencies_ms: Vec::new(),
            reconnects: 0,
        }
    }

    /// Records an item that arrived at `now`.
    pub fn record(&mut self, item: &pb::FeedItem, now: Timestamp) {
        self.received += 1;
        let version = item.version.unwrap_or_default();
        if !self.versions.insert((version.sequence, version.index)) {
            return;
        }
        let accepted = item.accepted_at.unwrap_or_default();
        let accepted = accepted.seconds * 1000 + i64::from(accepted.nanos) / 1_000_000;
        self.latencies_ms.push(now.as_millis() - accepted);
        let indicator = item.indicator.clone().unwrap_or_default();
        self.values.push((indicator.kind, indicator.platform, indicator.value));
    }

    /// Number of distinct versions.
    pub fn distinct(&self) -> usize {
        self.versions.len()
    }

    /// Number of items that are not in the report.
    pub fn unknown(&self, report: &Submittable) -> usize {
        let sent: HashSet<_> =
            report.items.iter().map(|item| (item.kind, &item.platform, &item.value)).collect();
        self.values.iter().filter(|(kind, p, v)| !sent.contains(&(*kind, p, v))).count()
    }

    /// Its row in the table.
    pub fn row(mut self, accepted: usize) -> [String; 8] {
        self.latencies_ms.sort_unstable();
        let at = |index: usize| {
            self.latencies_ms.get(index).map(ToString::to_string).unwrap_or_default()
        };
        let last = self.latencies_ms.len().saturating_sub(1);
        [
            self.partner.to_owned(),
            self.distinct().to_string(),
            accepted.to_string(),
            (self.received - self.distinct()).to_string(),
            at(0),
            at(last / 2),
            at(last),
            format!("{}×", self.reconnects),
        ]
    }
}

/// Number of items by kind and platform.
pub fn by_kind(items: &[pb::SubmittedIndicator]) -> Vec<(String, String, usize)> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for item in items {
        let key = (text::kind(item.kind()), item.platform.clone());
        *counts.entry(key).or_default() += 1;
    }
    counts.into_iter().map(|((kind, platform), count)| (kind, platform, count)).collect()
}
