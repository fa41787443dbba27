//! A reader that is connected all the time, whatever becomes of the exchange.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Replica, Subscription};
use tipoff::wire::pb;
use tokio::task::JoinHandle;

use crate::history::ReaderOf;
use crate::walker::{Walker, versions};
use crate::words::filter;

/// How long it may take to be told the last of what there is.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it asks again while its partner is suspended.
const PAUSE: Duration = Duration::from_millis(20);

pub struct Follower {
    pub of: ReaderOf,
    so_far: Arc<Mutex<SoFar>>,
    task: JoinHandle<()>,
}

struct SoFar {
    held: Replica,
    from: FeedStart,
    /// Every item that it was given.
    given: Vec<pb::FeedItem>,
    failed: Option<String>,
}

impl Follower {
    /// Follows from the beginning.
    pub fn start(of: ReaderOf, client: &Client) -> Self {
        let feed = client.subscribe(FeedStart::Beginning, filter(of.filter));
        let so_far = Arc::new(Mutex::new(SoFar {
            held: Replica::default(),
            from: FeedStart::Beginning,
            given: Vec::new(),
            failed: None,
        }));
        let task = tokio::spawn(run(feed, Arc::clone(&so_far)));
        Self { of, so_far, task }
    }

    /// What it holds once nothing that is there would change it.
    pub async fn caught_up(&self, client: &Client) -> Result<Replica, String> {
        let mut left = PATIENCE;
        loop {
            let mut ahead = {
                let so_far = self.so_far.lock().unwrap();
                if let Some(failed) = &so_far.failed {
                    return Err(format!("{:?}: {failed}", self.of));
                }
                Walker::at(self.of, so_far.held.clone(), so_far.from.clone())
            };
            let held = ahead.held.clone();
            ahead.pull(client, usize::MAX).await.map_err(|error| error.to_string())?;
            if versions(&held) == versions(&ahead.held) {
                return Ok(held);
            }
            if left.is_zero() {
                let (held, there) = (versions(&held), versions(&ahead.held));
                return Err(format!(
                    "{:?} stays at {held:?}, and pages lead to {there:?}",
                    self.of
                ));
            }
            tokio::time::sleep(PAUSE).await;
            left = left.saturating_sub(PAUSE);
        }
    }

    /// Every item that it was given.
    pub fn given(&self) -> Vec<pb::FeedItem> {
        self.so_far.lock().unwrap().given.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut feed: Subscription, so_far: Arc<Mutex<SoFar>>) {
    loop {
        match feed.next_event().await {
            Ok(Some(event)) => {
                let mut so_far = so_far.lock().unwrap();
                so_far.held.apply(&event);
                so_far.from =
                    feed.cursor().cloned().map_or(FeedStart::Beginning, FeedStart::Cursor);
                if let FeedEvent::Item(item) = event {
                    so_far.given.push(*item);
                }
            }
            // Suspended: it will be let in again.
            Err(ClientError::Denied(_)) => tokio::time::sleep(PAUSE).await,
            end => {
                so_far.lock().unwrap().failed = Some(format!("it ended with {end:?}"));
                return;
            }
        }
    }
}
