//! `tipoff.v1.FeedService`.

pub(super) mod events;
mod liaison;
mod message;
pub(super) mod page;

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use prost::Message as _;
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};
use tracing::debug;

use super::Services;
use super::status::status;
use crate::domain::purpose::AccessWay;
use crate::domain::{Cursor, PartnerId, SubscriptionName, Timestamp};
use crate::error::{Error, Kind};
use crate::exchange::{AccessedObjects, Caller, Feed, FeedRequest, Start, Step, SubscriptionLease};
use crate::metrics::Metrics;
use crate::tls::PeerInfo;
use crate::wire::encoded::EncodedFeed;
use crate::wire::servers::feed_service_server::FeedService;
use crate::wire::{cursor, filter, pb, purpose};

type FeedResult = Result<EncodedFeed, Status>;

/// Ticks per heartbeat interval. Heartbeats are due at ticks, so that those of many streams are sent together.
const TICKS: u32 = 50;

#[async_trait]
impl FeedService for Services {
    type SubscribeStream = Pin<Box<dyn Stream<Item = FeedResult> + Send + 'static>>;

    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = super::caller(&request)?;
        let (feed, lease) = self.open(caller, request.get_ref()).await.map_err(|e| status(&e))?;
        debug!(partner = %caller.partner(), "a feed begins");
        let accepted = request.extensions().get::<PeerInfo>().map(|peer| peer.accepted);
        let accepted = accepted.unwrap_or_else(|| self.exchange.clock().instant());
        let deadline = tokio::time::Instant::from_std(accepted + self.connection_age);
        let (channel, messages) = mpsc::channel(1);
        let stream_end = StreamEnd::default();
        let open = OpenFeed {
            feed,
            lease,
            partner: caller.partner().clone(),
            services: self.clone(),
            stream_end: stream_end.clone(),
            _gauge: OpenStreamGauge::new(&self.metrics),
        };
        tokio::spawn(open.run(channel, deadline));
        let messages = ReceiverStream::new(messages).map(Ok);
        let end = stream::once(async move { stream_end.take() }).flat_map(stream::iter);
        Ok(Response::new(Box::pin(messages.chain(end))))
    }

    async fn acknowledge(
        &self,
        request: Request<pb::AcknowledgeRequest>,
    ) -> Result<Response<pb::AcknowledgeResponse>, Status> {
        let caller = super::caller(&request)?;
        self.acknowledge_subscription(caller, request.get_ref())
            .await
            .map(Response::new)
            .map_err(|e| status(&e))
    }

    async fn pull(
        &self,
        request: Request<pb::PullRequest>,
    ) -> Result<Response<EncodedFeed>, Status> {
        let caller = super::caller(&request)?;
        page::pull(self, caller, request.get_ref()).await.map(Response::new).map_err(|e| status(&e))
    }

    type SnapshotStream = Pin<Box<dyn Stream<Item = FeedResult> + Send + 'static>>;

    async fn snapshot(
        &self,
        request: Request<pb::SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let caller = super::caller(&request)?;
        let snapshot =
            page::snapshot(self, caller, request.get_ref()).await.map_err(|e| status(&e))?;
        let (channel, messages) = mpsc::channel(2);
        tokio::spawn(page::run(snapshot, channel, self.clone()));
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn list_subscriptions(
        &self,
        request: Request<pb::ListSubscriptionsRequest>,
    ) -> Result<Response<pb::ListSubscriptionsResponse>, Status> {
        let caller = super::caller(&request)?;
        self.subscription_states(caller, request.get_ref())
            .map(Response::new)
            .map_err(|e| status(&e))
    }

    async fn delete_subscription(
        &self,
        request: Request<pb::DeleteSubscriptionRequest>,
    ) -> Result<Response<pb::DeleteSubscriptionResponse>, Status> {
        let caller = super::caller(&request)?;
        self.forget_subscription(caller, request.get_ref())
            .await
            .map(Response::new)
            .map_err(|e| status(&e))
    }
}

impl Services {
    /// Opens a feed. If the request has a name, opens the durable subscription of that name.
    async fn open(
        &self,
        caller: &Caller,
        request: &pb::SubscribeRequest,
    ) -> Result<(Feed, Option<SubscriptionLease>), Error> {
        let filter = filter::read(request.filter.as_ref(), &self.labels)?;
        let feed_request =
            FeedRequest { filter, purpose: purpose::read(request.purpose.as_ref())? };
        let start = start(request.start.as_ref())?;
        if let Start::After(cursor) = start {
            self.exchange.catch_up_to(cursor).await?;
        }
        if request.name.is_empty() {
            return Ok((self.exchange.feeds.feed(caller, start, feed_request)?, None));
        }
        let name = SubscriptionName::parse(&request.name)?;
        let (feed, lease) =
            self.exchange.feeds.open_subscription(caller, &name, start, feed_request).await?;
        Ok((feed, Some(lease)))
    }
}

