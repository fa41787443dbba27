//! A partner that reads its feed into a replica.

use std::time::{Duration, Instant};

use super::super::failure::Failure;
use crate::client::{ClientError, FeedEvent, Replica, Subscription};
use crate::clock::{Clock, SystemClock};

/// How long to wait for expected events.
const EVENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Applies the events of a feed to a replica.
pub struct Reader {
    /// The id of the partner.
    pub partner: &'static str,
    feed: Subscription,
    replica: Replica,
}

impl Reader {
    /// A reader with an empty replica.
    pub fn of(partner: &'static str, feed: Subscription) -> Self {
        Self { partner, feed, replica: Replica::default() }
    }

    /// The replica.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// How often the feed reconnected.
    pub fn reconnects(&self) -> u64 {
        self.feed.reconnects()
    }

    /// Reads and applies the next event. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<FeedEvent>, ClientError> {
        let event = self.feed.next_event().await?;
        if let Some(event) = &event {
            self.replica.apply(event);
        }
        Ok(event)
    }

    /// Reads until an event matches. Returns when that event arrived.
    pub async fn wait_for(
        &mut self,
        what: &str,
        matches: impl Fn(&FeedEvent) -> bool,
    ) -> Result<Instant, Failure> {
        let waiting = async {
            while let Some(event) = self.next().await? {
                if matches(&event) {
                    return Ok(Some(SystemClock.instant()));
                }
            }
            Ok::<_, ClientError>(None)
        };
        let arrived = tokio::time::timeout(EVENT_TIMEOUT, waiting).await;
        let arrived = arrived.unwrap_or(Ok(None))?;
        arrived.ok_or_else(|| Failure::failed(format!("{what} did not reach {}", self.partner)))
    }

    /// Reads until the replica has `versions` versions.
    pub async fn fill(&mut self, versions: usize) -> Result<(), Failure> {
        let filling = async {
            while self.replica.len() < versions && self.next().await?.is_some() {}
            Ok::<_, ClientError>(())
        };
        match tokio::time::timeout(EVENT_TIMEOUT, filling).await {
            Ok(filled) => Ok(filled?),
            Err(_) => {
                Err(Failure::failed(format!("{} did not receive all versions", self.partner)))
            }
        }
    }

    /// Acknowledges everything read so far.
    pub async fn acknowledge(&mut self) -> Result<(), Failure> {
        Ok(self.feed.acknowledge().await?)
    }
}
