//! `tipoff.v1.PartnerService`.

use tonic::{Request, Response, Status, async_trait};
use tracing::info;

use super::Services;
use super::status::status;
use crate::domain::Timestamp;
use crate::domain::partner::{Partner, Role};
use crate::domain::revocation::Certificates;
use crate::error::{Error, Kind};
use crate::exchange::{Caller, RevocationReceipt};
use crate::tls::PeerInfo;
use crate::wire::servers::partner_service_server::PartnerService;
use crate::wire::{partner, pb, read_timestamp, timestamp};

/// Why the certificate of the exchange itself is not revoked.
const SERVER_CERTIFICATE: &str = "this is the certificate of the exchange itself. Clients do not ask whether it is revoked, \
                                  so revoking it stops nobody: if its key was stolen, create a new authority and \
                                  replace ca.pem everywhere; else issue a new certificate in its place";

#[async_trait]
impl PartnerService for Services {
    async fn who_am_i(
        &self,
        request: Request<pb::WhoAmIRequest>,
    ) -> Result<Response<pb::WhoAmIResponse>, Status> {
        let caller = super::caller(&request)?;
        let (own, groups) = self.exchange.queries.registration(caller).map_err(|e| status(&e))?;
        let peer = request.extensions().get::<PeerInfo>();
        let identity = peer.and_then(|peer| peer.identity.as_ref().as_ref().ok());
        Ok(Response::new(pb::WhoAmIResponse {
            partner: Some(partner::write_own(&own)),
            workload: identity.and_then(|i| i.workload.clone()).unwrap_or_default(),
            groups: groups.iter().map(|group| group.id.to_string()).collect(),
            default_group: own.default_group.map(|group| group.to_string()).unwrap_or_default(),
            default_tlp: pb::Tlp::from(own.default_tlp).into(),
            certificate_expires_at: identity
                .map(|i| timestamp(Timestamp::from_millis(i.not_after_ms))),
            certificate_serial: identity.map(|i| i.serial.to_string()).unwrap_or_default(),
            exchange_version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
    }

    async fn list_partners(
        &self,
        request: Request<pb::ListPartnersRequest>,
    ) -> Result<Response<pb::ListPartnersResponse>, Status> {
        let is_operator = super::caller(&request)?.role() == Role::Operator;
        let write = |item: &Partner| {
            if is_operator {
                partner::write_whole(item, self.exchange.check_suspended(&item.id).is_err())
            } else {
                partner::write(item)
            }
        };
        let request = request.get_ref();
        let page =
            self.exchange.queries.list_partners(&request.page_token, request.page_size as usize);
        Ok(Response::new(pb::ListPartnersResponse {
            partners: page.items.iter().map(write).collect(),
            next_page_token: page.next,
        }))
    }

    async fn list_groups(
        &self,
        request: Request<pb::ListGroupsRequest>,
    ) -> Result<Response<pb::ListGroupsResponse>, Status> {
        let caller: &Caller = super::caller(&request)?;
        let request = request.get_ref();
        let page = self.exchange.queries.list_groups(
            caller,
            &request.page_token,
            request.page_size as usize,
        );
        Ok(Response::new(pb::ListGroupsResponse {
            groups: page.items.iter().map(partner::write_group).collect(),
            next_page_token: page.next,
        }))
    }

    async fn put_partner(
        &self,
        request: Request<pb::PutPartnerRequest>,
    ) -> Result<Response<pb::PutPartnerResponse>, Status> {
        let caller = super::caller(&request)?;
        let put = async {
            let partner = partner::read(request.get_ref())?;
            self.exchange.commands.put_partner(caller, partner).await
        };
        let put = put.await.map_err(|e| status(&e))?;
        if !put.unchanged {
            info!(operator = %caller.partner(), partner = %put.item.id, sequence = put.sequence, "put a partner");
        }
        let suspended = self.exchange.check_suspended(&put.item.id).is_err();
        Ok(Response::new(pb::PutPartnerResponse {
            partner: Some(partner::write_whole(&put.item, suspended)),
            sequence: put.sequence,
            unchanged: put.unchanged,
        }))
    }

    async fn suspend_partner(
        &self,
        request: Request<pb::SuspendPartnerRequest>,
    ) -> Result<Response<pb::SuspendPartnerResponse>, Status> {
        let caller = super::caller(&request)?;
        let suspend = async {
            let request = request.get_ref();
            let id = partner::read_id("id", &request.id)?;
            let since = request.compromised_since.as_ref();
            let since = since.map(|time| read_timestamp("compromised_since", time)).transpose()?;
            self.exchange.commands.suspend_partner(caller, &id, since).await
        };
        let withdrawn = suspend.await.map_err(|e| status(&e))?;
        let (operator, partner) = (caller.partner(), &request.get_ref().id);
        info!(%operator, partner, withdrawn = withdrawn.versions.len(), "suspended a partner");
        Ok(Response::new(pb::SuspendPartnerResponse {
            withdrawn: withdrawn.versions.len() as u64,
            sequences: withdrawn.sequences,
        }))
    }

    async fn resume_partner(
        &self,
        request: Request<pb::ResumePartnerRequest>,
    ) -> Result<Response<pb::ResumePartnerResponse>, Status> {
        let caller = super::caller(&request)?;
        let resume = async {
            let id = partner::read_id("id", &request.get_ref().id)?;
            self.exchange.commands.resume_partner(caller, &id).await
        };
        resume.await.map_err(|e| status(&e))?;
        info!(operator = %caller.partner(), partner = request.get_ref().id, "resumed a partner");
        let still_suspended = self.exchange.is_suspended_by_configuration(&request.get_ref().id);
        Ok(Response::new(pb::ResumePartnerResponse { still_suspended }))
    }

    async fn revoke_certificate(
        &self,
        request: Request<pb::RevokeCertificateRequest>,
    ) -> Result<Response<pb::RevokeCertificateResponse>, Status> {
        let caller = super::caller(&request)?;
        let peer = request.extensions().get::<PeerInfo>();
        let in_use = peer.and_then(|peer| peer.identity.as_ref().as_ref().ok());
        let revoke = async {
            let revocation = partner::read_revocation(request.get_ref())?;
            let in_use = in_use.map(|identity| &identity.serial);
            let certificates = revocation.certificates.clone();
            let of_server = peer.and_then(|peer| peer.server_serial.as_deref());
            if let (Certificates::Serial(serial), Some(of_server)) = (&certificates, of_server)
                && serial == of_server
            {
                return Err(Error::new(
                    Kind::Precondition,
                    "server_certificate",
                    SERVER_CERTIFICATE,
                ));
            }
            let receipt = self.exchange.commands.revoke(caller, in_use, revocation).await?;
            let (operator, sequence) = (caller.partner(), receipt.sequence);
            info!(%operator, %certificates, sequence, "revoked certificates");
            Ok(receipt)
        };
        let RevocationReceipt { sequence, unchanged, revoked_at } =
            revoke.await.map_err(|e| status(&e))?;
        let revoked_at = Some(timestamp(revoked_at));
        Ok(Response::new(pb::RevokeCertificateResponse { sequence, unchanged, revoked_at }))
    }

    async fn list_revocations(
        &self,
        request: Request<pb::ListRevocationsRequest>,
    ) -> Result<Response<pb::ListRevocationsResponse>, Status> {
        let request = request.get_ref();
        let queries = &self.exchange.queries;
        let page = queries.list_revocations(&request.page_token, request.page_size as usize);
        let write = |(which, revoked): &(_, _)| partner::write_revocation(which, revoked);
        Ok(Response::new(pb::ListRevocationsResponse {
            revocations: page.items.iter().map(write).collect(),
            next_page_token: page.next,
        }))
    }

    async fn put_group(
        &self,
        request: Request<pb::PutGroupRequest>,
    ) -> Result<Response<pb::PutGroupResponse>, Status> {
        let caller = super::caller(&request)?;
        let put = async {
            let definition = partner::read_group(request.get_ref().group.as_ref())?;
            self.exchange.commands.put_group(caller, definition).await
        };
        let put = put.await.map_err(|e| status(&e))?;
        if !put.unchanged {
            info!(operator = %caller.partner(), group = %put.item.id, sequence = put.sequence, "put a group");
        }
        Ok(Response::new(pb::PutGroupResponse {
            group: Some(partner::write_group(&put.item)),
            sequence: put.sequence,
            unchanged: put.unchanged,
        }))
    }

    async fn confirm_terms(
        &self,
        request: Request<pb::ConfirmTermsRequest>,
    ) -> Result<Response<pb::ConfirmTermsResponse>, Status> {
        let caller = super::caller(&request)?;
        let confirm = async {
            let request = request.get_ref();
            let group = partner::read_group_id("group", &request.group)?;
            self.exchange.commands.confirm_terms(caller, &group, &request.terms).await
        };
        confirm.await.map_err(|e| status(&e))?;
        Ok(Response::new(pb::ConfirmTermsResponse {}))
    }
}
