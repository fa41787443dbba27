//! Sightings.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::domain::entry::{Body, Rejection, RequestId, Sighting, Sightings};
use crate::domain::sharing::SharingRequest;
use crate::domain::{IndicatorId, Invalid, Sharing};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commit::RequestReceipt;
use crate::exchange::core::{Caller, Core, rights_of};
use crate::exchange::visibility::indicator::IndicatorView;
use crate::exchange::visibility::{ReaderView, restricted};
use crate::index::Registry;

/// A request to report sightings.
#[derive(Clone, Debug)]
pub struct SightingsRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request. Distinguishes a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The sharing that the author asked for.
    pub sharing: SharingRequest,
    /// The valid sightings.
    pub items: Vec<Sighting>,
    /// The rejected sightings, each with the reason.
    pub rejected: Vec<Rejection>,
}

impl Commands {
    /// Reports sightings of indicators that the caller may see. Idempotent by key.
    pub async fn report_sightings(
        &self,
        caller: &Caller,
        request: SightingsRequest,
    ) -> Result<RequestReceipt> {
        let (key, digest, author) = (request.request.clone(), request.digest, caller.clone());
        let check = move |core: &Core| check_sightings(core, &author, request).map(Body::Sightings);
        self.core.commit_checked(caller, (&key, digest), check).await
    }
}

/// Checks the sightings against what the caller may see, and builds the entry.
fn check_sightings(core: &Core, caller: &Caller, request: SightingsRequest) -> Result<Sightings> {
    let view = core.index.read()?;
    let (registry, reader) = (view.registry(), rights_of(view.registry(), caller.partner())?);
    let reader_view = ReaderView::new(&view, &reader, core.clock.now());
    let sharing = Sharing::resolve(request.sharing, caller.partner(), registry.as_ref())?;
    check_no_release(&sharing)?;
    let (mut items, mut rejected) = (Vec::new(), request.rejected);
    let mut rejections: BTreeMap<IndicatorId, Option<Invalid>> = BTreeMap::new();
    for sighting in request.items {
        let rejection = match rejections.entry(sighting.id) {
            Entry::Occupied(cached) => cached.get().clone(),
            Entry::Vacant(vacant) => {
                let indicator = reader_view.indicator(sighting.id)?;
                vacant.insert(reject_sighting(indicator.as_ref(), &sharing, registry)).clone()
            }
        };
        match rejection {
            None => items.push(sighting),
            Some(invalid) => rejected.push(Rejection { index: sighting.index, invalid }),
        }
    }
    rejected.sort_by_key(|rejection| rejection.index);
    let SightingsRequest { request, digest, .. } = request;
    Ok(Sightings { request, digest, sharing, items, rejected })
}

/// Rejects a sharing with releases, because sightings and feedback cannot be released to liaisons.
pub(in crate::exchange) fn check_no_release(sharing: &Sharing) -> Result<()> {
    if sharing.releases.is_empty() {
        return Ok(());
    }
    let reason = "are not possible here: only assessments, contributions to campaigns and enforcements \
                  can be released";
    Err(Invalid::new("sharing.releases", reason).into())
}

/// Why a sighting is rejected: the caller may not see the indicator, or the indicator may not leave the restricted
/// group. `None` if it is accepted.
fn reject_sighting(
    indicator: Option<&IndicatorView>,
    sharing: &Sharing,
    registry: &Registry,
) -> Option<Invalid> {
    let Some(indicator) = indicator else {
        let reason = "is not known to you: submit it, and say when it was seen";
        return Some(Invalid::new("indicator", reason));
    };
    let is_restricted =
        indicator.assessments.iter().any(|view| restricted::is_restricted(&view.record.assessment));
    (is_restricted && !restricted::stays_in_group(sharing, registry.restricted_group())).then(|| {
        let reason = "is under a restricted label: a sighting of it goes to the group entitled to \
                      hold it, and to nobody else";
        Invalid::new("indicator", reason)
    })
}
