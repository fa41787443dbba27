//! What is different about a liaison's feed.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::purpose::Purpose;
use crate::error::{Error, Kind};
use crate::exchange::{Exchange, MAX_OBJECTS_PER_ACCESS};

/// How often a purpose is held against the clock, which may be set.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(1);

/// Waits until a purpose expires, and returns the error for its reader. Never returns without a purpose.
pub async fn purpose_over(exchange: Arc<Exchange>, until: Option<Timestamp>) -> Error {
    let Some(until) = until else {
        return std::future::pending().await;
    };
    loop {
        let now = exchange.clock().now();
        if now >= until {
            let message = "the purpose has run out: ask again for one that has not";
            return Error::new(Kind::Denied, "purpose_ended", message);
        }
        tokio::time::sleep(until.since(now).min(LOOKED_AT_EVERY)).await;
    }
}

/// The most items and removals of a message: to a liaison no more than one access holds.
pub fn most(purpose: Option<&Purpose>) -> usize {
    if purpose.is_some() { MAX_OBJECTS_PER_ACCESS } else { usize::MAX }
}
