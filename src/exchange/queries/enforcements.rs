//! Lists of enforcements.

use crate::domain::accepted::EnforcementRecord;
use crate::domain::{CampaignId, Day, PartnerId, Position};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Caller, rights_of};
use crate::exchange::queries::Queries;
use crate::exchange::visibility::ReaderView;
use crate::exchange::visibility::campaign::unknown_campaign;
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::index::keys::ListedBy;

/// The most enforcements that one page scans. A page that ends early has a next page.
const MAX_SCANNED: usize = 10_000;

/// A query for enforcements. All conditions that are set must hold.
#[derive(Clone, Debug, Default)]
pub struct EnforcementQuery {
    /// The campaign.
    pub campaign: Option<CampaignId>,
    /// The author.
    pub author: Option<PartnerId>,
    /// Only enforcements of this day or later.
    pub from: Option<Day>,
    /// Only enforcements of this day or earlier.
    pub until: Option<Day>,
    /// The tip that they answer.
    pub tip: Option<[u8; 16]>,
    /// Only enforcements before this position. Pages go from newest to oldest.
    pub before: Option<Position>,
    /// The most enforcements on the page.
    pub limit: usize,
}

impl Queries {
    /// A page of the visible enforcements, newest first, and the position to continue from if there may be more.
    pub fn enforcements(
        &self,
        caller: &Caller,
        query: &EnforcementQuery,
    ) -> Result<(Vec<EnforcementView>, Option<Position>)> {
        let view = self.core.index.read()?;
        let reader = rights_of(view.registry(), caller.partner())?;
        let reader_view = ReaderView::new(&view, &reader, self.core.clock.now());
        if let Some(campaign) = query.campaign
            && !reader_view.sees_campaign(campaign)?
        {
            return Err(unknown_campaign());
        }
        if let Some(tip) = query.tip
            && !reader_view.is_party_of(tip)?
        {
            return Err(Error::new(Kind::NotFound, "tip_unknown", "there is no such tip of yours"));
        }
        enforcements_for(reader_view, query)
    }
}

/// The visible enforcements up to the limit, and whether there are more. Reads further pages until the limit is
/// reached.
pub(in crate::exchange) fn all_enforcements_for(
    reader_view: ReaderView<'_>,
    query: &EnforcementQuery,
) -> Result<(Vec<EnforcementView>, bool)> {
    let (mut enforcements, mut query) = (Vec::new(), query.clone());
    let limit = query.limit;
    loop {
        query.limit = limit - enforcements.len();
        let (page, next) = enforcements_for(reader_view, &query)?;
        enforcements.extend(page);
        match next {
            Some(_) if enforcements.len() < limit => query.before = next,
            next => return Ok((enforcements, next.is_some())),
        }
    }
}

/// A page of the enforcements that a reader may see.
pub(in crate::exchange) fn enforcements_for(
    reader_view: ReaderView<'_>,
    query: &EnforcementQuery,
) -> Result<(Vec<EnforcementView>, Option<Position>)> {
    let index = match (query.tip, query.campaign, &query.author) {
        (Some(tip), ..) => ListedBy::Tip(tip),
        (None, Some(campaign), _) => ListedBy::Campaign(campaign),
        (None, None, Some(author)) => ListedBy::Author(author),
        (None, None, None) => ListedBy::All,
    };
    let (mut enforcements, mut last) = (Vec::<EnforcementView>::new(), None);
    for (scanned, record) in reader_view.view.enforcements_back(index, query.before).enumerate() {
        if scanned >= MAX_SCANNED {
            return Ok((enforcements, last));
        }
        let record = record?;
        last = Some(record.position);
        if query.matches(&record) && reader_view.is_newest_visible(&record)? {
            if enforcements.len() >= query.limit {
                // The next page starts at a visible one: hidden ones do not show in the number of pages.
                let last = enforcements.last().map(|view| view.record.position);
                return Ok((enforcements, last));
            }
            enforcements.push(reader_view.enforcement(record)?);
        }
    }
    Ok((enforcements, None))
}

impl EnforcementQuery {
    fn matches(&self, record: &EnforcementRecord) -> bool {
        let enforcement = &record.enforcement;
        let (first, last) = enforcement.days(record.accepted);
        self.author.as_ref().is_none_or(|author| *author == record.author)
            && self.campaign.is_none_or(|campaign| enforcement.campaign == Some(campaign))
            && self.from.is_none_or(|from| last >= from)
            && self.until.is_none_or(|until| first <= until)
    }
}