fn start(requested: Option<&pb::subscribe_request::Start>) -> Result<Start, Error> {
    use pb::subscribe_request::Start as Requested;
    Ok(match requested {
        Some(Requested::FromStart(_)) => Start::Oldest,
        Some(Requested::FromNow(_)) | None => Start::Now,
        Some(Requested::Cursor(token)) => Start::After(cursor::read(token)?),
    })
}

/// The last messages of a stream, sent after those in its channel. Empty until the feed ends.
#[derive(Clone, Debug, Default)]
struct StreamEnd(Arc<Mutex<Vec<FeedResult>>>);

impl StreamEnd {
    fn set(&self, messages: Vec<FeedResult>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = messages;
    }

    fn take(&self) -> Vec<FeedResult> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An open feed with its stream.
///
/// It runs in its own task. The transport does not poll the stream while its reader reads nothing, so only a task can
/// end the feed of such a reader and free what it holds.
struct OpenFeed {
    feed: Feed,
    /// Exclusive use of the durable subscription, if the feed has one.
    lease: Option<SubscriptionLease>,
    partner: PartnerId,
    services: Services,
    stream_end: StreamEnd,
    _gauge: OpenStreamGauge,
}

impl OpenFeed {
    /// Sends the messages of the feed until it ends, at the latest at `deadline`.
    async fn run(mut self, channel: mpsc::Sender<EncodedFeed>, deadline: tokio::time::Instant) {
        let too_old = tokio::time::sleep_until(deadline);
        tokio::pin!(too_old);
        let expires = self.feed.purpose().map(|purpose| purpose.until);
        let purpose_expired =
            liaison::until_purpose_expires(Arc::clone(&self.services.exchange), expires);
        tokio::pin!(purpose_expired);
        let stop = self.services.stop.clone();
        let heartbeat = self.services.limits.heartbeat;
        // The first message is sent immediately and holds the cursor: a reader that started from now and loses the
        // connection before the first item continues from there.
        let mut wait = Duration::ZERO;
        loop {
            let before = self.feed.cursor();
            let step = tokio::select! {
                step = self.feed.next(wait) => step,
                () = stop.cancelled() => return self.end(before, pb::EndReason::Shutdown, &Error::stopping()),
                () = &mut too_old => return self.end(before, pb::EndReason::Shutdown, &connection_too_old()),
                lost = lost(self.lease.as_ref()) => return self.end(before, pb::EndReason::TakenOver, &lost),
                expired = &mut purpose_expired => return self.end(before, pb::EndReason::PurposeEnded, &expired),
                () = channel.closed() => return,
            };
            wait = until_heartbeat(self.services.exchange.clock().now(), heartbeat);
            let message = match step.and_then(|step| self.message(step)) {
                Ok((message, accessed)) => self.record_access(accessed).await.map(|()| message),
                Err(error) => Err(error),
            };
            let message = match message {
                Ok(message) => message,
                Err(error) if error.label() == "partner_suspended" => {
                    return self.end(before, pb::EndReason::Suspended, &error);
                }
                Err(error) if error.label() == "purpose_ended" => {
                    return self.end(before, pb::EndReason::PurposeEnded, &error);
                }
                Err(error) => return self.stream_end.set(vec![Err(status(&error))]),
            };
            tokio::select! {
                sent = channel.send_timeout(message, self.services.limits.unread_timeout) => match sent {
                    Ok(()) => {}
                    Err(SendTimeoutError::Timeout(_)) => {
                        self.services.count_slow_reader(&self.partner, "Subscribe");
                        return self.end(before, pb::EndReason::TooSlow, &too_slow());
                    }
                    Err(SendTimeoutError::Closed(_)) => return,
                },
                () = self.services.exchange.until_suspended(&self.partner) => {
                    // A message that the reader has not read yet is dropped.
                    let suspended = self.services.exchange.check_suspended(&self.partner);
                    let error = suspended.err().unwrap_or_else(Error::stopping);
                    return self.end(before, pb::EndReason::Suspended, &error);
                }
                lost = lost(self.lease.as_ref()) => return self.end(before, pb::EndReason::TakenOver, &lost),
                expired = &mut purpose_expired => return self.end(before, pb::EndReason::PurposeEnded, &expired),
                () = stop.cancelled() => return self.end(before, pb::EndReason::Shutdown, &Error::stopping()),
            }
        }
    }

