//! Who is on the exchange, and the operator's hand on it.

use super::pages::{PAGE_SIZE, all_pages};
use super::{Client, ClientError};
use crate::wire::pb;

impl Client {
    /// Who the exchange takes this client for.
    pub async fn who_am_i(&self) -> Result<pb::WhoAmIResponse, ClientError> {
        self.call(pb::WhoAmIRequest {}, |request| {
            let mut service = self.partner_service();
            async move { service.who_am_i(request).await }
        })
        .await
    }

    /// Every partner of the exchange, by id.
    pub async fn partners(&self) -> Result<Vec<pb::Partner>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListPartnersRequest { page_size: PAGE_SIZE, page_token };
            let page = self.call(request, |request| {
                let mut service = self.partner_service();
                async move { service.list_partners(request).await }
            });
            let page = page.await?;
            Ok((page.partners, page.next_page_token))
        })
        .await
    }

    /// The groups that this partner is in, by id; for an operator, every group.
    pub async fn groups(&self) -> Result<Vec<pb::SharingGroup>, ClientError> {
        all_pages(|page_token| async move {
            let request = pb::ListGroupsRequest { page_size: PAGE_SIZE, page_token };
            let page = self.call(request, |request| {
                let mut service = self.partner_service();
                async move { service.list_groups(request).await }
            });
            let page = page.await?;
            Ok((page.groups, page.next_page_token))
        })
        .await
    }

    /// Enrols a partner, or changes what the registry says of it. An operator's.
    pub async fn put_partner(
        &self,
        request: pb::PutPartnerRequest,
    ) -> Result<pb::PutPartnerResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.partner_service();
            async move { service.put_partner(request).await }
        })
        .await
    }

    /// Keeps a partner out from now on, and takes back what it submitted since a time where one is
    /// given. An operator's.
    pub async fn suspend_partner(
        &self,
        request: pb::SuspendPartnerRequest,
    ) -> Result<pb::SuspendPartnerResponse, ClientError> {
        self.call(request, |request| {
            let mut service = self.partner_service();
            async move { service.suspend_partner(request).await }
        })
        .await
    }

    /// Lets a suspended partner in again. An operator's.
    pub async fn resume_partner(&self, id: &str) -> Result<(), ClientError> {
        let request = pb::ResumePartnerRequest { id: id.to_owned() };
        let resumed = self.call(request, |request| {
            let mut service = self.partner_service();
            async move { service.resume_partner(request).await }
        });
        resumed.await.map(|pb::ResumePartnerResponse {}| ())
    }

    /// Makes a group, or changes its name and who is in it: who is not among the members leaves. An
    /// operator's.
    pub async fn put_group(
        &self,
        group: pb::SharingGroup,
    ) -> Result<pb::PutGroupResponse, ClientError> {
        self.call(pb::PutGroupRequest { group: Some(group) }, |request| {
            let mut service = self.partner_service();
            async move { service.put_group(request).await }
        })
        .await
    }

    /// Confirms the terms of the restricted group that this partner is in, word for word.
    pub async fn confirm_terms(&self, group: &str, terms: &str) -> Result<(), ClientError> {
        let request = pb::ConfirmTermsRequest { group: group.to_owned(), terms: terms.to_owned() };
        let confirmed = self.call(request, |request| {
            let mut service = self.partner_service();
            async move { service.confirm_terms(request).await }
        });
        confirmed.await.map(|pb::ConfirmTermsResponse {}| ())
    }
}
