//! `tipoff.v1.FeedService`.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use futures_util::{Stream, stream};
use tonic::{Request, Response, Status, async_trait};
use tracing::debug;

use super::Services;
use super::status::status;
use crate::domain::Cursor;
use crate::domain::entry::{Body, Outcome};
use crate::error::{Error, Kind};
use crate::exchange::{Delivery, Feed, Start, Step};
use crate::metrics::Metrics;
use crate::wire::encoded::EncodedFeed;
use crate::wire::feed::{Class, Encoded, encode_class, encode_common, read_filter};
use crate::wire::servers::feed_service_server::FeedService;
use crate::wire::{cursor, pb};

/// A message takes no further batch once it is this large, in bytes.
const MESSAGE_BYTES: usize = 128 * 1024;

#[async_trait]
impl FeedService for Services {
    type SubscribeStream =
        Pin<Box<dyn Stream<Item = Result<EncodedFeed, Status>> + Send + 'static>>;

    async fn subscribe(
        &self,
        request: Request<pb::SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let caller = super::caller(&request)?;
        let asked = request.get_ref();
        let feed = (|| {
            let filter = read_filter(asked.filter.as_ref(), &self.labels)?;
            self.exchange.feed(caller, start(asked.start.as_ref())?, filter)
        })()
        .map_err(|e| status(&e))?;
        debug!(partner = %caller.partner(), "a feed begins");
        let open = OpenFeed {
            feed,
            services: self.clone(),
            left_at: None,
            ending: None,
            _counted: Counted::new(&self.metrics),
        };
        Ok(Response::new(Box::pin(stream::unfold(Some(open), |open| async move {
            open?.message().await
        }))))
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

/// A feed and the stream that it goes out on.
struct OpenFeed {
    feed: Feed,
    services: Services,
    /// When the last message was left for the transport to take.
    left_at: Option<Instant>,
    /// The status that follows the message that named the end.
    ending: Option<Status>,
    _counted: Counted,
}

type Answer = Result<EncodedFeed, Status>;

impl OpenFeed {
    async fn message(mut self) -> Option<(Answer, Option<OpenFeed>)> {
        if let Some(ending) = self.ending.take() {
            return Some((Err(ending), None));
        }
        // The transport asks for the next message only when the reader has taken the last.
        let clock = Arc::clone(self.services.exchange.clock());
        let blocked = self.left_at.take().map(|left| clock.instant().duration_since(left));
        if blocked.is_some_and(|blocked| blocked > self.services.limits.blocked) {
            let message = "the reader left a message untaken for too long";
            let slow = Error::new(Kind::Exhausted, "reader_too_slow", message);
            return Some(self.end(pb::EndReason::TooSlow, &slow));
        }
        let heartbeat = self.services.limits.heartbeat;
        let stop = self.services.stop.clone();
        let message = match stop.run_until_cancelled(self.feed.next(heartbeat)).await {
            None => {
                let error = Error::new(Kind::Unavailable, "stopping", "the exchange is stopping");
                return Some(self.end(pb::EndReason::Shutdown, &error));
            }
            Some(Err(error)) if error.label() == "partner_suspended" => {
                return Some(self.end(pb::EndReason::Suspended, &error));
            }
            Some(step) => step.and_then(|step| self.fill(step)),
        };
        match message {
            Ok(message) => {
                self.left_at = Some(clock.instant());
                Some((Ok(message), Some(self)))
            }
            Err(error) => Some((Err(status(&error)), None)),
        }
    }

    /// Puts into one message what can be had without waiting.
    fn fill(&mut self, step: Step) -> Result<EncodedFeed, Error> {
        let mut next = match step {
            Step::Heartbeat(cursor) => return Ok(sign_of_life(cursor, None)),
            Step::Items(delivery) => Some(delivery),
        };
        let mut message = EncodedFeed::default();
        while let Some(delivery) = next {
            let encoded = encoded(&delivery);
            let mut items = 0;
            for range in &delivery.ranges {
                message.push(encoded.range(range.start, range.end));
                items += range.len() as u64;
            }
            self.services.metrics.delivered(items);
            next = if message.len() < MESSAGE_BYTES { self.feed.next_ready()? } else { None };
        }
        Ok(message)
    }

    /// Ends the stream with a message that holds the cursor, and the status behind it.
    fn end(mut self, reason: pb::EndReason, error: &Error) -> (Answer, Option<OpenFeed>) {
        self.ending = Some(status(error));
        let end = pb::EndOfStream { reason: reason.into() };
        (Ok(sign_of_life(self.feed.cursor(), Some(end))), Some(self))
    }
}

fn sign_of_life(at: Cursor, end: Option<pb::EndOfStream>) -> EncodedFeed {
    pb::SubscribeResponse { items: Vec::new(), cursor: Some(cursor::write(at)), end }.into()
}

/// What was encoded of one entry so far, kept beside it in the journal's tail.
#[derive(Debug, Default)]
struct Encodings {
    common: OnceLock<Encoded>,
    classes: Mutex<HashMap<Class, Arc<OnceLock<Encoded>>>>,
}

/// The items of a delivery's entry, encoded for the reader's class: by the first of the class to
/// come, for all.
fn encoded(delivery: &Delivery) -> Encoded {
    let encodings = delivery.logged.cached(|_| Encodings::default());
    let Body::SubmissionBatch(batch) = &delivery.logged.entry.body else {
        return Encoded::default();
    };
    let class = Class {
        view: delivery.view.clone(),
        author: delivery.author,
        sight_from: delivery.sight_from,
    };
    let slot = {
        let mut classes = encodings.classes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(classes.entry(class.clone()).or_default())
    };
    let encode = || {
        let common = encodings
            .common
            .get_or_init(|| encode_common(&delivery.logged.entry, batch, delivery.journal));
        let outcomes = match &*delivery.outcome {
            Outcome::Taken(outcomes) => outcomes.as_slice(),
            Outcome::Void(_) => &[],
        };
        encode_class(common, batch, outcomes, &class)
    };
    slot.get_or_init(encode).clone()
}

/// Counts an open stream for as long as it lives.
struct Counted(Arc<Metrics>);

impl Counted {
    fn new(metrics: &Arc<Metrics>) -> Self {
        metrics.stream_opened();
        Self(Arc::clone(metrics))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.stream_closed();
    }
}
