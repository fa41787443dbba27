//! The calls that withdraw indicators, report sightings and give feedback.

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
        let (count, limit) = (request.keys.len(), self.limits.lookup_values);
        if !request.submission_id.is_empty() {
            if count > 0 || request.audience.is_some() {
                let reason = "cannot be combined with keys or audience: leave them out";
                return Err(Invalid::new("submission_id", reason).into());
            }
            let submission = SubmissionId::parse(&request.submission_id)?;
            // Runs in its own task: a cancelled call must not leave half of a withdrawal.
            let (exchange, caller) = (Arc::clone(&self.exchange), caller.clone());
            let task = tokio::spawn(async move {
                exchange.commands.withdraw_submission(&caller, &submission).await
            });
            let receipt = task.await.map_err(|error| Error::internal("withdraw", error))??;
            return Ok(write_response(Vec::new(), &receipt));
        }
        if count == 0 || count > limit {
            let reason = format!("has {count} values, and may have 1 to {limit}");
            return Err(Invalid::new("keys", reason).into());
        }
        let audience = request.audience.as_ref();
        let audience =
            audience.map(|audience| sharing::read_audience(audience, "audience")).transpose()?;
        let requested: Vec<_> =
            request.keys.iter().map(|key| indicator::read_key(key).map(|i| i.id())).collect();
        let ids: BTreeSet<IndicatorId> = requested.iter().flatten().copied().collect();
        let receipt = self.exchange.commands.withdraw(caller, ids, audience.as_ref()).await?;
        let mut versions_by_id: BTreeMap<IndicatorId, Vec<pb::Version>> = BTreeMap::new();
        for (id, version) in &receipt.versions {
            versions_by_id.entry(*id).or_default().push(indicator::version(*version));
        }
        let item = |requested: &std::result::Result<IndicatorId, Invalid>| match requested {
            Ok(id) => pb::WithdrawnIndicator {
                versions: versions_by_id.get(id).cloned().unwrap_or_default(),
                ..pb::WithdrawnIndicator::default()
            },
            Err(invalid) => pb::WithdrawnIndicator {
                versions: Vec::new(),
                field: invalid.field.to_string(),
                reason: invalid.reason.to_string(),
            },
        };
        Ok(write_response(requested.iter().map(item).collect(), &receipt))
    }

    pub(super) async fn sightings(
        &self,
        caller: &Caller,
        request: &pb::ReportSightingsRequest,
    ) -> Result<pb::ReportSightingsResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, request)?;
        let (limit, now) = (self.limits.batch_items, self.exchange.clock().now());
        let (sharing, items, rejected) = reaction::read_sightings(request, limit, now)?;
        let request = SightingsRequest { request: key, digest, sharing, items, rejected };
        let receipt = self.exchange.commands.report_sightings(caller, request).await?;
        let rejected = receipt.rejected.len() as u64;
        self.metrics.rejected(caller.partner().as_str(), "sighting", rejected);
        Ok(pb::ReportSightingsResponse {
            sequence: receipt.sequence,
            accepted_at: Some(timestamp(receipt.accepted)),
            counted: u32::try_from(receipt.counted).unwrap_or(u32::MAX),
            rejected: receipt.rejected.iter().map(receipt::rejected).collect(),
            replayed: receipt.replayed,
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
        let receipt = self.exchange.commands.give_feedback(caller, request).await?;
        Ok(pb::GiveFeedbackResponse {
            sequence: receipt.sequence,
            accepted_at: Some(timestamp(receipt.accepted)),
            replayed: receipt.replayed,
        })
    }
}

fn write_response(
    items: Vec<pb::WithdrawnIndicator>,
    receipt: &WithdrawalReceipt,
) -> pb::WithdrawIndicatorsResponse {
    pb::WithdrawIndicatorsResponse {
        items,
        withdrawn: receipt.versions.len() as u64,
        sequences: receipt.sequences.clone(),
    }
}
