//! Collects the changes of one entry into an event. An event has changes of one kind, each with its position.

use crate::domain::Position;
use crate::domain::cursor::FeedPosition;
use crate::exchange::feeds::changes::NextEvent;
use crate::exchange::feeds::event::{
    CampaignEvent, EnforcementEvent, FeedEvent, FeedItem, Removal,
};

/// One change.
pub enum Change {
    /// A version to drop.
    Removal(Removal),
    /// An assessment.
    Item(FeedItem),
    /// A contribution to a campaign.
    Campaign(Box<CampaignEvent>),
    /// An enforcement.
    Enforcement(EnforcementEvent),
}

/// Builds an event from changes.
pub struct EventBuilder {
    event: Option<FeedEvent>,
    /// The position after the last change that was added.
    position: FeedPosition,
}

impl EventBuilder {
    /// Starts an empty event after a position.
    pub fn after(position: FeedPosition) -> Self {
        Self { event: None, position }
    }

    /// Adds a change. Returns false if its kind differs from the earlier changes: it belongs to the next event.
    pub fn add(&mut self, change: Change, position: FeedPosition) -> bool {
        match (&mut self.event, change) {
            (Some(FeedEvent::Removals(removals)), Change::Removal(removal)) => {
                removals.push(removal);
            }
            (Some(FeedEvent::Items(items)), Change::Item(item)) => items.push(item),
            (Some(FeedEvent::Enforcements(enforcements)), Change::Enforcement(enforcement)) => {
                enforcements.push(enforcement);
            }
            (Some(_), _) => return false,
            (empty @ None, change) => {
                *empty = Some(match change {
                    Change::Removal(removal) => FeedEvent::Removals(vec![removal]),
                    Change::Item(item) => FeedEvent::Items(vec![item]),
                    Change::Campaign(event) => FeedEvent::Campaign(event),
                    Change::Enforcement(enforcement) => FeedEvent::Enforcements(vec![enforcement]),
                });
            }
        }
        self.position = position;
        true
    }

    /// Returns the event. The entry has more events after it.
    pub fn partial(self) -> NextEvent {
        NextEvent { event: self.event, position: self.position }
    }

    /// Returns the event as the last one of its entry.
    pub fn last(self, sequence: u64) -> NextEvent {
        NextEvent { event: self.event, position: FeedPosition::after_entry(sequence) }
    }
}

/// An [`EventBuilder`] for entries in which each version has two changes: the removal of the version that it replaces,
/// and the version itself. A liaison's positions in such an entry count these changes.
pub struct ReplacementBuilder {
    /// Changes up to this position were delivered before.
    after: FeedPosition,
    builder: EventBuilder,
}

impl ReplacementBuilder {
    /// Starts an empty event after a position.
    pub fn after(position: FeedPosition) -> Self {
        Self { after: position, builder: EventBuilder::after(position) }
    }

    /// Adds the removal that a version causes, and the version, unless they were delivered before. Returns false if
    /// one of them belongs to the next event.
    pub fn add(
        &mut self,
        version: Position,
        removal: Option<Removal>,
        content: Option<Change>,
    ) -> bool {
        let removal_position = FeedPosition::after_item(Position::new(
            version.sequence,
            version.index.saturating_mul(2),
        ));
        let removal = removal
            .map(|removal| Change::Removal(Removal { position: removal_position, ..removal }));
        let changes = [(removal, removal_position), (content, Self::content_position(version))];
        changes.into_iter().all(|(change, position)| match change {
            Some(change) if position > self.after => self.builder.add(change, position),
            _ => true,
        })
    }

    /// The position after the content of a version.
    pub fn content_position(version: Position) -> FeedPosition {
        let index = version.index.saturating_mul(2).saturating_add(1);
        FeedPosition::after_item(Position::new(version.sequence, index))
    }

    /// Returns the event. The entry has more events after it.
    pub fn partial(self) -> NextEvent {
        self.builder.partial()
    }

    /// Returns the event as the last one of its entry.
    pub fn last(self, sequence: u64) -> NextEvent {
        self.builder.last(sequence)
    }
}
