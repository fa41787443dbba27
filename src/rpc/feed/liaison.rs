//! The rules that apply only to a liaison's feed: it ends with its purpose, and its messages are limited.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::Timestamp;
use crate::domain::purpose::Purpose;
use crate::error::{Error, Kind};
use crate::exchange::{Exchange, MAX_OBJECTS_PER_ACCESS};

/// How often a purpose is compared with the clock. A longer sleep would miss that the clock was set.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Waits until a purpose expires, and returns the error for its reader. Never returns if there is no purpose.
pub async fn until_purpose_expires(exchange: Arc<Exchange>, until: Option<Timestamp>) -> Error {
    let Some(until) = until else {
        return std::future::pending().await;
    };
    loop {
        let now = exchange.clock().now();
        if now >= until {
            let message = "the purpose has run out: ask again for one that has not";
            return Error::new(Kind::Denied, "purpose_ended", message);
        }
        tokio::time::sleep(until.since(now).min(CHECK_INTERVAL)).await;
    }
}

/// Maximum number of items and removals in a message. For a liaison, what one entry of the access log can hold.
pub fn max_objects(purpose: Option<&Purpose>) -> usize {
    if purpose.is_some() { MAX_OBJECTS_PER_ACCESS } else { usize::MAX }
}
