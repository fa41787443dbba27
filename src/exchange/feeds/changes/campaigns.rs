//! What is said of campaigns and done against them, as a reader is told of it.

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{CampaignPut, Enforcements, Entry};
use crate::domain::{PartnerId, Position, Sharing, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::feeds::event::{CampaignEvent, EnforcementEvent, FeedEvent};
use crate::exchange::visibility::enforcement::EnforcementView;
use crate::exchange::visibility::{AsOf, ReaderView, Visibility};
use crate::index::View;

impl Core {
    /// What an entry says of a campaign, for a reader who sees it and follows the campaign; nothing where
    /// it was not taken, or says something else by now.
    pub(in crate::exchange) fn said(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        put: &CampaignPut,
        place: FeedPosition,
    ) -> Result<Option<FeedEvent>> {
        let Some(author) = &entry.author else { return Ok(None) };
        let position = Position::new(entry.sequence, 0);
        let reader = sight.reader();
        let sees = may_see(reader, &put.sharing, author, position, Timestamp::default());
        if !sees || !sight.filter().matches_campaign(Some(put.campaign)) {
            return Ok(None);
        }
        let audience = AudienceDigest::of(&put.sharing.audience);
        let kept = view.contribution(put.campaign, author, audience)?;
        Ok(kept.filter(|kept| kept.position == position).map(|kept| {
            let contributed = ReaderView::new(view, reader, self.clock.now()).contribution(kept);
            FeedEvent::Campaign(Box::new(CampaignEvent { place, contribution: contributed }))
        }))
    }

    /// What there is for a reader in a report of enforcements, behind a place.
    pub(in crate::exchange) fn done(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        enforcements: &Enforcements,
        behind: FeedPosition,
    ) -> Result<Option<FeedEvent>> {
        let Some(author) = &entry.author else { return Ok(None) };
        let items = enforcements.items.iter().filter_map(|(index, enforcement)| {
            let position = Position::new(entry.sequence, *index);
            (position > behind.after).then_some((position, enforcement))
        });
        let deeds = self
            .visible_enforcements(view, sight, (author, &enforcements.sharing), items)?
            .into_iter();
        let done = deeds.map(|deed| EnforcementEvent {
            place: FeedPosition::after_item(deed.record.position),
            enforcement: deed,
        });
        let done: Vec<_> = done.collect();
        Ok((!done.is_empty()).then_some(FeedEvent::Enforcements(done)))
    }

    /// Those of an author's enforcements that a reader sees and asks for, and that are what their author
    /// says by now.
    pub(in crate::exchange) fn visible_enforcements<'a>(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        (author, sharing): (&PartnerId, &Sharing),
        items: impl Iterator<Item = (Position, &'a Enforcement)>,
    ) -> Result<Vec<EnforcementView>> {
        let reader = sight.reader();
        let audience = AudienceDigest::of(&sharing.audience);
        let mut deeds = Vec::new();
        for (position, enforcement) in items {
            let sees = may_see(reader, sharing, author, position, Timestamp::default());
            if !sees || !follows(view, sight, enforcement)? {
                continue;
            }
            let kept = view.enforcement(author, &enforcement.id, audience)?;
            if let Some(kept) = kept.filter(|kept| kept.position == position) {
                deeds.push(ReaderView::new(view, reader, self.clock.now()).enforcement(kept)?);
            }
        }
        Ok(deeds)
    }
}

/// Whether a reader's filter asks for what was done: a campaign that is hidden from it is none that
/// it could follow.
pub(in crate::exchange) fn follows(
    view: &View<'_>,
    sight: &Visibility,
    enforcement: &Enforcement,
) -> Result<bool> {
    if sight.filter().is_empty() {
        return Ok(true);
    }
    let followed = enforcement.campaign.filter(|id| sight.filter().matches_campaign(Some(*id)));
    match followed {
        Some(campaign) => sight.sees_campaign(view, sight.reader(), AsOf::Now, campaign),
        None => Ok(false),
    }
}
