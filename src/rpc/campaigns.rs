//! `tipoff.v1.CampaignService`.

mod known;
mod pages;

use tonic::{Request, Response, Status, async_trait};

use super::status::status;
use super::{Services, visible};
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::Rejection;
use crate::domain::page::page_size;
use crate::domain::{CampaignId, Invalid, PartnerId};
use crate::error::Result;
use crate::exchange::{
    Caller, CampaignReceipt, CampaignRequest, EnforcementQuery, EnforcementReceipt,
    EnforcementRequest,
};
use crate::wire::servers::campaign_service_server::CampaignService;
use crate::wire::{campaign, enforcement, indicator, pb, reaction, receipt, sharing, timestamp};

type RpcResult<T> = std::result::Result<Response<T>, Status>;

fn to_response<T>(result: Result<T>) -> RpcResult<T> {
    result.map(Response::new).map_err(|error| status(&error))
}

#[async_trait]
impl CampaignService for Services {
    async fn put_campaign(
        &self,
        request: Request<pb::PutCampaignRequest>,
    ) -> RpcResult<pb::PutCampaignResponse> {
        let caller = super::caller(&request)?.clone();
        to_response(self.put(&caller, request.get_ref()).await)
    }

    async fn get_campaign(
        &self,
        request: Request<pb::GetCampaignRequest>,
    ) -> RpcResult<pb::GetCampaignResponse> {
        let caller = super::caller(&request)?.clone();
        to_response(self.campaign(&caller, request.get_ref()).await)
    }

    async fn list_campaigns(
        &self,
        request: Request<pb::ListCampaignsRequest>,
    ) -> RpcResult<pb::ListCampaignsResponse> {
        let caller = super::caller(&request)?.clone();
        to_response(self.campaigns(&caller, request.get_ref()).await)
    }

    async fn report_enforcement(
        &self,
        request: Request<pb::ReportEnforcementRequest>,
    ) -> RpcResult<pb::ReportEnforcementResponse> {
        let caller = super::caller(&request)?.clone();
        to_response(self.report(&caller, request.get_ref()).await)
    }

    async fn withdraw_enforcements(
        &self,
        request: Request<pb::WithdrawEnforcementsRequest>,
    ) -> RpcResult<pb::WithdrawEnforcementsResponse> {
        let caller = super::caller(&request)?.clone();
        to_response(self.withdraw_by_id(&caller, request.get_ref()).await)
    }

    async fn list_enforcements(
        &self,
        request: Request<pb::ListEnforcementsRequest>,
    ) -> RpcResult<pb::ListEnforcementsResponse> {
        let caller = super::caller(&request)?.clone();
        to_response(self.enforcements(&caller, request.get_ref()).await)
    }
}

