//! Builds the messages of a feed. The items of a batch are encoded once for all readers; other events are rare and
//! are encoded for each reader.

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
    AccessedObjects, BatchEvent, BatchRemoval, ContributionView, EnforcementEvent, EnforcementView,
    Feed, FeedEvent, FeedItem, RemovalReason,
};
use crate::metrics::Metrics;
use crate::wire::encoded::EncodedFeed;
use crate::wire::feed::{Encoded, ReaderClass, encode_class, encode_common, encode_replacing};
use crate::wire::{cursor, indicator, pb};

/// Size in bytes from which a message takes no further batch.
const MESSAGE_BYTES: usize = 128 * 1024;
/// Maximum size of a message in bytes, plus one item. A batch of large items is split. Bounds memory: for a reader
/// that reads none, one message is in the channel, one waits to enter it, and one is in the buffers of HTTP/2.
const MAX_BYTES: usize = 512 * 1024;
/// Maximum number of reader classes whose encoding of an entry is cached. An entry that names many partners has more
/// classes; the others are encoded for each reader.
const MAX_CACHED_CLASSES: usize = 4;

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

/// Builds a message from an event. After a batch, adds further batches that are in memory. Adds at most `limit` items
/// and removals. Moves the feed to the position after the message.
pub fn fill(feed: &mut Feed, event: FeedEvent, limit: usize) -> Result<OutgoingMessage, Error> {
    // The feed is at the entry of the event, or after it.
    let journal = feed.cursor().journal;
    let mut outgoing = OutgoingMessage::default();
    let batch = match event {
        FeedEvent::Batch(batch) => batch,
        other => {
            let versions = versions_for_liaison(feed, &other);
            if let FeedEvent::Tip(tip) = &other {
                outgoing.accessed = tip.accessed.clone();
            }
            // One message holds the changes of one entry, in the order of positions.
            let (message, split_at) = events::message(other, journal, limit, MAX_BYTES);
            (outgoing.removals, outgoing.items) = (message.removals.len(), message.items.len());
            if let Some(position) = split_at {
                feed.rewind(position);
            }
            let objects = outgoing.items + message.campaigns.len() + message.enforcements.len();
            for (author, version, view) in versions.iter().take(objects) {
                add_accessed(feed, &mut outgoing.accessed, author, *version, view);
            }
            outgoing.message = message.into();
            return Ok(outgoing);
        }
    };
    let mut next = Some(batch);
    while let Some(batch) = next {
        if !push(feed, &batch, &mut outgoing, limit) {
            break;
        }
        let is_full = outgoing.message.len() >= MESSAGE_BYTES || outgoing.count_events() >= limit;
        next = if is_full { None } else { feed.next_batch_ready()? };
    }
    Ok(outgoing)
}

