//! Sightings.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::domain::entry::{Body, Rejection, RequestId, Sighting, Sightings};
use crate::domain::sharing::SharingRequest;
use crate::domain::{IndicatorId, Invalid, Sharing};
use crate::error::Result;
use crate::exchange::commands::Commands;
use crate::exchange::commit::RequestReceipt;
use crate::exchange::core::{Caller, reader};
use crate::exchange::visibility::indicator::IndicatorView;
use crate::exchange::visibility::{ReaderView, restricted};
use crate::index::Registry;

/// A request to report sightings.
#[derive(Clone, Debug)]
pub struct SightingsRequest {
    /// The idempotency key of the request.
    pub request: RequestId,
    /// SHA-256 of the request: tells a retry from another request under the same key.
    pub digest: [u8; 32],
    /// The sharing that the author asked for.
    pub sharing: SharingRequest,
    /// The valid ones.
    pub items: Vec<Sighting>,
    /// The others, and why.
    pub rejected: Vec<Rejection>,
}

impl Commands {
    /// Reports sightings of indicators that the caller sees. Idempotent by key.
    pub async fn report_sightings(
        &self,
        caller: &Caller,
        request: SightingsRequest,
    ) -> Result<RequestReceipt> {
        if let Some(noted) =
            self.core.find_receipt(caller, &request.request, request.digest).await?
        {
            return Ok(noted);
        }
        let view = self.core.index.read()?;
        let (registry, reader) = (view.registry(), reader(view.registry(), caller.partner())?);
        let seen = ReaderView::new(&view, &reader, self.core.clock.now());
        let sharing = Sharing::resolve(request.sharing, caller.partner(), registry.as_ref())?;
        check_no_release(&sharing)?;
        let (mut items, mut rejected) = (Vec::new(), request.rejected);
        let mut decided: BTreeMap<IndicatorId, Option<Invalid>> = BTreeMap::new();
        for sighting in request.items {
            let refusal = match decided.entry(sighting.id) {
                Entry::Occupied(decided) => decided.get().clone(),
                Entry::Vacant(vacant) => {
                    // There may be many: yield to other requests.
                    tokio::task::yield_now().await;
                    let known = seen.indicator(sighting.id)?;
                    vacant.insert(refuses_sighting(known.as_ref(), &sharing, registry)).clone()
                }
            };
            match refusal {
                None => items.push(sighting),
                Some(invalid) => rejected.push(Rejection { index: sighting.index, invalid }),
            }
        }
        drop(view);
        rejected.sort_by_key(|one| one.index);
        let (key, digest) = (request.request.clone(), request.digest);
        let body = Body::Sightings(Sightings { request: key, digest, sharing, items, rejected });
        self.core.commit_for_receipt(caller, &request.request, digest, body).await
    }
}

/// Sightings and feedback cannot be released to liaisons.
pub(in crate::exchange) fn check_no_release(sharing: &Sharing) -> Result<()> {
    if sharing.releases.is_empty() {
        return Ok(());
    }
    let reason = "are not possible here: assessments, what is said of campaigns and what was done \
                  can be released";
    Err(Invalid::new("sharing.releases", reason).into())
}

/// Why a sighting is rejected: the caller does not see the indicator, or it may not leave the restricted group.
fn refuses_sighting(
    known: Option<&IndicatorView>,
    sharing: &Sharing,
    registry: &Registry,
) -> Option<Invalid> {
    let Some(known) = known else {
        let reason = "is not known to you: submit it, and say when it was seen";
        return Some(Invalid::new("indicator", reason));
    };
    let is_restricted =
        known.assessments.iter().any(|sight| restricted::is_restricted(&sight.record.assessment));
    (is_restricted && !restricted::stays_in_group(sharing, registry.restricted_group())).then(|| {
        let reason = "is under a restricted label: a sighting of it goes to the group entitled to \
                      hold it, and to nobody else";
        Invalid::new("indicator", reason)
    })
}