impl Services {
    async fn put(
        &self,
        caller: &Caller,
        request: &pb::PutCampaignRequest,
    ) -> Result<pb::PutCampaignResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, request)?;
        let request = CampaignRequest {
            request: key,
            digest,
            campaign: read_id(&request.campaign_id)?,
            sharing: sharing::read(request.sharing.as_ref())?,
            contribution: campaign::read(request.contribution.as_ref())?,
        };
        let CampaignReceipt { campaign, receipt, accepted, replayed } =
            self.exchange.commands.put_campaign(caller, request).await?;
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
        request: &pb::GetCampaignRequest,
    ) -> Result<pb::GetCampaignResponse> {
        let id = read_id(&request.id)?.ok_or_else(|| Invalid::new("id", "is missing"))?;
        let query = known::read_query(request)?;
        self.read_after(request.read_after.as_ref()).await?;
        let caller = caller.clone();
        let view = self
            .read("get_campaign", move |exchange| exchange.queries.campaign(&caller, id, &query));
        Ok(known::write(id, &view.await?))
    }

    async fn campaigns(
        &self,
        caller: &Caller,
        request: &pb::ListCampaignsRequest,
    ) -> Result<pb::ListCampaignsResponse> {
        let before = pages::read_position(&request.page_token)?;
        self.read_after(request.read_after.as_ref()).await?;
        let (limit, caller) = (page_size(request.page_size as usize), caller.clone());
        let page = self.read("list_campaigns", move |exchange| {
            exchange.queries.campaigns(&caller, before, limit)
        });
        let (summaries, next) = page.await?;
        let campaigns = summaries.iter().map(|summary| pb::CampaignSummary {
            id: summary.newest.record.campaign.to_string(),
            newest: Some(visible::contribution(&summary.newest)),
            contributions: u32::try_from(summary.contributions).unwrap_or(u32::MAX),
        });
        Ok(pb::ListCampaignsResponse {
            campaigns: campaigns.collect(),
            next_page_token: next.map(pages::position).unwrap_or_default(),
        })
    }

    async fn report(
        &self,
        caller: &Caller,
        request: &pb::ReportEnforcementRequest,
    ) -> Result<pb::ReportEnforcementResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, request)?;
        let (count, limit) = (request.enforcements.len(), self.limits.batch_items);
        if count == 0 || count > limit {
            let reason = format!("has {count} enforcements, and may have 1 to {limit}");
            return Err(Invalid::new("enforcements", reason).into());
        }
        let sharing = sharing::read(request.sharing.as_ref())?;
        let (mut items, mut rejected) = (Vec::new(), Vec::new());
        for (index, message) in (0u32..).zip(&request.enforcements) {
            match enforcement::read(message) {
                Ok(enforcement) => items.push((index, enforcement)),
                Err(invalid) => rejected.push(Rejection { index, invalid }),
            }
        }
        let request = EnforcementRequest { request: key, digest, sharing, items, rejected };
        let EnforcementReceipt { sequence, accepted, items, replayed } =
            self.exchange.commands.report_enforcement(caller, request).await?;
        let items: Vec<_> =
            items.iter().map(|(index, item)| receipt::write_item(*index, item)).collect();
        let refused = items.iter().filter(|item| item.version.is_none()).count();
        self.metrics.rejected(caller.partner().as_str(), "enforcement", refused as u64);
        let accepted_at = Some(timestamp(accepted));
        Ok(pb::ReportEnforcementResponse { sequence, accepted_at, items, replayed })
    }

    async fn withdraw_by_id(
        &self,
        caller: &Caller,
        request: &pb::WithdrawEnforcementsRequest,
    ) -> Result<pb::WithdrawEnforcementsResponse> {
        let (count, limit) = (request.ids.len(), self.limits.batch_items);
        if count == 0 || count > limit {
            let reason = format!("has {count} ids, and may have 1 to {limit}");
            return Err(Invalid::new("ids", reason).into());
        }
        let in_ids = |invalid: Invalid| Invalid::new("ids", invalid.reason);
        let ids = request.ids.iter().map(|id| EnforcementId::parse(id).map_err(in_ids));
        let ids = ids.collect::<std::result::Result<Vec<_>, _>>()?;
        let audience = request.audience.as_ref();
        let audience =
            audience.map(|audience| sharing::read_audience(audience, "audience")).transpose()?;
        let receipt =
            self.exchange.commands.withdraw_enforcements(caller, &ids, audience.as_ref()).await?;
        let versions_of = |id: &EnforcementId| {
            let ended = receipt.versions.iter().filter(|(ended, _)| ended == id);
            ended.map(|(_, version)| indicator::version(*version)).collect()
        };
        let item = |id| pb::WithdrawnEnforcement { versions: versions_of(id) };
        Ok(pb::WithdrawEnforcementsResponse {
            items: ids.iter().map(item).collect(),
            withdrawn: receipt.versions.len() as u64,
            sequences: receipt.sequences,
        })
    }

    async fn enforcements(
        &self,
        caller: &Caller,
        request: &pb::ListEnforcementsRequest,
    ) -> Result<pb::ListEnforcementsResponse> {
        let author = Some(request.author.as_str()).filter(|text| !text.is_empty());
        let with_field = |field: &'static str| move |e: Invalid| Invalid::new(field, e.reason);
        let query = EnforcementQuery {
            campaign: read_id(&request.campaign_id)?,
            author: author.map(PartnerId::parse).transpose().map_err(with_field("author"))?,
            from: enforcement::read_day("from", &request.from)?,
            until: enforcement::read_day("until", &request.until)?,
            tip: enforcement::read_tip(&request.tip_id)?,
            before: pages::read_position(&request.page_token)?,
            limit: page_size(request.page_size as usize),
        };
        self.read_after(request.read_after.as_ref()).await?;
        let caller = caller.clone();
        let page = self.read("list_enforcements", move |exchange| {
            exchange.queries.enforcements(&caller, &query)
        });
        let (enforcements, next) = page.await?;
        Ok(pb::ListEnforcementsResponse {
            enforcements: enforcements.iter().map(visible::enforcement).collect(),
            next_page_token: next.map(pages::position).unwrap_or_default(),
        })
    }
}

/// Parses a campaign id. `None` for an empty text. Invalid text gives the error for an unknown campaign.
fn read_id(text: &str) -> Result<Option<CampaignId>> {
    if text.is_empty() {
        return Ok(None);
    }
    CampaignId::parse(text).map(Some).map_err(|_| crate::exchange::unknown_campaign())
}
