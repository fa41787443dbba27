//! A partner that follows the feed while the story goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::super::failure::Failure;
use super::reader::Reader;
use super::stage::Stage;
use super::tally::Tally;
use crate::client::{ClientError, FeedEvent, From};
use crate::clock::{Clock, SystemClock};

/// How long without an item a follower that has been told to finish waits for another.
const QUIET: Duration = Duration::from_millis(500);

/// A partner that follows from the start, over the restart.
pub struct Follower {
    finishing: Arc<AtomicBool>,
    task: JoinHandle<Result<(Tally, Reader), ClientError>>,
}

impl Follower {
    /// Subscribes as a partner. `expected` items make it whole.
    pub async fn start(
        stage: &Stage,
        partner: &'static str,
        expected: usize,
    ) -> Result<Self, Failure> {
        let client = stage.connected(partner).await?;
        let mut reader = Reader::of(partner, client.subscribe(From::Start, None));
        let finishing = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&finishing);
        let task = tokio::spawn(async move {
            let clock = SystemClock;
            let mut tally = Tally::new(partner);
            loop {
                match tokio::time::timeout(QUIET, reader.next()).await {
                    Ok(Ok(Some(FeedEvent::Item(item)))) => tally.take(&item, clock.now()),
                    Ok(Err(error)) => return Err(error),
                    Ok(Ok(None)) => break,
                    // Nothing for a while: that is the end once the report is in.
                    Err(_) if told.load(Ordering::Relaxed) => break,
                    Ok(Ok(Some(_))) | Err(_) => {}
                }
                if tally.distinct() >= expected && told.load(Ordering::Relaxed) {
                    break;
                }
            }
            tally.resumed = reader.reconnects();
            Ok((tally, reader))
        });
        Ok(Self { finishing, task })
    }

    /// Waits until it holds everything or nothing more comes, and tells what it received; its feed goes
    /// on from there.
    pub async fn finish(self, most: Duration) -> Result<(Tally, Reader), Failure> {
        self.finishing.store(true, Ordering::Relaxed);
        match tokio::time::timeout(most, self.task).await {
            Ok(Ok(followed)) => Ok(followed?),
            Ok(Err(error)) => Err(Failure::failed(error)),
            Err(_) => Err(Failure::failed("a follower did not come to its end")),
        }
    }
}
