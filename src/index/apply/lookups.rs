//! Maintains the keys by which a lookup finds more than the value itself: the networks that hold an address, and the
//! assessments that name an account by another name.

use super::Applier;
use crate::domain::network::PrefixLength;
use crate::domain::{Assessment, Indicator, IndicatorId};
use crate::error::Result;
use crate::index::keys;
use crate::index::record::{decode, encode};

/// What a current assessment is found by, besides its indicator.
#[derive(Debug)]
pub struct LookupKeys {
    /// The size of its network, if it is about one.
    network: Option<PrefixLength>,
    /// Other names of its account.
    other_names: Vec<IndicatorId>,
}

impl LookupKeys {
    /// What an assessment is found by.
    pub fn of(assessment: &Assessment) -> Self {
        Self {
            network: PrefixLength::of(&assessment.indicator),
            other_names: assessment.other_names().iter().map(Indicator::id).collect(),
        }
    }
}

impl Applier {
    /// Adds the keys of an assessment that becomes current under `key`.
    pub(super) fn add_lookup_keys(&mut self, key: &[u8], added: &LookupKeys) -> Result<()> {
        for name in &added.other_names {
            self.put(keys::other_name(*name, key), Vec::new());
        }
        self.count_network(added.network, 1)
    }

    /// Removes the keys of an assessment that was current under `key`.
    pub(super) fn remove_lookup_keys(&mut self, key: &[u8], removed: &LookupKeys) -> Result<()> {
        for name in &removed.other_names {
            self.remove(keys::other_name(*name, key));
        }
        self.count_network(removed.network, -1)
    }

    /// Changes the number of current assessments of networks of a size. `None` is no network.
    fn count_network(&mut self, length: Option<PrefixLength>, change: i64) -> Result<()> {
        let Some(length) = length else { return Ok(()) };
        let key = keys::networks(length);
        let stored = self.read(&key)?;
        let count: u64 = stored.map_or(Ok(0), |bytes| decode(&bytes, "a number of networks"))?;
        match count.saturating_add_signed(change) {
            0 => self.remove(key),
            count => self.put(key, encode(&count)),
        }
        Ok(())
    }
}
