//! A reader that stays connected and reconnects after every kill.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tipoff::client::{Client, ClientError, FeedEvent, FeedStart, Replica, Subscription};
use tipoff::wire::pb;
use tokio::task::JoinHandle;

use crate::history::ReaderSpec;
use crate::walker::{Walker, versions};
use crate::words::filter;

/// How long the delivery of the last event may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The retry interval while its partner is suspended.
const PAUSE: Duration = Duration::from_millis(20);

pub struct Follower {
    pub spec: ReaderSpec,
    state: Arc<Mutex<FollowerState>>,
    task: JoinHandle<()>,
}

struct FollowerState {
    held: Replica,
    from: FeedStart,
    /// Every item that it received.
    received: Vec<pb::FeedItem>,
    failed: Option<String>,
}

impl Follower {
    /// Follows from the beginning.
    pub fn start(spec: ReaderSpec, client: &Client) -> Self {
        let feed = client.subscribe(FeedStart::Beginning, filter(spec.filter));
        let state = Arc::new(Mutex::new(FollowerState {
            held: Replica::default(),
            from: FeedStart::Beginning,
            received: Vec::new(),
            failed: None,
        }));
        let task = tokio::spawn(run(feed, Arc::clone(&state)));
        Self { spec, state, task }
    }

    /// Its state, once no further event is available.
    pub async fn caught_up(&self, client: &Client) -> Result<Replica, String> {
        let mut left = PATIENCE;
        loop {
            let mut ahead = {
                let state = self.state.lock().unwrap();
                if let Some(failed) = &state.failed {
                    return Err(format!("{:?}: {failed}", self.spec));
                }
                Walker::at(self.spec, state.held.clone(), state.from.clone())
            };
            let held = ahead.held.clone();
            ahead.pull(client, usize::MAX).await.map_err(|error| error.to_string())?;
            if versions(&held) == versions(&ahead.held) {
                return Ok(held);
            }
            if left.is_zero() {
                let (held, by_pages) = (versions(&held), versions(&ahead.held));
                return Err(format!(
                    "{:?} stays at {held:?}, and pages lead to {by_pages:?}",
                    self.spec
                ));
            }
            tokio::time::sleep(PAUSE).await;
            left = left.saturating_sub(PAUSE);
        }
    }

    /// Every item that it received.
    pub fn received(&self) -> Vec<pb::FeedItem> {
        self.state.lock().unwrap().received.clone()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(mut feed: Subscription, state: Arc<Mutex<FollowerState>>) {
    loop {
        match feed.next_event().await {
            Ok(Some(event)) => {
                let mut state = state.lock().unwrap();
                state.held.apply(&event);
                state.from = feed.cursor().cloned().map_or(FeedStart::Beginning, FeedStart::Cursor);
                if let FeedEvent::Item(item) = event {
                    state.received.push(*item);
                }
            }
            // Suspended: the suspension will end.
            Err(ClientError::Denied(_)) => tokio::time::sleep(PAUSE).await,
            end => {
                state.lock().unwrap().failed = Some(format!("it ended with {end:?}"));
                return;
            }
        }
    }
}
