//! `tipoff.v1.TipService`.

mod token;
mod written;

use tonic::{Request, Response, Status, async_trait};

pub use self::written::{entry, step, write};
use self::written::{indicator, receipt_of};
use super::Services;
use super::status::status;
use crate::domain::TipId;
use crate::domain::purpose::{AccessWay, Purpose};
use crate::domain::tip::TipBox;
use crate::error::Result;
use crate::exchange::{
    AccessedObjects, Caller, ResponseRequest, TipDetailQuery, TipQuery, TipRequest,
};
use crate::wire::servers::tip_service_server::TipService;
use crate::wire::{pb, purpose, reaction, timestamp, tip};

/// Default and maximum number of entries on a page of a tip. Each may have a text of 16 KB.
const ENTRIES: u32 = 100;
/// Default number of indicators on a page.
const INDICATORS: u32 = 100;
/// Maximum number of indicators on a page.
const MAX_INDICATORS: u32 = 1_000;

type RpcResult<T> = std::result::Result<Response<T>, Status>;

#[async_trait]
impl TipService for Services {
    async fn send_tip(
        &self,
        request: Request<pb::SendTipRequest>,
    ) -> RpcResult<pb::SendTipResponse> {
        let caller = super::caller(&request)?;
        to_response(self.send(caller, request.get_ref()).await)
    }

    async fn get_tip(&self, request: Request<pb::GetTipRequest>) -> RpcResult<pb::GetTipResponse> {
        let caller = super::caller(&request)?;
        to_response(self.show(caller, request.get_ref()).await)
    }

    async fn list_tips(
        &self,
        request: Request<pb::ListTipsRequest>,
    ) -> RpcResult<pb::ListTipsResponse> {
        let caller = super::caller(&request)?;
        to_response(self.list(caller, request.get_ref()).await)
    }

    async fn respond_to_tip(
        &self,
        request: Request<pb::RespondToTipRequest>,
    ) -> RpcResult<pb::RespondToTipResponse> {
        let caller = super::caller(&request)?;
        to_response(self.respond(caller, request.get_ref()).await)
    }

    async fn withdraw_tip(
        &self,
        request: Request<pb::WithdrawTipRequest>,
    ) -> RpcResult<pb::WithdrawTipResponse> {
        let caller = super::caller(&request)?;
        let withdraw = async {
            let tip = TipId::parse(&request.get_ref().tip_id)?;
            let (sequence, replayed) = self.exchange.commands.withdraw_tip(caller, tip).await?;
            Ok(pb::WithdrawTipResponse { sequence, replayed })
        };
        to_response(withdraw.await)
    }
}

