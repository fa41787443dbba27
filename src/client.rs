//! The Rust SDK: connect with an identity folder, submit, look up, follow a feed.
//!
//! Transient errors are retried with backoff and jitter. This is safe because every write is idempotent,
//! and a feed resumes after the last event that it returned. There is one file per service. [`Replica`]
//! applies feed events to a local copy; [`FeedState`] stores a feed's cursor in a file.
//!
//! An exchange with several nodes has several addresses: [`Client::of_nodes`]. Calls go to one node. If it
//! fails, they and the open feeds go on at the next one.
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
mod channel;
mod connection;
mod error;
mod event;
mod feed;
mod feeds;
mod holds;
mod indicators;
mod pages;
mod partners;
mod receipts;
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
use self::connection::{Connection, Route};
pub use self::error::ClientError;
pub use self::event::{FeedEvent, page_events};
pub use self::feed::{FeedStart, Subscription};
use self::receipts::Written;
pub use self::replica::Replica;
pub use self::report::{Report, ReportSummary};
pub use self::retry::RetryPolicy;
use self::retry::{CallFailure, Retries};
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
        Self::of_nodes([server], identity)
    }

    /// Like [`Client::new`], for an exchange with several nodes. Starts at a random one and stays there until a
    /// call fails temporarily. Then goes on at the next one, with the same requests: each is stored once.
    ///
    /// Feeds, snapshots, and reads of indicators, campaigns and enforcements that follow a receipt wait until the node
    /// that answers has applied it. Lists of tips, partners, groups, holds and accesses do not: ask again. An error that is not
    /// temporary, such as a refused certificate, is returned and not tried elsewhere.
    pub fn of_nodes(
        servers: impl IntoIterator<Item = impl Into<String>>,
        identity: &Path,
    ) -> Result<Self, ClientError> {
        let servers = servers.into_iter().map(Into::into).collect();
        let connection = Arc::new(Connection::new(servers, identity)?);
        let retry_policy = RetryPolicy::default();
        Ok(Self { connection, retry_policy, read_after: None, purpose: None })
    }

    /// Moves this client and its clones to one of its addresses, for example to the nearest node. Others stay
    /// in reserve. Ignores an address that the client was not created with.
    #[must_use]
    pub fn starting_at(self, server: &str) -> Self {
        self.connection.move_to(server);
        self
    }

    /// The address that the next call goes to.
    pub fn server(&self) -> String {
        self.connection.current().to_owned()
    }

    /// Sets how transient errors are retried.
    #[must_use]
    pub fn with_retry_policy(mut self, retry_policy: RetryPolicy) -> Self {
        self.retry_policy = retry_policy;
        self
    }

    /// Makes lookups, pulls and snapshots wait until the exchange has applied `version`. Pass a
    /// receipt's version to read another process's write from any node. A client of several nodes does this by
    /// itself for its own receipts.
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

    /// The version that reads wait for: the requested one, or a newer one of this client's own receipts.
    fn read_after(&self) -> Option<pb::Version> {
        let own = self.connection.read_after();
        let own = own.map(|sequence| pb::Version { sequence, index: 0 });
        own.into_iter().chain(self.read_after).max_by_key(|version| version.sequence)
    }

    /// The retry budget of one call.
    fn retries(&self) -> Retries {
        self.retry_policy.retries(self.connection.servers().len())
    }

    /// Calls `method` of a service, with retries. Each attempt takes a fresh channel, because the identity
    /// may have been renewed since the last one, and another node may be in use.
    async fn call<S, R, T>(
        &self,
        service: impl Fn(Channel) -> S,
        method: impl AsyncFn(&mut S, R) -> Result<Response<T>, Status>,
        request: R,
    ) -> Result<T, ClientError>
    where
        R: Clone,
    {
        let calling = async {
            let mut retries = self.retries();
            loop {
                let Route { channel, server } = self.connection.route();
                let mut service = service(channel);
                let attempt =
                    async { Ok(method(&mut service, request.clone()).await?.into_inner()) };
                match retries.limit(attempt).await {
                    Ok(response) => return Ok(response),
                    Err(failure) => self.fail_over(&mut retries, server, failure).await?,
                }
            }
        };
        // Boxed: requests and answers are large, and every call holds one of each.
        Box::pin(calling).await
    }

    /// Like [`Client::call`], for a write. Later reads wait for what it stored.
    async fn write<S, R, T>(
        &self,
        service: impl Fn(Channel) -> S,
        method: impl AsyncFn(&mut S, R) -> Result<Response<T>, Status>,
        request: R,
    ) -> Result<T, ClientError>
    where
        R: Clone,
        T: Written,
    {
        let response = self.call(service, method, request).await?;
        self.connection.record_receipt(response.newest_entry());
        Ok(response)
    }

    /// Waits until a call that failed at a server may be tried again, at the next one. Returns the error if it is
    /// permanent or no retry is left.
    async fn fail_over(
        &self,
        retries: &mut Retries,
        server: usize,
        failure: CallFailure,
    ) -> Result<(), ClientError> {
        let servers = self.connection.servers();
        let failure = if servers.len() > 1 { failure.at(&servers[server]) } else { failure };
        if failure.error.is_transient() {
            self.connection.leave(server);
        }
        retries.wait_after(failure, self.connection.current()).await
    }

    fn indicator_service(channel: Channel) -> IndicatorServiceClient<Channel> {
        IndicatorServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn feed_service(channel: Channel) -> FeedServiceClient<Channel> {
        FeedServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn partner_service(channel: Channel) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(channel)
    }

    fn campaign_service(channel: Channel) -> CampaignServiceClient<Channel> {
        CampaignServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn tip_service(channel: Channel) -> TipServiceClient<Channel> {
        TipServiceClient::new(channel).max_decoding_message_size(MAX_RESPONSE_BYTES)
    }

    fn audit_service(channel: Channel) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(channel)
    }
}
