//! Legal holds.

use std::sync::Arc;

use super::Services;
use super::indicator::sight;
use super::releases::{read_place, read_scoped};
use crate::domain::entry::{HoldId, SubmissionId};
use crate::domain::{Invalid, Position};
use crate::error::{Error, Result};
use crate::exchange::{Caller, HoldRequest, LegalHold, Selection};
use crate::wire::pb::place_hold_request::What;
use crate::wire::selection::{read_keys, read_reason};
use crate::wire::{known, pb, reaction, receipt, timestamp};

impl Services {
    pub(super) async fn place(
        &self,
        caller: Caller,
        request: pb::PlaceHoldRequest,
    ) -> Result<pb::PlaceHoldResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, &request)?;
        let reason = read_reason("reason", &request.reason)?.into();
        let selection = match &request.what {
            Some(What::Indicators(asked)) => {
                let (keys, audience) = read_keys(asked, self.limits.lookup_values)?;
                Selection::Indicators { keys, audience }
            }
            Some(What::SubmissionId(id)) => Selection::Submission(SubmissionId::parse(id)?),
            None => {
                let reason = "is missing: name indicators or a submission";
                return Err(Invalid::new("what", reason).into());
            }
        };
        let request = HoldRequest { request: key, digest, selection, reason };
        // It goes on by itself, however long the caller waits for it.
        let exchange = Arc::clone(&self.exchange);
        let placing =
            tokio::spawn(async move { exchange.commands.place_hold(&caller, request).await });
        let placed = placing.await.map_err(|error| Error::internal("place_hold", error))??;
        Ok(pb::PlaceHoldResponse {
            hold: Some(write(&placed.hold)),
            rejected: placed.rejected.iter().map(receipt::rejected).collect(),
            sequences: placed.sequences,
            replayed: placed.replayed,
        })
    }

    pub(super) async fn renew(
        &self,
        caller: &Caller,
        asked: &pb::RenewHoldRequest,
    ) -> Result<pb::RenewHoldResponse> {
        let hold =
            self.exchange.commands.renew_hold(caller, HoldId::parse(&asked.hold_id)?).await?;
        Ok(pb::RenewHoldResponse { hold: Some(write(&hold)) })
    }

    pub(super) async fn lift(
        &self,
        caller: &Caller,
        asked: &pb::LiftHoldRequest,
    ) -> Result<pb::LiftHoldResponse> {
        self.exchange.commands.lift_hold(caller, HoldId::parse(&asked.hold_id)?).await?;
        Ok(pb::LiftHoldResponse {})
    }

    pub(super) async fn holds(
        &self,
        caller: Caller,
        asked: pb::ListHoldsRequest,
    ) -> Result<pb::ListHoldsResponse> {
        let behind = match read_scoped(&asked.page_token)? {
            Some((author, hold)) => Some((author, HoldId::parse(hold)?)),
            None => None,
        };
        let size = asked.page_size as usize;
        let listing = self.read("list_holds", move |exchange| {
            exchange.queries.list_holds(&caller, behind.as_ref(), size)
        });
        let (holds, next) = listing.await?;
        Ok(pb::ListHoldsResponse {
            holds: holds.iter().map(write).collect(),
            next_page_token: next.map(|(of, id)| format!("{of}/{id}")).unwrap_or_default(),
        })
    }

    pub(super) async fn held(
        &self,
        caller: Caller,
        asked: pb::ListHeldObjectsRequest,
    ) -> Result<pb::ListHeldObjectsResponse> {
        let hold = HoldId::parse(&asked.hold_id)?;
        let behind = read_place(&asked.page_token)?;
        let behind = behind.map(|(sequence, index)| Position::new(sequence, index));
        let size = asked.page_size as usize;
        let listing = self.read("list_held_objects", move |exchange| {
            exchange.queries.list_held(&caller, hold, behind, size)
        });
        let (copies, more) = listing.await?;
        let next = copies.last().filter(|_| more);
        let next = next.map(|last| last.record.version.to_string()).unwrap_or_default();
        let objects = copies.iter().map(|copy| known::visible_assessment(&sight(copy))).collect();
        Ok(pb::ListHeldObjectsResponse { objects, next_page_token: next })
    }
}

fn write(hold: &LegalHold) -> pb::Hold {
    let kept = &hold.record;
    pb::Hold {
        id: hold.id.to_string(),
        author: hold.author.to_string(),
        placed_at: Some(timestamp(kept.placed)),
        until: Some(timestamp(kept.until)),
        objects: kept.objects,
        reason: kept.reason.to_string(),
    }
}
