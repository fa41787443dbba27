//! Subscriptions: follow a feed and reopen it when the connection breaks.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;

use tonic::Streaming;
use tonic::transport::Channel;
use tracing::warn;

use super::connection::Route;
use super::event::{FeedEvent, message_events};
use super::retry::{CallFailure, Retries};
use super::{Client, ClientError};
use crate::wire::pb;

/// Where a feed starts.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedStart {
    /// At the oldest entry that the exchange holds.
    Beginning,
    /// After the newest entry.
    Now,
    /// After this cursor.
    Cursor(pb::Cursor),
}

/// An open feed. After a broken connection it resumes after the last event that it returned, or, if
/// named, after the last acknowledged one. With several addresses it resumes at the next one.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    /// Name under which the exchange stores the cursor. Empty for an unnamed feed.
    name: String,
    from: FeedStart,
    filter: Option<pb::Filter>,
    stream: Option<Streaming<pb::SubscribeResponse>>,
    opening: Option<Opening>,
    /// The index of the address of `stream` or `opening`.
    server: usize,
    ready: VecDeque<FeedEvent>,
    /// The cursor after everything in `ready`.
    cursor_after_ready: Option<pb::Cursor>,
    /// The cursor that the feed started at. It is never acknowledged: nothing after it has been
    /// returned, and the stored cursor of an existing subscription may be before it.
    start_cursor: Option<pb::Cursor>,
    /// The last cursor acknowledged on the open stream. An exchange that crashes may lose it and
    /// send the events after the previous one again.
    acknowledged: Option<pb::Cursor>,
    /// Set when another reader took the feed over. The feed cannot continue then.
    taken_over: Option<String>,
    retries: Retries,
    reconnects: u64,
}

