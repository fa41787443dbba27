//! `tipoff.v1.AuditService`.

use tonic::{Request, Response, Status, async_trait};

use super::Services;
use super::status::status;
use crate::exchange::RemovalDelivery;
use crate::wire::servers::audit_service_server::AuditService;
use crate::wire::{indicator, pb, timestamp};

#[async_trait]
impl AuditService for Services {
    async fn list_deliveries(
        &self,
        request: Request<pb::ListDeliveriesRequest>,
    ) -> Result<Response<pb::ListDeliveriesResponse>, Status> {
        let caller = super::caller(&request)?.clone();
        let request = request.into_inner();
        let listing = self.read("list_deliveries", move |exchange| {
            let size = request.page_size as usize;
            exchange.feeds.list_deliveries(&caller, request.sequence, &request.page_token, size)
        });
        let (page, ended) = listing.await.map_err(|e| status(&e))?;
        Ok(Response::new(pb::ListDeliveriesResponse {
            deliveries: page.items.iter().map(write).collect(),
            next_page_token: page.next,
            ended: ended.into_iter().map(indicator::version).collect(),
        }))
    }

    async fn list_accesses(
        &self,
        request: Request<pb::ListAccessesRequest>,
    ) -> Result<Response<pb::ListAccessesResponse>, Status> {
        let caller = super::caller(&request)?.clone();
        let answer = self.accesses(caller, request.into_inner()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn place_hold(
        &self,
        request: Request<pb::PlaceHoldRequest>,
    ) -> Result<Response<pb::PlaceHoldResponse>, Status> {
        let caller = super::caller(&request)?.clone();
        let answer = self.place(caller, request.into_inner()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn renew_hold(
        &self,
        request: Request<pb::RenewHoldRequest>,
    ) -> Result<Response<pb::RenewHoldResponse>, Status> {
        let caller = super::caller(&request)?;
        let answer = self.renew(caller, request.get_ref()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn lift_hold(
        &self,
        request: Request<pb::LiftHoldRequest>,
    ) -> Result<Response<pb::LiftHoldResponse>, Status> {
        let caller = super::caller(&request)?;
        let answer = self.lift(caller, request.get_ref()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn list_holds(
        &self,
        request: Request<pb::ListHoldsRequest>,
    ) -> Result<Response<pb::ListHoldsResponse>, Status> {
        let caller = super::caller(&request)?.clone();
        let answer = self.holds(caller, request.into_inner()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn list_held_objects(
        &self,
        request: Request<pb::ListHeldObjectsRequest>,
    ) -> Result<Response<pb::ListHeldObjectsResponse>, Status> {
        let caller = super::caller(&request)?.clone();
        let answer = self.held(caller, request.into_inner()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }
}

fn write(one: &RemovalDelivery) -> pb::Delivery {
    pb::Delivery {
        partner: one.partner.to_string(),
        subscription: one.subscription.clone(),
        removals: u32::try_from(one.removals).unwrap_or(u32::MAX),
        acknowledged: one.acknowledged,
        acknowledged_at: one.acknowledged_at.map(timestamp),
    }
}
