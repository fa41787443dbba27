//! A partner that follows the feed while the story goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::super::failure::Failure;
use super::stage::Stage;
use super::tally::Tally;
use crate::client::{ClientError, From};
use crate::clock::{Clock, SystemClock};

/// How long without an item a follower that has been told to finish waits for another.
const QUIET: Duration = Duration::from_millis(500);

/// A partner that follows from the start, over the restart.
pub struct Follower {
    finishing: Arc<AtomicBool>,
    task: JoinHandle<Result<Tally, ClientError>>,
}

impl Follower {
    /// Subscribes as a partner. `expected` items make it whole.
    pub async fn start(
        stage: &Stage,
        partner: &'static str,
        expected: usize,
    ) -> Result<Self, Failure> {
        let client = stage.client(partner)?;
        client.who_am_i().await?;
        let mut feed = client.subscribe(From::Start, None);
        let finishing = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&finishing);
        let task = tokio::spawn(async move {
            let clock = SystemClock;
            let mut tally = Tally::new(partner);
            loop {
                match tokio::time::timeout(QUIET, feed.next()).await {
                    Ok(Ok(Some(item))) => tally.take(&item, clock.now()),
                    Ok(Err(error)) => return Err(error),
                    Ok(Ok(None)) => break,
                    // Nothing for a while: that is the end once the report is in.
                    Err(_) if told.load(Ordering::Relaxed) => break,
                    Err(_) => {}
                }
                if tally.distinct() >= expected && told.load(Ordering::Relaxed) {
                    break;
                }
            }
            tally.resumed = feed.reconnects();
            Ok(tally)
        });
        Ok(Self { finishing, task })
    }

    /// Waits until it holds everything or nothing more comes, and tells what it received.
    pub async fn finish(self, most: Duration) -> Result<Tally, Failure> {
        self.finishing.store(true, Ordering::Relaxed);
        match tokio::time::timeout(most, self.task).await {
            Ok(Ok(tally)) => Ok(tally?),
            Ok(Err(error)) => Err(Failure::failed(error)),
            Err(_) => Err(Failure::failed("a follower did not come to its end")),
        }
    }
}
