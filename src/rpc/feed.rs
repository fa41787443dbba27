//! `tipoff.v1.FeedService`.

pub(super) mod events;
mod lane;
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
use crate::exchange::{AccessedObjects, Caller, Feed, FeedRequest, Hold, Start, Step};
use crate::metrics::Metrics;
use crate::tls::PeerInfo;
use crate::wire::encoded::EncodedFeed;
use crate::wire::servers::feed_service_server::FeedService;
use crate::wire::{cursor, filter, pb, purpose};

type Answer = Result<EncodedFeed, Status>;

/// Heartbeats are due at ticks, of which there are so many in as long as they are apart.
const TICKS: u32 = 50;

#[async_trait]
impl FeedService for Services {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Answer> + Send + 'static>>;

    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = super::caller(&request)?;
        let (feed, hold) = self.open(caller, request.get_ref()).await.map_err(|e| status(&e))?;
        debug!(partner = %caller.partner(), "a feed begins");
        let accepted = request.extensions().get::<PeerInfo>().map(|peer| peer.accepted);
        let until = accepted.unwrap_or_else(|| self.exchange.clock().instant());
        let until = tokio::time::Instant::from_std(until + self.connection_age);
        let (taken, messages) = mpsc::channel(1);
        let farewell = StreamEnd::default();
        let open = OpenFeed {
            feed,
            hold,
            partner: caller.partner().clone(),
            services: self.clone(),
            farewell: farewell.clone(),
            _counted: OpenStreamGauge::new(&self.metrics),
        };
        tokio::spawn(open.run(taken, until));
        let messages = ReceiverStream::new(messages).map(Ok);
        let end = stream::once(async move { farewell.take() }).flat_map(stream::iter);
        Ok(Response::new(Box::pin(messages.chain(end))))
    }

    async fn acknowledge(
        &self,
        request: Request<pb::AcknowledgeRequest>,
    ) -> Result<Response<pb::AcknowledgeResponse>, Status> {
        let caller = super::caller(&request)?;
        self.acknowledge_subscription(caller, request.get_ref())
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

    type SnapshotStream = Pin<Box<dyn Stream<Item = Answer> + Send + 'static>>;

    async fn snapshot(
        &self,
        request: Request<pb::SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let caller = super::caller(&request)?;
        let asked = request.get_ref();
        let snapshot = page::snapshot(self, caller, asked).await.map_err(|e| status(&e))?;
        let (taken, messages) = mpsc::channel(2);
        tokio::spawn(page::run(snapshot, taken, self.clone()));
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
    /// Opens a feed; one with a name through its subscription.
    async fn open(
        &self,
        caller: &Caller,
        asked: &pb::SubscribeRequest,
    ) -> Result<(Feed, Option<Hold>), Error> {
        let filter = filter::read(asked.filter.as_ref(), &self.labels)?;
        let wanted = FeedRequest { filter, purpose: purpose::read(asked.purpose.as_ref())? };
        let start = start(asked.start.as_ref())?;
        if asked.name.is_empty() {
            return Ok((self.exchange.feeds.feed(caller, start, wanted)?, None));
        }
        let name = SubscriptionName::parse(&asked.name)?;
        let (feed, hold) =
            self.exchange.feeds.open_subscription(caller, &name, start, wanted).await?;
        Ok((feed, Some(hold)))
    }
}

fn start(asked: Option<&pb::subscribe_request::Start>) -> Result<Start, Error> {
    use pb::subscribe_request::Start as Asked;
    Ok(match asked {
        Some(Asked::FromStart(_)) => Start::Oldest,
        Some(Asked::FromNow(_)) | None => Start::Now,
        Some(Asked::Cursor(token)) => Start::After(cursor::read(token)?),
    })
}

/// What a stream ends with, behind the last message that its reader took.
#[derive(Clone, Debug, Default)]
struct StreamEnd(Arc<Mutex<Vec<Answer>>>);

impl StreamEnd {
    fn say(&self, answers: Vec<Answer>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    }

    fn take(&self) -> Vec<Answer> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A feed and what goes out on it. It runs beside the transport, which asks for nothing while its
/// reader takes nothing: who leaves a message untaken for too long is ended, and holds nothing.
struct OpenFeed {
    feed: Feed,
    /// On its subscription, where it has a name.
    hold: Option<Hold>,
    partner: PartnerId,
    services: Services,
    farewell: StreamEnd,
    _counted: OpenStreamGauge,
}

impl OpenFeed {
    async fn run(mut self, taken: mpsc::Sender<EncodedFeed>, until: tokio::time::Instant) {
        let too_old = tokio::time::sleep_until(until);
        tokio::pin!(too_old);
        let until = self.feed.purpose().map(|purpose| purpose.until);
        let over = lane::purpose_over(Arc::clone(&self.services.exchange), until);
        tokio::pin!(over);
        let stop = self.services.stop.clone();
        let heartbeat = self.services.limits.heartbeat;
        // The first message says at once where the reader stands: one that began with what comes
        // next and is cut off before the first item goes on from there.
        let mut wait = Duration::ZERO;
        loop {
            let before = self.feed.cursor();
            let step = tokio::select! {
                step = self.feed.next(wait) => step,
                () = stop.cancelled() => return self.end(before, pb::EndReason::Shutdown, &Error::stopping()),
                () = &mut too_old => return self.end(before, pb::EndReason::Shutdown, &connection_too_old()),
                lost = lost(self.hold.as_ref()) => return self.end(before, pb::EndReason::TakenOver, &lost),
                ended = &mut over => return self.end(before, pb::EndReason::PurposeEnded, &ended),
                () = taken.closed() => return,
            };
            wait = aligned(self.services.exchange.clock().now(), heartbeat);
            let message = match step.and_then(|step| self.message(step)) {
                Ok((message, accessed)) => self.recorded(accessed).await.map(|()| message),
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
                Err(error) => return self.farewell.say(vec![Err(status(&error))]),
            };
            tokio::select! {
                sent = taken.send_timeout(message, self.services.limits.blocked) => match sent {
                    Ok(()) => {}
                    Err(SendTimeoutError::Timeout(_)) => {
                        return self.end(before, pb::EndReason::TooSlow, &too_slow());
                    }
                    Err(SendTimeoutError::Closed(_)) => return,
                },
                () = self.services.exchange.until_suspended(&self.partner) => {
                    // What was not taken by now is not given any more.
                    let suspended = self.services.exchange.check_suspended(&self.partner);
                    let error = suspended.err().unwrap_or_else(Error::stopping);
                    return self.end(before, pb::EndReason::Suspended, &error);
                }
                lost = lost(self.hold.as_ref()) => return self.end(before, pb::EndReason::TakenOver, &lost),
                ended = &mut over => return self.end(before, pb::EndReason::PurposeEnded, &ended),
                () = stop.cancelled() => return self.end(before, pb::EndReason::Shutdown, &Error::stopping()),
            }
        }
    }

    /// Writes down what a liaison is about to be given: before it leaves, or it does not.
    async fn recorded(&self, accessed: AccessedObjects) -> Result<(), Error> {
        let Some(purpose) = self.feed.purpose() else { return Ok(()) };
        let exchange = &self.services.exchange;
        exchange.liaison.record_access(&self.partner, AccessWay::Subscribe, purpose, accessed).await
    }

    fn message(&mut self, step: Step) -> Result<(EncodedFeed, AccessedObjects), Error> {
        match step {
            Step::Heartbeat(cursor) => {
                Ok((heartbeat_message(cursor, None), AccessedObjects::default()))
            }
            Step::Delivery(delivery) => {
                let most = lane::most(self.feed.purpose());
                let outgoing = message::fill(&mut self.feed, delivery, most)?;
                outgoing.count(&self.services.metrics);
                let mut message = outgoing.message;
                // Where nothing of the last entry is left, behind it; acknowledged, it leaves no lag.
                let cursor = Some(cursor::write(self.feed.cursor()));
                let place = pb::SubscribeResponse { cursor, ..pb::SubscribeResponse::default() };
                message.push(place.encode_to_vec().into());
                Ok((message, outgoing.accessed))
            }
        }
    }

    /// Ends the stream with a message that holds the cursor, and the status behind it.
    fn end(self, at: Cursor, reason: pb::EndReason, error: &Error) {
        let end = pb::EndOfStream { reason: reason.into() };
        self.farewell.say(vec![Ok(heartbeat_message(at, Some(end))), Err(status(error))]);
    }
}

/// The time until a heartbeat is due, rounded up so that those of many streams are due together: what goes to one
/// connection is sent at once.
fn aligned(now: Timestamp, heartbeat: Duration) -> Duration {
    let apart = (heartbeat / TICKS).max(Duration::from_millis(1));
    let millis = i64::try_from(apart.as_millis()).unwrap_or(i64::MAX);
    let since = u64::try_from(now.as_millis().rem_euclid(millis)).unwrap_or(0);
    heartbeat.saturating_add(apart.saturating_sub(Duration::from_millis(since)))
}

/// Done once the subscription is another reader's; never for a feed without a name.
async fn lost(hold: Option<&Hold>) -> Error {
    match hold {
        Some(hold) => hold.lost().await,
        None => std::future::pending().await,
    }
}

fn connection_too_old() -> Error {
    let message = "the connection has reached its age: go on over a new one";
    Error::new(Kind::Unavailable, "connection_age", message)
}

fn too_slow() -> Error {
    let message = "the reader left a message untaken for too long";
    Error::new(Kind::Exhausted, "reader_too_slow", message)
}

fn heartbeat_message(at: Cursor, end: Option<pb::EndOfStream>) -> EncodedFeed {
    let cursor = Some(cursor::write(at));
    pb::SubscribeResponse { cursor, end, ..pb::SubscribeResponse::default() }.into()
}

/// Counts an open stream for as long as it lives.
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
            let wait = aligned(Timestamp::from_millis(now), Duration::from_millis(heartbeat));
            now + i64::try_from(wait.as_millis()).unwrap()
        };
        let noon = 1_790_000_000_100;
        assert_eq!([0, 1, 299].map(|behind| due(noon + behind, 15_000) - noon), [15_300; 3]);
        assert_eq!(due(noon + 300, 15_000) - noon, 15_600);
        assert_eq!(due(-1, 1_000), 1_000, "before the epoch too");
        assert_eq!(due(7, 10), 18, "a time that cannot be parted is kept");
        let never = aligned(Timestamp::from_millis(noon), Duration::from_secs(u64::MAX));
        assert!(never >= Duration::from_secs(u64::MAX), "one that is never due is not now");
    }
}
