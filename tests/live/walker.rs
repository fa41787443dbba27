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
    pub of: ReaderSpec,
    pub held: Replica,
    from: FeedStart,
}

impl Walker {
    pub fn new(of: ReaderSpec) -> Self {
        Self { of, held: Replica::default(), from: FeedStart::Beginning }
    }

    /// A reader with the state and the cursor of another.
    pub fn at(of: ReaderSpec, held: Replica, from: FeedStart) -> Self {
        Self { of, held, from }
    }

    /// Pulls pages until it received this many events, or reached the end.
    pub async fn pull(
        &mut self,
        client: &Client,
        limit: usize,
    ) -> Result<Vec<FeedEvent>, ClientError> {
        let mut events_seen = Vec::new();
        // Down to the smallest size, so that pages end inside groups of related events.
        let mut sizes = PAGES.iter().copied().cycle();
        loop {
            let size = sizes.next().expect("they go on");
            let mut page = client.pull(&self.from, filter(self.of.filter), size).await?;
            let cursor = page.cursor.take().expect("it is always set");
            let more = page.more;
            for event in page_events(page) {
                // It takes this many events, wherever pages end.
                if events_seen.len() == limit {
                    return Ok(events_seen);
                }
                self.from = FeedStart::Cursor(event.cursor().expect("each has one").clone());
                events_seen.extend(told_by(&mut self.held, event));
            }
            self.from = FeedStart::Cursor(cursor);
            if !more || events_seen.len() == limit {
                return Ok(events_seen);
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
        let mut pulling = self.clone();
        let there = match pulling.pull(client, limit).await {
            Ok(there) => there,
            Err(error) => return Ok(Err(error)),
        };
        let mut feed = client.subscribe(self.from.clone(), filter(self.of.filter));
        let mut events_seen = Vec::new();
        while events_seen.len() < there.len() {
            let silence = if is_timeless { SILENCE } else { SHORT_SILENCE };
            match tokio::time::timeout(silence, feed.next_event()).await {
                Ok(Ok(Some(event))) => {
                    self.from =
                        feed.cursor().cloned().map_or(FeedStart::Beginning, FeedStart::Cursor);
                    events_seen.extend(told_by(&mut self.held, event));
                }
                Ok(Ok(None)) => return Err("the feed is over".into()),
                Ok(Err(error)) => return Ok(Err(error)),
                Err(_) if is_timeless => {
                    return Err(format!(
                        "{:?} is not told {:?}",
                        self.of,
                        there.get(events_seen.len())
                    ));
                }
                Err(_) => break,
            }
        }
        let in_words = |told: &[FeedEvent]| told.iter().map(words::event).collect::<Vec<_>>();
        let (pulled, followed) = (in_words(&there), in_words(&events_seen));
        if is_timeless && pulled != followed {
            return Err(format!("pages tell {pulled:?}, and the feed {followed:?}"));
        }
        Ok(Ok(events_seen))
    }

    /// Takes a snapshot, drops what the snapshot lacks, and continues with the feed after it.
    pub async fn snapshot(&mut self, client: &Client) -> Result<Vec<FeedEvent>, ClientError> {
        let (cursor, items) = client.snapshot(filter(self.of.filter)).await?;
        self.held.reset(items.iter().cloned());
        self.from = FeedStart::Cursor(cursor);
        Ok(items.into_iter().map(|item| FeedEvent::Item(Box::new(item))).collect())
    }
}

/// The effect of an event on a reader. These may or may not come: a removal of a version that it
/// does not hold, an item that it already holds, and the id of a version that it never received. A
/// new feed leaves them out, and it is not specified where a page ends or a feed breaks.
fn told_by(held: &mut Replica, mut event: FeedEvent) -> Option<FeedEvent> {
    if let FeedEvent::Item(item) = &mut event {
        item.replaces = item.replaces.filter(|old| held.item(*old).is_some());
    }
    let changes = held.apply(&event);
    (changes || !matches!(event, FeedEvent::Item(_) | FeedEvent::Removal(_))).then_some(event)
}

pub fn versions(held: &Replica) -> BTreeSet<Position> {
    held.items().map(|item| position(item.version)).collect()
}
