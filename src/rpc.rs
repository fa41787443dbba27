//! The gRPC services, one file each, and the layers around them: observation, authorisation and the limit of calls in
//! flight.

mod audit;
pub mod authz;
mod campaigns;
mod drain;
mod feed;
mod holds;
pub mod in_flight;
mod indicator;
pub mod observe;
mod partner;
mod reactions;
mod releases;
pub mod status;
mod subscriptions;
mod tips;
pub mod transport_errors;
mod visible;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

pub use self::feed::page::Snapshots;
use crate::domain::PartnerId;
use crate::domain::label::Labels;
use crate::error::Result;
use crate::exchange::{Caller, Exchange};
use crate::metrics::Metrics;
use crate::sampled_log::SampledLog;

/// The state that all services of a node share.
#[derive(Clone, Debug)]
pub struct Services {
    /// The exchange that serves the calls.
    pub exchange: Arc<Exchange>,
    /// The labels of this exchange.
    pub labels: Arc<Labels>,
    /// The metrics of the node.
    pub metrics: Arc<Metrics>,
    /// Decides which slow readers are logged.
    pub log: Arc<SampledLog>,
    /// The limits of requests and streams.
    pub limits: RequestLimits,
    /// The number of open snapshots of each partner.
    pub snapshots: Snapshots,
    /// Ends open streams when the node stops.
    pub stop: CancellationToken,
    /// The maximum age of a connection. Feeds on it end with their cursor then, before the connection is closed.
    pub connection_age: Duration,
}

/// Limits of requests and streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Maximum number of items in a batch.
    pub batch_items: usize,
    /// Maximum number of values in a lookup.
    pub lookup_values: usize,
    /// Maximum number of batches of one `StreamIndicators` call that wait for their receipt.
    pub batches_in_flight: usize,
    /// How long a feed is silent before it sends a heartbeat. A heartbeat may come up to 2 % later.
    pub heartbeat: Duration,
    /// How long a reader may leave a message of its feed unread before the feed ends.
    pub unread_timeout: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            batch_items: 1_000,
            lookup_values: 1_000,
            batches_in_flight: 16,
            heartbeat: Duration::from_secs(15),
            unread_timeout: Duration::from_secs(30),
        }
    }
}

impl Services {
    /// See [`Exchange::read`].
    async fn read<T: Send + 'static>(
        &self,
        label: &'static str,
        read: impl FnOnce(&Exchange) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.exchange.read(label, read).await
    }

    /// Counts a feed or a snapshot that ended because its reader was too slow, and logs it.
    fn count_slow_reader(&self, partner: &PartnerId, method: &'static str) {
        self.metrics.slow_reader_ended();
        if self.log.is_due(self.exchange.clock().instant(), "reader_too_slow", partner.as_str()) {
            let unread_s = self.limits.unread_timeout.as_secs();
            warn!(%partner, method, unread_s, "ended the stream of a slow reader");
        }
    }
}

/// The caller that [`authz`] admitted.
fn caller<T>(request: &tonic::Request<T>) -> std::result::Result<&Caller, tonic::Status> {
    request.extensions().get::<Caller>().ok_or_else(|| {
        tonic::Status::unauthenticated("the call did not pass through authorisation")
    })
}
