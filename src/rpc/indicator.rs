//! `tipoff.v1.IndicatorService`.

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use prost::Message;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::Services;
use super::feed::events;
use super::status::status;
use crate::domain::submission::{ItemReceipt, Receipt};
use crate::domain::{IndicatorId, Invalid, Position};
use crate::error::{Error, Result};
use crate::exchange::{AssessmentView, Caller, IndicatorView};
use crate::wire::pb::get_indicator_request::Indicator as Named;
use crate::wire::servers::indicator_service_server::IndicatorService;
use crate::wire::{indicator, known, pb, receipt, submission};

/// The most bytes of assessments in one answer.
const ASSESSMENTS_BYTES: usize = 2 * 1024 * 1024;

type Answer<T> = std::result::Result<Response<T>, Status>;

#[async_trait]
impl IndicatorService for Services {
    async fn submit_indicators(
        &self,
        request: Request<pb::SubmitIndicatorsRequest>,
    ) -> Answer<pb::SubmitIndicatorsResponse> {
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
    ) -> Answer<Self::StreamIndicatorsStream> {
        let caller = super::caller(&request)?.clone();
        let services = self.clone();
        let in_flight = self.limits.batches_in_flight;
        let stop = self.stop.clone();
        // No batch is taken once the node stops or the partner is suspended; those that were are
        // answered.
        let (watched, watching) = (self.exchange.clone(), caller.clone());
        let leaving = caller.partner().clone();
        let until = futures_util::future::select(
            Box::pin(stop.clone().cancelled_owned()),
            Box::pin(async move { watched.until_suspended(watching.partner()).await }),
        );
        let batches = request.into_inner().take_until(until);
        let receipts = batches
            .map(move |batch| {
                let (services, caller) = (services.clone(), caller.clone());
                async move {
                    let batch = batch?;
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
        let goodbye = futures_util::stream::once(async move {
            if stop.is_cancelled() {
                return Some(Err(status(&Error::stopping())));
            }
            exchange.check_suspended(&leaving).err().map(|error| Err(status(&error)))
        })
        .filter_map(std::future::ready);
        Ok(Response::new(Box::pin(until_error(receipts.chain(goodbye)))))
    }

    async fn get_indicator(
        &self,
        request: Request<pb::GetIndicatorRequest>,
    ) -> Answer<pb::GetIndicatorResponse> {
        let caller = super::caller(&request)?.clone();
        let request = request.into_inner();
        let answer = async {
            let id = named(request.indicator.as_ref())?;
            self.read_after(request.read_after.as_ref()).await?;
            let caller = caller.clone();
            let read = self.read("get_indicator", move |exchange| {
                let found = exchange.queries.indicator(&caller, id)?;
                let reactions = exchange.queries.reactions_to(&caller, &found)?;
                Ok((found, reactions))
            });
            read.await
        };
        let (found, reactions) = answer.await.map_err(|e: Error| status(&e))?;
        let mut bytes = 0;
        let newest_first =
            found.assessments.iter().rev().map(|one| known::visible_assessment(&sight(one)));
        let mut assessments: Vec<_> = newest_first
            .take_while(|one| {
                bytes += one.encoded_len();
                bytes <= ASSESSMENTS_BYTES
            })
            .collect();
        assessments.reverse();
        let omitted = found.assessments.len() - assessments.len();
        Ok(Response::new(pb::GetIndicatorResponse {
            summary: Some(known::summary(&summary(&found))),
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
    ) -> Answer<pb::LookupIndicatorsResponse> {
        let caller = super::caller(&request)?.clone();
        let results = self.lookup(&caller, request.get_ref()).await.map_err(|e| status(&e))?;
        Ok(Response::new(pb::LookupIndicatorsResponse { results }))
    }

    async fn withdraw_indicators(
        &self,
        request: Request<pb::WithdrawIndicatorsRequest>,
    ) -> Answer<pb::WithdrawIndicatorsResponse> {
        let caller = super::caller(&request)?.clone();
        let answer = self.withdraw(&caller, request.get_ref()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn release_indicators(
        &self,
        request: Request<pb::ReleaseIndicatorsRequest>,
    ) -> Answer<pb::ReleaseIndicatorsResponse> {
        let caller = super::caller(&request)?.clone();
        let answer = self.release(&caller, request.get_ref()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn report_sightings(
        &self,
        request: Request<pb::ReportSightingsRequest>,
    ) -> Answer<pb::ReportSightingsResponse> {
        let caller = super::caller(&request)?.clone();
        let answer = self.sightings(&caller, request.get_ref()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }

    async fn give_feedback(
        &self,
        request: Request<pb::GiveFeedbackRequest>,
    ) -> Answer<pb::GiveFeedbackResponse> {
        let caller = super::caller(&request)?.clone();
        let answer = self.feedback(&caller, request.get_ref()).await;
        answer.map(Response::new).map_err(|e| status(&e))
    }
}

impl Services {
    async fn submit(
        &self,
        caller: &Caller,
        request: pb::SubmitIndicatorsRequest,
    ) -> Result<pb::Receipt> {
        let terms = submission::ReadContext {
            labels: &self.labels,
            max_items: self.limits.batch_items,
            now: self.exchange.clock().now(),
        };
        let read =
            submission::read(&request.submission_id, request.batch.as_ref(), request.close, &terms);
        let clock = self.exchange.clock();
        let begun = clock.instant();
        let result = match read {
            Ok(submission) => self.exchange.commands.submit(caller, submission).await,
            Err(invalid) => Err(invalid.into()),
        };
        match &result {
            Ok(receipt) => {
                self.metrics.appended(clock.instant().duration_since(begun).as_secs_f64());
                self.count(receipt);
            }
            Err(error) => self.metrics.rejected(error.label(), 1),
        }
        Ok(receipt::write(&result?))
    }

    fn count(&self, receipt: &Receipt) {
        let Some(batch) = &receipt.batch else { return };
        let items = batch.items.len() as u64;
        let refused = |(_, item): &&(u32, ItemReceipt)| matches!(item, ItemReceipt::Rejected(_));
        let rejected = batch.items.iter().filter(refused).count() as u64;
        self.metrics.submitted(items - rejected);
        self.metrics.rejected("item", rejected);
    }

    async fn lookup(
        &self,
        caller: &Caller,
        request: &pb::LookupIndicatorsRequest,
    ) -> Result<Vec<pb::LookupResult>> {
        let (asked, most) = (request.keys.len(), self.limits.lookup_values);
        if asked == 0 || asked > most {
            let reason = format!("has {asked} values, and may have 1 to {most}");
            return Err(Invalid::new("keys", reason).into());
        }
        self.read_after(request.read_after.as_ref()).await?;
        let read: Vec<_> = request
            .keys
            .iter()
            .map(|key| indicator::read_key(key).map(|indicator| (indicator.id(), indicator)))
            .collect();
        let mut ids: Vec<_> = read.iter().flatten().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        let caller = caller.clone();
        let known = self
            .read("lookup_indicators", move |exchange| exchange.queries.lookup_all(&caller, &ids))
            .await?;
        self.metrics.lookups(asked as u64);
        Ok(read
            .into_iter()
            .map(|one| match one {
                Err(invalid) => known::unreadable(&invalid),
                Ok((id, indicator)) => match known.get(&id) {
                    Some(found) => known::found(&summary(found)),
                    None => known::unknown(indicator, id),
                },
            })
            .collect())
    }

    pub(super) async fn read_after(&self, version: Option<&pb::Version>) -> Result<()> {
        match version {
            None => Ok(()),
            Some(version) => {
                self.exchange.wait_for(Position::new(version.sequence, version.index)).await
            }
        }
    }
}

fn named(named: Option<&Named>) -> Result<IndicatorId> {
    match named {
        Some(Named::Id(id)) => id.parse().map_err(|invalid: Invalid| Error::invalid(invalid)),
        Some(Named::Key(key)) => Ok(indicator::read_key(key)?.id()),
        None => Err(Invalid::new("indicator", "is missing: name it by id or by key").into()),
    }
}

fn summary(known: &IndicatorView) -> known::Summary<'_> {
    known::Summary {
        strongest: sight(known.strongest()),
        disputed: known.disputed,
        authors: known.authors,
    }
}

pub(super) fn sight(sight: &AssessmentView) -> known::AssessmentRef<'_> {
    known::AssessmentRef {
        author: &sight.author,
        version: sight.record.version,
        accepted: sight.record.accepted,
        id: sight.record.id,
        assessment: &sight.record.assessment,
        view: &sight.sharing,
    }
}

/// Ends with the first error: what follows a batch that failed is not answered as if it had not.
fn until_error<T: Send>(
    answers: impl Stream<Item = std::result::Result<T, Status>> + Send,
) -> impl Stream<Item = std::result::Result<T, Status>> + Send {
    answers.scan(false, |failed, answer| {
        let ended = *failed;
        *failed = answer.is_err();
        async move { if ended { None } else { Some(answer) } }
    })
}
