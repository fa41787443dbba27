//! Lookups. Answers depend on what the caller may see, and on nothing else.

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
        let seen = ReaderView::new(&view, &reader, now);
        let known = |id: &IndicatorId| {
            let known = seen.indicator_summary(*id).transpose()?;
            Some(known.map(|known| (*id, known)))
        };
        indicators.iter().filter_map(known).collect()
    }

    /// An indicator as the caller may see it; an error if it sees none of it.
    pub fn indicator(&self, caller: &Caller, id: IndicatorId) -> Result<IndicatorView> {
        let view = self.core.index.read()?;
        let known = match view.registry().reader(caller.partner()) {
            Some(reader) => ReaderView::new(&view, &reader, self.core.clock.now()).indicator(id)?,
            None => None,
        };
        known.ok_or_else(|| {
            Error::new(Kind::NotFound, "indicator_unknown", "nothing is known of this indicator")
        })
    }
}
