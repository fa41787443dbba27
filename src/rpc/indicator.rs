//! `tipoff.v1.IndicatorService`.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use prost::Message;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::feed::events;
use super::status::status;
use super::{Services, transport_errors, visible};
use crate::domain::account::is_account;
use crate::domain::submission::{ItemReceipt, Receipt};
use crate::domain::{Indicator, IndicatorId, Invalid, Kind, Position};
use crate::error::{Error, Result};
use crate::exchange::{Caller, IndicatorView};
use crate::wire::pb::get_indicator_request::Indicator as Requested;
use crate::wire::servers::indicator_service_server::IndicatorService;
use crate::wire::{indicator, known, pb, receipt, submission};

/// Maximum size of the assessments in one response, in bytes. The oldest are left out.
const MAX_ASSESSMENTS_BYTES: usize = 2 * 1024 * 1024;

/// Maximum size of the networks in one response to a lookup, in bytes. The same holds for its accounts.
const MAX_NETWORKS_BYTES: usize = 4 * 1024 * 1024;
const MAX_ACCOUNTS_BYTES: usize = 4 * 1024 * 1024;

type RpcResult<T> = std::result::Result<Response<T>, Status>;

#[async_trait]
impl IndicatorService for Services {
    async fn submit_indicators(
        &self,
        request: Request<pb::SubmitIndicatorsRequest>,
    ) -> RpcResult<pb::SubmitIndicatorsResponse> {
        let caller = super::caller(&request)?.clone();
        let receipt = self.submit(&caller, request.into_inner()).await.map_err(|e| status(&e))?;
        Ok(Response::new(pb::SubmitIndicatorsResponse { receipt: Some(receipt) }))
    }

    type StreamIndicatorsStream = Pin<
        Box<
            dyn Stream<Item = std::result::Result<pb::StreamIndicatorsResponse, Status>>
                + Send
                + 'static,
        >,
    >;

    async fn stream_indicators(
        &self,
        request: Request<Streaming<pb::StreamIndicatorsRequest>>,
    ) -> RpcResult<Self::StreamIndicatorsStream> {
        let caller = super::caller(&request)?.clone();
        let services = self.clone();
        let in_flight = self.limits.batches_in_flight;
        let stop = self.stop.clone();
        // No further batch is read once the node stops or the partner is suspended. Batches that were read get
        // their receipt.
        let partner = caller.partner().clone();
        let (watched_exchange, watched_partner) = (self.exchange.clone(), partner.clone());
        let stop_reading = futures_util::future::select(
            Box::pin(stop.clone().cancelled_owned()),
            Box::pin(async move { watched_exchange.until_suspended(&watched_partner).await }),
        );
        let batches = request.into_inner().take_until(stop_reading);
        let receipts = batches
            .map(move |batch| {
                let (services, caller) = (services.clone(), caller.clone());
                async move {
                    let batch = batch.map_err(transport_errors::with_exchange_code)?;
                    let request = pb::SubmitIndicatorsRequest {
                        submission_id: batch.submission_id,
                        batch: batch.batch,
                        close: batch.close,
                    };
                    let receipt =
                        services.submit(&caller, request).await.map_err(|e| status(&e))?;
                    Ok(pb::StreamIndicatorsResponse { receipt: Some(receipt) })
                }
            })
            .buffered(in_flight);
        let exchange = Arc::clone(&self.exchange);
        let final_status = futures_util::stream::once(async move {
            if stop.is_cancelled() {
                return Some(Err(status(&Error::stopping())));
            }
            exchange.check_suspended(&partner).err().map(|error| Err(status(&error)))
        })
        .filter_map(std::future::ready);
        Ok(Response::new(Box::pin(until_error(receipts.chain(final_status)))))
    }

