//! The gRPC side: one thin file a service, and around all of them who may call what.

mod audit;
pub mod authz;
mod campaigns;
mod drain;
mod feed;
mod holds;
pub mod in_flight;
mod indicator;
mod partner;
mod reactions;
mod releases;
pub mod status;
mod subscriptions;
mod tips;
mod visible;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use self::feed::page::Snapshots;
use crate::domain::label::Labels;
use crate::error::{Error, Result};
use crate::exchange::{Caller, Exchange};
use crate::metrics::Metrics;

/// What every service of one node shares.
#[derive(Clone, Debug)]
pub struct Services {
    /// The exchange behind them.
    pub exchange: Arc<Exchange>,
    /// The labels of this exchange.
    pub labels: Arc<Labels>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The bounds of requests.
    pub limits: RequestLimits,
    /// The snapshots that are being taken.
    pub snapshots: Snapshots,
    /// Ends open streams when the node stops.
    pub stop: CancellationToken,
    /// How old a connection may become. Feeds on an older one end, with their cursor, before it is
    /// cut off.
    pub connection_age: Duration,
}

/// The bounds of requests and streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// The most items of a batch.
    pub batch_items: usize,
    /// The most values of a lookup.
    pub lookup_values: usize,
    /// The most batches of one `StreamIndicators` that wait for their receipt.
    pub batches_in_flight: usize,
    /// After how long without an item a feed sends a sign of life, or up to 2 % later.
    pub heartbeat: Duration,
    /// How long a reader may leave a feed's message untaken.
    pub blocked: Duration,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            batch_items: 1_000,
            lookup_values: 1_000,
            batches_in_flight: 16,
            heartbeat: Duration::from_secs(15),
            blocked: Duration::from_secs(30),
        }
    }
}

impl Services {
    /// Runs a read on a blocking thread: it may wait for the disk. `what` names the read in the log if it panics.
    async fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        read: impl FnOnce(&Exchange) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let exchange = Arc::clone(&self.exchange);
        let reading = tokio::task::spawn_blocking(move || read(&exchange));
        reading.await.map_err(|error| Error::internal(what, error))?
    }
}

/// The caller that [`authz`] admitted.
fn caller<T>(request: &tonic::Request<T>) -> std::result::Result<&Caller, tonic::Status> {
    request.extensions().get::<Caller>().ok_or_else(|| {
        tonic::Status::unauthenticated("the call did not pass through authorisation")
    })
}
