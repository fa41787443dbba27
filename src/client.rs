//! The Rust SDK: connect with an identity folder, submit, look up, follow a feed.
//!
//! What may be retried is retried, with backoff and jitter: every write is idempotent, and a feed is
//! resumed behind the last item that was taken. The calls are in one file a service; [`Replica`] adds
//! up what a feed gives, and [`FeedState`] keeps its place in a file.
//!
//! ```no_run
//! # async fn example() -> Result<(), tipoff::client::ClientError> {
//! use tipoff::client::{Client, From, Replica};
//!
//! let client = Client::new("https://localhost:7443", "identity/birdsite".as_ref())?;
//! let mut held = Replica::default();
//! let mut feed = client.subscribe_named("blocklist", From::Start, None);
//! while let Some(event) = feed.next_event().await? {
//!     held.apply(&event);
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
mod tips;

use std::path::Path;
use std::sync::Arc;

use tonic::transport::Channel;
use tonic::{Response, Status};

pub use self::audit::Deliveries;
use self::connection::Connection;
pub use self::error::ClientError;
pub use self::event::{FeedEvent, events};
pub use self::feed::{FeedStart, Subscription};
pub use self::replica::Replica;
pub use self::report::{Report, ReportSummary, split};
pub use self::retry::Patience;
pub use self::snapshot::{Snapshot, SnapshotPart};
pub use self::state::{FeedState, StateError};
use crate::wire::pb;
use pb::audit_service_client::AuditServiceClient;
use pb::campaign_service_client::CampaignServiceClient;
use pb::feed_service_client::FeedServiceClient;
use pb::indicator_service_client::IndicatorServiceClient;
use pb::partner_service_client::PartnerServiceClient;
use pb::tip_service_client::TipServiceClient;

/// The most bytes of a message that is taken: the largest answer of an exchange.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// A connection to an exchange, as one partner. Cheap to clone; connects when it is first used and
/// again when it has to.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Arc<Connection>,
    patience: Patience,
    read_after: Option<pb::Version>,
    purpose: Option<Arc<pb::Purpose>>,
}

impl Client {
    /// A client for a server's URL, with the identity in a folder: `ca.pem`, `cert.pem`,
    /// `key.pem`. The folder is read and checked; nothing is connected yet. A new certificate that is
    /// put there later is taken up by itself.
    pub fn new(server: &str, identity: &Path) -> Result<Self, ClientError> {
        let connection = Arc::new(Connection::new(server, identity)?);
        let patience = Patience::default();
        Ok(Self { connection, patience, read_after: None, purpose: None })
    }

    /// The same client with another patience for an exchange that is not there.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The same client, whose lookups, pulls and snapshots are answered only once a version has been
    /// applied: a receipt's, to read one's own write on whichever node answers.
    #[must_use]
    pub fn reading_after(mut self, version: pb::Version) -> Self {
        self.read_after = Some(version);
        self
    }

    /// The same client, whose feeds, pulls and snapshots say for what purpose a liaison reads: an exchange
    /// gives a liaison nothing without. A feed ends when it runs out, and is opened by a client with
    /// another one, from where it stands.
    #[must_use]
    pub fn for_purpose(mut self, purpose: pb::Purpose) -> Self {
        self.purpose = Some(Arc::new(purpose));
        self
    }

    fn purpose(&self) -> Option<pb::Purpose> {
        self.purpose.as_deref().cloned()
    }

    /// Sends a request, again and again as patience has it: with a connection of its own each time,
    /// for the identity may have been renewed in between.
    async fn call<R, T, F>(&self, request: R, send: impl Fn(R) -> F) -> Result<T, ClientError>
    where
        R: Clone,
        F: Future<Output = Result<Response<T>, Status>>,
    {
        // Boxed: requests and answers are large, and every call holds one of each.
        Box::pin(self.patience.retry(|| {
            let sending = send(request.clone());
            async move { Ok(sending.await?.into_inner()) }
        }))
        .await
    }

    fn indicator_service(&self) -> IndicatorServiceClient<Channel> {
        IndicatorServiceClient::new(self.connection.channel())
            .max_decoding_message_size(MAX_MESSAGE)
    }

    fn feed_service(&self) -> FeedServiceClient<Channel> {
        FeedServiceClient::new(self.connection.channel()).max_decoding_message_size(MAX_MESSAGE)
    }

    fn partner_service(&self) -> PartnerServiceClient<Channel> {
        PartnerServiceClient::new(self.connection.channel())
    }

    fn campaign_service(&self) -> CampaignServiceClient<Channel> {
        CampaignServiceClient::new(self.connection.channel()).max_decoding_message_size(MAX_MESSAGE)
    }

    fn tip_service(&self) -> TipServiceClient<Channel> {
        TipServiceClient::new(self.connection.channel()).max_decoding_message_size(MAX_MESSAGE)
    }

    fn audit_service(&self) -> AuditServiceClient<Channel> {
        AuditServiceClient::new(self.connection.channel())
    }
}
