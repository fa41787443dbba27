//! Pull and Snapshot: reads for clients that do not keep a feed open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prost::Message;
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tonic::Status;

use super::super::status::status;
use super::super::{Services, visible};
use super::message::OutgoingMessage;
use super::{events, liaison, message};
use crate::domain::page::page_size;
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::sharing::SharingView;
use crate::domain::{PartnerId, Position};
use crate::error::{Error, Kind, Result};
use crate::exchange::{
    AccessedObjects, Caller, FeedRequest, SCANNED_PER_PAGE, Snapshot, SnapshotPart, Start,
};
use crate::wire::encoded::EncodedFeed;
use crate::wire::{cursor, filter, pb, purpose};

/// How long a pull searches for an event. After that it returns an empty page with the position that it reached.
const SEARCH_TIME: Duration = Duration::from_millis(500);
/// Maximum number of open snapshots per partner.
const MAX_SNAPSHOTS: usize = 2;
/// Maximum size of a snapshot message in bytes, plus one item.
const MESSAGE_BYTES: usize = 512 * 1024;

/// Returns a page of the feed.
pub async fn pull(
    services: &Services,
    caller: &Caller,
    request: &pb::PullRequest,
) -> Result<EncodedFeed> {
    use pb::pull_request::Start as Requested;
    services.read_after(request.read_after.as_ref()).await?;
    let filter = filter::read(request.filter.as_ref(), &services.labels)?;
    let feed_request = FeedRequest { filter, purpose: purpose::read(request.purpose.as_ref())? };
    let start = match &request.start {
        Some(Requested::FromStart(_)) | None => Start::Oldest,
        Some(Requested::FromNow(_)) => Start::Now,
        Some(Requested::Cursor(token)) => Start::After(cursor::read(token)?),
    };
    if let Start::After(cursor) = start {
        services.exchange.catch_up_to(cursor).await?;
    }
    let size = page_size(request.page_size as usize);
    let mut feed = services.exchange.feeds.feed(caller, start, feed_request)?;
    let deadline = tokio::time::Instant::now() + SEARCH_TIME;
    let OutgoingMessage { message: mut page, accessed, .. } =
        match feed.next_available(deadline).await? {
            Some(event) => {
                let outgoing = message::fill(&mut feed, event, size)?;
                outgoing.count(&services.metrics);
                outgoing
            }
            None => OutgoingMessage::default(),
        };
    let end_of_page = pb::PullResponse {
        cursor: Some(cursor::write(feed.cursor())),
        more: feed.has_more(),
        ..pb::PullResponse::default()
    };
    if let Some(purpose) = feed.purpose() {
        // If this fails, the liaison receives nothing. `more` was computed before, so that it ignores this entry.
        let exchange = &services.exchange;
        exchange
            .liaison
            .record_access(caller.partner(), AccessWay::Pull, purpose, accessed)
            .await?;
    }
    page.push(end_of_page.encode_to_vec().into());
    Ok(page)
}

/// A snapshot that is being taken.
pub struct OpenSnapshot {
    snapshot: Snapshot,
    partner: PartnerId,
    permit: SnapshotPermit,
}

/// Opens a snapshot. Each scans the whole index, so the number per partner is limited.
pub async fn snapshot(
    services: &Services,
    caller: &Caller,
    request: &pb::SnapshotRequest,
) -> Result<OpenSnapshot> {
    let partner = caller.partner().clone();
    let permit = services.snapshots.acquire(&partner)?;
    services.read_after(request.read_after.as_ref()).await?;
    let filter = filter::read(request.filter.as_ref(), &services.labels)?;
    let feed_request = FeedRequest { filter, purpose: purpose::read(request.purpose.as_ref())? };
    let snapshot = services.exchange.feeds.snapshot(caller, feed_request)?;
    Ok(OpenSnapshot { snapshot, partner, permit })
}

/// The number of open snapshots of each partner that has one.
#[derive(Clone, Debug, Default)]
pub struct Snapshots(Arc<Mutex<HashMap<PartnerId, usize>>>);

/// Counts one open snapshot of a partner until it is dropped.
pub struct SnapshotPermit(Snapshots, PartnerId);

impl Snapshots {
    fn acquire(&self, partner: &PartnerId) -> Result<SnapshotPermit> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(partner.clone()).or_default();
        if *count == MAX_SNAPSHOTS {
            let message =
                format!("you already have {MAX_SNAPSHOTS} open snapshots: wait until one ends");
            return Err(Error::new(Kind::Exhausted, "snapshots_at_once", message));
        }
        *count += 1;
        Ok(SnapshotPermit(self.clone(), partner.clone()))
    }
}

impl Drop for SnapshotPermit {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
        }
        counts.retain(|_, count| *count > 0);
    }
}

/// Sends a snapshot: first the cursor, then the objects; the last message is marked complete. A reader that leaves a
/// message unread for too long is disconnected.
pub async fn run(
    OpenSnapshot { snapshot, partner, permit: _permit }: OpenSnapshot,
    channel: mpsc::Sender<std::result::Result<EncodedFeed, Status>>,
    services: Services,
) {
    let sender =
        SnapshotSender { channel, services, partner, purpose: snapshot.purpose().cloned() };
    if let Err(error) = send_messages(&sender, snapshot).await {
        sender.send(Err(status(&error))).await;
    }
}

