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

/// The entries on a page of a tip when the caller does not say, and at most: each may have a text of 16 KB.
const ENTRIES: u32 = 100;
/// The indicators on a page when the caller does not say.
const INDICATORS: u32 = 100;
/// The most indicators on a page.
const MOST_INDICATORS: u32 = 1_000;

type Answer<T> = std::result::Result<Response<T>, Status>;

#[async_trait]
impl TipService for Services {
    async fn send_tip(&self, request: Request<pb::SendTipRequest>) -> Answer<pb::SendTipResponse> {
        let caller = super::caller(&request)?;
        answer(self.sent(caller, request.get_ref()).await)
    }

    async fn get_tip(&self, request: Request<pb::GetTipRequest>) -> Answer<pb::GetTipResponse> {
        let caller = super::caller(&request)?;
        answer(self.shown(caller, request.get_ref()).await)
    }

    async fn list_tips(
        &self,
        request: Request<pb::ListTipsRequest>,
    ) -> Answer<pb::ListTipsResponse> {
        let caller = super::caller(&request)?;
        answer(self.listed(caller, request.get_ref()).await)
    }

    async fn respond_to_tip(
        &self,
        request: Request<pb::RespondToTipRequest>,
    ) -> Answer<pb::RespondToTipResponse> {
        let caller = super::caller(&request)?;
        answer(self.responded(caller, request.get_ref()).await)
    }

    async fn withdraw_tip(
        &self,
        request: Request<pb::WithdrawTipRequest>,
    ) -> Answer<pb::WithdrawTipResponse> {
        let caller = super::caller(&request)?;
        let withdraw = async {
            let tip = TipId::parse(&request.get_ref().tip_id)?;
            let (sequence, replayed) = self.exchange.commands.withdraw_tip(caller, tip).await?;
            Ok(pb::WithdrawTipResponse { sequence, replayed })
        };
        answer(withdraw.await)
    }
}

impl Services {
    async fn sent(
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
        let (id, noted) = self.exchange.commands.send_tip(caller, request).await?;
        let (counted, rejected) = receipt_of(&noted);
        Ok(pb::SendTipResponse {
            tip_id: id.to_string(),
            sequence: noted.sequence,
            accepted_at: Some(timestamp(noted.accepted)),
            counted,
            rejected,
            replayed: noted.replayed,
        })
    }

    async fn responded(
        &self,
        caller: &Caller,
        request: &pb::RespondToTipRequest,
    ) -> Result<pb::RespondToTipResponse> {
        // Given again it may be under another purpose, and is the same answer.
        let answer = pb::RespondToTipRequest { purpose: None, ..request.clone() };
        let (key, digest) = reaction::read_key(&request.request_id, &answer)?;
        let read = tip::read_response(request)?;
        let (indicators, rejected) = read.indicators;
        let request = ResponseRequest {
            request: key,
            digest,
            tip: read.tip,
            recipient: read.recipient,
            to_all: request.to_all,
            moves_to: read.new_state,
            message: read.message,
            indicators,
            rejected,
            enforcement: read.enforcement,
            purpose: purpose::read(request.purpose.as_ref())?,
        };
        let (state, noted) = self.exchange.commands.respond_to_tip(caller, request).await?;
        let (counted, rejected) = receipt_of(&noted);
        Ok(pb::RespondToTipResponse {
            sequence: noted.sequence,
            accepted_at: Some(timestamp(noted.accepted)),
            state: state.map_or(pb::TipState::Unspecified, pb::TipState::from).into(),
            counted,
            rejected,
            replayed: noted.replayed,
        })
    }

    async fn shown(
        &self,
        caller: &Caller,
        request: &pb::GetTipRequest,
    ) -> Result<pb::GetTipResponse> {
        let size = |asked: u32, default, most: u32| {
            let size = if asked == 0 { default } else { asked.min(most) };
            usize::try_from(size).unwrap_or(usize::MAX)
        };
        let behind = token::read("entries_page_token", &request.entries_page_token)?;
        let asked = TipDetailQuery {
            tip: TipId::parse(&request.tip_id)?,
            recipient: tip::read_partner("recipient", &request.recipient)?,
            behind: behind.map_or(0, |(sequence, _)| sequence),
            entries: size(request.entries_page_size, ENTRIES, ENTRIES),
            after_indicator: token::read("indicators_page_token", &request.indicators_page_token)?,
            indicators: size(request.indicators_page_size, INDICATORS, MOST_INDICATORS),
            purpose: purpose::read(request.purpose.as_ref())?,
        };
        let (asking, purpose) = (caller.clone(), asked.purpose.clone());
        let shown = self
            .read("get_tip", move |exchange| exchange.queries.show_tip(&asking, &asked))
            .await?;
        self.recorded(caller, purpose.as_ref(), shown.accessed.clone()).await?;
        let last_entry = shown.entries.last().map(|one| (one.record.sequence, 0));
        let last_indicator = shown.indicators.last().map(|one| one.at);
        let tip =
            pb::Tip { narrative: shown.narrative.clone(), ..written::write(&shown.tip, shown.now) };
        Ok(pb::GetTipResponse {
            tip: Some(tip),
            entries: shown.entries.iter().map(entry).collect(),
            next_entries_page_token: token::next(last_entry, shown.more_entries),
            indicators: shown.indicators.iter().map(indicator).collect(),
            next_indicators_page_token: token::next(last_indicator, shown.more_indicators),
        })
    }

    async fn listed(
        &self,
        caller: &Caller,
        request: &pb::ListTipsRequest,
    ) -> Result<pb::ListTipsResponse> {
        let query = TipQuery {
            of: match request.r#box() {
                pb::TipBox::Unspecified | pb::TipBox::Received => TipBox::Received,
                pb::TipBox::Sent => TipBox::Sent,
            },
            states: tip::read_enums("states", &request.states)?,
            urgencies: tip::read_enums("urgencies", &request.urgencies)?,
            overdue: request.overdue,
            with: tip::read_partner("partner", &request.partner)?,
            campaign: tip::read_campaign(&request.campaign)?,
            size: request.page_size as usize,
            token: request.page_token.clone(),
            purpose: purpose::read(request.purpose.as_ref())?,
        };
        let (asking, purpose) = (caller.clone(), query.purpose.clone());
        let page = self
            .read("list_tips", move |exchange| exchange.queries.list_tips(&asking, &query))
            .await?;
        self.recorded(caller, purpose.as_ref(), page.accessed).await?;
        Ok(pb::ListTipsResponse {
            tips: page.tips.iter().map(|tip| write(tip, page.now)).collect(),
            next_page_token: page.next,
        })
    }

    /// Writes down what a liaison is about to be given: before it leaves, or it does not.
    async fn recorded(
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

fn answer<T>(answer: Result<T>) -> Answer<T> {
    answer.map(Response::new).map_err(|error| status(&error))
}
