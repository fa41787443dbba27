//! The calls that release objects to liaisons and list what liaisons received.

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

/// Maximum number of enforcements in one request.
const MAX_ENFORCEMENTS: usize = 1_000;

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
        let requested = RequestedObjects::of(&selection);
        let liaisons = request.liaisons.iter().map(|id| partner::read_id("liaisons", id));
        let request = ReleaseRequest {
            request: key,
            digest,
            selection,
            liaisons: liaisons.collect::<std::result::Result<_, _>>()?,
            action: read_action(request)?,
        };
        // Runs in its own task: a cancelled call must not leave half of a release.
        let (exchange, caller) = (Arc::clone(&self.exchange), caller.clone());
        let task = tokio::spawn(async move { exchange.commands.release(&caller, request).await });
        let receipt = task.await.map_err(|error| Error::internal("release", error))??;
        Ok(write_response(&requested, &receipt))
    }

    pub(super) async fn accesses(
        &self,
        caller: Caller,
        request: pb::ListAccessesRequest,
    ) -> Result<pb::ListAccessesResponse> {
        let liaison = Some(request.liaison.as_str()).filter(|id| !id.is_empty());
        let liaison = liaison.map(|id| partner::read_id("liaison", id)).transpose()?;
        let since = request.since.as_ref();
        let since = since.map(|time| read_timestamp("since", time)).transpose()?;
        let after = read_page_token(&request.page_token)?;
        let listing = self.read("list_accesses", move |exchange| {
            let size = request.page_size as usize;
            exchange.liaison.list_accesses(&caller, liaison.as_ref(), since, after, size)
        });
        let page = listing.await?;
        Ok(pb::ListAccessesResponse {
            accesses: page.items.iter().map(write_access).collect(),
            next_page_token: page
                .next
                .map(|(sequence, index)| format!("{sequence}.{index}"))
                .unwrap_or_default(),
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
            if count == 0 || count > MAX_ENFORCEMENTS {
                let reason = format!("are {count}, and may be 1 to {MAX_ENFORCEMENTS}");
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

/// Parses a page token that holds a sequence and an index. `None` for the first page.
pub fn read_page_token(token: &str) -> Result<Option<(u64, u32)>> {
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (sequence, index) = token.split_once('.')?;
        Some((sequence.parse().ok()?, index.parse().ok()?))
    };
    let invalid = || Invalid::new("page_token", "is not one that this exchange handed out");
    Ok(Some(read().ok_or_else(invalid)?))
}

fn read_action(request: &pb::ReleaseIndicatorsRequest) -> Result<ReleaseAction> {
    if request.retract {
        if !request.basis.is_empty() || request.until.is_some() {
            let reason = "cannot be combined with basis or until: leave them out";
            return Err(Invalid::new("retract", reason).into());
        }
        return Ok(ReleaseAction::Retract);
    }
    let basis = read_reason("basis", &request.basis)?;
    let until = request.until.as_ref();
    let until = until.map(|time| read_timestamp("until", time)).transpose()?;
    Ok(ReleaseAction::Release { basis, until })
}

/// The ids of the objects that a request names one by one, in its order. `None` for an id that cannot be read; empty
/// for a submission or a campaign.
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

/// The id that requests use for an object, and its version.
fn id_and_version(object: &Releasable) -> (String, Position) {
    match object {
        Releasable::Assessment(target) => {
            (target.id.to_string(), target.version.unwrap_or_default())
        }
        Releasable::Contribution { campaign, version, .. } => (campaign.to_string(), *version),
        Releasable::Enforcement { id, version, .. } => (id.to_string(), *version),
    }
}

fn write_response(
    requested: &RequestedObjects,
    receipt: &ReleaseReceipt,
) -> pb::ReleaseIndicatorsResponse {
    let mut versions_by_id: BTreeMap<String, Vec<Position>> = BTreeMap::new();
    for object in receipt.changed.iter().chain(&receipt.unchanged) {
        let (id, version) = id_and_version(object);
        versions_by_id.entry(id).or_default().push(version);
    }
    let is_full =
        |id: &str| receipt.at_release_limit.iter().any(|object| id_and_version(object).0 == id);
    let item = |(index, id): (u32, &Option<String>)| {
        let mut item = pb::ReleasedIndicator::default();
        if let Some(id) = id {
            let versions = versions_by_id.get(id).into_iter().flatten();
            item.versions = versions.copied().map(indicator::version).collect();
            if is_full(id) {
                item.field = "liaisons".into();
                item.reason =
                    "are too many: the object was released to as many as it can have".into();
            }
        }
        if let Some(rejection) = receipt.rejected.iter().find(|rejection| rejection.index == index)
        {
            item.field = rejection.invalid.field.to_string();
            item.reason = rejection.invalid.reason.to_string();
        }
        item
    };
    // Refused objects are counted. A key that cannot be read names none.
    let unreadable = requested.0.iter().filter(|id| id.is_none()).count();
    let refused = receipt.rejected.len() - unreadable + receipt.at_release_limit.len();
    pb::ReleaseIndicatorsResponse {
        items: (0..).zip(&requested.0).map(item).collect(),
        changed: receipt.changed.len() as u64,
        unchanged: receipt.unchanged.len() as u64,
        refused: refused as u64 + receipt.left_out,
        sequences: receipt.sequences.clone(),
        replayed: receipt.replayed,
    }
}

fn write_access(access: &Access) -> pb::Access {
    let record = &access.record;
    let objects = access.objects.iter().map(|(version, accessed)| {
        let version = Some(indicator::version(*version));
        let mut object = pb::AccessedObject { version, ..pb::AccessedObject::default() };
        match accessed {
            Some(AccessedObject::Indicator(id, indicator)) => {
                object.indicator_id = id.to_string();
                object.indicator = indicator.as_ref().map(|content| indicator::write(content, *id));
            }
            Some(AccessedObject::Campaign(campaign)) => object.campaign_id = campaign.to_string(),
            Some(AccessedObject::Enforcement(id)) => object.enforcement_id = id.to_string(),
            Some(AccessedObject::Tip(tip)) => object.tip_id = tip.to_string(),
            None => {}
        }
        object
    });
    pb::Access {
        liaison: record.liaison.to_string(),
        accessed_at: Some(timestamp(record.at)),
        way: pb::AccessWay::from(record.way).into(),
        purpose: pb::PurposeKind::from(record.purpose.kind).into(),
        reference: record.purpose.reference.to_string(),
        sequence: access.sequence,
        objects: objects.collect(),
    }
}

/// Parses a page token of the form `partner/rest`. `None` for the first page.
pub fn read_scoped_token(token: &str) -> Result<Option<(PartnerId, &str)>> {
    if token.is_empty() {
        return Ok(None);
    }
    let invalid = || Invalid::new("page_token", "is not one that this exchange handed out");
    let (partner, rest) = token.split_once('/').ok_or_else(invalid)?;
    Ok(Some((partner::read_id("page_token", partner)?, rest)))
}
