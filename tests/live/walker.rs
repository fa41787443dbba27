//! A reader that comes and goes: it follows for a while or pulls pages, and goes on from its cursor.

use std::collections::BTreeSet;
use std::time::Duration;

use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Replica, events};
use tipoff::domain::Position;

use crate::history::ReaderOf;
use crate::words::{self, filter, position};

/// How large the pages are that are asked for, one after the other.
const PAGES: [u32; 4] = [1, 2, 4, 1_000];
/// How long a feed may be silent before it gives what a page has given: over a start of the exchange.
const SILENCE: Duration = Duration::from_secs(10);
/// The same where the clock may have ended it since.
const SHORT_SILENCE: Duration = Duration::from_millis(300);

/// What a reader was told, or what it is refused. `Err` is a broken promise.
pub type Told = Result<Result<Vec<FeedEvent>, ClientError>, String>;

#[derive(Clone)]
pub struct Walker {
    pub of: ReaderOf,
    pub held: Replica,
    from: FeedStart,
}

impl Walker {
    pub fn new(of: ReaderOf) -> Self {
        Self { of, held: Replica::default(), from: FeedStart::Beginning }
    }

    /// One that holds what another does, and goes on from its place.
    pub fn at(of: ReaderOf, held: Replica, from: FeedStart) -> Self {
        Self { of, held, from }
    }

    /// Goes on by pages, until it was told so much or there is no more.
    pub async fn pull(
        &mut self,
        client: &Client,
        most: usize,
    ) -> Result<Vec<FeedEvent>, ClientError> {
        let mut told = Vec::new();
        // Down to the smallest, so that pages end between what belongs together.
        let mut sizes = PAGES.iter().copied().cycle();
        loop {
            let size = sizes.next().expect("they go on");
            let mut page = client.pull(&self.from, filter(self.of.filter), size).await?;
            let cursor = page.cursor.take().expect("it is always set");
            let more = page.more;
            for event in events(page) {
                // Wherever pages end, it takes so much and no more.
                if told.len() == most {
                    return Ok(told);
                }
                self.from = FeedStart::Cursor(event.cursor().expect("each has one").clone());
                told.extend(told_by(&mut self.held, event));
            }
            self.from = FeedStart::Cursor(cursor);
            if !more || told.len() == most {
                return Ok(told);
            }
        }
    }

    /// Follows until it was told so much, or all that pages tell at the moment.
    pub async fn follow(&mut self, client: &Client, most: usize, is_timeless: bool) -> Told {
        let mut pulling = self.clone();
        let there = match pulling.pull(client, most).await {
            Ok(there) => there,
            Err(error) => return Ok(Err(error)),
        };
        let mut feed = client.subscribe(self.from.clone(), filter(self.of.filter));
        let mut told = Vec::new();
        while told.len() < there.len() {
            let silence = if is_timeless { SILENCE } else { SHORT_SILENCE };
            match tokio::time::timeout(silence, feed.next_event()).await {
                Ok(Ok(Some(event))) => {
                    self.from =
                        feed.cursor().cloned().map_or(FeedStart::Beginning, FeedStart::Cursor);
                    told.extend(told_by(&mut self.held, event));
                }
                Ok(Ok(None)) => return Err("the feed is over".into()),
                Ok(Err(error)) => return Ok(Err(error)),
                Err(_) if is_timeless => {
                    return Err(format!("{:?} is not told {:?}", self.of, there.get(told.len())));
                }
                Err(_) => break,
            }
        }
        let said = |told: &[FeedEvent]| told.iter().map(words::event).collect::<Vec<_>>();
        let (pulled, followed) = (said(&there), said(&told));
        if is_timeless && pulled != followed {
            return Err(format!("pages tell {pulled:?}, and the feed {followed:?}"));
        }
        Ok(Ok(told))
    }

    /// Takes a snapshot: what it lacks is gone, and the feed goes on behind it.
    pub async fn snapshot(&mut self, client: &Client) -> Result<Vec<FeedEvent>, ClientError> {
        let (cursor, items) = client.snapshot(filter(self.of.filter)).await?;
        self.held.reset(items.iter().cloned());
        self.from = FeedStart::Cursor(cursor);
        Ok(items.into_iter().map(|item| FeedEvent::Item(Box::new(item))).collect())
    }
}

/// What an event tells a reader. A removal of what it does not hold, an item that it holds already, and
/// the name of a version that it never got may come or not: a feed that begins leaves them out, and where
/// a page ends or a feed breaks is nobody's promise.
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
