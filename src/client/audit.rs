//! Who was told what.

use super::pages::PAGE_SIZE;
use super::{Client, ClientError};
use crate::wire::pb;

/// Who was to be told that versions ended, and who has been.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliveries {
    /// The caller's versions that the entry ended, at most 1,000.
    pub ended: Vec<pb::Version>,
    /// The durable subscriptions whose readers could see them, by partner and name.
    pub deliveries: Vec<pb::Delivery>,
}

impl Client {
    /// Which durable subscriptions have acknowledged past the end of what an entry ended of this
    /// partner's own. `NotFound` where it ended none of it.
    pub async fn list_deliveries(&self, sequence: u64) -> Result<Deliveries, ClientError> {
        let mut all = Deliveries::default();
        let mut page_token = String::new();
        loop {
            let request = pb::ListDeliveriesRequest { sequence, page_size: PAGE_SIZE, page_token };
            let page = self.call(request, |request| {
                let mut service = self.audit_service();
                async move { service.list_deliveries(request).await }
            });
            let page = page.await?;
            all.deliveries.extend(page.deliveries);
            // Each page names the same ones.
            all.ended = page.ended;
            if page.next_page_token.is_empty() {
                return Ok(all);
            }
            page_token = page.next_page_token;
        }
    }
}