/// The pending call that opens a stream. It survives a cancelled `next_event`. If it were dropped,
/// it could still reach the exchange after the next call and take over the subscription from it.
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
            retries: client.retries(),
            server: 0,
            client,
            name,
            start_cursor: match &from {
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
            cursor_after_ready: None,
            reconnects: 0,
        }
    }

    /// Returns the next item and skips all other events. Otherwise like
    /// [`Subscription::next_event`].
    pub async fn next(&mut self) -> Result<Option<pb::FeedItem>, ClientError> {
        loop {
            match self.next_event().await? {
                Some(FeedEvent::Item(item)) => return Ok(Some(*item)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// Returns the next event. Never returns `None` while the exchange is reachable.
    ///
    /// After a broken connection, reopens the feed after the last event that was returned, so no
    /// event is lost. An event may be returned twice, with the same version. Cancel safe.
    pub async fn next_event(&mut self) -> Result<Option<FeedEvent>, ClientError> {
        loop {
            if let Some(event) = self.take_ready() {
                return Ok(Some(event));
            }
            if let Some(reason) = &self.taken_over {
                return Err(ClientError::TakenOver(reason.clone()));
            }
            match self.next_message().await {
                Ok(message) => self.receive(message),
                Err(failure) => self.wait_after(failure).await?,
            }
        }
    }

    /// Acknowledges every event returned so far. The subscription continues after them next time.
    ///
    /// Sends nothing if the cursor has not moved, except after a reconnect: an acknowledgement
    /// right before a crash of the exchange may be lost. Heartbeats move the cursor too, so a
    /// filter that matches little does not hold its reader back.
    pub async fn acknowledge(&mut self) -> Result<(), ClientError> {
        if self.name.is_empty() {
            let message = "cannot acknowledge an unnamed feed: open it with a name";
            return Err(ClientError::Precondition(message.into()));
        }
        let Some(cursor) = self.cursor().cloned() else { return Ok(()) };
        let is_current = |known: &Option<pb::Cursor>| known.as_ref() == Some(&cursor);
        if !is_current(&self.start_cursor) && !is_current(&self.acknowledged) {
            self.client.acknowledge(&self.name, cursor.clone()).await?;
            self.acknowledged = Some(cursor);
        }
        Ok(())
    }

    /// The cursor after the last event that was returned. A later subscription can start there.
    /// `None` until the exchange has sent one.
    pub fn cursor(&self) -> Option<&pb::Cursor> {
        match &self.from {
            FeedStart::Cursor(cursor) => Some(cursor),
            FeedStart::Beginning | FeedStart::Now => None,
        }
    }

    /// How many times the feed was reopened.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    fn take_ready(&mut self) -> Option<FeedEvent> {
        let event = self.ready.pop_front();
        if let Some(cursor) = event.as_ref().and_then(|event| event.cursor().cloned()) {
            self.from = FeedStart::Cursor(cursor);
        }
        if self.ready.is_empty()
            && let Some(cursor) = self.cursor_after_ready.take()
        {
            self.from = FeedStart::Cursor(cursor);
        }
        event
    }

    fn receive(&mut self, mut message: pb::SubscribeResponse) {
        if self.retries.is_reported() {
            let server = &self.client.connection.servers()[self.server];
            warn!("the feed continues from {server}");
        }
        self.retries = self.client.retries();
        let end = message.end;
        self.cursor_after_ready = message.cursor.take();
        self.ready.extend(message_events(message));
        if self.ready.is_empty()
            && let Some(cursor) = self.cursor_after_ready.take()
        {
            self.from = FeedStart::Cursor(cursor);
        }
        if let Some(end) = end {
            self.stream = None;
            if end.reason() == pb::EndReason::TakenOver {
                let reason = "a newer reader opened it, or it was deleted";
                self.taken_over = Some(reason.into());
            } else {
                if end.reason() == pb::EndReason::Shutdown {
                    self.client.connection.leave(self.server);
                }
                self.reconnects += 1;
            }
        }
    }

    async fn next_message(&mut self) -> Result<pb::SubscribeResponse, CallFailure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let opening = self.opening.get_or_insert_with(|| {
                    let Route { channel, server } = self.client.connection.route();
                    self.server = server;
                    let (name, filter) = (self.name.clone(), self.filter.clone());
                    let purpose = self.client.purpose();
                    let request = request(name, self.from.clone(), filter, purpose);
                    Opening(Box::pin(open(channel, request)))
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
        if let ClientError::TakenOver(reason) = &failure.error {
            self.taken_over = Some(reason.clone());
        }
        self.client.fail_over(&mut self.retries, self.server, failure).await?;
        self.reconnects += 1;
        Ok(())
    }
}

async fn open(channel: Channel, request: pb::SubscribeRequest) -> Opened {
    Ok(Client::feed_service(channel).subscribe(request).await?.into_inner())
}

fn request(
    name: String,
    from: FeedStart,
    filter: Option<pb::Filter>,
    purpose: Option<pb::Purpose>,
) -> pb::SubscribeRequest {
    use pb::subscribe_request::Start;
    let start = match from {
        FeedStart::Beginning => Start::FromStart(pb::FromStart {}),
        FeedStart::Now => Start::FromNow(pb::FromNow {}),
        FeedStart::Cursor(cursor) => Start::Cursor(cursor),
    };
    pb::SubscribeRequest { start: Some(start), filter, name, purpose }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::client::RetryPolicy;
    use crate::domain::{PartnerId, Timestamp};
    use crate::tls::Authority;
    use crate::tls::authority::Usage;

    /// A feed of an exchange that does not exist.
    fn feed(name: &str, from: FeedStart) -> Subscription {
        feed_on_port(name, from, 1)
    }

    fn feed_on_port(name: &str, from: FeedStart, port: u16) -> Subscription {
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_millis(1_790_000_000_000);
        let authority = Authority::init(&folder.path().join("ca"), "tipoff.test", now).unwrap();
        let identity = folder.path().join("birdsite");
        let usage = Usage::Partner { id: PartnerId::parse("birdsite").unwrap(), workload: None };
        authority.issue(&usage, 30, now, &identity).unwrap();
        let client = Client::new(&format!("https://localhost:{port}"), &identity).unwrap();
        let retry_policy = RetryPolicy {
            first_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            max_retries: Some(0),
            timeout: None,
        };
        client.with_retry_policy(retry_policy).subscribe_named(name, from, None)
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
        feed.receive(pb::SubscribeResponse {
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
        // Accepts the connection, but never answers.
        let silent = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut feed =
            feed_on_port("blocklist", FeedStart::Beginning, silent.local_addr().unwrap().port());
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
        // A heartbeat moves the cursor too.
        feed.receive(pb::SubscribeResponse { cursor: Some(cursor(10)), ..Default::default() });
        assert!(matches!(feed.acknowledge().await, Err(ClientError::Unreachable(_))));
        feed.acknowledged = Some(cursor(10));
        feed.receive(pb::SubscribeResponse {
            items: vec![item(11), item(12)],
            cursor: Some(cursor(13)),
            ..Default::default()
        });
        feed.acknowledge().await.unwrap();
        assert_eq!(feed.cursor(), Some(&cursor(10)), "what was not given out stays");
        feed.next_event().await.unwrap();
        assert_eq!(feed.cursor(), Some(&cursor(11)));
        feed.next_event().await.unwrap();
        assert_eq!(feed.cursor(), Some(&cursor(13)), "it is after the whole message");
    }

    #[tokio::test]
    async fn a_feed_without_a_name_has_nothing_to_acknowledge() {
        let refused = feed("", FeedStart::Beginning).acknowledge().await;
        assert!(matches!(refused, Err(ClientError::Precondition(_))), "{refused:?}");
    }
}
