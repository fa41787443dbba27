//! The Rust SDK: connect with an identity folder, submit, look up, follow a feed.
//!
//! Transient errors are retried with backoff and jitter. This is safe because every write is idempotent,
//! and a feed resumes after the last event that it returned. There is one file per service. [`Replica`]
//! applies feed events to a local copy; [`FeedState`] stores a feed's cursor in a file.
//!
//! ```no_run
//! # async fn example() -> Result<(), tipoff::client::ClientError> {
//! use tipoff::client::{Client, FeedStart, Replica};
//!
//! let client = Client::new("https://localhost:7443", "identity/birdsite".as_ref())?;
//! let mut replica = Replica::default();
//! let mut feed = client.subscribe_named("blocklist", FeedStart::Beginning, None);
//! while let Some(event) = feed.next_event().await? {
//!     replica.apply(&event);
//!     feed.acknowledge().await?;
//! }
//! # Ok(())
//! # }
//! ```

mod audit;
mod campaigns;
mod connection;
mod error;
mod event;
mod feed;
mod feeds;
mod holds;
mod indicators;
mod pages;
mod partners;
mod releases;
mod replica;
mod report;
mod retry;
mod snapshot;
mod state;
mod submission;
mod tips;

use std::path::Path;
use std::sync::Arc;

use tonic::transport::Channel;
use tonic::{Response, Status};

pub use self::audit::Deliveries;
use self::connection::Connection;
pub use self::error::ClientError;
pub use self::event::{FeedEvent, page_events};
pub use self::feed::{FeedStart, Subscription};
pub use self::replica::Replica;
pub use self::report::{Report, ReportSummary};
pub use self::retry::RetryPolicy;
pub use self::snapshot::{Snapshot, SnapshotPart};
pub use self::state::{FeedState, StateError};
pub use self::submission::{CloseOptions, ReportBatch, Submission, SubmissionOptions};
use crate::wire::pb;
use pb::audit_service_client::AuditServiceClient;
use pb::campaign_service_client::CampaignServiceClient;
use pb::feed_service_client::FeedServiceClient;
use pb::indicator_service_client::IndicatorServiceClient;
use pb::partner_service_client::PartnerServiceClient;
use pb::tip_service_client::TipServiceClient;

/// Largest response that the client accepts, in bytes: the largest that an exchange sends.
const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// A connection to an exchange as one partner. Cheap to clone. Connects on first use and reconnects
/// when necessary.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Arc<Connection>,
    retry_policy: RetryPolicy,
    read_after: Option<pb::Version>,
    purpose: Option<Arc<pb::Purpose>>,
}

impl Client {
    /// Creates a client from a server URL and an identity folder with `ca.pem`, `cert.pem` and
    /// `key.pem`.
    ///
    /// Reads and checks the folder, but does not connect yet. A certificate that is renewed in the
    /// folder is picked up automatically.
    pub fn new(server: &str, identity: &Path) -> Result<Self, ClientError> {
        let connection = Arc::new(Connection::new(server, identity)?);
        let retry_policy = RetryPolicy::default();
        Ok(Self { connection, retry_policy, read_after: None, purpose: None })
    }

    /// Sets how transient errors are retried.
    #[must_use]
    pub fn with_retry_policy(mut self, retry_policy: RetryPolicy) -> Self {
        self.retry_policy = retry_policy;
        self
    }

    /// Makes lookups, pulls and snapshots wait until the exchange has applied `version`. Pass a
    /// receipt's version to read your own write from any node.
    #[must_use]
    pub fn with_read_after(mut self, version: pb::Version) -> Self {
        self.read_after = Some(version);
        self
    }

    /// Sets the purpose for which a liaison reads. Required for liaisons: without it an exchange
    /// returns nothing to them.
    ///
    /// A feed ends when its purpose expires. To continue, open it from its cursor with a client
    /// that has a new purpose.
    #[must_use]
    pub fn with_purpose(mut self, purpose: pb::Purpose) -> Self {
        self.purpose = Some(Arc::new(purpose));
        self
    }

    fn purpose(&self) -> Option<pb::Purpose> {
        self.purpose.as_deref().cloned()
    }

    /// Calls `method` of a service, with retries. Each attempt takes a fresh channel, because the identity
    /// may have been renewed since the last one.
    async fn call<S, R, T>(
        &self,
        service: impl Fn(&Self) -> S,
        method: impl AsyncFn(&mut S, R) -> Result<Response<T>, Status>,
        request: R,
    ) -> Result<T, ClientError>
    where
        R: Clone,
    {
        let attempt = || async {
            let mut service = service(self);
            Ok(method(&mut service, request.clone()).await?.into_inner())
        };
        // Boxed: requests and answers are large, and every call holds one of each.
        Box::pin(self.retry_policy.retry(attempt)).await
    }

    fn indicator_service(&self) -> IndicatorServiceClient<Channel> {
        IndicatorServiceClient::new(self.connection.channel())
            .max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn feed_service(&self) -> FeedServiceClient<Channel> {
        FeedServiceClient::new(self.connection.channel())
            .max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn partner_service(&self) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.connection.channel())
    }

    fn campaign_service(&self) -> CampaignServiceClient<Channel> {
        CampaignServiceClient::new(self.connection.channel())
            .max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn tip_service(&self) -> TipServiceClient<Channel> {
        TipServiceClient::new(self.connection.channel())
            .max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn audit_service(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.connection.channel())
    }
}
