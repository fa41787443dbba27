//! Everything that a feed tells besides batches, as messages.

use prost::Message;

use super::super::deeds;
use super::message::{at, reason};
use crate::domain::cursor::{FeedPosition, JournalEpoch};
use crate::exchange::{
    FeedEvent, FeedItem, FeedbackView, GroupChange, Removal, RemovedObject, SightingView,
};
use crate::rpc::tips as tip;
use crate::wire::{feed, indicator, pb, reaction, timestamp};

/// A delivery as a message of at most so many parts and bytes, and, where that is not all of it, the
/// place behind the last of them.
pub fn message(
    delivery: FeedEvent,
    journal: JournalEpoch,
    most: usize,
    most_bytes: usize,
) -> (pb::SubscribeResponse, Option<FeedPosition>) {
    let mut told = MessageBuilder { most, most_bytes, message: pb::SubscribeResponse::default() };
    let cut = match delivery {
        FeedEvent::Batch(_) => None,
        FeedEvent::Removals(removed) => told.each(&removed, |message, one| {
            let written = removal(one, at(journal, one.place));
            message.removals.push(written);
            (one.place, message.removals.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Items(shown) => told.each(&shown, |message, one| {
            message.items.push(item(one, Some(at(journal, one.place))));
            (one.place, message.items.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Sightings(seen) => told.each(&seen, |message, one| {
            let place = FeedPosition::after_item(one.position);
            let (cursor, sighting) = (Some(at(journal, place)), Some(sighting(one)));
            message.sightings.push(pb::SightingEvent { cursor, sighting });
            (place, message.sightings.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::GroupChange(changed) => {
            let cursor = at(journal, changed.place);
            told.message.group_changes.push(change(&changed, cursor));
            None
        }
        FeedEvent::Feedback(opined) => {
            let place = FeedPosition::after_entry(opined.record.position.sequence);
            let (cursor, feedback) = (Some(at(journal, place)), Some(feedback(&opined)));
            told.message.feedback.push(pb::FeedbackEvent { cursor, feedback });
            None
        }
        FeedEvent::Campaign(said) => {
            let contribution = Some(deeds::contribution(&said.contribution));
            let cursor = Some(at(journal, said.place));
            told.message.campaigns.push(pb::CampaignEvent { cursor, contribution });
            None
        }
        FeedEvent::Enforcements(done) => told.each(&done, |message, one| {
            let cursor = Some(at(journal, one.place));
            let enforcement = Some(deeds::enforcement(&one.enforcement));
            message.enforcements.push(pb::EnforcementEvent { cursor, enforcement });
            (one.place, message.enforcements.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Tip(one) => {
            let cursor = Some(at(journal, one.place));
            let (tip, entry) = (tip::write(&one.tip, one.now), tip::entry(&one.entry));
            told.message.tips.push(pb::TipEvent { cursor, tip: Some(tip), entry: Some(entry) });
            None
        }
    };
    (told.message, cut)
}

/// A message that is being put together.
struct MessageBuilder {
    message: pb::SubscribeResponse,
    most: usize,
    most_bytes: usize,
}

impl MessageBuilder {
    /// Adds each of the parts that there is room for, by what gives its place and its size. Gives the
    /// place behind the last one, where there is more.
    fn each<T>(
        &mut self,
        parts: &[T],
        add: impl Fn(&mut pb::SubscribeResponse, &T) -> (FeedPosition, usize),
    ) -> Option<FeedPosition> {
        let (mut bytes, mut last) = (0, None);
        for (count, part) in parts.iter().enumerate() {
            if count >= self.most || bytes >= self.most_bytes {
                return last;
            }
            let (place, size) = add(&mut self.message, part);
            bytes += size;
            last = Some(place);
        }
        None
    }
}

/// A version as a reader may see it; without a cursor in a snapshot.
pub fn item(shown: &FeedItem, cursor: Option<pb::Cursor>) -> pb::FeedItem {
    let current = &shown.record;
    feed::item(&feed::ItemRef {
        version: current.version,
        author: &shown.author,
        accepted: current.accepted,
        id: current.id,
        assessment: &current.assessment,
        view: &shown.view,
        cursor,
    })
}

/// A sighting as a reader may see it.
pub fn sighting(seen: &SightingView) -> pb::VisibleSighting {
    let kept = &seen.record;
    reaction::sighting(seen.position, &kept.author, kept.accepted, &kept.sighting, &seen.sharing)
}

/// Feedback as a reader may see it.
pub fn feedback(opined: &FeedbackView) -> pb::VisibleFeedback {
    let kept = &opined.record;
    pb::VisibleFeedback {
        version: Some(indicator::version(kept.position)),
        author: opined.giver.to_string(),
        accepted_at: Some(timestamp(kept.accepted)),
        about: Some(indicator::version(opined.about)),
        indicator_id: kept.id.to_string(),
        opinion: pb::Opinion::from(kept.opinion).into(),
        note: kept.note.as_deref().unwrap_or_default().to_owned(),
        sharing: Some(crate::wire::sharing::write(&opined.sharing)),
    }
}

fn removal(removed: &Removal, cursor: pb::Cursor) -> pb::Removal {
    let mut written = pb::Removal {
        version: Some(indicator::version(removed.version)),
        cursor: Some(cursor),
        author: removed.author.to_string(),
        reason: reason(removed.reason).into(),
        ..pb::Removal::default()
    };
    match &removed.what {
        RemovedObject::Assessment(id) => written.indicator_id = id.to_string(),
        RemovedObject::Contribution(campaign) => written.campaign_id = campaign.to_string(),
        RemovedObject::Enforcement(id) => written.enforcement_id = id.to_string(),
    }
    written
}

fn change(changed: &GroupChange, cursor: pb::Cursor) -> pb::GroupChange {
    pb::GroupChange {
        cursor: Some(cursor),
        group: changed.group.to_string(),
        joined: changed.joined.iter().map(ToString::to_string).collect(),
        left: changed.left.iter().map(ToString::to_string).collect(),
        changed_at: Some(timestamp(changed.at)),
    }
}
