//! Contributions to campaigns, and enforcements against them.

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::enforcement::Enforcement;
use crate::domain::entry::{CampaignPut, Enforcements};
use crate::domain::sharing::NO_RELEASE_EXPIRED;
use crate::domain::{PartnerId, Position, Sharing, may_see};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::event::{CampaignEvent, EnforcementEvent, FeedEvent};
use crate::exchange::visibility::enforcement::EnforcementView;

/// The contribution of an entry, if the reader may see it and the filter matches its campaign. `None` if the entry is
/// void or the contribution is no longer current.
pub fn campaign_event(
    input: &Input<'_>,
    put: &CampaignPut,
    event_position: FeedPosition,
) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let Some(author) = &entry.author else { return Ok(None) };
    let position = Position::new(entry.sequence, 0);
    let reader = input.visibility.reader();
    let is_visible = may_see(reader, &put.sharing, author, position, NO_RELEASE_EXPIRED);
    if !is_visible || !input.visibility.filter().matches_campaign(Some(put.campaign)) {
        return Ok(None);
    }
    let audience = AudienceDigest::of(&put.sharing.audience);
    let record = input.view.contribution(put.campaign, author, audience)?;
    Ok(record.filter(|record| record.position == position).map(|record| {
        let contribution = input.reader_view().contribution(record);
        FeedEvent::Campaign(Box::new(CampaignEvent { position: event_position, contribution }))
    }))
}

/// The enforcements of an entry that the reader may see and that its filter matches.
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
    let visible = visible_enforcements(input, (author, &enforcements.sharing), items)?;
    let events = visible.into_iter().map(|enforcement| EnforcementEvent {
        position: FeedPosition::after_item(enforcement.record.position),
        enforcement,
    });
    let events: Vec<_> = events.collect();
    Ok((!events.is_empty()).then_some(FeedEvent::Enforcements(events)))
}

/// The current enforcements among `items` that the reader may see and that its filter matches.
pub fn visible_enforcements<'a>(
    input: &Input<'_>,
    (author, sharing): (&PartnerId, &Sharing),
    items: impl Iterator<Item = (Position, &'a Enforcement)>,
) -> Result<Vec<EnforcementView>> {
    let reader = input.visibility.reader();
    let audience = AudienceDigest::of(&sharing.audience);
    let mut visible = Vec::new();
    for (position, enforcement) in items {
        let is_visible = may_see(reader, sharing, author, position, NO_RELEASE_EXPIRED);
        if !is_visible
            || !input.visibility.matches_enforcement(input.view, enforcement.campaign, input.now)?
        {
            continue;
        }
        let record = input.view.enforcement(author, &enforcement.id, audience)?;
        if let Some(record) = record.filter(|record| record.position == position) {
            visible.push(input.reader_view().enforcement(record)?);
        }
    }
    Ok(visible)
}
