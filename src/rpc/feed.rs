//! `tipoff.v1.FeedService`.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use prost::Message;
use tokio::sync::mpsc::{self, error::SendTimeoutError};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};
use tracing::debug;

use super::Services;
use super::status::status;
use crate::domain::entry::{Body, Outcome};
use crate::domain::{Cursor, PartnerId, Position};
use crate::error::{Error, Kind};
use crate::exchange::{Delivery, Feed, RemovalReason, Start, Step};
use crate::metrics::Metrics;
use crate::tls::PeerInfo;
use crate::wire::encoded::EncodedFeed;
use crate::wire::feed::{Class, Encoded, encode_class, encode_common, read_filter};
use crate::wire::servers::feed_service_server::FeedService;
use crate::wire::{cursor, indicator, pb};

/// A message takes no further batch once it is this large, in bytes.
const MESSAGE_BYTES: usize = 128 * 1024;
/// No message becomes larger than this and one item: a batch of large items is cut.
const MOST_BYTES: usize = 1024 * 1024;
/// For how many classes of readers the encoding of an entry is kept. There are more where an entry
/// names many partners one by one; those are encoded for each.
const CLASSES_KEPT: usize = 4;

type Answer = Result<EncodedFeed, Status>;

#[async_trait]
impl FeedService for Services {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Answer> + Send + 'static>>;

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
        let accepted = request.extensions().get::<PeerInfo>().map(|peer| peer.accepted);
        let until = accepted.unwrap_or_else(|| self.exchange.clock().instant());
        let until = tokio::time::Instant::from_std(until + self.connection_age);
        let (taken, messages) = mpsc::channel(1);
        let farewell = Farewell::default();
        let open = OpenFeed {
            feed,
            partner: caller.partner().clone(),
            services: self.clone(),
            farewell: farewell.clone(),
            _counted: Counted::new(&self.metrics),
        };
        tokio::spawn(open.run(taken, until));
        let messages = ReceiverStream::new(messages).map(Ok);
        let end = stream::once(async move { farewell.take() }).flat_map(stream::iter);
        Ok(Response::new(Box::pin(messages.chain(end))))
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
struct Farewell(Arc<Mutex<Vec<Answer>>>);

impl Farewell {
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
    partner: PartnerId,
    services: Services,
    farewell: Farewell,
    _counted: Counted,
}

impl OpenFeed {
    async fn run(mut self, taken: mpsc::Sender<EncodedFeed>, until: tokio::time::Instant) {
        let too_old = tokio::time::sleep_until(until);
        tokio::pin!(too_old);
        let stop = self.services.stop.clone();
        let heartbeat = self.services.limits.heartbeat;
        // The first message says at once where the reader stands: one that began with what comes
        // next and is cut off before the first item goes on from there.
        let mut wait = Duration::ZERO;
        loop {
            let before = self.feed.cursor();
            let step = tokio::select! {
                step = self.feed.next(wait) => step,
                () = stop.cancelled() => return self.end(before, pb::EndReason::Shutdown, &stopping()),
                () = &mut too_old => return self.end(before, pb::EndReason::Shutdown, &making_room()),
                () = taken.closed() => return,
            };
            wait = heartbeat;
            let message = match step.and_then(|step| self.fill(step)) {
                Ok(message) => message,
                Err(error) if error.label() == "partner_suspended" => {
                    return self.end(before, pb::EndReason::Suspended, &error);
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
                    let error = suspended.err().unwrap_or_else(stopping);
                    return self.end(before, pb::EndReason::Suspended, &error);
                }
                () = stop.cancelled() => return self.end(before, pb::EndReason::Shutdown, &stopping()),
            }
        }
    }

