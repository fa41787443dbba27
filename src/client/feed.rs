//! Following a feed, over whatever breaks it.

use std::collections::VecDeque;

use backon::ExponentialBackoff;
use tonic::Streaming;
use tracing::warn;

use super::{Client, ClientError};
use crate::wire::pb;

/// Where a feed is to begin.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// With the oldest entry that the exchange holds.
    Start,
    /// With what comes next.
    Now,
    /// Behind this cursor.
    Cursor(pb::Cursor),
}

/// What a feed gives.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedEvent {
    /// A version that is current.
    Item(Box<pb::FeedItem>),
    /// A version that is to be dropped, if it is held.
    Removal(pb::Removal),
}

impl FeedEvent {
    fn cursor(&self) -> Option<&pb::Cursor> {
        match self {
            FeedEvent::Item(item) => item.cursor.as_ref(),
            FeedEvent::Removal(removal) => removal.cursor.as_ref(),
        }
    }
}

/// A feed that is followed. Resumed behind the last item that was taken.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    from: From,
    filter: Option<pb::Filter>,
    stream: Option<Streaming<pb::SubscribeResponse>>,
    ready: VecDeque<FeedEvent>,
    /// The cursor behind everything in `ready`.
    behind_ready: Option<pb::Cursor>,
    pauses: ExponentialBackoff,
    reconnects: u64,
    /// How many tries in a row came to nothing.
    failures: u32,
}

impl Subscription {
    pub(super) fn new(client: Client, from: From, filter: Option<pb::Filter>) -> Self {
        Self {
            pauses: client.patience.pauses(),
            client,
            from,
            filter,
            stream: None,
            ready: VecDeque::new(),
            behind_ready: None,
            reconnects: 0,
            failures: 0,
        }
    }

    /// The next item, for who acts on what comes and keeps nothing: removals are passed over. As
    /// [`Subscription::next_event`] otherwise.
    pub async fn next(&mut self) -> Result<Option<pb::FeedItem>, ClientError> {
        loop {
            match self.next_event().await? {
                Some(FeedEvent::Item(item)) => return Ok(Some(*item)),
                Some(FeedEvent::Removal(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// The next item or removal; `None` never comes while the exchange is there.
    ///
    /// Where the connection breaks, the feed is opened again behind the last of them that this gave
    /// out, so that none is missed; one that is given out twice has the same version. Cancel safe.
    pub async fn next_event(&mut self) -> Result<Option<FeedEvent>, ClientError> {
        loop {
            if let Some(event) = self.take_ready() {
                return Ok(Some(event));
            }
            match self.message().await {
                Ok(message) => self.take(message),
                Err(error) => self.wait_after(error).await?,
            }
        }
    }

    /// The place behind the last item that was taken: good for another subscription, later. `None`
    /// before the exchange has said where that is.
    pub fn cursor(&self) -> Option<&pb::Cursor> {
        match &self.from {
            From::Cursor(cursor) => Some(cursor),
            From::Start | From::Now => None,
        }
    }

    /// How many times the feed was opened again.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    fn take_ready(&mut self) -> Option<FeedEvent> {
        let event = self.ready.pop_front();
        if let Some(cursor) = event.as_ref().and_then(|event| event.cursor().cloned()) {
            self.from = From::Cursor(cursor);
        }
        if self.ready.is_empty()
            && let Some(cursor) = self.behind_ready.take()
        {
            self.from = From::Cursor(cursor);
        }
        event
    }

    fn take(&mut self, message: pb::SubscribeResponse) {
        if self.failures > 1 {
            warn!("the exchange is back");
        }
        self.failures = 0;
        self.pauses = self.client.patience.pauses();
        // In a message the places of removals are before those of items.
        self.ready.extend(message.removals.into_iter().map(FeedEvent::Removal));
        self.ready.extend(message.items.into_iter().map(|item| FeedEvent::Item(Box::new(item))));
        self.behind_ready = message.cursor;
        if self.ready.is_empty()
            && let Some(cursor) = self.behind_ready.take()
        {
            self.from = From::Cursor(cursor);
        }
        if message.end.is_some() {
            self.stream = None;
            self.reconnects += 1;
        }
    }

    async fn message(&mut self) -> Result<pb::SubscribeResponse, ClientError> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(open(&self.client, &self.from, self.filter.clone()).await?),
        };
        match stream.message().await {
            Ok(Some(message)) => Ok(message),
            Ok(None) => Err(ClientError::Unreachable("the exchange ended the feed".into())),
            Err(status) => Err(status.into()),
        }
    }

    async fn wait_after(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.stream = None;
        if !error.is_transient() {
            return Err(error);
        }
        match self.pauses.next() {
            Some(pause) => {
                self.reconnects += 1;
                self.failures += 1;
                // One that only moved is there at the first try.
                if self.failures == 2 {
                    warn!("the feed is broken, and is tried again until it is back: {error}");
                }
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(error),
        }
    }
}

async fn open(
    client: &Client,
    from: &From,
    filter: Option<pb::Filter>,
) -> Result<Streaming<pb::SubscribeResponse>, ClientError> {
    use pb::subscribe_request::Start;
    let start = match from {
        From::Start => Start::FromStart(pb::FromStart {}),
        From::Now => Start::FromNow(pb::FromNow {}),
        From::Cursor(cursor) => Start::Cursor(cursor.clone()),
    };
    let request = pb::SubscribeRequest { start: Some(start), filter };
    Ok(client.feeds().subscribe(request).await?.into_inner())
}
