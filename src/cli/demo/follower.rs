//! A partner that follows the feed while the story goes on.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::failure::Failure;
use super::reader::Reader;
use super::stage::Stage;
use super::tally::Tally;
use crate::client::{ClientError, FeedEvent, FeedStart};
use crate::clock::{Clock, SystemClock};

/// How long without an item a follower that lacks some waits for another: longer than its connection may
/// take to come back on a machine that is busy.
const QUIET: Duration = Duration::from_secs(10);

/// A partner that follows from the start, over the restart.
pub struct Follower {
    /// How many items make it whole, once that is known.
    whole: watch::Sender<Option<usize>>,
    task: JoinHandle<Result<(Tally, Reader), ClientError>>,
}

impl Follower {
    /// Subscribes as a partner.
    pub async fn start(stage: &Stage, partner: &'static str) -> Result<Self, Failure> {
        let client = stage.connected(partner).await?;
        let mut reader = Reader::of(partner, client.subscribe(FeedStart::Beginning, None));
        let (whole, mut told) = watch::channel(None);
        let task = tokio::spawn(async move {
            let clock = SystemClock;
            let mut tally = Tally::new(partner);
            loop {
                let whole = *told.borrow_and_update();
                if whole.is_some_and(|whole| tally.distinct() >= whole) {
                    break;
                }
                tokio::select! {
                    event = reader.next() => match event? {
                        Some(FeedEvent::Item(item)) => tally.take(&item, clock.now()),
                        Some(_) => {}
                        None => break,
                    },
                    Ok(()) = told.changed() => {}
                    () = tokio::time::sleep(QUIET), if whole.is_some() => break,
                }
            }
            tally.resumed = reader.reconnects();
            Ok((tally, reader))
        });
        Ok(Self { whole, task })
    }

    /// Waits until it holds so many items or nothing more comes, and tells what it received; its feed goes
    /// on from there.
    pub async fn finish(self, whole: usize, most: Duration) -> Result<(Tally, Reader), Failure> {
        self.whole.send_replace(Some(whole));
        match tokio::time::timeout(most, self.task).await {
            Ok(Ok(followed)) => Ok(followed?),
            Ok(Err(error)) => Err(Failure::failed(error)),
            Err(_) => Err(Failure::failed("a follower did not come to its end")),
        }
    }
}