    /// Records what a liaison is about to receive in the access log. If that fails, the liaison receives nothing.
    async fn record_access(&self, accessed: AccessedObjects) -> Result<(), Error> {
        let Some(purpose) = self.feed.purpose() else { return Ok(()) };
        let exchange = &self.services.exchange;
        exchange.liaison.record_access(&self.partner, AccessWay::Subscribe, purpose, accessed).await
    }

    fn message(&mut self, step: Step) -> Result<(EncodedFeed, AccessedObjects), Error> {
        match step {
            Step::Heartbeat(cursor) => {
                Ok((cursor_message(cursor, None), AccessedObjects::default()))
            }
            Step::Delivery(event) => {
                let limit = liaison::max_objects(self.feed.purpose());
                let outgoing = message::fill(&mut self.feed, event, limit)?;
                outgoing.count(&self.services.metrics);
                let mut message = outgoing.message;
                // After the last entry if all of it is in the message, so that acknowledging it leaves no lag.
                let cursor = Some(cursor::write(self.feed.cursor()));
                let end_of_message =
                    pb::SubscribeResponse { cursor, ..pb::SubscribeResponse::default() };
                message.push(end_of_message.encode_to_vec().into());
                Ok((message, outgoing.accessed))
            }
        }
    }

    /// Ends the stream with a message that holds the cursor, followed by the status.
    fn end(self, at: Cursor, reason: pb::EndReason, error: &Error) {
        let end = pb::EndOfStream { reason: reason.into() };
        self.stream_end.set(vec![Ok(cursor_message(at, Some(end))), Err(status(error))]);
    }
}

/// The time until the next heartbeat, rounded up to a tick: streams of one connection then share a network packet.
fn until_heartbeat(now: Timestamp, heartbeat: Duration) -> Duration {
    let tick = (heartbeat / TICKS).max(Duration::from_millis(1));
    let tick_ms = i64::try_from(tick.as_millis()).unwrap_or(i64::MAX);
    let since_tick_ms = u64::try_from(now.as_millis().rem_euclid(tick_ms)).unwrap_or(0);
    heartbeat.saturating_add(tick.saturating_sub(Duration::from_millis(since_tick_ms)))
}

/// Waits until the feed loses its subscription, and returns the error for its reader. Never returns if the feed has
/// no subscription.
async fn lost(lease: Option<&SubscriptionLease>) -> Error {
    match lease {
        Some(lease) => lease.lost().await,
        None => std::future::pending().await,
    }
}

fn connection_too_old() -> Error {
    let message = "the connection has reached its maximum age: continue on a new one";
    Error::new(Kind::Unavailable, "connection_age", message)
}

fn too_slow() -> Error {
    let message = "the reader left a message unread for too long";
    Error::new(Kind::Exhausted, "reader_too_slow", message)
}

fn cursor_message(at: Cursor, end: Option<pb::EndOfStream>) -> EncodedFeed {
    let cursor = Some(cursor::write(at));
    pb::SubscribeResponse { cursor, end, ..pb::SubscribeResponse::default() }.into()
}

/// Counts an open stream in the metrics until it is dropped.
struct OpenStreamGauge(Arc<Metrics>);

impl OpenStreamGauge {
    fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.stream_opened();
        Self(Arc::clone(metrics))
    }
}

impl Drop for OpenStreamGauge {
    fn drop(&mut self) {
        self.0.stream_closed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heartbeats_are_due_together_and_never_early() {
        let due = |now: i64, heartbeat: u64| {
            let wait =
                until_heartbeat(Timestamp::from_millis(now), Duration::from_millis(heartbeat));
            now + i64::try_from(wait.as_millis()).unwrap()
        };
        let noon = 1_790_000_000_100;
        assert_eq!([0, 1, 299].map(|after| due(noon + after, 15_000) - noon), [15_300; 3]);
        assert_eq!(due(noon + 300, 15_000) - noon, 15_600);
        assert_eq!(due(-1, 1_000), 1_000, "before the epoch too");
        assert_eq!(due(7, 10), 18, "a time that cannot be parted is kept");
        let never = until_heartbeat(Timestamp::from_millis(noon), Duration::from_secs(u64::MAX));
        assert!(never >= Duration::from_secs(u64::MAX), "one that is never due is not now");
    }
}
