//! Contributions to campaigns, and enforcements against them.

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{CampaignPut, Enforcements};
use crate::domain::{PartnerId, Position, Sharing, Timestamp, may_see};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::event::{CampaignEvent, EnforcementEvent, FeedEvent};
use crate::exchange::visibility::enforcement::EnforcementView;

/// The contribution of an entry, if the reader may see it and the filter matches its campaign. Nothing if the
/// entry is void or the contribution is no longer current.
pub fn campaign_event(
    input: &Input<'_>,
    put: &CampaignPut,
    place: FeedPosition,
) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some(author) = &entry.author else { return Ok(None) };
    let position = Position::new(entry.sequence, 0);
    let reader = input.visibility.reader();
    let sees = may_see(reader, &put.sharing, author, position, Timestamp::default());
    if !sees || !input.visibility.filter().matches_campaign(Some(put.campaign)) {
        return Ok(None);
    }
    let audience = AudienceDigest::of(&put.sharing.audience);
    let kept = input.view.contribution(put.campaign, author, audience)?;
    Ok(kept.filter(|kept| kept.position == position).map(|kept| {
        let contributed = input.seen().contribution(kept);
        FeedEvent::Campaign(Box::new(CampaignEvent { place, contribution: contributed }))
    }))
}

/// The enforcements of an entry that the reader may see and its filter matches.
pub fn enforcement_events(
    input: &Input<'_>,
    enforcements: &Enforcements,
) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some(author) = &entry.author else { return Ok(None) };
    let items = enforcements.items.iter().filter_map(|(index, enforcement)| {
        let position = Position::new(entry.sequence, *index);
        (!input.was_delivered(position)).then_some((position, enforcement))
    });
    let enforcements_seen =
        visible_enforcements(input, (author, &enforcements.sharing), items)?.into_iter();
    let events = enforcements_seen.map(|enforcement| EnforcementEvent {
        place: FeedPosition::after_item(enforcement.record.position),
        enforcement,
    });
    let events: Vec<_> = events.collect();
    Ok((!events.is_empty()).then_some(FeedEvent::Enforcements(events)))
}

/// Those enforcements of an author that the reader may see, its filter matches, and that are current.
pub fn visible_enforcements<'a>(
    input: &Input<'_>,
    (author, sharing): (&PartnerId, &Sharing),
    items: impl Iterator<Item = (Position, &'a Enforcement)>,
) -> Result<Vec<EnforcementView>> {
    let reader = input.visibility.reader();
    let audience = AudienceDigest::of(&sharing.audience);
    let mut enforcements_seen = Vec::new();
    for (position, enforcement) in items {
        let sees = may_see(reader, sharing, author, position, Timestamp::default());
        if !sees || !input.visibility.matches_enforcement(input.view, enforcement, input.now)? {
            continue;
        }
        let kept = input.view.enforcement(author, &enforcement.id, audience)?;
        if let Some(kept) = kept.filter(|kept| kept.position == position) {
            enforcements_seen.push(input.seen().enforcement(kept)?);
        }
    }
    Ok(enforcements_seen)
}
