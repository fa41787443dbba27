//! Legal holds.

use std::sync::Arc;

use super::releases::{read_page_token, read_scoped_token};
use super::{Services, visible};
use crate::domain::entry::{HoldId, SubmissionId};
use crate::domain::{Invalid, Position};
use crate::error::{Error, Result};
use crate::exchange::{Caller, HoldRequest, LegalHold, Selection};
use crate::wire::pb::place_hold_request::What;
use crate::wire::selection::{read_keys, read_reason};
use crate::wire::{pb, reaction, receipt, timestamp};

impl Services {
    pub(super) async fn place(
        &self,
        caller: Caller,
        request: pb::PlaceHoldRequest,
    ) -> Result<pb::PlaceHoldResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, &request)?;
        let reason = read_reason("reason", &request.reason)?.into();
        let selection = match &request.what {
            Some(What::Indicators(indicators)) => {
                let (keys, audience) = read_keys(indicators, self.limits.lookup_values)?;
                Selection::Indicators { keys, audience }
            }
            Some(What::SubmissionId(id)) => Selection::Submission(SubmissionId::parse(id)?),
            None => {
                let reason = "is missing: name indicators or a submission";
                return Err(Invalid::new("what", reason).into());
            }
        };
        let request = HoldRequest { request: key, digest, selection, reason };
        // Runs in its own task: a cancelled call must not leave half of a hold.
        let exchange = Arc::clone(&self.exchange);
        let task =
            tokio::spawn(async move { exchange.commands.place_hold(&caller, request).await });
        let receipt = task.await.map_err(|error| Error::internal("place_hold", error))??;
        Ok(pb::PlaceHoldResponse {
            hold: Some(write(&receipt.hold)),
            rejected: receipt.rejected.iter().map(receipt::rejected).collect(),
            sequences: receipt.sequences,
            replayed: receipt.replayed,
        })
    }

    pub(super) async fn renew(
        &self,
        caller: &Caller,
        request: &pb::RenewHoldRequest,
    ) -> Result<pb::RenewHoldResponse> {
        let hold =
            self.exchange.commands.renew_hold(caller, HoldId::parse(&request.hold_id)?).await?;
        Ok(pb::RenewHoldResponse { hold: Some(write(&hold)) })
    }

    pub(super) async fn lift(
        &self,
        caller: &Caller,
        request: &pb::LiftHoldRequest,
    ) -> Result<pb::LiftHoldResponse> {
        self.exchange.commands.lift_hold(caller, HoldId::parse(&request.hold_id)?).await?;
        Ok(pb::LiftHoldResponse {})
    }

    pub(super) async fn holds(
        &self,
        caller: Caller,
        request: pb::ListHoldsRequest,
    ) -> Result<pb::ListHoldsResponse> {
        let after = match read_scoped_token(&request.page_token)? {
            Some((author, hold)) => Some((author, HoldId::parse(hold)?)),
            None => None,
        };
        let size = request.page_size as usize;
        let listing = self.read("list_holds", move |exchange| {
            exchange.queries.list_holds(&caller, after.as_ref(), size)
        });
        let (holds, next) = listing.await?;
        Ok(pb::ListHoldsResponse {
            holds: holds.iter().map(write).collect(),
            next_page_token: next.map(|(author, id)| format!("{author}/{id}")).unwrap_or_default(),
        })
    }

    pub(super) async fn held(
        &self,
        caller: Caller,
        request: pb::ListHeldObjectsRequest,
    ) -> Result<pb::ListHeldObjectsResponse> {
        let hold = HoldId::parse(&request.hold_id)?;
        let after = read_page_token(&request.page_token)?;
        let after = after.map(|(sequence, index)| Position::new(sequence, index));
        let size = request.page_size as usize;
        let listing = self.read("list_held_objects", move |exchange| {
            exchange.queries.list_held_objects(&caller, hold, after, size)
        });
        let (copies, more) = listing.await?;
        let next = copies.last().filter(|_| more);
        let next = next.map(|last| last.record.version.to_string()).unwrap_or_default();
        let objects = copies.iter().map(visible::assessment).collect();
        Ok(pb::ListHeldObjectsResponse { objects, next_page_token: next })
    }
}

fn write(hold: &LegalHold) -> pb::Hold {
    let record = &hold.record;
    pb::Hold {
        id: hold.id.to_string(),
        author: hold.author.to_string(),
        placed_at: Some(timestamp(record.placed)),
        until: Some(timestamp(record.until)),
        objects: record.objects,
        reason: record.reason.to_string(),
    }
}
