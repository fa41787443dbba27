//! `tipoff.v1.PartnerService`.

use tonic::{Request, Response, Status, async_trait};

use super::Services;
use super::status::status;
use crate::domain::Timestamp;
use crate::exchange::Caller;
use crate::tls::PeerInfo;
use crate::wire::servers::partner_service_server::PartnerService;
use crate::wire::{partner, pb, timestamp};

#[async_trait]
impl PartnerService for Services {
    async fn who_am_i(
        &self,
        request: Request<pb::WhoAmIRequest>,
    ) -> Result<Response<pb::WhoAmIResponse>, Status> {
        let caller = super::caller(&request)?;
        let (own, groups) = self.exchange.registration(caller).map_err(|e| status(&e))?;
        let peer = request.extensions().get::<PeerInfo>();
        let identity = peer.and_then(|peer| peer.identity.as_ref().as_ref().ok());
        Ok(Response::new(pb::WhoAmIResponse {
            partner: Some(partner::write(&own)),
            workload: identity.and_then(|i| i.workload.clone()).unwrap_or_default(),
            groups: groups.iter().map(|group| group.id.to_string()).collect(),
            default_group: own.default_group.map(|group| group.to_string()).unwrap_or_default(),
            default_tlp: pb::Tlp::from(own.default_tlp).into(),
            certificate_expires_at: identity
                .map(|i| timestamp(Timestamp::from_millis(i.not_after_ms))),
            certificate_serial: identity.map(|i| i.serial.clone()).unwrap_or_default(),
            exchange_version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
    }

    async fn list_partners(
        &self,
        request: Request<pb::ListPartnersRequest>,
    ) -> Result<Response<pb::ListPartnersResponse>, Status> {
        let request = request.get_ref();
        let page = self.exchange.list_partners(&request.page_token, request.page_size as usize);
        Ok(Response::new(pb::ListPartnersResponse {
            partners: page.items.iter().map(partner::write).collect(),
            next_page_token: page.next,
        }))
    }

    async fn list_groups(
        &self,
        request: Request<pb::ListGroupsRequest>,
    ) -> Result<Response<pb::ListGroupsResponse>, Status> {
        let caller: &Caller = super::caller(&request)?;
        let asked = request.get_ref();
        let page = self.exchange.list_groups(caller, &asked.page_token, asked.page_size as usize);
        Ok(Response::new(pb::ListGroupsResponse {
            groups: page.items.iter().map(partner::write_group).collect(),
            next_page_token: page.next,
        }))
    }
}