    async fn get_indicator(
        &self,
        request: Request<pb::GetIndicatorRequest>,
    ) -> RpcResult<pb::GetIndicatorResponse> {
        let caller = super::caller(&request)?.clone();
        let request = request.into_inner();
        let result = async {
            let id = requested_id(request.indicator.as_ref())?;
            self.read_after(request.read_after.as_ref()).await?;
            let caller = caller.clone();
            let read = self.read("get_indicator", move |exchange| {
                let view = exchange.queries.indicator(&caller, id)?;
                let reactions = exchange.queries.reactions_to(&caller, &view)?;
                Ok((view, reactions))
            });
            read.await
        };
        let (view, reactions) = result.await.map_err(|e: Error| status(&e))?;
        let mut bytes = 0;
        let newest_first = view.assessments.iter().rev().map(visible::assessment);
        let mut assessments: Vec<_> = newest_first
            .take_while(|assessment| {
                bytes += assessment.encoded_len();
                bytes <= MAX_ASSESSMENTS_BYTES
            })
            .collect();
        assessments.reverse();
        let omitted = view.assessments.len() - assessments.len();
        Ok(Response::new(pb::GetIndicatorResponse {
            summary: Some(known::summary(&summary(&view))),
            assessments,
            omitted: u32::try_from(omitted).unwrap_or(u32::MAX),
            seen_count: reactions.seen_count,
            sightings: reactions.sightings.iter().map(events::sighting).collect(),
            feedback: reactions.feedback.iter().map(events::feedback).collect(),
        }))
    }

    async fn lookup_indicators(
        &self,
        request: Request<pb::LookupIndicatorsRequest>,
    ) -> RpcResult<pb::LookupIndicatorsResponse> {
        let caller = super::caller(&request)?.clone();
        let results = self.lookup(&caller, request.get_ref()).await.map_err(|e| status(&e))?;
        Ok(Response::new(pb::LookupIndicatorsResponse { results }))
    }

    async fn withdraw_indicators(
        &self,
        request: Request<pb::WithdrawIndicatorsRequest>,
    ) -> RpcResult<pb::WithdrawIndicatorsResponse> {
        let caller = super::caller(&request)?.clone();
        let response = self.withdraw(&caller, request.get_ref()).await;
        response.map(Response::new).map_err(|e| status(&e))
    }

    async fn release_indicators(
        &self,
        request: Request<pb::ReleaseIndicatorsRequest>,
    ) -> RpcResult<pb::ReleaseIndicatorsResponse> {
        let caller = super::caller(&request)?.clone();
        let response = self.release(&caller, request.get_ref()).await;
        response.map(Response::new).map_err(|e| status(&e))
    }

    async fn report_sightings(
        &self,
        request: Request<pb::ReportSightingsRequest>,
    ) -> RpcResult<pb::ReportSightingsResponse> {
        let caller = super::caller(&request)?.clone();
        let response = self.sightings(&caller, request.get_ref()).await;
        response.map(Response::new).map_err(|e| status(&e))
    }

    async fn give_feedback(
        &self,
        request: Request<pb::GiveFeedbackRequest>,
    ) -> RpcResult<pb::GiveFeedbackResponse> {
        let caller = super::caller(&request)?.clone();
        let response = self.feedback(&caller, request.get_ref()).await;
        response.map(Response::new).map_err(|e| status(&e))
    }
}

impl Services {
    async fn submit(
        &self,
        caller: &Caller,
        request: pb::SubmitIndicatorsRequest,
    ) -> Result<pb::Receipt> {
        let context = submission::ReadContext {
            labels: &self.labels,
            max_items: self.limits.batch_items,
            now: self.exchange.clock().now(),
        };
        let read = submission::read(
            &request.submission_id,
            request.batch.as_ref(),
            request.close,
            &context,
        );
        let clock = self.exchange.clock();
        let started = clock.instant();
        let result = match read {
            Ok(submission) => self.exchange.commands.submit(caller, submission).await,
            Err(invalid) => Err(invalid.into()),
        };
        match &result {
            Ok(receipt) => {
                self.metrics.appended(clock.instant().duration_since(started).as_secs_f64());
                self.count(caller, receipt);
            }
            Err(error) => self.metrics.rejected(caller.partner().as_str(), error.label(), 1),
        }
        Ok(receipt::write(&result?))
    }

