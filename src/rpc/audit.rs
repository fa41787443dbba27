//! `tipoff.v1.AuditService`.

use std::sync::Arc;

use tonic::{Request, Response, Status, async_trait};

use super::Services;
use super::status::status;
use crate::error::Error;
use crate::exchange::Delivered;
use crate::wire::servers::audit_service_server::AuditService;
use crate::wire::{indicator, pb, timestamp};

#[async_trait]
impl AuditService for Services {
    async fn list_deliveries(
        &self,
        request: Request<pb::ListDeliveriesRequest>,
    ) -> Result<Response<pb::ListDeliveriesResponse>, Status> {
        let caller = super::caller(&request)?.clone();
        let asked = request.into_inner();
        let exchange = Arc::clone(&self.exchange);
        // Beside the calls that only pass through: it looks at every subscription.
        let listing = tokio::task::spawn_blocking(move || {
            let size = asked.page_size as usize;
            exchange.list_deliveries(&caller, asked.sequence, &asked.page_token, size)
        });
        let listed = listing.await.map_err(|error| Error::internal("list_deliveries", error));
        let (page, ended) = listed.and_then(|listed| listed).map_err(|e| status(&e))?;
        Ok(Response::new(pb::ListDeliveriesResponse {
            deliveries: page.items.iter().map(write).collect(),
            next_page_token: page.next,
            ended: ended.into_iter().map(indicator::version).collect(),
        }))
    }
}

fn write(one: &Delivered) -> pb::Delivery {
    pb::Delivery {
        partner: one.partner.to_string(),
        subscription: one.subscription.clone(),
        removals: u32::try_from(one.removals).unwrap_or(u32::MAX),
        acknowledged: one.acknowledged,
        acknowledged_at: one.acknowledged_at.map(timestamp),
    }
}
