//! The Rust SDK: connect with an identity folder, submit, look up, follow a feed.
//!
//! What may be retried is retried, with backoff and jitter: every write is idempotent, and a feed is
//! resumed behind the last item that was taken.
//!
//! ```no_run
//! # async fn example() -> Result<(), tipoff::client::ClientError> {
//! use tipoff::client::{Client, From};
//!
//! let client = Client::new("https://localhost:7443", "identity/birdsite".as_ref())?;
//! let mut feed = client.subscribe(From::Start, None);
//! while let Some(item) = feed.next().await? {
//!     println!("{:?}", item.indicator);
//! }
//! # Ok(())
//! # }
//! ```

mod connection;
mod error;
mod feed;
mod report;
mod retry;

use std::path::Path;
use std::sync::Arc;

use prost::Message;
use tonic::transport::Channel;

use self::connection::Connection;
pub use self::error::ClientError;
pub use self::feed::{FeedEvent, From, Subscription};
pub use self::report::{Report, ReportSummary, split};
pub use self::retry::Patience;
use crate::wire::pb;
use pb::feed_service_client::FeedServiceClient;
use pb::indicator_service_client::IndicatorServiceClient;
use pb::partner_service_client::PartnerServiceClient;

/// The most values of one lookup call.
const LOOKUP_VALUES: usize = 1_000;
/// The most bytes of the values of one lookup call: an exchange takes requests of 1 MB by default.
const LOOKUP_BYTES: usize = 900 * 1024;
/// The most bytes of a message that is taken: the largest answer of an exchange.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// A connection to an exchange, as one partner. Cheap to clone; connects when it is first used and
/// again when it has to.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Arc<Connection>,
    patience: Patience,
}

impl Client {
    /// A client for a server's URL, with the identity in a folder: `ca.pem`, `cert.pem`,
    /// `key.pem`. The folder is read and checked; nothing is connected yet. A new certificate that is
    /// put there later is taken up by itself.
    pub fn new(server: &str, identity: &Path) -> Result<Self, ClientError> {
        let connection = Arc::new(Connection::new(server, identity)?);
        Ok(Self { connection, patience: Patience::default() })
    }

    /// The same client with another patience for an exchange that is not there.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// Who the exchange takes this client for.
    pub async fn who_am_i(&self) -> Result<pb::WhoAmIResponse, ClientError> {
        self.patience
            .retry(|| {
                let mut service = PartnerServiceClient::new(self.connection.channel());
                async move { Ok(service.who_am_i(pb::WhoAmIRequest {}).await?.into_inner()) }
            })
            .await
    }

    /// Every partner of the exchange, by id.
    pub async fn partners(&self) -> Result<Vec<pb::Partner>, ClientError> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = self
                .patience
                .retry(|| {
                    let mut service = PartnerServiceClient::new(self.connection.channel());
                    let page_token = page_token.clone();
                    let request = pb::ListPartnersRequest { page_size: 1_000, page_token };
                    async move { Ok(service.list_partners(request).await?.into_inner()) }
                })
                .await?;
            all.extend(page.partners);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            page_token = page.next_page_token;
        }
    }

    /// The groups that this partner is in, by id.
    pub async fn groups(&self) -> Result<Vec<pb::SharingGroup>, ClientError> {
        let mut all = Vec::new();
        let mut page_token = String::new();
        loop {
            let page = self
                .patience
                .retry(|| {
                    let mut service = PartnerServiceClient::new(self.connection.channel());
                    let page_token = page_token.clone();
                    let request = pb::ListGroupsRequest { page_size: 1_000, page_token };
                    async move { Ok(service.list_groups(request).await?.into_inner()) }
                })
                .await?;
            all.extend(page.groups);
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            page_token = page.next_page_token;
        }
    }

    /// What is known of each value, in order; any number of them.
    pub async fn lookup(
        &self,
        keys: &[pb::IndicatorKey],
    ) -> Result<Vec<pb::LookupResult>, ClientError> {
        let mut results = Vec::with_capacity(keys.len());
        for keys in pages(keys) {
            let page = self
                .patience
                .retry(|| {
                    let mut service = self.indicators();
                    let request =
                        pb::LookupIndicatorsRequest { keys: keys.to_vec(), read_after: None };
                    async move { Ok(service.lookup_indicators(request).await?.into_inner()) }
                })
                .await?;
            results.extend(page.results);
        }
        Ok(results)
    }

    /// Everything that this partner may see of one indicator.
    pub async fn indicator(
        &self,
        key: pb::IndicatorKey,
    ) -> Result<pb::GetIndicatorResponse, ClientError> {
        self.patience
            .retry(|| {
                let mut service = self.indicators();
                let request = pb::GetIndicatorRequest {
                    indicator: Some(pb::get_indicator_request::Indicator::Key(key.clone())),
                    read_after: None,
                };
                async move { Ok(service.get_indicator(request).await?.into_inner()) }
            })
            .await
    }

    /// Submits one batch, or a close. Sent again where that may be done: it is not stored twice.
    pub async fn submit(
        &self,
        request: pb::SubmitIndicatorsRequest,
    ) -> Result<pb::Receipt, ClientError> {
        self.patience
            .retry(|| {
                let mut service = self.indicators();
                let request = request.clone();
                async move {
                    let response = service.submit_indicators(request).await?;
                    response.into_inner().receipt.ok_or_else(ClientError::no_receipt)
                }
            })
            .await
    }

    /// Follows the feed, from wherever it is to begin. It is opened with the first item asked for.
    pub fn subscribe(&self, from: From, filter: Option<pb::Filter>) -> Subscription {
        Subscription::new(self.clone(), from, filter)
    }

    fn indicators(&self) -> IndicatorServiceClient<Channel> {
        IndicatorServiceClient::new(self.connection.channel())
            .max_decoding_message_size(MAX_MESSAGE)
    }

    fn feeds(&self) -> FeedServiceClient<Channel> {
        FeedServiceClient::new(self.connection.channel()).max_decoding_message_size(MAX_MESSAGE)
    }
}

/// Cuts keys into calls, by count and by bytes.
fn pages(mut keys: &[pb::IndicatorKey]) -> impl Iterator<Item = &[pb::IndicatorKey]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = keys.iter().take(LOOKUP_VALUES).take_while(|key| {
            bytes += key.encoded_len() + 8;
            bytes <= LOOKUP_BYTES
        });
        let (page, rest) = keys.split_at(fitting.count().max(1).min(keys.len()));
        keys = rest;
        (!page.is_empty()).then_some(page)
    })
}
