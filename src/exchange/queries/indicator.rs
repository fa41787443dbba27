//! Lookups of indicators. An answer depends only on what the caller may see.

use std::collections::HashMap;

use crate::domain::IndicatorId;
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
