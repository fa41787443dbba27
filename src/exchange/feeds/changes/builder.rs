//! Collects the changes of one entry into an event. An event has changes of one kind, each with its position.

use crate::domain::Position;
use crate::domain::cursor::FeedPosition;
use crate::exchange::feeds::changes::Changes;
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

/// An event that is being built, and the position after its last change.
pub struct EventBuilder {
    event: Option<FeedEvent>,
    position: FeedPosition,
}

impl EventBuilder {
    /// An empty event after a position.
    pub fn after(position: FeedPosition) -> Self {
        Self { event: None, position }
    }

    /// Adds a change. Returns false where it is of another kind than those before: it goes into the next event.
    pub fn add(&mut self, change: Change, position: FeedPosition) -> bool {
        match (&mut self.event, change) {
            (Some(FeedEvent::Removals(all)), Change::Removal(one)) => all.push(one),
            (Some(FeedEvent::Items(all)), Change::Item(one)) => all.push(one),
            (Some(FeedEvent::Enforcements(all)), Change::Enforcement(one)) => all.push(one),
            (Some(_), _) => return false,
            (empty @ None, one) => {
                *empty = Some(match one {
                    Change::Removal(one) => FeedEvent::Removals(vec![one]),
                    Change::Item(one) => FeedEvent::Items(vec![one]),
                    Change::Campaign(one) => FeedEvent::Campaign(one),
                    Change::Enforcement(one) => FeedEvent::Enforcements(vec![one]),
                });
            }
        }
        self.position = position;
        true
    }

    /// The event, with more to come after it.
    pub fn partial(self) -> Changes {
        Changes { event: self.event, position: self.position }
    }

    /// The event, as the last one of an entry.
    pub fn last(self, sequence: u64) -> Changes {
        Changes { event: self.event, position: FeedPosition::after_entry(sequence) }
    }
}

/// An [`EventBuilder`] for entries in which each version is two changes: the removal of the version that it replaces,
/// and the version. The positions of a liaison in such an entry count these changes.
pub struct ReplacementBuilder {
    after: FeedPosition,
    builder: EventBuilder,
}

impl ReplacementBuilder {
    /// An empty event after a position.
    pub fn after(position: FeedPosition) -> Self {
        Self { after: position, builder: EventBuilder::after(position) }
    }

    /// Adds the removal that a version causes, and the version, where they follow the position. Returns false where
    /// one of them goes into the next event.
    pub fn add(
        &mut self,
        version: Position,
        removal: Option<Removal>,
        content: Option<Change>,
    ) -> bool {
        let removed = FeedPosition::after_item(Position::new(
            version.sequence,
            version.index.saturating_mul(2),
        ));
        let removal = removal.map(|one| Change::Removal(Removal { place: removed, ..one }));
        let changes = [(removal, removed), (content, Self::content_position(version))];
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

    /// The event, with more to come after it.
    pub fn partial(self) -> Changes {
        self.builder.partial()
    }

    /// The event, as the last one of an entry.
    pub fn last(self, sequence: u64) -> Changes {
        self.builder.last(sequence)
    }
}
