//! A partner on its feed: what it holds, and when something reached it.

use std::time::{Duration, Instant};

use super::super::failure::Failure;
use crate::client::{ClientError, FeedEvent, Replica, Subscription};
use crate::clock::{Clock, SystemClock};

/// How long what is waited for may take to come.
const MOST: Duration = Duration::from_secs(30);

/// A partner that applies whatever its feed gives it.
pub struct Reader {
    /// Which partner.
    pub partner: &'static str,
    feed: Subscription,
    held: Replica,
}

impl Reader {
    /// A partner that holds nothing yet.
    pub fn of(partner: &'static str, feed: Subscription) -> Self {
        Self { partner, feed, held: Replica::default() }
    }

    /// What it holds.
    pub fn held(&self) -> &Replica {
        &self.held
    }

    /// How many times its feed was opened again.
    pub fn reconnects(&self) -> u64 {
        self.feed.reconnects()
    }

    /// The next that its feed gives. Cancel safe.
    pub async fn next(&mut self) -> Result<Option<FeedEvent>, ClientError> {
        let event = self.feed.next_event().await?;
        if let Some(event) = &event {
            self.held.apply(event);
        }
        Ok(event)
    }

    /// Takes what comes until something fits, and tells when that came.
    pub async fn wait_for(
        &mut self,
        what: &str,
        fits: impl Fn(&FeedEvent) -> bool,
    ) -> Result<Instant, Failure> {
        let waiting = async {
            while let Some(event) = self.next().await? {
                if fits(&event) {
                    return Ok(Some(SystemClock.instant()));
                }
            }
            Ok::<_, ClientError>(None)
        };
        let came = tokio::time::timeout(MOST, waiting).await;
        let came = came.unwrap_or(Ok(None))?;
        came.ok_or_else(|| Failure::failed(format!("{what} did not reach {}", self.partner)))
    }

    /// Takes what comes until it holds so many versions.
    pub async fn fill(&mut self, versions: usize) -> Result<(), Failure> {
        let filling = async {
            while self.held.len() < versions && self.next().await?.is_some() {}
            Ok::<_, ClientError>(())
        };
        match tokio::time::timeout(MOST, filling).await {
            Ok(filled) => Ok(filled?),
            Err(_) => Err(Failure::failed(format!("{} did not get them all", self.partner))),
        }
    }

    /// Tells the exchange that everything so far has been dealt with.
    pub async fn acknowledge(&mut self) -> Result<(), Failure> {
        Ok(self.feed.acknowledge().await?)
    }
}