/// Sends the messages of a snapshot. Stops when the reader is gone.
async fn send_messages(sender: &SnapshotSender, mut snapshot: Snapshot) -> Result<()> {
    let cursor = Some(cursor::write(snapshot.cursor()));
    let first = pb::SnapshotResponse { cursor, ..Default::default() };
    if !sender.send(Ok((first, AccessedObjects::default()))).await {
        return Ok(());
    }
    let mut message = SnapshotMessage::default();
    loop {
        let (page, rest) =
            blocking(move || Ok((snapshot.next_page(SCANNED_PER_PAGE)?, snapshot))).await?;
        snapshot = rest;
        let Some(page) = page else { break };
        for part in page {
            // Split by visible objects only: the end of a page would reveal how much is hidden.
            if message.add(part, sender.purpose.as_ref()) {
                let (full, rest) = std::mem::take(&mut message).finish(snapshot).await?;
                snapshot = rest;
                if !sender.send(Ok(full)).await {
                    return Ok(());
                }
            }
        }
    }
    let ((last, accessed), _) = message.finish(snapshot).await?;
    let last = pb::SnapshotResponse { complete: true, ..last };
    sender.send(Ok((last, accessed))).await;
    Ok(())
}

/// Runs a read of the index on a blocking thread.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let reading = tokio::task::spawn_blocking(read);
    reading.await.map_err(|error| Error::internal("snapshot", error))?
}

/// A message, and for a liaison the objects that the access log has to record.
type Outgoing = (pb::SnapshotResponse, AccessedObjects);

/// A message that is being built.
#[derive(Default)]
struct SnapshotMessage {
    message: pb::SnapshotResponse,
    bytes: usize,
    /// For a liaison: the objects of the message. They are checked again before it is sent.
    parts: Vec<SnapshotPart>,
}

impl SnapshotMessage {
    /// Adds an object, and returns whether the message is full.
    fn add(&mut self, part: SnapshotPart, purpose: Option<&Purpose>) -> bool {
        self.bytes += write(&mut self.message, &part);
        if purpose.is_some() {
            self.parts.push(part);
        }
        self.bytes > MESSAGE_BYTES || self.parts.len() >= liaison::max_objects(purpose)
    }

    /// Returns the message to send, and the snapshot. For a liaison, objects whose release ended since their
    /// page was read are left out.
    async fn finish(self, mut snapshot: Snapshot) -> Result<(Outgoing, Snapshot)> {
        let Some(purpose) = snapshot.purpose().cloned() else {
            return Ok(((self.message, AccessedObjects::default()), snapshot));
        };
        blocking(move || {
            let (mut message, mut accessed) = Default::default();
            for part in &self.parts {
                if snapshot.may_still_deliver(part)? {
                    let (author, version, view) = version_of(part);
                    AccessedObjects::add(&mut accessed, author, version, view, &purpose);
                    write(&mut message, part);
                }
            }
            Ok(((message, accessed), snapshot))
        })
        .await
    }
}

/// Adds an object to a message, and returns its size in bytes.
fn write(message: &mut pb::SnapshotResponse, part: &SnapshotPart) -> usize {
    match part {
        SnapshotPart::Item(item) => push(&mut message.items, events::item(item, None)),
        SnapshotPart::Campaign(view) => push(&mut message.campaigns, visible::contribution(view)),
        SnapshotPart::Enforcement(view) => {
            push(&mut message.enforcements, visible::enforcement(view))
        }
    }
}

/// The author and version of an object, and the part of its sharing that the reader may know.
fn version_of(part: &SnapshotPart) -> (&PartnerId, Position, &SharingView) {
    match part {
        SnapshotPart::Item(item) => (&item.author, item.record.version, &item.sharing),
        SnapshotPart::Campaign(view) => (&view.record.author, view.record.position, &view.sharing),
        SnapshotPart::Enforcement(view) => {
            (&view.record.author, view.record.position, &view.sharing)
        }
    }
}

/// Adds a message to a list, and returns its size in bytes.
fn push<M: Message>(list: &mut Vec<M>, message: M) -> usize {
    let size = message.encoded_len();
    list.push(message);
    size
}

struct SnapshotSender {
    channel: mpsc::Sender<std::result::Result<EncodedFeed, Status>>,
    services: Services,
    partner: PartnerId,
    purpose: Option<Purpose>,
}

impl SnapshotSender {
    /// Sends a message. Returns whether the snapshot continues: false after an error, or if the reader is gone or does
    /// not read. Such a snapshot has no last message, and the client rejects it as incomplete.
    async fn send(&self, message: std::result::Result<Outgoing, Status>) -> bool {
        let message = match message {
            Ok((message, accessed)) => {
                self.record_access(message, accessed).await.map_err(|e| status(&e))
            }
            Err(status) => Err(status),
        };
        let is_error = message.is_err();
        let message = message.map(|message| {
            self.services.metrics.delivered(message.items.len() as u64);
            EncodedFeed::of(&message)
        });
        tokio::select! {
            sent = self.channel.send_timeout(message, self.services.limits.unread_timeout) => {
                if let Err(SendTimeoutError::Timeout(_)) = sent {
                    self.services.count_slow_reader(&self.partner, "Snapshot");
                }
                sent.is_ok() && !is_error
            }
            () = self.services.stop.cancelled() => false,
            () = self.services.exchange.until_suspended(&self.partner) => false,
        }
    }

    /// Records what a liaison is about to receive in the access log. If that fails, the liaison receives nothing.
    async fn record_access(
        &self,
        message: pb::SnapshotResponse,
        accessed: AccessedObjects,
    ) -> Result<pb::SnapshotResponse> {
        if let Some(purpose) = &self.purpose {
            let exchange = &self.services.exchange;
            exchange
                .liaison
                .record_access(&self.partner, AccessWay::Snapshot, purpose, accessed)
                .await?;
        }
        Ok(message)
    }
}