    fn count(&self, caller: &Caller, receipt: &Receipt) {
        let Some(batch) = &receipt.batch else { return };
        let items = batch.items.len() as u64;
        let is_rejected =
            |(_, item): &&(u32, ItemReceipt)| matches!(item, ItemReceipt::Rejected(_));
        let rejected = batch.items.iter().filter(is_rejected).count() as u64;
        self.metrics.submitted(items - rejected);
        self.metrics.rejected(caller.partner().as_str(), "item", rejected);
    }

    async fn lookup(
        &self,
        caller: &Caller,
        request: &pb::LookupIndicatorsRequest,
    ) -> Result<Vec<pb::LookupResult>> {
        let (count, limit) = (request.keys.len(), self.limits.lookup_values);
        if count == 0 || count > limit {
            let reason = format!("has {count} values, and may have 1 to {limit}");
            return Err(Invalid::new("keys", reason).into());
        }
        self.read_after(request.read_after.as_ref()).await?;
        let requested: Vec<_> = request
            .keys
            .iter()
            .map(|key| indicator::read_key(key).map(|indicator| (indicator.id(), indicator)))
            .collect();
        let mut ids: Vec<_> = requested.iter().flatten().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        let of_kind = |is_kind: fn(Kind) -> bool| -> Vec<Indicator> {
            let indicators = requested.iter().flatten().map(|(_, indicator)| indicator);
            indicators.filter(|indicator| is_kind(indicator.kind())).cloned().collect()
        };
        let addresses = of_kind(|kind| kind == Kind::Ip);
        let accounts = of_kind(is_account);
        let caller = caller.clone();
        let read = self.read("lookup_indicators", move |exchange| {
            let known = exchange.queries.lookup_all(&caller, &ids)?;
            let networks = exchange.queries.enclosing_networks(&caller, &addresses)?;
            Ok((known, networks, exchange.queries.linked_accounts(&caller, &accounts)?))
        });
        let (known, networks, linked) = read.await?;
        self.metrics.lookups(count as u64);
        let (mut bytes_left, mut account_bytes_left) = (MAX_NETWORKS_BYTES, MAX_ACCOUNTS_BYTES);
        let result = |key| match key {
            Err(invalid) => known::unreadable(&invalid),
            Ok((id, indicator)) => {
                let mut result = match known.get(&id) {
                    Some(view) => known::found(&summary(view)),
                    None => known::unknown(indicator, id),
                };
                let networks = networks.get(&id).into_iter().flatten().map(|view| summary(view));
                bytes_left = known::add_networks(&mut result, networks, bytes_left);
                if let Some(linked) = linked.get(&id) {
                    result.accounts_may_have_more = linked.may_have_more;
                    let names = linked
                        .accounts
                        .iter()
                        .map(|account| (&account.indicator, account.view.as_ref().map(summary)));
                    account_bytes_left =
                        known::add_accounts(&mut result, names, account_bytes_left);
                }
                result
            }
        };
        Ok(requested.into_iter().map(result).collect())
    }

    /// Waits until a version is applied here, so that the read that follows includes it.
    pub(super) async fn read_after(&self, version: Option<&pb::Version>) -> Result<()> {
        match version {
            None => Ok(()),
            Some(version) => {
                self.exchange.wait_for(Position::new(version.sequence, version.index)).await
            }
        }
    }
}

fn requested_id(requested: Option<&Requested>) -> Result<IndicatorId> {
    match requested {
        Some(Requested::Id(id)) => id.parse().map_err(|invalid: Invalid| Error::invalid(invalid)),
        Some(Requested::Key(key)) => Ok(indicator::read_key(key)?.id()),
        None => Err(Invalid::new("indicator", "is missing: name it by id or by key").into()),
    }
}

fn summary(view: &IndicatorView) -> known::Summary<'_> {
    known::Summary {
        strongest: visible::assessment_ref(view.strongest()),
        disputed: view.disputed,
        authors: view.authors,
    }
}

/// Ends the stream after its first error: batches after a failed one get no receipt.
fn until_error<T: Send>(
    answers: impl Stream<Item = std::result::Result<T, Status>> + Send,
) -> impl Stream<Item = std::result::Result<T, Status>> + Send {
    answers.scan(false, |failed, answer| {
        let ended = *failed;
        *failed = answer.is_err();
        async move { if ended { None } else { Some(answer) } }
    })
}
