//! A reader that disconnects: it follows for a while or pulls pages, and resumes from its cursor.

use std::collections::BTreeSet;
use std::time::Duration;

use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Replica, page_events};
use tipoff::domain::Position;

use crate::history::ReaderSpec;
use crate::words::{self, filter, position};

/// The page sizes, used one after the other.
const PAGES: [u32; 4] = [1, 2, 4, 1_000];
/// How long a feed may be silent before it has delivered what pages delivered. Covers a restart of
/// the exchange.
const SILENCE: Duration = Duration::from_secs(10);
/// The same, if an object may have expired since.
const SHORT_SILENCE: Duration = Duration::from_millis(300);

/// The events that a reader received, or its refusal. `Err` is a violated guarantee.
pub type ReadOutcome = Result<Result<Vec<FeedEvent>, ClientError>, String>;

#[derive(Clone)]
pub struct Walker {
    pub spec: ReaderSpec,
    pub held: Replica,
    from: FeedStart,
}

impl Walker {
    pub fn new(spec: ReaderSpec) -> Self {
        Self { spec, held: Replica::default(), from: FeedStart::Beginning }
    }

    /// A reader with the state and the cursor of another.
    pub fn at(spec: ReaderSpec, held: Replica, from: FeedStart) -> Self {
        Self { spec, held, from }
    }

    /// Pulls pages until it received this many events, or reached the end.
    pub async fn pull(
        &mut self,
        client: &Client,
        limit: usize,
    ) -> Result<Vec<FeedEvent>, ClientError> {
        let mut received = Vec::new();
        // Down to the smallest size, so that pages end inside groups of related events.
        let mut sizes = PAGES.iter().copied().cycle();
        loop {
            let size = sizes.next().expect("they go on");
            let mut page = client.pull(&self.from, filter(self.spec.filter), size).await?;
            let cursor = page.cursor.take().expect("it is always set");
            let more = page.more;
            for event in page_events(page) {
                // It takes this many events, wherever pages end.
                if received.len() == limit {
                    return Ok(received);
                }
                self.from = FeedStart::Cursor(event.cursor().expect("each has one").clone());
                received.extend(effect(&mut self.held, event));
            }
            self.from = FeedStart::Cursor(cursor);
            if !more || received.len() == limit {
                return Ok(received);
            }
        }
    }

    /// Follows until it received this many events, or everything that pages return at the moment.
    pub async fn follow(
        &mut self,
        client: &Client,
        limit: usize,
        is_timeless: bool,
    ) -> ReadOutcome {
        let pulled = match self.clone().pull(client, limit).await {
            Ok(events) => events,
            Err(error) => return Ok(Err(error)),
        };
        let mut feed = client.subscribe(self.from.clone(), filter(self.spec.filter));
        let mut received = Vec::new();
        while received.len() < pulled.len() {
            let silence = if is_timeless { SILENCE } else { SHORT_SILENCE };
            match tokio::time::timeout(silence, feed.next_event()).await {
                Ok(Ok(Some(event))) => {
                    self.from =
                        feed.cursor().cloned().map_or(FeedStart::Beginning, FeedStart::Cursor);
                    received.extend(effect(&mut self.held, event));
                }
                Ok(Ok(None)) => return Err("the feed is over".into()),
                Ok(Err(error)) => return Ok(Err(error)),
                Err(_) if is_timeless => {
                    let missing = pulled.get(received.len());
                    return Err(format!("{:?} does not get {missing:?}", self.spec));
                }
                Err(_) => break,
            }
        }
        let observed = |events: &[FeedEvent]| events.iter().map(words::event).collect::<Vec<_>>();
        let (by_pages, by_feed) = (observed(&pulled), observed(&received));
        if is_timeless && by_pages != by_feed {
            return Err(format!("pages deliver {by_pages:?}, and the feed {by_feed:?}"));
        }
        Ok(Ok(received))
    }

    /// Takes a snapshot, drops what the snapshot lacks, and continues with the feed after it.
    pub async fn snapshot(&mut self, client: &Client) -> Result<Vec<FeedEvent>, ClientError> {
        let (cursor, items) = client.snapshot(filter(self.spec.filter)).await?;
        self.held.reset(items.iter().cloned());
        self.from = FeedStart::Cursor(cursor);
        Ok(items.into_iter().map(|item| FeedEvent::Item(Box::new(item))).collect())
    }
}

/// The effect of an event on a reader. These may or may not come: a removal of a version that it
/// does not hold, an item that it already holds, and the id of a version that it never received. A
/// new feed leaves them out, and it is not specified where a page ends or a feed breaks.
fn effect(held: &mut Replica, mut event: FeedEvent) -> Option<FeedEvent> {
    if let FeedEvent::Item(item) = &mut event {
        item.replaces = item.replaces.filter(|old| held.item(*old).is_some());
    }
    let changes = held.apply(&event);
    (changes || !matches!(event, FeedEvent::Item(_) | FeedEvent::Removal(_))).then_some(event)
}

pub fn versions(held: &Replica) -> BTreeSet<Position> {
    held.items().map(|item| position(item.version)).collect()
}
