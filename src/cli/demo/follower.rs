//! A background task that follows the feed of a partner.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::failure::Failure;
use super::reader::Reader;
use super::stage::Stage;
use super::tally::Tally;
use crate::client::{ClientError, FeedEvent, FeedStart};
use crate::clock::{Clock, SystemClock};

/// How long a follower with missing items waits for another one. Longer than a reconnect takes on a
/// busy machine.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// Follows the feed of a partner from the start, across the restart.
pub struct Follower {
    /// The expected number of items, once it is known.
    expected: watch::Sender<Option<usize>>,
    task: JoinHandle<Result<(Tally, Reader), ClientError>>,
}

impl Follower {
    /// Subscribes as a partner, at one of the nodes.
    pub async fn start(stage: &Stage, partner: &'static str, node: usize) -> Result<Self, Failure> {
        let client = stage.client_at(partner, node)?;
        client.who_am_i().await?;
        let mut reader = Reader::of(partner, client.subscribe(FeedStart::Beginning, None));
        let (expected, mut expected_changes) = watch::channel(None);
        let task = tokio::spawn(async move {
            let clock = SystemClock;
            let mut tally = Tally::new(partner);
            loop {
                let expected = *expected_changes.borrow_and_update();
                if expected.is_some_and(|expected| tally.distinct() >= expected) {
                    break;
                }
                tokio::select! {
                    event = reader.next() => match event? {
                        Some(FeedEvent::Item(item)) => tally.record(&item, clock.now()),
                        Some(_) => {}
                        None => break,
                    },
                    Ok(()) = expected_changes.changed() => {}
                    () = tokio::time::sleep(IDLE_TIMEOUT), if expected.is_some() => break,
                }
            }
            tally.reconnects = reader.reconnects();
            Ok((tally, reader))
        });
        Ok(Self { expected, task })
    }

    /// Waits until `expected` items have arrived or no more come. Returns what it received, and the
    /// reader to continue with.
    pub async fn finish(
        self,
        expected: usize,
        timeout: Duration,
    ) -> Result<(Tally, Reader), Failure> {
        self.expected.send_replace(Some(expected));
        match tokio::time::timeout(timeout, self.task).await {
            Ok(Ok(outcome)) => Ok(outcome?),
            Ok(Err(error)) => Err(Failure::failed(error)),
            Err(_) => Err(Failure::failed("a follower did not finish in time")),
        }
    }
}
