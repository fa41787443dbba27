//! `tipoff.v1.CampaignService`.

mod known;
mod pages;

use tonic::{Request, Response, Status, async_trait};

use super::status::status;
use super::{Services, visible};
use crate::domain::entry::Rejection;
use crate::domain::page::page_size;
use crate::domain::{CampaignId, Invalid, PartnerId};
use crate::error::Result;
use crate::exchange::{
    Caller, CampaignReceipt, CampaignRequest, EnforcementQuery, EnforcementReceipt,
    EnforcementRequest,
};
use crate::wire::servers::campaign_service_server::CampaignService;
use crate::wire::{campaign, enforcement, pb, reaction, receipt, sharing, timestamp};

type Answer<T> = std::result::Result<Response<T>, Status>;

fn answered<T>(answer: Result<T>) -> Answer<T> {
    answer.map(Response::new).map_err(|error| status(&error))
}

#[async_trait]
impl CampaignService for Services {
    async fn put_campaign(
        &self,
        request: Request<pb::PutCampaignRequest>,
    ) -> Answer<pb::PutCampaignResponse> {
        let caller = super::caller(&request)?.clone();
        answered(self.put(&caller, request.get_ref()).await)
    }

    async fn get_campaign(
        &self,
        request: Request<pb::GetCampaignRequest>,
    ) -> Answer<pb::GetCampaignResponse> {
        let caller = super::caller(&request)?.clone();
        answered(self.campaign(&caller, request.get_ref()).await)
    }

    async fn list_campaigns(
        &self,
        request: Request<pb::ListCampaignsRequest>,
    ) -> Answer<pb::ListCampaignsResponse> {
        let caller = super::caller(&request)?.clone();
        answered(self.campaigns(&caller, request.get_ref()).await)
    }

    async fn report_enforcement(
        &self,
        request: Request<pb::ReportEnforcementRequest>,
    ) -> Answer<pb::ReportEnforcementResponse> {
        let caller = super::caller(&request)?.clone();
        answered(self.report(&caller, request.get_ref()).await)
    }

    async fn list_enforcements(
        &self,
        request: Request<pb::ListEnforcementsRequest>,
    ) -> Answer<pb::ListEnforcementsResponse> {
        let caller = super::caller(&request)?.clone();
        answered(self.enforcements(&caller, request.get_ref()).await)
    }
}

impl Services {
    async fn put(
        &self,
        caller: &Caller,
        asked: &pb::PutCampaignRequest,
    ) -> Result<pb::PutCampaignResponse> {
        let (request, digest) = reaction::read_key(&asked.request_id, asked)?;
        let request = CampaignRequest {
            request,
            digest,
            campaign: read_id(&asked.campaign_id)?,
            sharing: sharing::read(asked.sharing.as_ref())?,
            contribution: campaign::read(asked.contribution.as_ref())?,
        };
        let taken = self.exchange.commands.put_campaign(caller, request).await?;
        let CampaignReceipt { campaign, receipt, accepted, replayed } = taken;
        let item = receipt::write_item(0, &receipt);
        Ok(pb::PutCampaignResponse {
            campaign_id: campaign.to_string(),
            status: item.status,
            version: item.version,
            accepted_at: Some(timestamp(accepted)),
            replayed,
        })
    }

    async fn campaign(
        &self,
        caller: &Caller,
        asked: &pb::GetCampaignRequest,
    ) -> Result<pb::GetCampaignResponse> {
        let id = read_id(&asked.id)?.ok_or_else(|| Invalid::new("id", "is missing"))?;
        let what = known::asked(asked)?;
        self.read_after(asked.read_after.as_ref()).await?;
        let caller = caller.clone();
        let known = self
            .read("get_campaign", move |exchange| exchange.queries.campaign(&caller, id, &what));
        Ok(known::write(id, &known.await?))
    }