    /// Puts into one message what can be had without waiting. In the order of their places removals
    /// come before items, so that every one of them is a place to go on from.
    fn fill(&mut self, step: Step) -> Result<EncodedFeed, Error> {
        let mut next = match step {
            Step::Heartbeat(cursor) => return Ok(sign_of_life(cursor, None)),
            Step::Items(delivery) => Some(delivery),
        };
        let mut message = EncodedFeed::default();
        let mut items = 0;
        while let Some(delivery) = next {
            let first_item = delivery.ranges.first().map_or(usize::MAX, |range| range.start);
            let leading = delivery.removals.iter().take_while(|one| one.at < first_item).count();
            if leading > 0 && items > 0 {
                self.feed.put_back(&delivery, delivery.removals[0].at);
                break;
            }
            if leading > 0 {
                message.push(removals(&delivery, leading));
                self.services.metrics.removed(leading as u64);
            }
            let encoded = encoded(&delivery);
            // What is behind the next removal goes into a message of its own.
            let end = delivery.removals.get(leading).map(|one| one.at);
            for range in delivery.ranges.iter().filter(|range| end.is_none_or(|e| range.start < e))
            {
                let room = MOST_BYTES.saturating_sub(message.len());
                let least = range.start + usize::from(message.is_empty());
                let until = encoded.fitting(range, room).max(least);
                message.push(encoded.range(range.start, until));
                items += (until - range.start) as u64;
                if until < range.end {
                    self.feed.put_back(&delivery, until);
                    self.services.metrics.delivered(items);
                    return Ok(message);
                }
            }
            if let Some(end) = end {
                self.feed.put_back(&delivery, end);
                break;
            }
            next = if message.len() < MESSAGE_BYTES { self.feed.next_ready()? } else { None };
        }
        self.services.metrics.delivered(items);
        Ok(message)
    }

    /// Ends the stream with a message that holds the cursor, and the status behind it.
    fn end(self, at: Cursor, reason: pb::EndReason, error: &Error) {
        let end = pb::EndOfStream { reason: reason.into() };
        self.farewell.say(vec![Ok(sign_of_life(at, Some(end))), Err(status(error))]);
    }
}

fn stopping() -> Error {
    Error::new(Kind::Unavailable, "stopping", "the exchange is stopping")
}

fn making_room() -> Error {
    let message = "the connection has reached its age: go on over a new one";
    Error::new(Kind::Unavailable, "connection_age", message)
}

fn too_slow() -> Error {
    let message = "the reader left a message untaken for too long";
    Error::new(Kind::Exhausted, "reader_too_slow", message)
}

fn sign_of_life(at: Cursor, end: Option<pb::EndOfStream>) -> EncodedFeed {
    let cursor = Some(cursor::write(at));
    pb::SubscribeResponse { cursor, end, ..pb::SubscribeResponse::default() }.into()
}

/// The first removals of a delivery, encoded for its reader.
fn removals(delivery: &Delivery, count: usize) -> Bytes {
    let entry = &delivery.logged.entry;
    let (Body::SubmissionBatch(batch), Some(author)) = (&entry.body, &entry.author) else {
        return Bytes::new();
    };
    let removals = delivery.removals[..count].iter().map(|removal| {
        let item = &batch.items[removal.at];
        let after = Position::new(entry.sequence, item.index);
        pb::Removal {
            version: Some(indicator::version(removal.version)),
            cursor: Some(cursor::write(Cursor { journal: delivery.journal, after })),
            indicator_id: item.id.to_string(),
            author: author.to_string(),
            reason: match removal.reason {
                RemovalReason::Replaced => pb::RemovalReason::Replaced,
                RemovalReason::NoLongerMatches => pb::RemovalReason::NoLongerMatches,
            }
            .into(),
        }
    });
    let message =
        pb::SubscribeResponse { removals: removals.collect(), ..pb::SubscribeResponse::default() };
    message.encode_to_vec().into()
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
        match classes.get(&class) {
            Some(slot) => Arc::clone(slot),
            None if classes.len() < CLASSES_KEPT => {
                Arc::clone(classes.entry(class.clone()).or_default())
            }
            None => Arc::default(),
        }
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
