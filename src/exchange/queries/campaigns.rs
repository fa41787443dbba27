//! Lists of campaigns.

use std::collections::BTreeMap;

use crate::domain::{CampaignId, Position};
use crate::error::Result;
use crate::exchange::core::{Caller, reader};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::ContributionView;

/// Contributions that one page reads at most.
const LOOKED_AT: usize = 10_000;

/// A campaign in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct CampaignSummary {
    /// The newest visible contribution.
    pub newest: ContributionView,
    /// The number of visible contributions.
    pub contributions: usize,
}

impl Queries {
    /// A page of the visible campaigns, by newest contribution, newest first, and the position to start the next page
    /// after.
    pub fn campaigns(
        &self,
        caller: &Caller,
        before: Option<Position>,
        most: usize,
    ) -> Result<(Vec<CampaignSummary>, Option<Position>)> {
        let view = self.core.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let seen = ReaderView::new(&view, &reader, self.core.clock.now());
        let (mut listed, mut last) = (Vec::<CampaignSummary>::new(), None);
        let mut looked_up: BTreeMap<CampaignId, Option<Position>> = BTreeMap::new();
        for (looked, kept) in view.contributions_back(before).enumerate() {
            if looked >= LOOKED_AT {
                return Ok((listed, last));
            }
            let kept = kept?;
            last = Some(kept.position);
            // A campaign is listed once, at its newest visible contribution.
            if let Some(newest) = looked_up.get(&kept.campaign)
                && *newest != Some(kept.position)
            {
                continue;
            }
            let mut visible = seen.contributions(kept.campaign)?;
            let (contributions, newest) = (visible.len(), visible.pop());
            let newest_at = newest.as_ref().map(|newest| newest.record.position);
            looked_up.insert(kept.campaign, newest_at);
            let newest = newest.filter(|_| newest_at == Some(kept.position));
            let Some(newest) = newest else { continue };
            if listed.len() == most {
                // The next page starts at a visible one: hidden campaigns do not show in the number of pages.
                let last = listed.last().map(|listed| listed.newest.record.position);
                return Ok((listed, last));
            }
            listed.push(CampaignSummary { newest, contributions });
        }
        Ok((listed, None))
    }
}
