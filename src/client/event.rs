//! What a feed gives, in the order in which it is to be taken.

use crate::wire::pb;

/// What a feed gives. More kinds may come with a later version of the exchange.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FeedEvent {
    /// A version that is current.
    Item(Box<pb::FeedItem>),
    /// A version that is to be dropped, if it is held.
    Removal(pb::Removal),
    /// Somebody joined or left a group of the reader's.
    GroupChange(pb::GroupChange),
    /// A partner saw an indicator.
    Sighting(Box<pb::SightingEvent>),
    /// What a partner thinks of another's assessment.
    Feedback(Box<pb::FeedbackEvent>),
    /// What a partner says of a campaign.
    Campaign(Box<pb::CampaignEvent>),
    /// A partner acted, or reports that another did.
    Enforcement(Box<pb::EnforcementEvent>),
    /// Something was added to a tip of the reader's.
    Tip(Box<pb::TipEvent>),
}

impl FeedEvent {
    /// The place behind it.
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

/// What a page of the feed holds: removals before items, as their places are, then the rest.
pub fn events(page: pb::PullResponse) -> impl Iterator<Item = FeedEvent> {
    let removals = page.removals.into_iter().map(FeedEvent::Removal);
    let items = page.items.into_iter().map(|item| FeedEvent::Item(Box::new(item)));
    let changes = page.group_changes.into_iter().map(FeedEvent::GroupChange);
    let sightings = page.sightings.into_iter().map(|one| FeedEvent::Sighting(Box::new(one)));
    let feedback = page.feedback.into_iter().map(|one| FeedEvent::Feedback(Box::new(one)));
    let campaigns = page.campaigns.into_iter().map(|one| FeedEvent::Campaign(Box::new(one)));
    let done = page.enforcements.into_iter().map(|one| FeedEvent::Enforcement(Box::new(one)));
    let tips = page.tips.into_iter().map(|one| FeedEvent::Tip(Box::new(one)));
    let events = removals.chain(items).chain(changes).chain(sightings).chain(feedback);
    events.chain(tips).chain(campaigns).chain(done)
}

/// The same of a message of a feed that is followed.
pub fn of_message(message: pb::SubscribeResponse) -> impl Iterator<Item = FeedEvent> {
    events(pb::PullResponse {
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
    fn what_a_message_holds_comes_in_the_order_of_its_places_each_with_its_cursor() {
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
        let events: Vec<_> = of_message(message).collect();
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
