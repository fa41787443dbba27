//! Taking sightings.

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

/// Sightings as they were sent.
#[derive(Clone, Debug)]
pub struct SightingsRequest {
    /// The key.
    pub request: RequestId,
    /// SHA-256 of the request as it was sent.
    pub digest: [u8; 32],
    /// Who is to be told.
    pub sharing: SharingRequest,
    /// Those that could be read.
    pub items: Vec<Sighting>,
    /// Those that could not.
    pub rejected: Vec<Rejection>,
}

impl Commands {
    /// Counts sightings, once for one key. Each is of something that the caller knows.
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
                    // Many of them: others get their turn.
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

/// Sightings and feedback do not go by the liaisons' lane.
pub(in crate::exchange) fn check_no_release(sharing: &Sharing) -> Result<()> {
    if sharing.releases.is_empty() {
        return Ok(());
    }
    let reason = "are not possible here: assessments, what is said of campaigns and what was done \
                  can be released";
    Err(Invalid::new("sharing.releases", reason).into())
}

/// Why a sighting does not count: of what the caller does not know, and of what may not leave the
/// closed group.
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
