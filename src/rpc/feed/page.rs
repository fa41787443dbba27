//! What is there, for who asks instead of listening: pages of the feed, and snapshots.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prost::Message;
use tokio::sync::mpsc;
use tonic::Status;

use super::super::status::status;
use super::super::{Services, visible};
use super::message::OutgoingMessage;
use super::{events, lane, message};
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

/// How long a page is looked for where little matches. Within it a page comes back empty, with how far
/// it has come.
const LOOK_FOR: Duration = Duration::from_millis(500);
/// An item, and the two versions at most whose place it takes: what belongs together is not cut, or a
/// smaller page would never come past it.
const LEAST_PAGE: usize = 3;
/// The most snapshots that a partner takes at once.
const SNAPSHOTS_AT_ONCE: usize = 2;
/// No message of a snapshot becomes larger than this and one item.
const MESSAGE_BYTES: usize = 512 * 1024;

/// A page of the feed.
pub async fn pull(
    services: &Services,
    caller: &Caller,
    asked: &pb::PullRequest,
) -> Result<EncodedFeed> {
    use pb::pull_request::Start as Asked;
    services.read_after(asked.read_after.as_ref()).await?;
    let filter = filter::read(asked.filter.as_ref(), &services.labels)?;
    let wanted = FeedRequest { filter, purpose: purpose::read(asked.purpose.as_ref())? };
    let start = match &asked.start {
        Some(Asked::FromStart(_)) | None => Start::Oldest,
        Some(Asked::FromNow(_)) => Start::Now,
        Some(Asked::Cursor(token)) => Start::After(cursor::read(token)?),
    };
    let size = page_size(asked.page_size as usize).max(LEAST_PAGE);
    let mut feed = services.exchange.feeds.feed(caller, start, wanted)?;
    let deadline = tokio::time::Instant::now() + LOOK_FOR;
    let OutgoingMessage { message: mut page, accessed, .. } =
        match feed.next_available(deadline).await? {
            Some(delivery) => {
                let outgoing = message::fill(&mut feed, delivery, size)?;
                outgoing.count(&services.metrics);
                outgoing
            }
            None => OutgoingMessage::default(),
        };
    let place = pb::PullResponse {
        cursor: Some(cursor::write(feed.cursor())),
        more: feed.is_behind(),
        ..pb::PullResponse::default()
    };
    if let Some(purpose) = feed.purpose() {
        // Before it leaves, or it does not. What is written here is no reason to ask for more.
        let exchange = &services.exchange;
        exchange
            .liaison
            .record_access(caller.partner(), AccessWay::Pull, purpose, accessed)
            .await?;
    }
    page.push(place.encode_to_vec().into());
    Ok(page)
}

/// A snapshot that is being taken.
pub struct OpenSnapshot {
    snapshot: Snapshot,
    partner: PartnerId,
    place: SnapshotPermit,
}

/// Opens a snapshot. Each is a scan of everything, so a partner has few of them at once.
pub async fn snapshot(
    services: &Services,
    caller: &Caller,
    asked: &pb::SnapshotRequest,
) -> Result<OpenSnapshot> {
    let partner = caller.partner().clone();
    let place = services.snapshots.enter(&partner)?;
    services.read_after(asked.read_after.as_ref()).await?;
    let filter = filter::read(asked.filter.as_ref(), &services.labels)?;
    let wanted = FeedRequest { filter, purpose: purpose::read(asked.purpose.as_ref())? };
    Ok(OpenSnapshot { snapshot: services.exchange.feeds.snapshot(caller, wanted)?, partner, place })
}

/// How many snapshots each partner is taking.
#[derive(Clone, Debug, Default)]
pub struct Snapshots(Arc<Mutex<HashMap<PartnerId, usize>>>);

/// One of a partner's snapshots, for as long as it is taken.
pub struct SnapshotPermit(Snapshots, PartnerId);

impl Snapshots {
    fn enter(&self, partner: &PartnerId) -> Result<SnapshotPermit> {
        let mut taking = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taking.entry(partner.clone()).or_default();
        if *count == SNAPSHOTS_AT_ONCE {
            let message =
                format!("you are taking {SNAPSHOTS_AT_ONCE} snapshots already: wait for one");
            return Err(Error::new(Kind::Exhausted, "snapshots_at_once", message));
        }
        *count += 1;
        Ok(SnapshotPermit(self.clone(), partner.clone()))
    }
}

