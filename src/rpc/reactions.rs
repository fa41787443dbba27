//! Taking back, and what partners say of what others shared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Services;
use crate::domain::entry::SubmissionId;
use crate::domain::{IndicatorId, Invalid};
use crate::error::{Error, Result};
use crate::exchange::{Caller, FeedbackRequest, SightingsRequest, WithdrawalReceipt};
use crate::wire::{indicator, pb, reaction, receipt, sharing, timestamp};

impl Services {
    pub(super) async fn withdraw(
        &self,
        caller: &Caller,
        request: &pb::WithdrawIndicatorsRequest,
    ) -> Result<pb::WithdrawIndicatorsResponse> {
        let (asked, most) = (request.keys.len(), self.limits.lookup_values);
        if !request.submission_id.is_empty() {
            if asked > 0 || request.audience.is_some() {
                let reason = "stands alone: neither keys nor an audience go with it";
                return Err(Invalid::new("submission_id", reason).into());
            }
            let submission = SubmissionId::parse(&request.submission_id)?;
            // It goes on by itself, however long the caller waits for it: half of a withdrawal is none.
            let (exchange, caller) = (Arc::clone(&self.exchange), caller.clone());
            let withdrawing = tokio::spawn(async move {
                exchange.commands.withdraw_submission(&caller, &submission).await
            });
            let ended = withdrawing.await;
            let withdrawn = ended.map_err(|error| Error::internal("withdraw", error))??;
            return Ok(answer(Vec::new(), &withdrawn));
        }
        if asked == 0 || asked > most {
            let reason = format!("has {asked} values, and may have 1 to {most}");
            return Err(Invalid::new("keys", reason).into());
        }
        let audience = request.audience.as_ref();
        let audience =
            audience.map(|named| sharing::read_audience(named, "audience")).transpose()?;
        let read: Vec<_> =
            request.keys.iter().map(|key| indicator::read_key(key).map(|i| i.id())).collect();
        let ids: BTreeSet<IndicatorId> = read.iter().flatten().copied().collect();
        let withdrawn = self.exchange.commands.withdraw(caller, &ids, audience.as_ref()).await?;
        let mut ended: BTreeMap<IndicatorId, Vec<pb::Version>> = BTreeMap::new();
        for (id, version) in &withdrawn.versions {
            ended.entry(*id).or_default().push(indicator::version(*version));
        }
        let item = |read: &std::result::Result<IndicatorId, Invalid>| match read {
            Ok(id) => pb::WithdrawnIndicator {
                versions: ended.get(id).cloned().unwrap_or_default(),
                ..pb::WithdrawnIndicator::default()
            },
            Err(invalid) => pb::WithdrawnIndicator {
                versions: Vec::new(),
                field: invalid.field.to_string(),
                reason: invalid.reason.to_string(),
            },
        };
        Ok(answer(read.iter().map(item).collect(), &withdrawn))
    }

    pub(super) async fn sightings(
        &self,
        caller: &Caller,
        request: &pb::ReportSightingsRequest,
    ) -> Result<pb::ReportSightingsResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, request)?;
        let (most, now) = (self.limits.batch_items, self.exchange.clock().now());
        let (sharing, items, rejected) = reaction::read_sightings(request, most, now)?;
        let request = SightingsRequest { request: key, digest, sharing, items, rejected };
        let noted = self.exchange.commands.report_sightings(caller, request).await?;
        self.metrics.rejected("sighting", noted.rejected.len() as u64);
        Ok(pb::ReportSightingsResponse {
            sequence: noted.sequence,
            accepted_at: Some(timestamp(noted.accepted)),
            counted: u32::try_from(noted.counted).unwrap_or(u32::MAX),
            rejected: noted.rejected.iter().map(receipt::rejected).collect(),
            replayed: noted.replayed,
        })
    }

    pub(super) async fn feedback(
        &self,
        caller: &Caller,
        request: &pb::GiveFeedbackRequest,
    ) -> Result<pb::GiveFeedbackResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, request)?;
        let reaction::FeedbackRef { about, opinion, note, sharing } =
            reaction::read_feedback(request)?;
        let request = FeedbackRequest { request: key, digest, about, opinion, note, sharing };
        let noted = self.exchange.commands.give_feedback(caller, request).await?;
        Ok(pb::GiveFeedbackResponse {
            sequence: noted.sequence,
            accepted_at: Some(timestamp(noted.accepted)),
            replayed: noted.replayed,
        })
    }
}

fn answer(
    items: Vec<pb::WithdrawnIndicator>,
    withdrawn: &WithdrawalReceipt,
) -> pb::WithdrawIndicatorsResponse {
    pb::WithdrawIndicatorsResponse {
        items,
        withdrawn: withdrawn.versions.len() as u64,
        sequences: withdrawn.sequences.clone(),
    }
}
