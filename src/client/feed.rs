//! Following a feed, over whatever breaks it.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;

use tonic::Streaming;
use tracing::warn;

use super::event::{FeedEvent, of_message};
use super::retry::{CallFailure, Retries};
use super::{Client, ClientError};
use crate::wire::pb;

/// Where a feed is to begin.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedStart {
    /// With the oldest entry that the exchange holds.
    Beginning,
    /// With what comes next.
    Now,
    /// Behind this cursor.
    Cursor(pb::Cursor),
}

/// A feed that is followed. Resumed behind the last item that was taken, or, under a name, behind what
/// was acknowledged.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    /// The name under which the exchange keeps its place; empty where it does not.
    name: String,
    from: FeedStart,
    filter: Option<pb::Filter>,
    stream: Option<Streaming<pb::SubscribeResponse>>,
    opening: Option<Opening>,
    ready: VecDeque<FeedEvent>,
    /// The cursor behind everything in `ready`.
    behind_ready: Option<pb::Cursor>,
    /// The cursor that the feed begins at, which is never acknowledged: nothing behind it has been given
    /// out, and a subscription that exists may stand before it.
    begins_at: Option<pb::Cursor>,
    /// The cursor that was acknowledged last over the stream that is open. An exchange that crashes may
    /// lose it, and gives what is behind it again.
    acknowledged: Option<pb::Cursor>,
    /// Why it is over for good, once it is.
    taken_over: Option<String>,
    retries: Retries,
    reconnects: u64,
    /// How many tries in a row came to nothing.
    failures: u32,
}

/// The call that opens a stream, while it is under way. It outlasts whoever waits for it: one that was given
/// up could reach the exchange behind the next, and take the subscription from that.
struct Opening(Pin<Box<dyn Future<Output = Opened> + Send>>);

type Opened = Result<Streaming<pb::SubscribeResponse>, CallFailure>;

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening")
    }
}

impl Subscription {
    pub(super) fn new(
        client: Client,
        name: String,
        from: FeedStart,
        filter: Option<pb::Filter>,
    ) -> Self {
        Self {
            retries: client.patience.retries(),
            client,
            name,
            begins_at: match &from {
                FeedStart::Cursor(cursor) => Some(cursor.clone()),
                FeedStart::Beginning | FeedStart::Now => None,
            },
            acknowledged: None,
            taken_over: None,
            from,
            filter,
            stream: None,
            opening: None,
            ready: VecDeque::new(),
            behind_ready: None,
            reconnects: 0,
            failures: 0,
        }
    }

