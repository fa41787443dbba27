//! Messages of a feed. The items of a batch are encoded once for all readers; other events are rare and encoded for
//! each reader.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use prost::Message as _;

use super::events;
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

/// A message takes no further batch once it has this many bytes.
const MESSAGE_BYTES: usize = 128 * 1024;
/// The most bytes of a message, plus one item: a batch of large items is split. Up to three messages wait for a reader
/// that takes none.
const MOST_BYTES: usize = 512 * 1024;
/// Classes of readers whose encoding of an entry is cached. An entry that names many partners has more; those are
/// encoded for each reader.
const CLASSES_KEPT: usize = 4;

/// A message and its counts.
#[derive(Debug, Default)]
pub struct OutgoingMessage {
    /// The message.
    pub message: EncodedFeed,
    /// For a liaison: the objects that the access log has to record.
    pub accessed: AccessedObjects,
    items: usize,
    removals: usize,
}

impl OutgoingMessage {
    /// Counts its events in the metrics.
    pub fn count(&self, metrics: &Metrics) {
        metrics.delivered(self.items as u64);
        metrics.removed(self.removals as u64);
    }

    fn count_events(&self) -> usize {
        self.items + self.removals
    }
}

/// Puts an event into a message. After a batch, adds further batches that memory holds. At most `most` items and
/// removals. The feed is moved to the position after the message.
pub fn fill(feed: &mut Feed, delivery: FeedEvent, most: usize) -> Result<OutgoingMessage, Error> {
    // The feed is in the entry of the event, or after it.
    let journal = feed.cursor().journal;
    let mut outgoing = OutgoingMessage::default();
    let batch = match delivery {
        FeedEvent::Batch(batch) => batch,
        other => {
            let shown = versions_for_liaison(feed, &other);
            if let FeedEvent::Tip(tip) = &other {
                outgoing.accessed = tip.accessed.clone();
            }
            // One message holds the changes of one entry, in the order of positions.
            let (message, cut) = events::message(other, journal, most, MOST_BYTES);
            (outgoing.removals, outgoing.items) = (message.removals.len(), message.items.len());
            if let Some(place) = cut {
                feed.rewind(place);
            }
            let objects = outgoing.items + message.campaigns.len() + message.enforcements.len();
            for (author, version, view) in shown.iter().take(objects) {
                add_accessed(feed, &mut outgoing.accessed, author, *version, view);
            }
            outgoing.message = message.into();
            return Ok(outgoing);
        }
    };
    let mut next = Some(batch);
    while let Some(batch) = next {
        if !push(feed, &batch, &mut outgoing, most) {
            break;
        }
        let is_full = outgoing.message.len() >= MESSAGE_BYTES || outgoing.count_events() >= most;
        next = if is_full { None } else { feed.next_batch_ready()? };
    }
    Ok(outgoing)
}

/// Puts a batch into a message. Returns false if not all of it fits: the rest is put back, and the message is full.
/// In a message removals come before items, so that the cursor of each is a position to continue from.
fn push(feed: &mut Feed, batch: &BatchEvent, outgoing: &mut OutgoingMessage, most: usize) -> bool {
    let first_item = batch.ranges.first().map_or(usize::MAX, |range| range.start);
    let leading = batch.removals.iter().take_while(|one| one.at <= first_item).count();
    if leading > 0 && outgoing.items > 0 {
        feed.put_back(batch, batch.removals[0].at);
        return false;
    }
    let fitting = leading.min(most.saturating_sub(outgoing.count_events()));
    if fitting > 0 {
        outgoing.message.push(removals(batch, fitting));
        outgoing.removals += fitting;
    }
    if fitting < leading {
        feed.put_back(batch, batch.removals[fitting].at);
        return false;
    }
    let encoded = encoded(batch);
    // What follows the next removal goes into another message.
    let end = batch.removals.get(leading).map(|one| one.at);
    for range in batch.ranges.iter().filter(|range| end.is_none_or(|end| range.start < end)) {
        let room = MOST_BYTES.saturating_sub(outgoing.message.len());
        let least = range.start + usize::from(outgoing.message.is_empty());
        let left = most.saturating_sub(outgoing.count_events());
        let until = encoded.end_within(range, room).max(least);
        let until = until.min(range.start.saturating_add(left));
        let until = end.map_or(until, |end| until.min(end));
        outgoing.message.push(encoded.range(range.start, until));
        outgoing.items += until - range.start;
        add_accessed_items(feed, batch, range.start..until, &mut outgoing.accessed);
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

/// The versions of an event other than a batch, if the reader is a liaison.
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

/// Adds items of a batch to what the access log has to record, if the reader is a liaison.
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

/// The first removals of a batch, encoded for its reader.
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

/// The reason of a removal, in the protocol.
pub fn reason(reason: RemovalReason) -> pb::RemovalReason {
    match reason {
        RemovalReason::Replaced => pb::RemovalReason::Replaced,
        RemovalReason::NoLongerMatches => pb::RemovalReason::NoLongerMatches,
        RemovalReason::Withdrawn => pb::RemovalReason::Withdrawn,
        RemovalReason::Expired => pb::RemovalReason::Expired,
        RemovalReason::NoLongerShared => pb::RemovalReason::NoLongerShared,
    }
}

/// A cursor at a position.
pub fn at(journal: JournalEpoch, place: FeedPosition) -> pb::Cursor {
    cursor::write(Cursor { journal, position: place })
}

/// The encodings of one entry, cached with it in the journal's tail.
#[derive(Debug, Default)]
struct Encodings {
    common: OnceLock<Encoded>,
    classes: Mutex<HashMap<ReaderClass, Arc<OnceLock<Encoded>>>>,
}

/// The items of a batch, encoded for the reader's class. The first reader of a class encodes them for all.
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
    // A batch that replaces another audience replaces different versions for each reader.
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
