//! Feed events, in the order in which a reader applies them.

use crate::wire::pb;

/// One event of a feed. Later versions of the exchange may add kinds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FeedEvent {
    /// A current version.
    Item(Box<pb::FeedItem>),
    /// A version that the reader must drop, if it has it.
    Removal(pb::Removal),
    /// A partner joined or left a group of the reader.
    GroupChange(pb::GroupChange),
    /// A partner saw an indicator.
    Sighting(Box<pb::SightingEvent>),
    /// A partner's opinion of another's assessment.
    Feedback(Box<pb::FeedbackEvent>),
    /// A partner's contribution to a campaign.
    Campaign(Box<pb::CampaignEvent>),
    /// An enforcement by a partner, or one that it reports of another.
    Enforcement(Box<pb::EnforcementEvent>),
    /// A new entry in one of the reader's tips.
    Tip(Box<pb::TipEvent>),
}

impl FeedEvent {
    /// The cursor after this event.
    pub fn cursor(&self) -> Option<&pb::Cursor> {
        match self {
            FeedEvent::Item(item) => item.cursor.as_ref(),
            FeedEvent::Removal(removal) => removal.cursor.as_ref(),
            FeedEvent::GroupChange(change) => change.cursor.as_ref(),
            FeedEvent::Sighting(sighting) => sighting.cursor.as_ref(),
            FeedEvent::Feedback(feedback) => feedback.cursor.as_ref(),
            FeedEvent::Campaign(campaign) => campaign.cursor.as_ref(),
            FeedEvent::Enforcement(enforcement) => enforcement.cursor.as_ref(),
            FeedEvent::Tip(tip) => tip.cursor.as_ref(),
        }
    }
}

/// The events of a page in cursor order: removals, items, then the other kinds.
pub fn page_events(page: pb::PullResponse) -> impl Iterator<Item = FeedEvent> {
    let removals = page.removals.into_iter().map(FeedEvent::Removal);
    let items = page.items.into_iter().map(|item| FeedEvent::Item(Box::new(item)));
    let changes = page.group_changes.into_iter().map(FeedEvent::GroupChange);
    let sightings = page.sightings.into_iter().map(|one| FeedEvent::Sighting(Box::new(one)));
    let feedback = page.feedback.into_iter().map(|one| FeedEvent::Feedback(Box::new(one)));
    let campaigns = page.campaigns.into_iter().map(|one| FeedEvent::Campaign(Box::new(one)));
    let enforcements =
        page.enforcements.into_iter().map(|one| FeedEvent::Enforcement(Box::new(one)));
    let tips = page.tips.into_iter().map(|one| FeedEvent::Tip(Box::new(one)));
    let events = removals.chain(items).chain(changes).chain(sightings).chain(feedback);
    events.chain(tips).chain(campaigns).chain(enforcements)
}

/// The events of one message of a subscription, in cursor order.
pub fn message_events(message: pb::SubscribeResponse) -> impl Iterator<Item = FeedEvent> {
    page_events(pb::PullResponse {
        items: message.items,
        removals: message.removals,
        group_changes: message.group_changes,
        sightings: message.sightings,
        feedback: message.feedback,
        campaigns: message.campaigns,
        enforcements: message.enforcements,
        tips: message.tips,
        cursor: None,
        more: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(token: u8) -> pb::Cursor {
        pb::Cursor { token: vec![token].into() }
    }

    #[test]
    fn events_of_a_message_come_in_cursor_order_each_with_its_cursor() {
        let message = pb::SubscribeResponse {
            items: vec![
                pb::FeedItem { cursor: Some(cursor(2)), ..Default::default() },
                pb::FeedItem { cursor: Some(cursor(3)), ..Default::default() },
            ],
            removals: vec![pb::Removal { cursor: Some(cursor(1)), ..Default::default() }],
            group_changes: vec![pb::GroupChange { cursor: Some(cursor(4)), ..Default::default() }],
            sightings: vec![pb::SightingEvent { cursor: Some(cursor(5)), sighting: None }],
            feedback: vec![pb::FeedbackEvent { cursor: Some(cursor(6)), feedback: None }],
            tips: vec![pb::TipEvent { cursor: Some(cursor(7)), ..Default::default() }],
            ..Default::default()
        };
        let events: Vec<_> = message_events(message).collect();
        let cursors: Vec<_> = events.iter().map(|event| event.cursor().cloned()).collect();
        assert_eq!(cursors, (1..=7).map(|token| Some(cursor(token))).collect::<Vec<_>>());
        assert!(matches!(
            events.as_slice(),
            [
                FeedEvent::Removal(_),
                FeedEvent::Item(_),
                FeedEvent::Item(_),
                FeedEvent::GroupChange(_),
                FeedEvent::Sighting(_),
                FeedEvent::Feedback(_),
                FeedEvent::Tip(_)
            ]
        ));
    }
}