    /// The next item, for who acts on what comes and keeps nothing: everything else is passed over. As
    /// [`Subscription::next_event`] otherwise.
    pub async fn next(&mut self) -> Result<Option<pb::FeedItem>, ClientError> {
        loop {
            match self.next_event().await? {
                Some(FeedEvent::Item(item)) => return Ok(Some(*item)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next of whatever the feed gives; `None` never comes while the exchange is there.
    ///
    /// Where the connection breaks, the feed is opened again behind the last of them that this gave
    /// out, so that none is missed; one that is given out twice has the same version. Cancel safe.
    pub async fn next_event(&mut self) -> Result<Option<FeedEvent>, ClientError> {
        loop {
            if let Some(event) = self.take_ready() {
                return Ok(Some(event));
            }
            if let Some(why) = &self.taken_over {
                return Err(ClientError::TakenOver(why.clone()));
            }
            match self.message().await {
                Ok(message) => self.take(message),
                Err(failure) => self.wait_after(failure).await?,
            }
        }
    }

    /// Tells the exchange that everything that was given out so far has been dealt with, so that it
    /// does not come again: another time, the subscription goes on behind it. Says nothing where nothing
    /// has moved since the last time, unless the feed was opened again meanwhile: what was acknowledged
    /// right before a crash may be lost. Signs of life count, so that a filter that matches little does not
    /// hold its reader back.
    pub async fn acknowledge(&mut self) -> Result<(), ClientError> {
        if self.name.is_empty() {
            let message = "a feed without a name has no place to acknowledge";
            return Err(ClientError::Precondition(message.into()));
        }
        let Some(cursor) = self.cursor().cloned() else { return Ok(()) };
        let is_said = |known: &Option<pb::Cursor>| known.as_ref() == Some(&cursor);
        if !is_said(&self.begins_at) && !is_said(&self.acknowledged) {
            self.client.acknowledge(&self.name, cursor.clone()).await?;
            self.acknowledged = Some(cursor);
        }
        Ok(())
    }

    /// The place behind the last item that was taken: good for another subscription, later. `None`
    /// before the exchange has said where that is.
    pub fn cursor(&self) -> Option<&pb::Cursor> {
        match &self.from {
            FeedStart::Cursor(cursor) => Some(cursor),
            FeedStart::Beginning | FeedStart::Now => None,
        }
    }

    /// How many times the feed was opened again.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    fn take_ready(&mut self) -> Option<FeedEvent> {
        let event = self.ready.pop_front();
        if let Some(cursor) = event.as_ref().and_then(|event| event.cursor().cloned()) {
            self.from = FeedStart::Cursor(cursor);
        }
        if self.ready.is_empty()
            && let Some(cursor) = self.behind_ready.take()
        {
            self.from = FeedStart::Cursor(cursor);
        }
        event
    }

    fn take(&mut self, mut message: pb::SubscribeResponse) {
        if self.failures > 1 {
            warn!("the exchange is back");
        }
        self.failures = 0;
        self.retries = self.client.patience.retries();
        let end = message.end;
        self.behind_ready = message.cursor.take();
        self.ready.extend(of_message(message));
        if self.ready.is_empty()
            && let Some(cursor) = self.behind_ready.take()
        {
            self.from = FeedStart::Cursor(cursor);
        }
        if let Some(end) = end {
            self.stream = None;
            if end.reason() == pb::EndReason::TakenOver {
                let why = "a newer reader took it over, or it was deleted";
                self.taken_over = Some(why.into());
            } else {
                self.reconnects += 1;
            }
        }
    }

    async fn message(&mut self) -> Result<pb::SubscribeResponse, CallFailure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let opening = self.opening.get_or_insert_with(|| {
                    let (name, filter) = (self.name.clone(), self.filter.clone());
                    Opening(Box::pin(open(self.client.clone(), name, self.from.clone(), filter)))
                });
                let opened = opening.0.as_mut().await;
                self.opening = None;
                self.acknowledged = None;
                none.insert(opened?)
            }
        };
        match stream.message().await {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(ClientError::Unreachable("the exchange ended the feed".into()).into()),
            Err(status) => Err(status.into()),
        }
    }