/// Adds a batch to a message. If not all of it fits, puts the rest back and returns false.
///
/// In a message removals come before items, so that a reader can continue from the cursor of each. An empty message
/// takes at least the first item together with its removals, whatever the limit: a reader could not get past them
/// otherwise.
fn push(feed: &mut Feed, batch: &BatchEvent, outgoing: &mut OutgoingMessage, limit: usize) -> bool {
    let first_item = batch.ranges.first().map_or(usize::MAX, |range| range.start);
    let leading =
        batch.removals.iter().take_while(|removal| removal.item_index <= first_item).count();
    if leading > 0 && outgoing.items > 0 {
        feed.put_back(batch, batch.removals[0].item_index);
        return false;
    }
    let is_empty = outgoing.count_events() == 0;
    let first_removed = batch.removals.first().map(|removal| removal.item_index);
    let of_first = |removal: &&BatchRemoval| is_empty && Some(removal.item_index) == first_removed;
    let unsplit = batch.removals[..leading].iter().take_while(of_first).count();
    let fitting = leading.min(limit.saturating_sub(outgoing.count_events())).max(unsplit);
    if fitting > 0 {
        outgoing.message.push(encode_removals(batch, fitting));
        outgoing.removals += fitting;
    }
    if fitting < leading {
        feed.put_back(batch, batch.removals[fitting].item_index);
        return false;
    }
    // Whether all that the message has so far precedes the first item.
    let takes_first = is_empty && first_removed.is_none_or(|removed| removed >= first_item);
    let encoded = encode_items(batch);
    // Items after the next removal go into another message.
    let end = batch.removals.get(leading).map(|removal| removal.item_index);
    for range in batch.ranges.iter().filter(|range| end.is_none_or(|end| range.start < end)) {
        let room = MAX_BYTES.saturating_sub(outgoing.message.len());
        // An empty message takes one item, however large.
        let min_end = range.start + usize::from(outgoing.message.is_empty());
        let is_first = takes_first && range.start == first_item;
        let events_left = limit.saturating_sub(outgoing.count_events()).max(usize::from(is_first));
        let until = encoded.end_within(range, room).max(min_end);
        let until = until.min(range.start.saturating_add(events_left));
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
fn versions_for_liaison(feed: &Feed, event: &FeedEvent) -> Vec<(PartnerId, Position, SharingView)> {
    match event {
        FeedEvent::Items(items) if feed.purpose().is_some() => {
            let part =
                |item: &FeedItem| (item.author.clone(), item.record.version, item.sharing.clone());
            items.iter().map(part).collect()
        }
        FeedEvent::Campaign(event) if feed.purpose().is_some() => {
            let ContributionView { record, sharing, .. } = &event.contribution;
            vec![(record.author.clone(), record.position, sharing.clone())]
        }
        FeedEvent::Enforcements(events) if feed.purpose().is_some() => {
            let part = |event: &EnforcementEvent| {
                let EnforcementView { record, sharing, .. } = &event.enforcement;
                (record.author.clone(), record.position, sharing.clone())
            };
            events.iter().map(part).collect()
        }
        _ => Vec::new(),
    }
}

/// If the reader is a liaison, adds items of a batch to the objects that the access log has to record.
fn add_accessed_items(
    feed: &Feed,
    batch: &BatchEvent,
    items: Range<usize>,
    accessed: &mut AccessedObjects,
) {
    let entry = &batch.logged.entry;
    let (Body::SubmissionBatch(submitted), Some(author), Some(_)) =
        (&entry.body, &entry.author, feed.purpose())
    else {
        return;
    };
    for item in &submitted.items[items] {
        let version = Position::new(entry.sequence, item.index);
        add_accessed(feed, accessed, author, version, &batch.sharing);
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

/// Encodes the first `count` removals of a batch for its reader.
fn encode_removals(event: &BatchEvent, count: usize) -> Bytes {
    let entry = &event.logged.entry;
    let (Body::SubmissionBatch(batch), Some(author)) = (&entry.body, &entry.author) else {
        return Bytes::new();
    };
    let removals = event.removals[..count].iter().map(|removal| pb::Removal {
        version: Some(indicator::version(removal.version)),
        cursor: Some(cursor_at(event.journal, removal.position)),
        indicator_id: batch.items[removal.item_index].id.to_string(),
        author: author.to_string(),
        reason: reason(removal.reason).into(),
        ..pb::Removal::default()
    });
    let message =
        pb::SubscribeResponse { removals: removals.collect(), ..pb::SubscribeResponse::default() };
    message.encode_to_vec().into()
}

/// Converts the reason of a removal.
pub fn reason(reason: RemovalReason) -> pb::RemovalReason {
    match reason {
        RemovalReason::Replaced => pb::RemovalReason::Replaced,
        RemovalReason::NoLongerMatches => pb::RemovalReason::NoLongerMatches,
        RemovalReason::Withdrawn => pb::RemovalReason::Withdrawn,
        RemovalReason::Expired => pb::RemovalReason::Expired,
        RemovalReason::NoLongerShared => pb::RemovalReason::NoLongerShared,
    }
}

/// The cursor for a position.
pub fn cursor_at(journal: JournalEpoch, position: FeedPosition) -> pb::Cursor {
    cursor::write(Cursor { journal, position })
}

/// The encodings of one entry, cached with it in the journal's tail.
#[derive(Debug, Default)]
struct Encodings {
    common: OnceLock<Encoded>,
    classes: Mutex<HashMap<ReaderClass, Arc<OnceLock<Encoded>>>>,
}

/// Encodes the items of a batch for the reader's class. The first reader of a class encodes them for all.
fn encode_items(event: &BatchEvent) -> Encoded {
    let encodings = event.logged.cached(|_| Encodings::default());
    let Body::SubmissionBatch(batch) = &event.logged.entry.body else {
        return Encoded::default();
    };
    let class = ReaderClass {
        sharing: event.sharing.clone(),
        is_author: event.is_author,
        visible_from: event.visible_from,
        campaigns: event.campaigns.clone(),
    };
    let common = || {
        encodings.common.get_or_init(|| encode_common(&event.logged.entry, batch, event.journal))
    };
    // A batch that replaces another audience replaces different versions for each reader.
    if let Some(replaces) = &event.replaces {
        return encode_replacing(common(), batch, replaces, &class);
    }
    let slot = {
        let mut classes = encodings.classes.lock().unwrap_or_else(PoisonError::into_inner);
        match classes.get(&class) {
            Some(slot) => Arc::clone(slot),
            None if classes.len() < MAX_CACHED_CLASSES => {
                Arc::clone(classes.entry(class.clone()).or_default())
            }
            None => Arc::default(),
        }
    };
    let encode = || {
        let outcomes = match &*event.outcome {
            Outcome::Applied(outcomes) => outcomes.as_slice(),
            Outcome::Void(_) => &[],
        };
        encode_class(common(), batch, outcomes, &class)
    };
    slot.get_or_init(encode).clone()
}
