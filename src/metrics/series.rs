//! Families of gauges whose series come and go.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;

/// A family of gauges that holds exactly the series that were set last.
#[derive(Debug)]
pub struct CurrentSeries<L, G> {
    family: Family<L, G>,
    exported: Mutex<BTreeSet<L>>,
}

impl<L: Clone + Eq + Hash, G> Default for CurrentSeries<L, G>
where
    Family<L, G>: Default,
    L: Ord,
{
    fn default() -> Self {
        Self { family: Family::default(), exported: Mutex::default() }
    }
}

impl<L, G> CurrentSeries<L, G>
where
    L: Clone + Eq + Hash + Ord + EncodeLabelSet,
    G: Clone + Default,
{
    /// The family, for the registry.
    pub fn family(&self) -> Family<L, G> {
        self.family.clone()
    }

    /// Sets every series with `set`, and drops those that are not among them. Of two values with the same labels the
    /// last one counts.
    pub fn replace<V>(&self, series: impl Iterator<Item = (L, V)>, set: impl Fn(&G, V)) {
        let mut exported = self.exported.lock().unwrap_or_else(PoisonError::into_inner);
        let mut dropped = std::mem::take(&mut *exported);
        for (labels, value) in series {
            set(&self.family.get_or_create(&labels), value);
            dropped.remove(&labels);
            exported.insert(labels);
        }
        for labels in dropped {
            self.family.remove(&labels);
        }
    }
}