impl Services {
    async fn send(
        &self,
        caller: &Caller,
        request: &pb::SendTipRequest,
    ) -> Result<pb::SendTipResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, request)?;
        let read = tip::read_sent(request)?;
        let (indicators, rejected) = read.indicators;
        let request = TipRequest {
            request: key,
            digest,
            recipients: read.recipients,
            subject: read.subject,
            narrative: read.narrative,
            indicators,
            rejected,
            urgency: read.urgency,
            respond_by: read.respond_by,
            tlp: read.tlp,
            campaign: read.campaign,
            submission: read.submission,
        };
        let (id, receipt) = self.exchange.commands.send_tip(caller, request).await?;
        let (counted, rejected) = receipt_of(&receipt);
        Ok(pb::SendTipResponse {
            tip_id: id.to_string(),
            sequence: receipt.sequence,
            accepted_at: Some(timestamp(receipt.accepted)),
            counted,
            rejected,
            replayed: receipt.replayed,
        })
    }

    async fn respond(
        &self,
        caller: &Caller,
        request: &pb::RespondToTipRequest,
    ) -> Result<pb::RespondToTipResponse> {
        // The purpose is not part of the digest: a retry may name another one.
        let without_purpose = pb::RespondToTipRequest { purpose: None, ..request.clone() };
        let (key, digest) = reaction::read_key(&request.request_id, &without_purpose)?;
        let read = tip::read_response(request)?;
        let (indicators, rejected) = read.indicators;
        let request = ResponseRequest {
            request: key,
            digest,
            tip: read.tip,
            recipient: read.recipient,
            to_all_recipients: request.to_all,
            new_state: read.new_state,
            message: read.message,
            indicators,
            rejected,
            enforcement: read.enforcement,
            purpose: purpose::read(request.purpose.as_ref())?,
        };
        let (state, receipt) = self.exchange.commands.respond_to_tip(caller, request).await?;
        let (counted, rejected) = receipt_of(&receipt);
        Ok(pb::RespondToTipResponse {
            sequence: receipt.sequence,
            accepted_at: Some(timestamp(receipt.accepted)),
            state: state.map_or(pb::TipState::Unspecified, pb::TipState::from).into(),
            counted,
            rejected,
            replayed: receipt.replayed,
        })
    }

    async fn show(
        &self,
        caller: &Caller,
        request: &pb::GetTipRequest,
    ) -> Result<pb::GetTipResponse> {
        let size = |requested: u32, default, max: u32| {
            let size = if requested == 0 { default } else { requested.min(max) };
            usize::try_from(size).unwrap_or(usize::MAX)
        };
        let after = token::read("entries_page_token", &request.entries_page_token)?;
        let query = TipDetailQuery {
            tip: TipId::parse(&request.tip_id)?,
            recipient: tip::read_partner("recipient", &request.recipient)?,
            after_entry: after.map_or(0, |(sequence, _)| sequence),
            entry_limit: size(request.entries_page_size, ENTRIES, ENTRIES),
            after_indicator: token::read("indicators_page_token", &request.indicators_page_token)?,
            indicator_limit: size(request.indicators_page_size, INDICATORS, MAX_INDICATORS),
            purpose: purpose::read(request.purpose.as_ref())?,
        };
        let (reader, purpose) = (caller.clone(), query.purpose.clone());
        let view = self
            .read("get_tip", move |exchange| exchange.queries.show_tip(&reader, &query))
            .await?;
        self.record_access(caller, purpose.as_ref(), view.accessed.clone()).await?;
        let last_entry = view.entries.last().map(|entry| (entry.record.sequence, 0));
        let last_indicator = view.indicators.last().map(|indicator| indicator.at);
        let tip =
            pb::Tip { narrative: view.narrative.clone(), ..written::write(&view.tip, view.now) };
        Ok(pb::GetTipResponse {
            tip: Some(tip),
            entries: view.entries.iter().map(entry).collect(),
            next_entries_page_token: token::next(last_entry, view.more_entries),
            indicators: view.indicators.iter().map(indicator).collect(),
            next_indicators_page_token: token::next(last_indicator, view.more_indicators),
        })
    }

    async fn list(
        &self,
        caller: &Caller,
        request: &pb::ListTipsRequest,
    ) -> Result<pb::ListTipsResponse> {
        let query = TipQuery {
            tip_box: match request.r#box() {
                pb::TipBox::Unspecified | pb::TipBox::Received => TipBox::Received,
                pb::TipBox::Sent => TipBox::Sent,
            },
            states: tip::read_enums("states", &request.states)?,
            urgencies: tip::read_enums("urgencies", &request.urgencies)?,
            overdue: request.overdue,
            partner: tip::read_partner("partner", &request.partner)?,
            campaign: tip::read_campaign(&request.campaign)?,
            size: request.page_size as usize,
            token: request.page_token.clone(),
            purpose: purpose::read(request.purpose.as_ref())?,
        };
        let (reader, purpose) = (caller.clone(), query.purpose.clone());
        let page = self
            .read("list_tips", move |exchange| exchange.queries.list_tips(&reader, &query))
            .await?;
        self.record_access(caller, purpose.as_ref(), page.accessed).await?;
        Ok(pb::ListTipsResponse {
            tips: page.tips.iter().map(|tip| write(tip, page.now)).collect(),
            next_page_token: page.next,
        })
    }

    /// Records what a liaison is about to receive in the access log. If that fails, the liaison receives nothing.
    async fn record_access(
        &self,
        caller: &Caller,
        purpose: Option<&Purpose>,
        accessed: AccessedObjects,
    ) -> Result<()> {
        let Some(purpose) = purpose else { return Ok(()) };
        self.exchange
            .liaison
            .record_access(caller.partner(), AccessWay::Tip, purpose, accessed)
            .await
    }
}

fn to_response<T>(result: Result<T>) -> RpcResult<T> {
    result.map(Response::new).map_err(|error| status(&error))
}
