//! Releasing to liaisons, and what they were given.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Services;
use crate::domain::enforcement::EnforcementId;
use crate::domain::entry::{Releasable, ReleaseAction, SubmissionId};
use crate::domain::{CampaignId, IndicatorId, Invalid, PartnerId, Position};
use crate::error::{Error, Result};
use crate::exchange::{Access, AccessedObject, Caller, ReleaseReceipt, ReleaseRequest, Selection};
use crate::wire::pb::release_indicators_request::What;
use crate::wire::selection::{Keys, read_keys, read_reason};
use crate::wire::{indicator, partner, pb, reaction, read_timestamp, timestamp};

/// The most enforcements of one request.
const MOST_ENFORCEMENTS: usize = 1_000;

impl Services {
    pub(super) async fn release(
        &self,
        caller: &Caller,
        request: &pb::ReleaseIndicatorsRequest,
    ) -> Result<pb::ReleaseIndicatorsResponse> {
        let (key, digest) = reaction::read_key(&request.request_id, request)?;
        let keys = match &request.what {
            Some(What::Indicators(keys)) => Some(read_keys(keys, self.limits.lookup_values)?),
            _ => None,
        };
        let selection = selection(request.what.as_ref(), keys.as_ref())?;
        let asked = RequestedObjects::of(&selection);
        let liaisons = request.liaisons.iter().map(|id| partner::read_id("liaisons", id));
        let request = ReleaseRequest {
            request: key,
            digest,
            selection,
            liaisons: liaisons.collect::<std::result::Result<_, _>>()?,
            act: read_act(request)?,
        };
        // It goes on by itself, however long the caller waits for it: half of a release is none.
        let (exchange, caller) = (Arc::clone(&self.exchange), caller.clone());
        let releasing =
            tokio::spawn(async move { exchange.commands.release(&caller, request).await });
        let released = releasing.await.map_err(|error| Error::internal("release", error))??;
        Ok(answer(&asked, &released))
    }

    pub(super) async fn accesses(
        &self,
        caller: Caller,
        asked: pb::ListAccessesRequest,
    ) -> Result<pb::ListAccessesResponse> {
        let liaison = Some(asked.liaison.as_str()).filter(|id| !id.is_empty());
        let liaison = liaison.map(|id| partner::read_id("liaison", id)).transpose()?;
        let since = asked.since.as_ref();
        let since = since.map(|time| read_timestamp("since", time)).transpose()?;
        let behind = read_place(&asked.page_token)?;
        let listing = self.read("list_accesses", move |exchange| {
            let size = asked.page_size as usize;
            exchange.liaison.list_accesses(&caller, liaison.as_ref(), since, behind, size)
        });
        let page = listing.await?;
        Ok(pb::ListAccessesResponse {
            accesses: page.items.iter().map(write_access).collect(),
            next_page_token: page.next.map(|(at, part)| format!("{at}.{part}")).unwrap_or_default(),
        })
    }
}

fn selection(what: Option<&What>, keys: Option<&Keys>) -> Result<Selection> {
    Ok(match (what, keys) {
        (Some(What::SubmissionId(id)), _) => Selection::Submission(SubmissionId::parse(id)?),
        (Some(What::Campaign(campaign)), _) if !campaign.is_empty() => {
            Selection::Campaign(CampaignId::parse(campaign)?)
        }
        (Some(What::Enforcements(ids)), _) => {
            let count = ids.ids.len();
            if count == 0 || count > MOST_ENFORCEMENTS {
                let reason = format!("are {count}, and may be 1 to {MOST_ENFORCEMENTS}");
                return Err(Invalid::new("enforcements", reason).into());
            }
            Selection::Enforcements(ids.ids.iter().map(|id| EnforcementId::parse(id)).collect())
        }
        (_, Some((keys, audience))) => {
            Selection::Indicators { keys: keys.clone(), audience: *audience }
        }
        _ => {
            let reason = "is missing: name indicators, a submission, a campaign or enforcements";
            return Err(Invalid::new("what", reason).into());
        }
    })
}

/// Reads the token of a page that ends at an entry and a part of it, or at a version.
pub fn read_place(token: &str) -> Result<Option<(u64, u32)>> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (sequence, index) = token.split_once('.')?;
        Some((sequence.parse().ok()?, index.parse().ok()?))
    };
    let wrong = || Invalid::new("page_token", "is not one that this exchange handed out");
    Ok(Some(read().ok_or_else(wrong)?))
}