    async fn wait_after(&mut self, failure: CallFailure) -> Result<(), ClientError> {
        self.stream = None;
        if let ClientError::TakenOver(why) = &failure.error {
            self.taken_over = Some(why.clone());
        }
        let Some(pause) = self.retries.pause_after(&failure) else { return Err(failure.error) };
        self.reconnects += 1;
        self.failures += 1;
        // One that only moved is there at the first try.
        if self.failures == 2 {
            let error = failure.error;
            warn!("the feed is broken, and is tried again until it is back: {error}");
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

async fn open(client: Client, name: String, from: FeedStart, filter: Option<pb::Filter>) -> Opened {
    use pb::subscribe_request::Start;
    let start = match from {
        FeedStart::Beginning => Start::FromStart(pb::FromStart {}),
        FeedStart::Now => Start::FromNow(pb::FromNow {}),
        FeedStart::Cursor(cursor) => Start::Cursor(cursor),
    };
    let request =
        pb::SubscribeRequest { start: Some(start), filter, name, purpose: client.purpose() };
    Ok(client.feed_service().subscribe(request).await?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::Patience;
    use crate::domain::{PartnerId, Timestamp};
    use crate::tls::Authority;
    use crate::tls::authority::Usage;

    /// A feed of an exchange that is not there.
    fn feed(name: &str, from: FeedStart) -> Subscription {
        feed_of(name, from, 1)
    }

    fn feed_of(name: &str, from: FeedStart, port: u16) -> Subscription {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(1_790_000_000_000);
        let authority = Authority::init(&folder.path().join("ca"), "tipoff.test", now).unwrap();
        let identity = folder.path().join("birdsite");
        let usage = Usage::Partner { id: PartnerId::parse("birdsite").unwrap(), workload: None };
        authority.issue(&usage, 30, now, &identity).unwrap();
        let client = Client::new(&format!("https://localhost:{port}"), &identity).unwrap();
        let patience = Patience { first: Duration::ZERO, longest: Duration::ZERO, tries: Some(0) };
        client.with_patience(patience).subscribe_named(name, from, None)
    }

    fn cursor(token: u8) -> pb::Cursor {
        pb::Cursor { token: vec![token].into() }
    }

    fn item(token: u8) -> pb::FeedItem {
        pb::FeedItem { cursor: Some(cursor(token)), ..Default::default() }
    }

    fn end(reason: pb::EndReason) -> pb::EndOfStream {
        pb::EndOfStream { reason: reason.into() }
    }

    #[tokio::test]
    async fn a_feed_that_was_taken_over_gives_what_it_has_and_is_over_for_good() {
        let mut feed = feed("blocklist", FeedStart::Beginning);
        feed.take(pb::SubscribeResponse {
            items: vec![item(1)],
            end: Some(end(pb::EndReason::TakenOver)),
            ..Default::default()
        });
        assert!(matches!(feed.next_event().await, Ok(Some(FeedEvent::Item(_)))));
        for _ in 0..2 {
            assert!(matches!(feed.next_event().await, Err(ClientError::TakenOver(_))));
        }
        assert_eq!(feed.reconnects(), 0);
    }

    #[tokio::test]
    async fn a_call_that_opens_a_stream_outlasts_who_waits_for_it_and_is_the_only_one() {
        // It takes the connection, and answers nothing.
        let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut feed =
            feed_of("blocklist", FeedStart::Beginning, silent.local_addr().unwrap().port());
        let mut calls = Vec::new();
        for _ in 0..3 {
            let waited = tokio::time::timeout(Duration::from_millis(20), feed.next_event()).await;
            assert!(waited.is_err(), "{waited:?}");
            let Some(Opening(call)) = &feed.opening else { panic!("it was given up") };
            calls.push(std::ptr::from_ref(&**call).cast::<()>());
        }
        assert!(calls.iter().all(|call| *call == calls[0]), "{calls:?}");
    }

    #[tokio::test]
    async fn only_what_moved_is_acknowledged_and_never_the_place_that_it_was_to_begin_at() {
        let mut feed = feed("blocklist", FeedStart::Cursor(cursor(9)));
        feed.acknowledge().await.unwrap();
        // A heartbeat moves it too.
        feed.take(pb::SubscribeResponse { cursor: Some(cursor(10)), ..Default::default() });
        assert!(matches!(feed.acknowledge().await, Err(ClientError::Unreachable(_))));
        feed.acknowledged = Some(cursor(10));
        feed.take(pb::SubscribeResponse {
            items: vec![item(11), item(12)],
            cursor: Some(cursor(13)),
            ..Default::default()
        });
        feed.acknowledge().await.unwrap();
        assert_eq!(feed.cursor(), Some(&cursor(10)), "what was not given out stays");
        feed.next_event().await.unwrap();
        assert_eq!(feed.cursor(), Some(&cursor(11)));
        feed.next_event().await.unwrap();
        assert_eq!(feed.cursor(), Some(&cursor(13)), "the whole message is behind it");
    }

    #[tokio::test]
    async fn a_feed_without_a_name_has_nothing_to_acknowledge() {
        let refused = feed("", FeedStart::Beginning).acknowledge().await;
        assert!(matches!(refused, Err(ClientError::Precondition(_))), "{refused:?}");
    }
}
