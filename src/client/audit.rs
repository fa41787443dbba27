//! Delivery receipts: which subscriptions have received the end of a version.

use super::pages::PAGE_SIZE;
use super::{Client, ClientError};
use crate::wire::pb;
use pb::audit_service_client::AuditServiceClient;

/// Which versions a journal entry ended, and which subscriptions have acknowledged that.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliveries {
    /// The caller's versions that the entry ended. At most 1,000.
    pub ended: Vec<pb::Version>,
    /// The durable subscriptions that could see them, by partner and name.
    pub deliveries: Vec<pb::Delivery>,
}

impl Client {
    /// Lists the durable subscriptions that could see what journal entry `sequence` ended of this
    /// partner's own, and whether each has acknowledged the end.
    ///
    /// `NotFound` if the entry ended nothing of this partner's.
    pub async fn list_deliveries(&self, sequence: u64) -> Result<Deliveries, ClientError> {
        let mut all = Deliveries::default();
        let mut page_token = String::new();
        loop {
            let request = pb::ListDeliveriesRequest { sequence, page_size: PAGE_SIZE, page_token };
            let page = self
                .call(Self::audit_service, AuditServiceClient::list_deliveries, request)
                .await?;
            all.deliveries.extend(page.deliveries);
            // Every page repeats the same list.
            all.ended = page.ended;
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            page_token = page.next_page_token;
        }
    }
}
