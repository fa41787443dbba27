//! Who received what, and when.

use std::collections::{BTreeMap, HashSet};

use super::super::submit::Submittable;
use super::super::words;
use crate::domain::Timestamp;
use crate::wire::pb;

/// What one follower received.
pub struct Tally {
    partner: &'static str,
    received: usize,
    versions: HashSet<(u64, u32)>,
    values: Vec<(i32, String, String)>,
    millis: Vec<i64>,
    /// How many times its feed was opened again.
    pub resumed: u64,
}

impl Tally {
    /// Nothing yet.
    pub fn new(partner: &'static str) -> Self {
        Self {
            partner,
            received: 0,
            versions: HashSet::new(),
            values: Vec::new(),
            millis: Vec::new(),
            resumed: 0,
        }
    }

    /// Takes an item that came at `now`.
    pub fn take(&mut self, item: &pb::FeedItem, now: Timestamp) {
        self.received += 1;
        let version = item.version.unwrap_or_default();
        if !self.versions.insert((version.sequence, version.index)) {
            return;
        }
        let accepted = item.accepted_at.unwrap_or_default();
        let accepted = accepted.seconds * 1000 + i64::from(accepted.nanos) / 1_000_000;
        self.millis.push(now.as_millis() - accepted);
        let indicator = item.indicator.clone().unwrap_or_default();
        self.values.push((indicator.kind, indicator.platform, indicator.value));
    }

    /// How many versions it holds.
    pub fn distinct(&self) -> usize {
        self.versions.len()
    }

    /// How many it holds that were not in the report.
    pub fn unknown(&self, report: &Submittable) -> usize {
        let sent: HashSet<_> =
            report.items.iter().map(|item| (item.kind, &item.platform, &item.value)).collect();
        self.values.iter().filter(|(kind, p, v)| !sent.contains(&(*kind, p, v))).count()
    }

    /// Its line in the table.
    pub fn row(mut self, taken: usize) -> [String; 8] {
        self.millis.sort_unstable();
        let at = |place: usize| self.millis.get(place).map(ToString::to_string).unwrap_or_default();
        let last = self.millis.len().saturating_sub(1);
        [
            self.partner.to_owned(),
            self.distinct().to_string(),
            taken.to_string(),
            (self.received - self.distinct()).to_string(),
            at(0),
            at(last / 2),
            at(last),
            format!("{}×", self.resumed),
        ]
    }
}

/// How many items there are of each kind and platform.
pub fn by_kind(items: &[pb::SubmittedIndicator]) -> Vec<(String, String, usize)> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for item in items {
        let key = (words::kind(item.kind()), item.platform.clone());
        *counts.entry(key).or_default() += 1;
    }
    counts.into_iter().map(|((kind, platform), count)| (kind, platform, count)).collect()
}