    async fn campaigns(
        &self,
        caller: &Caller,
        asked: &pb::ListCampaignsRequest,
    ) -> Result<pb::ListCampaignsResponse> {
        let before = pages::read_position(&asked.page_token)?;
        self.read_after(asked.read_after.as_ref()).await?;
        let (most, caller) = (page_size(asked.page_size as usize), caller.clone());
        let page = self.read("list_campaigns", move |exchange| {
            exchange.queries.campaigns(&caller, before, most)
        });
        let (listed, next) = page.await?;
        let campaigns = listed.iter().map(|one| pb::CampaignSummary {
            id: one.newest.record.campaign.to_string(),
            newest: Some(visible::contribution(&one.newest)),
            contributions: u32::try_from(one.contributions).unwrap_or(u32::MAX),
        });
        Ok(pb::ListCampaignsResponse {
            campaigns: campaigns.collect(),
            next_page_token: next.map(pages::position).unwrap_or_default(),
        })
    }

    async fn report(
        &self,
        caller: &Caller,
        asked: &pb::ReportEnforcementRequest,
    ) -> Result<pb::ReportEnforcementResponse> {
        let (request, digest) = reaction::read_key(&asked.request_id, asked)?;
        let (count, most) = (asked.enforcements.len(), self.limits.batch_items);
        if count == 0 || count > most {
            let reason = format!("has {count} enforcements, and may have 1 to {most}");
            return Err(Invalid::new("enforcements", reason).into());
        }
        let sharing = sharing::read(asked.sharing.as_ref())?;
        let (mut items, mut rejected) = (Vec::new(), Vec::new());
        for (index, one) in (0u32..).zip(&asked.enforcements) {
            match enforcement::read(one) {
                Ok(read) => items.push((index, read)),
                Err(invalid) => rejected.push(Rejection { index, invalid }),
            }
        }
        let request = EnforcementRequest { request, digest, sharing, items, rejected };
        let reported = self.exchange.commands.report_enforcement(caller, request).await?;
        let EnforcementReceipt { sequence, accepted, items, replayed } = reported;
        let items: Vec<_> =
            items.iter().map(|(index, item)| receipt::write_item(*index, item)).collect();
        let refused = items.iter().filter(|item| item.version.is_none()).count();
        self.metrics.rejected("enforcement", refused as u64);
        let accepted_at = Some(timestamp(accepted));
        Ok(pb::ReportEnforcementResponse { sequence, accepted_at, items, replayed })
    }

    async fn enforcements(
        &self,
        caller: &Caller,
        asked: &pb::ListEnforcementsRequest,
    ) -> Result<pb::ListEnforcementsResponse> {
        let author = Some(asked.author.as_str()).filter(|text| !text.is_empty());
        let of = |field: &'static str| move |e: Invalid| Invalid::new(field, e.reason);
        let query = EnforcementQuery {
            campaign: read_id(&asked.campaign_id)?,
            author: author.map(PartnerId::parse).transpose().map_err(of("author"))?,
            from: enforcement::read_day("from", &asked.from)?,
            until: enforcement::read_day("until", &asked.until)?,
            tip: enforcement::read_tip(&asked.tip_id)?,
            before: pages::read_position(&asked.page_token)?,
            most: page_size(asked.page_size as usize),
        };
        self.read_after(asked.read_after.as_ref()).await?;
        let caller = caller.clone();
        let page = self.read("list_enforcements", move |exchange| {
            exchange.queries.enforcements(&caller, &query)
        });
        let (listed, next) = page.await?;
        Ok(pb::ListEnforcementsResponse {
            enforcements: listed.iter().map(visible::enforcement).collect(),
            next_page_token: next.map(pages::position).unwrap_or_default(),
        })
    }
}

/// Reads a campaign's id; one that is none is no campaign that anybody sees.
fn read_id(text: &str) -> Result<Option<CampaignId>> {
    if text.is_empty() {
        return Ok(None);
    }
    CampaignId::parse(text).map(Some).map_err(|_| crate::exchange::unknown_campaign())
}
