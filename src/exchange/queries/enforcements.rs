//! Lists of enforcements.

use crate::domain::accepted::EnforcementRecord;
use crate::domain::{CampaignId, Day, PartnerId, Position};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Caller, reader};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::unknown_campaign;
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::index::keys::ListedBy;

/// Enforcements that one page reads at most.
const LOOKED_AT: usize = 10_000;

/// A query for enforcements. All conditions that are set must hold.
#[derive(Clone, Debug, Default)]
pub struct EnforcementQuery {
    /// The campaign.
    pub campaign: Option<CampaignId>,
    /// The author.
    pub author: Option<PartnerId>,
    /// On this day or later.
    pub from: Option<Day>,
    /// On this day or earlier.
    pub until: Option<Day>,
    /// The tip that caused it.
    pub tip: Option<[u8; 16]>,
    /// Before this one: the list goes from new to old.
    pub before: Option<Position>,
    /// The most on the page.
    pub most: usize,
}

impl Queries {
    /// A page of the visible enforcements, newest first, and the position to continue from if there may be more.
    pub fn enforcements(
        &self,
        caller: &Caller,
        query: &EnforcementQuery,
    ) -> Result<(Vec<EnforcementView>, Option<Position>)> {
        let view = self.core.index.read()?;
        let reader = reader(view.registry(), caller.partner())?;
        let seen = ReaderView::new(&view, &reader, self.core.clock.now());
        if let Some(campaign) = query.campaign
            && !seen.sees_campaign(campaign)?
        {
            return Err(unknown_campaign());
        }
        if let Some(tip) = query.tip
            && !seen.is_party_of(tip)?
        {
            return Err(Error::new(Kind::NotFound, "tip_unknown", "there is no such tip of yours"));
        }
        enforcements_for(seen, query)
    }
}

/// All visible enforcements up to the limit, however many are hidden, and whether there are more.
pub(in crate::exchange) fn all_enforcements_for(
    seen: ReaderView<'_>,
    query: &EnforcementQuery,
) -> Result<(Vec<EnforcementView>, bool)> {
    let (mut deeds, mut query) = (Vec::new(), query.clone());
    let most = query.most;
    loop {
        query.most = most - deeds.len();
        let (some, next) = enforcements_for(seen, &query)?;
        deeds.extend(some);
        match next {
            Some(_) if deeds.len() < most => query.before = next,
            next => return Ok((deeds, next.is_some())),
        }
    }
}

/// A page of the enforcements that a reader may see.
pub(in crate::exchange) fn enforcements_for(
    seen: ReaderView<'_>,
    query: &EnforcementQuery,
) -> Result<(Vec<EnforcementView>, Option<Position>)> {
    let by = match (query.tip, query.campaign, &query.author) {
        (Some(tip), ..) => ListedBy::Tip(tip),
        (None, Some(campaign), _) => ListedBy::Campaign(campaign),
        (None, None, Some(author)) => ListedBy::Author(author),
        (None, None, None) => ListedBy::All,
    };
    let (mut deeds, mut last) = (Vec::<EnforcementView>::new(), None);
    for (looked, kept) in seen.view.enforcements_back(by, query.before).enumerate() {
        if looked >= LOOKED_AT {
            return Ok((deeds, last));
        }
        let kept = kept?;
        last = Some(kept.position);
        if query.asks_for(&kept) && seen.is_newest_visible(&kept)? {
            if deeds.len() >= query.most {
                // The next page starts at a visible one: hidden ones do not show in the number of pages.
                let last = deeds.last().map(|deed| deed.record.position);
                return Ok((deeds, last));
            }
            deeds.push(seen.enforcement(kept)?);
        }
    }
    Ok((deeds, None))
}

impl EnforcementQuery {
    fn asks_for(&self, kept: &EnforcementRecord) -> bool {
        let deed = &kept.enforcement;
        let (first, last) = deed.days(kept.accepted);
        self.author.as_ref().is_none_or(|author| *author == kept.author)
            && self.campaign.is_none_or(|campaign| deed.campaign == Some(campaign))
            && self.from.is_none_or(|from| last >= from)
            && self.until.is_none_or(|until| first <= until)
    }
}
