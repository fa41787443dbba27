//! Publishes entries, and resolves what became of each.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{sleep, timeout};

use super::Shared;
use super::frame::{Frame, Kind};
use crate::domain::Entry;
use crate::domain::entry::AppendId;
use crate::journal::{Append, AppendError, AppendOutcome, MAX_ENTRY_BYTES, Stamp};

/// Pause before a message is published again.
const RETRY: Duration = Duration::from_millis(100);

/// A message to publish.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The append id of its entry.
    pub id: AppendId,
    /// Its `Nats-Msg-Id`.
    pub message_id: String,
    /// Its payload.
    pub payload: Bytes,
    /// The sequence that it must get, if it must get one.
    pub sequence: Option<u64>,
}

impl Outgoing {
    /// The message of an append.
    pub fn new(shared: &Shared, append: &Append) -> Self {
        let time = (shared.settings.local.time)();
        let frame = Frame { kind: Kind::Append, time, entry: append.encoded().clone() };
        let id = append.id();
        let message_id = Kind::Append.message_id(id, 0);
        Self { id, message_id, payload: frame.encode(), sequence: None }
    }

    async fn send(&self, shared: &Shared) -> Result<PublishAckFuture, PublishError> {
        let mut message = PublishMessage::build()
            .payload(self.payload.clone())
            .message_id(&self.message_id)
            .expected_stream(&shared.settings.stream);
        if let Some(sequence) = self.sequence {
            message = message.expected_last_sequence(sequence - 1);
        }
        shared.context.send_publish(shared.settings.subject(), message).await
    }
}

/// Publishes a batch in order, all in flight together. Returns one outcome per append.
///
/// An outcome is known when the local copy holds the entry, since the follower computes its time.
pub async fn append_all(shared: &Arc<Shared>, batch: &[Append]) -> Vec<AppendOutcome> {
    let mut first_with_id = HashMap::new();
    let mut messages = Vec::new();
    let mut outcomes: Vec<Option<AppendOutcome>> = Vec::with_capacity(batch.len());
    for (at, append) in batch.iter().enumerate() {
        let bytes = append.encoded().len();
        outcomes.push((bytes > MAX_ENTRY_BYTES).then_some(Err(AppendError::TooLarge { bytes })));
        if bytes <= MAX_ENTRY_BYTES && *first_with_id.entry(append.id()).or_insert(at) == at {
            messages.push((at, Outgoing::new(shared, append)));
        }
    }
    let (at, messages): (Vec<_>, Vec<_>) = messages.into_iter().unzip();
    for (at, outcome) in at.into_iter().zip(publish_all(shared, &messages).await) {
        outcomes[at] = Some(outcome);
    }
    // What remains repeats an id of the batch.
    let mut complete: Vec<AppendOutcome> = Vec::with_capacity(batch.len());
    for (append, outcome) in batch.iter().zip(outcomes) {
        let outcome = outcome.unwrap_or_else(|| {
            let first = complete[first_with_id[&append.id()]].clone();
            first.map(|stamp| Stamp { repeated: true, ..stamp })
        });
        complete.push(outcome);
    }
    complete
}

/// Publishes messages in order, all in flight together. Returns one outcome each.
pub async fn publish_all(shared: &Arc<Shared>, messages: &[Outgoing]) -> Vec<AppendOutcome> {
    let head = *shared.copy.watch().borrow();
    let mut waiting = FuturesUnordered::new();
    let mut outcomes: Vec<_> = messages
        .iter()
        .map(|_| Err(AppendError::Unknown("the append was abandoned".into())))
        .collect();
    for (at, message) in messages.iter().enumerate() {
        // Sent one after the other over one connection, so that they are stored in this order.
        let first = message.send(shared).await;
        waiting.push(async move { (at, settle(shared, message, first, head).await) });
    }
    while let Some((at, outcome)) = waiting.next().await {
        outcomes[at] = outcome;
    }
    outcomes
}

/// Waits until it is known what became of a message. Publishes it again after an error: its id makes sure that
/// it is stored once. `head` is the head before the first try.
async fn settle(
    shared: &Arc<Shared>,
    message: &Outgoing,
    first: Result<PublishAckFuture, PublishError>,
    head: u64,
) -> AppendOutcome {
    let mut tries = Tries::default();
    let limit = shared.settings.append_timeout;
    let outcome = timeout(limit, tries.run(shared, message, first, head)).await;
    outcome.unwrap_or_else(|_| {
        let reason = format!("not settled within {} s: {}", limit.as_secs(), tries.last_error);
        Err(if tries.may_be_stored {
            AppendError::Unknown(reason)
        } else {
            AppendError::Rejected(reason)
        })
    })
}

/// The tries of one message.
#[derive(Default)]
struct Tries {
    /// Whether a try ended without a clear answer.
    may_be_stored: bool,
    last_error: String,
}

