//! Lookups of indicators. An answer depends only on what the caller may see.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

use crate::domain::{Indicator, IndicatorId};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::Caller;
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::indicator::IndicatorView;

impl Queries {
    /// The indicators that the caller sees, each with the newest assessment of each author.
    pub fn lookup_all(
        &self,
        caller: &Caller,
        indicators: &[IndicatorId],
    ) -> Result<HashMap<IndicatorId, IndicatorView>> {
        let (view, now) = (self.core.index.read()?, self.core.clock.now());
        let Some(reader) = view.registry().reader(caller.partner()) else {
            return Ok(HashMap::new());
        };
        let reader_view = ReaderView::new(&view, &reader, now);
        let lookup = |id: &IndicatorId| {
            let found = reader_view.indicator_summary(*id).transpose()?;
            Some(found.map(|indicator| (*id, indicator)))
        };
        indicators.iter().filter_map(lookup).collect()
    }

    /// For each address: the networks that the caller sees and that hold it, the smallest first. Only sizes of networks
    /// that exist are looked up, so an address takes at most 33 or 129 reads.
    pub fn enclosing_networks(
        &self,
        caller: &Caller,
        addresses: &[Indicator],
    ) -> Result<HashMap<IndicatorId, Vec<Arc<IndicatorView>>>> {
        let view = self.core.index.read()?;
        let Some(reader) = view.registry().reader(caller.partner()) else {
            return Ok(HashMap::new());
        };
        let reader_view = ReaderView::new(&view, &reader, self.core.clock.now());
        let mut lengths = view.network_lengths()?;
        lengths.reverse();
        // Neighbouring addresses are in the same networks: each is read once.
        let mut views: HashMap<IndicatorId, Option<Arc<IndicatorView>>> = HashMap::new();
        let mut found = HashMap::new();
        for address in addresses {
            if found.contains_key(&address.id()) {
                continue;
            }
            let Ok(parsed) = address.value().parse::<IpAddr>() else { continue };
            let mut visible = Vec::new();
            for network in lengths.iter().filter_map(|length| length.network_of(parsed)) {
                let id = network.id();
                let read = match views.entry(id) {
                    Entry::Occupied(occupied) => occupied.into_mut(),
                    Entry::Vacant(vacant) => {
                        vacant.insert(reader_view.indicator_summary(id)?.map(Arc::new))
                    }
                };
                visible.extend(read.clone());
            }
            if !visible.is_empty() {
                found.insert(address.id(), visible);
            }
        }
        Ok(found)
    }

    /// An indicator as the caller may see it; an error if the caller sees no assessment of it.
    pub fn indicator(&self, caller: &Caller, id: IndicatorId) -> Result<IndicatorView> {
        let view = self.core.index.read()?;
        let found = match view.registry().reader(caller.partner()) {
            Some(reader) => ReaderView::new(&view, &reader, self.core.clock.now()).indicator(id)?,
            None => None,
        };
        found.ok_or_else(|| {
            Error::new(Kind::NotFound, "indicator_unknown", "nothing is known of this indicator")
        })
    }
}
