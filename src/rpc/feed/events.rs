//! Events other than batches, as messages.

use prost::Message;

use super::super::visible;
use super::message::{at, reason};
use crate::domain::cursor::{FeedPosition, JournalEpoch};
use crate::exchange::{
    FeedEvent, FeedItem, FeedbackView, GroupChange, Removal, RemovedObject, SightingView,
};
use crate::rpc::tips as tip;
use crate::wire::{feed, indicator, pb, reaction, timestamp};

/// An event as a message of at most `most` parts and `most_bytes`. If it is split, also the position after the last part.
pub fn message(
    delivery: FeedEvent,
    journal: JournalEpoch,
    most: usize,
    most_bytes: usize,
) -> (pb::SubscribeResponse, Option<FeedPosition>) {
    let mut builder =
        MessageBuilder { most, most_bytes, message: pb::SubscribeResponse::default() };
    let cut = match delivery {
        FeedEvent::Batch(_) => None,
        FeedEvent::Removals(removed) => builder.each(&removed, |message, one| {
            let written = removal(one, at(journal, one.place));
            message.removals.push(written);
            (one.place, message.removals.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Items(shown) => builder.each(&shown, |message, one| {
            message.items.push(item(one, Some(at(journal, one.place))));
            (one.place, message.items.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Sightings(seen) => builder.each(&seen, |message, one| {
            let place = FeedPosition::after_item(one.position);
            let (cursor, sighting) = (Some(at(journal, place)), Some(sighting(one)));
            message.sightings.push(pb::SightingEvent { cursor, sighting });
            (place, message.sightings.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::GroupChange(changed) => {
            let cursor = at(journal, changed.place);
            builder.message.group_changes.push(change(&changed, cursor));
            None
        }
        FeedEvent::Feedback(opined) => {
            let place = FeedPosition::after_entry(opined.record.position.sequence);
            let (cursor, feedback) = (Some(at(journal, place)), Some(feedback(&opined)));
            builder.message.feedback.push(pb::FeedbackEvent { cursor, feedback });
            None
        }
        FeedEvent::Campaign(said) => {
            let contribution = Some(visible::contribution(&said.contribution));
            let cursor = Some(at(journal, said.place));
            builder.message.campaigns.push(pb::CampaignEvent { cursor, contribution });
            None
        }
        FeedEvent::Enforcements(done) => builder.each(&done, |message, one| {
            let cursor = Some(at(journal, one.place));
            let enforcement = Some(visible::enforcement(&one.enforcement));
            message.enforcements.push(pb::EnforcementEvent { cursor, enforcement });
            (one.place, message.enforcements.last().map_or(0, Message::encoded_len))
        }),
        FeedEvent::Tip(one) => {
            let cursor = Some(at(journal, one.place));
            let (tip, entry) = (tip::write(&one.tip, one.now), tip::entry(&one.entry));
            builder.message.tips.push(pb::TipEvent { cursor, tip: Some(tip), entry: Some(entry) });
            None
        }
    };
    (builder.message, cut)
}

/// A message that is being built.
struct MessageBuilder {
    message: pb::SubscribeResponse,
    most: usize,
    most_bytes: usize,
}

impl MessageBuilder {
    /// Adds parts while there is room. `add` returns the position and the size of a part. Returns the position after the
    /// last part if there are more.
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

/// An assessment as a reader may see it. No cursor in a snapshot.
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