fn read_act(request: &pb::ReleaseIndicatorsRequest) -> Result<ReleaseAction> {
    if request.retract {
        if !request.basis.is_empty() || request.until.is_some() {
            let reason = "stands alone: neither a basis nor a time goes with it";
            return Err(Invalid::new("retract", reason).into());
        }
        return Ok(ReleaseAction::Retract);
    }
    let basis = read_reason("basis", &request.basis)?;
    let until = request.until.as_ref();
    let until = until.map(|time| read_timestamp("until", time)).transpose()?;
    Ok(ReleaseAction::Release { basis, until })
}

/// What was asked for one by one: the id of each, and `None` for what cannot be read.
#[derive(Debug)]
struct RequestedObjects(Vec<Option<String>>);

impl RequestedObjects {
    fn of(selection: &Selection) -> Self {
        let text = |id: &IndicatorId| id.to_string();
        Self(match selection {
            Selection::Indicators { keys, .. } => {
                keys.iter().map(|key| key.as_ref().ok().map(text)).collect()
            }
            Selection::Enforcements(ids) => {
                ids.iter().map(|id| id.as_ref().ok().map(ToString::to_string)).collect()
            }
            Selection::Submission(_) | Selection::Campaign(_) => Vec::new(),
        })
    }
}

/// The id that an object is asked for by, and its version.
fn named(object: &Releasable) -> (String, Position) {
    match object {
        Releasable::Assessment(target) => {
            (target.id.to_string(), target.version.unwrap_or_default())
        }
        Releasable::Contribution { campaign, version, .. } => (campaign.to_string(), *version),
        Releasable::Enforcement { id, version, .. } => (id.to_string(), *version),
    }
}

fn answer(asked: &RequestedObjects, released: &ReleaseReceipt) -> pb::ReleaseIndicatorsResponse {
    let mut by_id: BTreeMap<String, Vec<Position>> = BTreeMap::new();
    for object in released.changed.iter().chain(&released.unchanged) {
        let (id, version) = named(object);
        by_id.entry(id).or_default().push(version);
    }
    let full = |id: &str| released.full.iter().any(|full| named(full).0 == id);
    let item = |(index, id): (u32, &Option<String>)| {
        let mut item = pb::ReleasedIndicator::default();
        if let Some(id) = id {
            let versions = by_id.get(id).into_iter().flatten();
            item.versions = versions.copied().map(indicator::version).collect();
            if full(id) {
                item.field = "liaisons".into();
                item.reason = "are too many: it is released to as many as fit".into();
            }
        }
        if let Some(one) = released.rejected.iter().find(|one| one.index == index) {
            item.field = one.invalid.field.to_string();
            item.reason = one.invalid.reason.to_string();
        }
        item
    };
    // A key that cannot be read names no version.
    let unreadable = asked.0.iter().filter(|id| id.is_none()).count();
    let refused = released.rejected.len() - unreadable + released.full.len();
    pb::ReleaseIndicatorsResponse {
        items: (0..).zip(&asked.0).map(item).collect(),
        changed: released.changed.len() as u64,
        unchanged: released.unchanged.len() as u64,
        refused: refused as u64 + released.left_out,
        sequences: released.sequences.clone(),
        replayed: released.replayed,
    }
}

fn write_access(access: &Access) -> pb::Access {
    let kept = &access.kept;
    let objects = access.objects.iter().map(|(version, about)| {
        let version = Some(indicator::version(*version));
        let mut object = pb::AccessedObject { version, ..pb::AccessedObject::default() };
        match about {
            Some(AccessedObject::Indicator(id, known)) => {
                object.indicator_id = id.to_string();
                object.indicator = known.as_ref().map(|one| indicator::write(one, *id));
            }
            Some(AccessedObject::Campaign(campaign)) => object.campaign_id = campaign.to_string(),
            Some(AccessedObject::Enforcement(id)) => object.enforcement_id = id.to_string(),
            Some(AccessedObject::Tip(tip)) => object.tip_id = tip.to_string(),
            None => {}
        }
        object
    });
    pb::Access {
        liaison: kept.liaison.to_string(),
        accessed_at: Some(timestamp(kept.at)),
        way: pb::AccessWay::from(kept.way).into(),
        purpose: pb::PurposeKind::from(kept.purpose.kind).into(),
        reference: kept.purpose.reference.to_string(),
        sequence: access.sequence,
        objects: objects.collect(),
    }
}

/// The partner in a page's token, and what stands behind it.
pub fn read_scoped(token: &str) -> Result<Option<(PartnerId, &str)>> {
    if token.is_empty() {
        return Ok(None);
    }
    let wrong = || Invalid::new("page_token", "is not one that this exchange handed out");
    let (partner, rest) = token.split_once('/').ok_or_else(wrong)?;
    Ok(Some((partner::read_id("page_token", partner)?, rest)))
}
