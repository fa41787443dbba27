//! Converts events other than batches into messages.

use prost::Message;

use super::super::{tips, visible};
use super::message::{cursor_at, reason};
use crate::domain::cursor::{FeedPosition, JournalEpoch};
use crate::exchange::{
    FeedEvent, FeedItem, FeedbackView, GroupChange, Removal, RemovedObject, SightingView,
};
use crate::wire::{feed, indicator, pb, reaction, timestamp};

/// Converts an event into a message. The message ends after `limit` parts or `max_bytes`; then the second result is
/// the position after its last part.
pub fn message(
    event: FeedEvent,
    journal: JournalEpoch,
    limit: usize,
    max_bytes: usize,
) -> (pb::SubscribeResponse, Option<FeedPosition>) {
    let mut builder =
        MessageBuilder { limit, max_bytes, message: pb::SubscribeResponse::default() };
    let split_at = match event {
        FeedEvent::Batch(_) => None,
        FeedEvent::Removals(removals) => builder.add_each(&removals, |message, one| {
            let removal = removal(one, cursor_at(journal, one.position));
            message.removals.push(removal);
            (one.position, message.removals.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Items(items) => builder.add_each(&items, |message, one| {
            message.items.push(item(one, Some(cursor_at(journal, one.position))));
            (one.position, message.items.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Sightings(sightings) => builder.add_each(&sightings, |message, one| {
            let position = FeedPosition::after_item(one.position);
            let (cursor, sighting) = (Some(cursor_at(journal, position)), Some(sighting(one)));
            message.sightings.push(pb::SightingEvent { cursor, sighting });
            (position, message.sightings.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::GroupChange(change) => {
            let cursor = cursor_at(journal, change.position);
            builder.message.group_changes.push(group_change(&change, cursor));
            None
        }
        FeedEvent::Feedback(view) => {
            let position = FeedPosition::after_entry(view.record.position.sequence);
            let (cursor, feedback) = (Some(cursor_at(journal, position)), Some(feedback(&view)));
            builder.message.feedback.push(pb::FeedbackEvent { cursor, feedback });
            None
        }
        FeedEvent::Campaign(event) => {
            let contribution = Some(visible::contribution(&event.contribution));
            let cursor = Some(cursor_at(journal, event.position));
            builder.message.campaigns.push(pb::CampaignEvent { cursor, contribution });
            None
        }
        FeedEvent::Enforcements(events) => builder.add_each(&events, |message, one| {
            let cursor = Some(cursor_at(journal, one.position));
            let enforcement = Some(visible::enforcement(&one.enforcement));
            message.enforcements.push(pb::EnforcementEvent { cursor, enforcement });
            (one.position, message.enforcements.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Tip(event) => {
            let cursor = Some(cursor_at(journal, event.position));
            let (tip, entry) = (tips::write(&event.tip, event.now), tips::entry(&event.entry));
            builder.message.tips.push(pb::TipEvent { cursor, tip: Some(tip), entry: Some(entry) });
            None
        }
    };
    (builder.message, split_at)
}

/// A message that is being built.
struct MessageBuilder {
    message: pb::SubscribeResponse,
    /// Maximum number of parts.
    limit: usize,
    /// Size in bytes after which no further part is added.
    max_bytes: usize,
}

impl MessageBuilder {
    /// Adds parts while there is room. `add` returns the position after a part, and its size in bytes. Returns the
    /// position after the last added part if some parts did not fit.
    fn add_each<T>(
        &mut self,
        parts: &[T],
        add: impl Fn(&mut pb::SubscribeResponse, &T) -> (FeedPosition, usize),
    ) -> Option<FeedPosition> {
        let (mut bytes, mut last) = (0, None);
        for (count, part) in parts.iter().enumerate() {
            if count >= self.limit || bytes >= self.max_bytes {
                return last;
            }
            let (position, size) = add(&mut self.message, part);
            bytes += size;
            last = Some(position);
        }
        None
    }
}

/// Converts an assessment. In a snapshot it has no cursor.
pub fn item(item: &FeedItem, cursor: Option<pb::Cursor>) -> pb::FeedItem {
    let record = &item.record;
    feed::item(&feed::ItemRef {
        version: record.version,
        author: &item.author,
        accepted: record.accepted,
        id: record.id,
        assessment: &record.assessment,
        sharing: &item.sharing,
        cursor,
    })
}

/// Converts a sighting.
pub fn sighting(view: &SightingView) -> pb::VisibleSighting {
    let record = &view.record;
    reaction::sighting(
        view.position,
        &record.author,
        record.accepted,
        &record.sighting,
        &view.sharing,
    )
}

/// Converts feedback.
pub fn feedback(view: &FeedbackView) -> pb::VisibleFeedback {
    let record = &view.record;
    pb::VisibleFeedback {
        version: Some(indicator::version(record.position)),
        author: view.author.to_string(),
        accepted_at: Some(timestamp(record.accepted)),
        about: Some(indicator::version(view.version)),
        indicator_id: record.id.to_string(),
        opinion: pb::Opinion::from(record.opinion).into(),
        note: record.note.as_deref().unwrap_or_default().to_owned(),
        sharing: Some(crate::wire::sharing::write(&view.sharing)),
    }
}

fn removal(removal: &Removal, cursor: pb::Cursor) -> pb::Removal {
    let mut message = pb::Removal {
        version: Some(indicator::version(removal.version)),
        cursor: Some(cursor),
        author: removal.author.to_string(),
        reason: reason(removal.reason).into(),
        ..pb::Removal::default()
    };
    match &removal.object {
        RemovedObject::Assessment(id) => message.indicator_id = id.to_string(),
        RemovedObject::Contribution(campaign) => message.campaign_id = campaign.to_string(),
        RemovedObject::Enforcement(id) => message.enforcement_id = id.to_string(),
    }
    message
}

fn group_change(change: &GroupChange, cursor: pb::Cursor) -> pb::GroupChange {
    pb::GroupChange {
        cursor: Some(cursor),
        group: change.group.to_string(),
        joined: change.joined.iter().map(ToString::to_string).collect(),
        left: change.left.iter().map(ToString::to_string).collect(),
        changed_at: Some(timestamp(change.changed_at)),
    }
}