impl Tries {
    async fn run(
        &mut self,
        shared: &Arc<Shared>,
        message: &Outgoing,
        mut attempt: Result<PublishAckFuture, PublishError>,
        head: u64,
    ) -> AppendOutcome {
        let mut is_first = true;
        loop {
            let answer = match attempt {
                Ok(ack) => {
                    // Until the answer is here: the time may run out meanwhile.
                    let before = std::mem::replace(&mut self.may_be_stored, true);
                    "no acknowledgement".clone_into(&mut self.last_error);
                    let answer = ack.await;
                    if answer.as_ref().is_err_and(is_not_stored) {
                        self.may_be_stored = before;
                    }
                    answer
                }
                Err(error) => Err(error),
            };
            match answer {
                Ok(ack) => {
                    "the local copy has not reached it".clone_into(&mut self.last_error);
                    let stamp = stored(shared, message.id, ack.sequence).await?;
                    let repeated = match (ack.duplicate, is_first) {
                        (false, _) => false,
                        (true, true) => true,
                        (true, false) => is_repeat(shared, message, stamp, head).await?,
                    };
                    return Ok(Stamp { repeated, ..stamp });
                }
                Err(error) if is_final(&error) && !self.may_be_stored => {
                    return Err(AppendError::Rejected(describe(&error)));
                }
                Err(error) => self.last_error = describe(&error),
            }
            if let Some(stamp) = shared.find_recent(message.id)
                && stamp.sequence <= *shared.copy.watch().borrow()
            {
                let repeated = is_repeat(shared, message, stamp, head).await?;
                return Ok(Stamp { repeated, ..stamp });
            }
            is_first = false;
            sleep(RETRY).await;
            attempt = message.send(shared).await;
        }
    }
}

/// The stamp of an acknowledged message, once the local copy holds it.
async fn stored(shared: &Arc<Shared>, id: AppendId, sequence: u64) -> Result<Stamp, AppendError> {
    let closed = |_| AppendError::Unknown("the journal was closed".into());
    shared.copy.watch().wait_for(|head| *head >= sequence).await.map_err(closed)?;
    if let Some(stamp) = shared.find_recent(id).filter(|stamp| stamp.sequence == sequence) {
        return Ok(stamp);
    }
    let entry = read_one(shared, sequence).await?;
    if entry.id != id {
        let reason = format!("it was acknowledged as entry {sequence}, which is another one");
        return Err(AppendError::Unknown(reason));
    }
    Ok(Stamp::new(sequence, entry.time))
}

/// Whether another append stored the entry that has the id of a message, and not an earlier try of this one. `head` is
/// the head before the first try.
///
/// Another node may have stored the same id meanwhile. Its entry may differ, where a node draws an id: then this
/// one was not stored, and must not be taken for what the journal holds.
async fn is_repeat(
    shared: &Arc<Shared>,
    message: &Outgoing,
    stamp: Stamp,
    head: u64,
) -> Result<bool, AppendError> {
    if stamp.sequence <= head {
        return Ok(true);
    }
    let own = Frame::decode(message.payload.clone()).map_err(AppendError::Unknown)?;
    let own = stamp.decode(&own.entry).map_err(|error| AppendError::Unknown(error.to_string()))?;
    Ok(read_one(shared, stamp.sequence).await? != own)
}

/// Reads an entry of the local copy.
async fn read_one(shared: &Arc<Shared>, sequence: u64) -> Result<Entry, AppendError> {
    let unknown = |error: String| AppendError::Unknown(error);
    let copy = Arc::clone(&shared.copy);
    let read = tokio::task::spawn_blocking(move || copy.read(sequence, 1)).await;
    let entries = read.map_err(|error| unknown(error.to_string()))?;
    let mut entries = entries.map_err(|error| unknown(error.to_string()))?;
    entries.pop().ok_or_else(|| unknown(format!("the local copy has no entry {sequence}")))
}

/// Whether an answer says that this try stored nothing.
fn is_not_stored(error: &PublishError) -> bool {
    // No stream was there to take it.
    error.kind() == PublishErrorKind::StreamNotFound || is_final(error)
}

/// Whether an answer says that nothing was stored, and that the next try would be answered in the same way.
fn is_final(error: &PublishError) -> bool {
    match error.kind() {
        PublishErrorKind::MaxPayloadExceeded | PublishErrorKind::WrongLastSequence => true,
        PublishErrorKind::Other => jetstream_error(error).is_some_and(|error| {
            // A full stream has no code of its own.
            let is_full = error.error_code() == ErrorCode::STREAM_STORE_FAILED
                && error.to_string().contains("maximum");
            let finals = [
                ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM,
                ErrorCode::STREAM_NOT_MATCH,
                ErrorCode::STORAGE_RESOURCES_EXCEEDED,
                ErrorCode::INSUFFICIENT_RESOURCES,
            ];
            is_full || finals.contains(&error.error_code())
        }),
        _ => false,
    }
}

fn jetstream_error(error: &PublishError) -> Option<&jetstream::Error> {
    error.source()?.downcast_ref()
}

fn describe(error: &PublishError) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

impl Shared {
    /// The stamp of an id that the follower stored lately, or is storing.
    pub(super) fn find_recent(&self, id: AppendId) -> Option<Stamp> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).find(id)
    }
}
