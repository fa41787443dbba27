//! Partners and groups, and the calls of an operator.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;
use pb::partner_service_client::PartnerServiceClient;

impl Client {
    /// Returns the partner that the exchange identifies this client as.
    pub async fn who_am_i(&self) -> Result<pb::WhoAmIResponse, ClientError> {
        self.call(Self::partner_service, PartnerServiceClient::who_am_i, pb::WhoAmIRequest {}).await
    }

    /// Returns all partners of the exchange, by id.
    pub async fn partners(&self) -> Result<Vec<pb::Partner>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListPartnersRequest { page_size: PAGE_SIZE, page_token };
            let page = self
                .call(Self::partner_service, PartnerServiceClient::list_partners, request)
                .await?;
            Ok((page.partners, page.next_page_token))
        })
        .await
    }

    /// Returns the groups of this partner, by id. An operator gets every group.
    pub async fn groups(&self) -> Result<Vec<pb::SharingGroup>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListGroupsRequest { page_size: PAGE_SIZE, page_token };
            let page = self
                .call(Self::partner_service, PartnerServiceClient::list_groups, request)
                .await?;
            Ok((page.groups, page.next_page_token))
        })
        .await
    }

    /// Enrols a partner, or changes its registry entry. Operators only.
    pub async fn put_partner(
        &self,
        request: pb::PutPartnerRequest,
    ) -> Result<pb::PutPartnerResponse, ClientError> {
        self.write(Self::partner_service, PartnerServiceClient::put_partner, request).await
    }

    /// Suspends a partner. With a time, also withdraws what it submitted since then. Operators
    /// only.
    pub async fn suspend_partner(
        &self,
        request: pb::SuspendPartnerRequest,
    ) -> Result<pb::SuspendPartnerResponse, ClientError> {
        self.write(Self::partner_service, PartnerServiceClient::suspend_partner, request).await
    }

    /// Ends the suspension of a partner. Operators only.
    pub async fn resume_partner(&self, id: &str) -> Result<pb::ResumePartnerResponse, ClientError> {
        let request = pb::ResumePartnerRequest { id: id.to_owned() };
        self.call(Self::partner_service, PartnerServiceClient::resume_partner, request).await
    }

    /// Revokes certificates. Operators only.
    pub async fn revoke_certificate(
        &self,
        request: pb::RevokeCertificateRequest,
    ) -> Result<pb::RevokeCertificateResponse, ClientError> {
        self.write(Self::partner_service, PartnerServiceClient::revoke_certificate, request).await
    }

    /// Returns what was revoked with [`Self::revoke_certificate`]. Operators only.
    pub async fn revocations(&self) -> Result<Vec<pb::RevokedCertificates>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListRevocationsRequest { page_size: PAGE_SIZE, page_token };
            let page = self
                .call(Self::partner_service, PartnerServiceClient::list_revocations, request)
                .await?;
            Ok((page.revocations, page.next_page_token))
        })
        .await
    }

    /// Creates a group, or changes its name and members. Partners not in the list leave. Operators
    /// only.
    pub async fn put_group(
        &self,
        group: pb::SharingGroup,
    ) -> Result<pb::PutGroupResponse, ClientError> {
        self.write(
            Self::partner_service,
            PartnerServiceClient::put_group,
            pb::PutGroupRequest { group: Some(group) },
        )
        .await
    }

    /// Confirms the terms of a restricted group that this partner is in. `terms` must equal them
    /// exactly.
    pub async fn confirm_terms(&self, group: &str, terms: &str) -> Result<(), ClientError> {
        let request = pb::ConfirmTermsRequest { group: group.to_owned(), terms: terms.to_owned() };
        let confirmed =
            self.call(Self::partner_service, PartnerServiceClient::confirm_terms, request);
        confirmed.await.map(|pb::ConfirmTermsResponse {}| ())
    }
}
