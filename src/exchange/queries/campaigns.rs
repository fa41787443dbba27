//! Lists of campaigns.

use std::collections::BTreeMap;

use crate::domain::{CampaignId, Position};
use crate::error::Result;
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::ContributionView;

/// The most contributions that one page scans. A page that ends early has a next page.
const MAX_SCANNED: usize = 10_000;

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
        limit: usize,
    ) -> Result<(Vec<CampaignSummary>, Option<Position>)> {
        let view = self.core.index.read()?;
        let reader = rights_of(view.registry(), caller.partner())?;
        let reader_view = ReaderView::new(&view, &reader, self.core.clock.now());
        let (mut listed, mut last) = (Vec::<CampaignSummary>::new(), None);
        let mut newest_visible: BTreeMap<CampaignId, Option<Position>> = BTreeMap::new();
        for (scanned, contribution) in view.contributions_back(before).enumerate() {
            if scanned >= MAX_SCANNED {
                return Ok((listed, last));
            }
            let contribution = contribution?;
            last = Some(contribution.position);
            // A campaign is listed once, at its newest visible contribution.
            if let Some(newest) = newest_visible.get(&contribution.campaign)
                && *newest != Some(contribution.position)
            {
                continue;
            }
            let mut visible = reader_view.contributions(contribution.campaign)?;
            let (contributions, newest) = (visible.len(), visible.pop());
            let newest_at = newest.as_ref().map(|newest| newest.record.position);
            newest_visible.insert(contribution.campaign, newest_at);
            let newest = newest.filter(|_| newest_at == Some(contribution.position));
            let Some(newest) = newest else { continue };
            if listed.len() == limit {
                // The next page starts at a visible one: hidden campaigns do not show in the number of pages.
                let last = listed.last().map(|summary| summary.newest.record.position);
                return Ok((listed, last));
            }
            listed.push(CampaignSummary { newest, contributions });
        }
        Ok((listed, None))
    }
}
