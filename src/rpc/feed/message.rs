//! What a feed comes to, as a message. The items of a batch are encoded once for all their readers;
//! everything else is rare, and encoded for the one who gets it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use prost::Message as _;

use super::told;
use crate::domain::cursor::{FeedPosition, JournalEpoch};
use crate::domain::entry::{Body, Outcome};
use crate::domain::sharing::SharingView;
use crate::domain::{Cursor, PartnerId, Position};
use crate::error::Error;
use crate::exchange::{
    AccessedObjects, BatchEvent, ContributionView, EnforcementEvent, EnforcementView, Feed,
    FeedEvent, FeedItem, RemovalReason,
};
use crate::metrics::Metrics;
use crate::wire::encoded::EncodedFeed;
use crate::wire::feed::{Encoded, ReaderClass, encode_class, encode_common, encode_replacing};
use crate::wire::{cursor, indicator, pb};

/// A message takes no further batch once it is this large, in bytes.
const MESSAGE_BYTES: usize = 128 * 1024;
/// No message becomes larger than this and one item: a batch of large items is cut. A reader that takes
/// nothing keeps up to three of them waiting.
const MOST_BYTES: usize = 512 * 1024;
/// For how many classes of readers the encoding of an entry is kept. There are more where an entry
/// names many partners one by one; those are encoded for each.
const CLASSES_KEPT: usize = 4;

/// A message, and what is in it.
#[derive(Debug, Default)]
pub struct OutgoingMessage {
    /// The message.
    pub message: EncodedFeed,
    /// What of it leaves for a liaison.
    pub accessed: AccessedObjects,
    items: usize,
    removals: usize,
}

impl OutgoingMessage {
    /// Counts what is told.
    pub fn count(&self, metrics: &Metrics) {
        metrics.delivered(self.items as u64);
        metrics.removed(self.removals as u64);
    }

    fn count_events(&self) -> usize {
        self.items + self.removals
    }
}

/// Puts a delivery into a message, and behind a batch what can be had of further ones without
/// waiting; no more than so many items and removals. The feed stands behind what is in the message.
pub fn fill(feed: &mut Feed, delivery: FeedEvent, most: usize) -> Result<OutgoingMessage, Error> {
    // The feed stands in the entry that the delivery is of, or behind it.
    let journal = feed.cursor().journal;
    let mut told = OutgoingMessage::default();
    let batch = match delivery {
        FeedEvent::Batch(batch) => batch,
        other => {
            let shown = versions_for_liaison(feed, &other);
            if let FeedEvent::Tip(tip) = &other {
                told.accessed = tip.accessed.clone();
            }
            // One message holds what one entry came to, in the order of its places.
            let (message, cut) = told::message(other, journal, most, MOST_BYTES);
            (told.removals, told.items) = (message.removals.len(), message.items.len());
            if let Some(place) = cut {
                feed.rewind(place);
            }
            let objects = told.items + message.campaigns.len() + message.enforcements.len();
            for (author, version, view) in shown.iter().take(objects) {
                add_accessed(feed, &mut told.accessed, author, *version, view);
            }
            told.message = message.into();
            return Ok(told);
        }
    };
    let mut next = Some(batch);
    while let Some(batch) = next {
        if !push(feed, &batch, &mut told, most) {
            break;
        }
        let is_full = told.message.len() >= MESSAGE_BYTES || told.count_events() >= most;
        next = if is_full { None } else { feed.next_batch_ready()? };
    }
    Ok(told)
}

/// Puts a batch into a message. Where not all of it fits, the rest is put back and nothing further may
/// follow. In the order of their places removals come before items in a message, so that every one of
/// them is a place to go on from.
fn push(feed: &mut Feed, batch: &BatchEvent, told: &mut OutgoingMessage, most: usize) -> bool {
    let first_item = batch.ranges.first().map_or(usize::MAX, |range| range.start);
    let leading = batch.removals.iter().take_while(|one| one.at <= first_item).count();
    if leading > 0 && told.items > 0 {
        feed.put_back(batch, batch.removals[0].at);
        return false;
    }
    let fitting = leading.min(most.saturating_sub(told.count_events()));
    if fitting > 0 {
        told.message.push(removals(batch, fitting));
        told.removals += fitting;
    }
    if fitting < leading {
        feed.put_back(batch, batch.removals[fitting].at);
        return false;
    }
    let encoded = encoded(batch);
    // What is behind the next removal goes into a message of its own.
    let end = batch.removals.get(leading).map(|one| one.at);
    for range in batch.ranges.iter().filter(|range| end.is_none_or(|end| range.start < end)) {
        let room = MOST_BYTES.saturating_sub(told.message.len());
        let least = range.start + usize::from(told.message.is_empty());
        let left = most.saturating_sub(told.count_events());
        let until = encoded.end_within(range, room).max(least);
        let until = until.min(range.start.saturating_add(left));
        let until = end.map_or(until, |end| until.min(end));
        told.message.push(encoded.range(range.start, until));
        told.items += until - range.start;
        add_accessed_items(feed, batch, range.start..until, &mut told.accessed);
        if until < range.end {
            feed.put_back(batch, until);
            return false;
        }
    }
    if let Some(end) = end {
        feed.put_back(batch, end);
        return false;
    }
    true
}

