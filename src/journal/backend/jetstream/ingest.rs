//! Stores messages of the stream in the local copy, in order, without a gap.

use std::sync::PoisonError;

use async_nats::jetstream::Message;
use bytes::Bytes;

use super::Shared;
use super::follower::SessionEnd;
use super::frame::Frame;
use super::refusal::Refusal;
use crate::domain::Timestamp;
use crate::domain::entry::AppendId;
use crate::journal::backend::end::Stamped;
use crate::journal::{JournalError, Stamp};

/// A message of the stream.
#[derive(Debug)]
pub struct Received {
    sequence: u64,
    /// When the leader stored it.
    time: Timestamp,
    /// Its `Nats-Msg-Id`; empty if it has none.
    id: String,
    payload: Bytes,
}

impl Received {
    /// A message as a consumer delivers it.
    pub fn new(message: Message) -> Result<Self, String> {
        let info = message.info().map_err(|error| error.to_string())?;
        let (sequence, published) = (info.stream_sequence, info.published);
        let millis = published.unix_timestamp_nanos() / 1_000_000;
        let headers = message.message.headers.as_ref();
        let id = headers.and_then(|headers| headers.get(async_nats::header::NATS_MESSAGE_ID));
        Ok(Self {
            sequence,
            time: Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)),
            id: id.map(ToString::to_string).unwrap_or_default(),
            payload: message.message.payload,
        })
    }

    /// Decodes the entry after one with the time `predecessor`. Returns its stamp, its id and its encoding.
    fn decode(self, predecessor: Timestamp) -> Result<(Stamp, AppendId, Bytes), String> {
        let frame = Frame::decode(self.payload)?;
        let stamp = Stamp::new(self.sequence, frame.entry_time(self.time, predecessor));
        let entry = stamp.decode(&frame.entry).map_err(|error| match error {
            JournalError::Damaged { reason, .. } | JournalError::OtherRules { reason, .. } => {
                reason
            }
            error => error.to_string(),
        })?;
        if frame.kind.message_id(entry.id, self.sequence) != self.id {
            return Err(format!("its id {} is not that of its entry", self.id));
        }
        Ok((stamp, entry.id, frame.entry))
    }
}

/// Stores messages that follow the head. Passes over those that are stored already.
///
/// Nothing is ever skipped: a gap ends the session, and a message that this version cannot read is refused.
/// The entries before it are stored.
pub fn ingest(shared: &Shared, messages: Vec<Received>) -> Result<(), SessionEnd> {
    // An earlier session may still be writing.
    let _one_at_a_time = shared.ingest.lock().unwrap_or_else(PoisonError::into_inner);
    let mut end = shared.copy.end();
    let mut decoded = Vec::with_capacity(messages.len());
    let mut refused = None;
    for message in messages {
        let sequence = message.sequence;
        if sequence <= end.sequence {
            continue;
        }
        if end.sequence > 0 && sequence != end.sequence + 1 {
            let gap = format!("entry {sequence} came after entry {}", end.sequence);
            refused = Some(SessionEnd::Lost(gap));
            break;
        }
        match message.decode(end.time) {
            Ok(entry) => {
                end = entry.0;
                decoded.push(entry);
            }
            Err(reason) => {
                let stream = shared.settings.stream.clone();
                refused = Some(Refusal::Message { stream, sequence, reason }.into());
                break;
            }
        }
    }
    store(shared, &decoded)?;
    refused.map_or(Ok(()), Err)
}

fn store(shared: &Shared, decoded: &[(Stamp, AppendId, Bytes)]) -> Result<(), SessionEnd> {
    // Before the head moves, so that appends that wait for it find their stamps.
    let mut recent = shared.recent.lock().unwrap_or_else(PoisonError::into_inner);
    for (stamp, id, _) in decoded {
        recent.insert(*id, *stamp);
    }
    drop(recent);
    let entries: Vec<_> = decoded
        .iter()
        .map(|(stamp, id, bytes)| Stamped { stamp: *stamp, id: *id, bytes })
        .collect();
    shared.copy.store(&entries).map_err(|error| SessionEnd::Copy(error.to_string()))
}