impl Drop for SnapshotPermit {
    fn drop(&mut self) {
        let mut taking = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taking.get_mut(&self.1) {
            *count -= 1;
        }
        taking.retain(|_, count| *count > 0);
    }
}

/// Sends a snapshot: first the cursor, then the items, then that it is complete. A reader that leaves a message
/// untaken for too long is disconnected.
pub async fn run(
    OpenSnapshot { snapshot, partner, place: _permit }: OpenSnapshot,
    taken: mpsc::Sender<std::result::Result<EncodedFeed, Status>>,
    services: Services,
) {
    let sender = SnapshotSender { taken, services, partner, purpose: snapshot.purpose().cloned() };
    if let Err(error) = send_messages(&sender, snapshot).await {
        sender.send(Err(status(&error))).await;
    }
}

/// Sends the messages of a snapshot. Stops once the reader takes no more.
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
        for one in page {
            // Split by visible objects only: the end of a page would reveal how much is hidden.
            if message.add(one, sender.purpose.as_ref()) {
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
    fn add(&mut self, one: SnapshotPart, purpose: Option<&Purpose>) -> bool {
        self.bytes += write(&mut self.message, &one);
        if purpose.is_some() {
            self.parts.push(one);
        }
        self.bytes > MESSAGE_BYTES || self.parts.len() >= lane::most(purpose)
    }

    /// The message to send, and the snapshot to go on with. For a liaison, objects whose release ended since their
    /// page was read are left out.
    async fn finish(self, mut snapshot: Snapshot) -> Result<(Outgoing, Snapshot)> {
        let Some(purpose) = snapshot.purpose().cloned() else {
            return Ok(((self.message, AccessedObjects::default()), snapshot));
        };
        blocking(move || {
            let (mut message, mut accessed) = Default::default();
            for one in &self.parts {
                if snapshot.may_still_deliver(one)? {
                    let (author, version, view) = version_of(one);
                    AccessedObjects::add(&mut accessed, author, version, view, &purpose);
                    write(&mut message, one);
                }
            }
            Ok(((message, accessed), snapshot))
        })
        .await
    }
}

/// Adds an object to a message, and returns its size.
fn write(message: &mut pb::SnapshotResponse, one: &SnapshotPart) -> usize {
    match one {
        SnapshotPart::Item(shown) => push(&mut message.items, events::item(shown, None)),
        SnapshotPart::Campaign(said) => push(&mut message.campaigns, visible::contribution(said)),
        SnapshotPart::Enforcement(deed) => {
            push(&mut message.enforcements, visible::enforcement(deed))
        }
    }
}

/// The author and version of an object, and the part of its sharing that the reader may know.
fn version_of(one: &SnapshotPart) -> (&PartnerId, Position, &SharingView) {
    match one {
        SnapshotPart::Item(one) => (&one.author, one.record.version, &one.view),
        SnapshotPart::Campaign(one) => (&one.record.author, one.record.position, &one.sharing),
        SnapshotPart::Enforcement(one) => (&one.record.author, one.record.position, &one.sharing),
    }
}

/// Adds a message to others, and returns its size.
fn push<M: Message>(all: &mut Vec<M>, one: M) -> usize {
    let size = one.encoded_len();
    all.push(one);
    size
}

struct SnapshotSender {
    taken: mpsc::Sender<std::result::Result<EncodedFeed, Status>>,
    services: Services,
    partner: PartnerId,
    purpose: Option<Purpose>,
}

impl SnapshotSender {
    /// Whether it was taken. A reader that has gone, or takes nothing, gets no last message, and
    /// without it a snapshot is none.
    async fn send(&self, message: std::result::Result<Outgoing, Status>) -> bool {
        let message = match message {
            Ok((message, accessed)) => {
                self.recorded(message, accessed).await.map_err(|e| status(&e))
            }
            Err(status) => Err(status),
        };
        let goes_on = message.is_ok();
        let message = message.map(|message| {
            self.services.metrics.delivered(message.items.len() as u64);
            EncodedFeed::of(&message)
        });
        tokio::select! {
            sent = self.taken.send_timeout(message, self.services.limits.blocked) => {
                sent.is_ok() && goes_on
            }
            () = self.services.stop.cancelled() => false,
            () = self.services.exchange.until_suspended(&self.partner) => false,
        }
    }
    /// Writes down what a liaison is about to be given: before it leaves, or it does not.
    async fn recorded(
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
