//! What a liaison is told of one entry: things of one kind at a time, each with a place to go on from.

use crate::domain::Position;
use crate::domain::cursor::FeedPosition;
use crate::exchange::feeds::event::{
    CampaignEvent, EnforcementEvent, FeedEvent, FeedItem, Removal,
};

/// One thing that a liaison is told.
pub(in crate::exchange) enum Change {
    Removed(Removal),
    Shown(FeedItem),
    Said(Box<CampaignEvent>),
    Done(EnforcementEvent),
}

/// What was found of an entry so far, and the place behind it.
pub(in crate::exchange) struct EventBuilder {
    pub delivery: Option<FeedEvent>,
    pub place: FeedPosition,
}

impl EventBuilder {
    /// Nothing yet, behind a place.
    pub fn behind(place: FeedPosition) -> Self {
        Self { delivery: None, place }
    }

    /// Adds what there is up to a place. Tells whether it could: what is of another kind is looked at again
    /// behind this.
    pub fn add(&mut self, one: Change, place: FeedPosition) -> bool {
        match (&mut self.delivery, one) {
            (Some(FeedEvent::Removals(all)), Change::Removed(one)) => all.push(one),
            (Some(FeedEvent::Items(all)), Change::Shown(one)) => all.push(one),
            (Some(FeedEvent::Enforcements(all)), Change::Done(one)) => all.push(one),
            (Some(_), _) => return false,
            (empty @ None, one) => {
                *empty = Some(match one {
                    Change::Removed(one) => FeedEvent::Removals(vec![one]),
                    Change::Shown(one) => FeedEvent::Items(vec![one]),
                    Change::Said(one) => FeedEvent::Campaign(one),
                    Change::Done(one) => FeedEvent::Enforcements(vec![one]),
                });
            }
        }
        self.place = place;
        true
    }
}

/// The same where each version of an entry is two steps: to drop what it took the place of, and then it. A
/// liaison's places in such an entry count these, and nothing else.
pub(in crate::exchange) struct ReplacementBuilder {
    behind: FeedPosition,
    told: EventBuilder,
}

impl ReplacementBuilder {
    /// Nothing yet, behind a place.
    pub fn behind(place: FeedPosition) -> Self {
        Self { behind: place, told: EventBuilder::behind(place) }
    }

    /// Adds what a version took the place of, and what it says, where those are not behind the reader.
    /// Tells whether it could: what has to wait is looked at again.
    pub fn add(&mut self, version: Position, lost: Option<Removal>, says: Option<Change>) -> bool {
        let removed = FeedPosition::after_item(Position::new(
            version.sequence,
            version.index.saturating_mul(2),
        ));
        let lost = lost.map(|lost| Change::Removed(Removal { place: removed, ..lost }));
        let steps = [(lost, removed), (says, Self::content(version))];
        steps.into_iter().all(|(one, place)| match one {
            Some(one) if place > self.behind => self.told.add(one, place),
            _ => true,
        })
    }

    /// The place behind what a version says.
    pub fn content(version: Position) -> FeedPosition {
        let index = version.index.saturating_mul(2).saturating_add(1);
        FeedPosition::after_item(Position::new(version.sequence, index))
    }

    /// What was found, and the place behind it.
    pub fn so_far(self) -> (Option<FeedEvent>, FeedPosition) {
        (self.told.delivery, self.told.place)
    }
}