/// The versions of a delivery that is not a batch, where they leave for a liaison.
fn versions_for_liaison(
    feed: &Feed,
    delivery: &FeedEvent,
) -> Vec<(PartnerId, Position, SharingView)> {
    match delivery {
        FeedEvent::Items(shown) if feed.purpose().is_some() => {
            let part = |one: &FeedItem| (one.author.clone(), one.record.version, one.view.clone());
            shown.iter().map(part).collect()
        }
        FeedEvent::Campaign(said) if feed.purpose().is_some() => {
            let ContributionView { record: kept, sharing: view, .. } = &said.contribution;
            vec![(kept.author.clone(), kept.position, view.clone())]
        }
        FeedEvent::Enforcements(done) if feed.purpose().is_some() => {
            let part = |one: &EnforcementEvent| {
                let EnforcementView { record: kept, sharing: view, .. } = &one.enforcement;
                (kept.author.clone(), kept.position, view.clone())
            };
            done.iter().map(part).collect()
        }
        _ => Vec::new(),
    }
}

/// Notes items of a batch that leave for a liaison.
fn add_accessed_items(
    feed: &Feed,
    batch: &BatchEvent,
    items: Range<usize>,
    accessed: &mut AccessedObjects,
) {
    let entry = &batch.logged.entry;
    let (Body::SubmissionBatch(of), Some(author), Some(_)) =
        (&entry.body, &entry.author, feed.purpose())
    else {
        return;
    };
    for item in &of.items[items] {
        let version = Position::new(entry.sequence, item.index);
        add_accessed(feed, accessed, author, version, &batch.view);
    }
}

fn add_accessed(
    feed: &Feed,
    accessed: &mut AccessedObjects,
    author: &PartnerId,
    version: Position,
    view: &SharingView,
) {
    if let Some(purpose) = feed.purpose() {
        accessed.add(author, version, view, purpose);
    }
}

/// The first removals of a delivery, encoded for its reader.
fn removals(delivery: &BatchEvent, count: usize) -> Bytes {
    let entry = &delivery.logged.entry;
    let (Body::SubmissionBatch(batch), Some(author)) = (&entry.body, &entry.author) else {
        return Bytes::new();
    };
    let removals = delivery.removals[..count].iter().map(|removal| pb::Removal {
        version: Some(indicator::version(removal.version)),
        cursor: Some(at(delivery.journal, removal.place)),
        indicator_id: batch.items[removal.at].id.to_string(),
        author: author.to_string(),
        reason: reason(removal.reason).into(),
        ..pb::Removal::default()
    });
    let message =
        pb::SubscribeResponse { removals: removals.collect(), ..pb::SubscribeResponse::default() };
    message.encode_to_vec().into()
}

/// Why a version is to be dropped, as the protocol says it.
pub fn reason(reason: RemovalReason) -> pb::RemovalReason {
    match reason {
        RemovalReason::Replaced => pb::RemovalReason::Replaced,
        RemovalReason::NoLongerMatches => pb::RemovalReason::NoLongerMatches,
        RemovalReason::Withdrawn => pb::RemovalReason::Withdrawn,
        RemovalReason::Expired => pb::RemovalReason::Expired,
        RemovalReason::NoLongerShared => pb::RemovalReason::NoLongerShared,
    }
}

/// A cursor at a place.
pub fn at(journal: JournalEpoch, place: FeedPosition) -> pb::Cursor {
    cursor::write(Cursor { journal, position: place })
}

/// What was encoded of one entry so far, kept beside it in the journal's tail.
#[derive(Debug, Default)]
struct Encodings {
    common: OnceLock<Encoded>,
    classes: Mutex<HashMap<ReaderClass, Arc<OnceLock<Encoded>>>>,
}

/// The items of a delivery's entry, encoded for the reader's class: by the first of the class to
/// come, for all.
fn encoded(delivery: &BatchEvent) -> Encoded {
    let encodings = delivery.logged.cached(|_| Encodings::default());
    let Body::SubmissionBatch(batch) = &delivery.logged.entry.body else {
        return Encoded::default();
    };
    let class = ReaderClass {
        view: delivery.view.clone(),
        author: delivery.author,
        visible_from: delivery.visible_from,
        campaigns: delivery.campaigns.clone(),
    };
    let common = || {
        encodings
            .common
            .get_or_init(|| encode_common(&delivery.logged.entry, batch, delivery.journal))
    };
    // What takes the place of another audience replaces other versions for each reader.
    if let Some(replaces) = &delivery.replaces {
        return encode_replacing(common(), batch, replaces, &class);
    }
    let slot = {
        let mut classes = encodings.classes.lock().unwrap_or_else(PoisonError::into_inner);
        match classes.get(&class) {
            Some(slot) => Arc::clone(slot),
            None if classes.len() < CLASSES_KEPT => {
                Arc::clone(classes.entry(class.clone()).or_default())
            }
            None => Arc::default(),
        }
    };
    let encode = || {
        let outcomes = match &*delivery.outcome {
            Outcome::Applied(outcomes) => outcomes.as_slice(),
            Outcome::Void(_) => &[],
        };
        encode_class(common(), batch, outcomes, &class)
    };
    slot.get_or_init(encode).clone()
}
