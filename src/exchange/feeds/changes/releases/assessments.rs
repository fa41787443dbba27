//! The assessments that a liaison is told of.

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Batch, Target};
use crate::domain::sharing::Audience;
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::feeds::event::{FeedItem, Removal, RemovalReason, RemovedObject};
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};
use crate::index::View;

impl Core {
    /// A version whose release began at a place, where it is still current and that release still the
    /// one in force.
    pub(in crate::exchange) fn released_assessment(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        author: &PartnerId,
        target: &Target,
        at: Position,
    ) -> Result<Option<FeedItem>> {
        let current = view.current(target.id, author, target.audience)?;
        let current = current.filter(|current| Some(current.version) == target.version);
        let Some(mut current) = current else { return Ok(None) };
        let (reader, version) = (sight.reader(), current.version);
        // What is public was given where it came.
        let began = current.release_to(&reader.id).map(|(_, since)| since);
        if began != Some(at.sequence) || current.sharing.audience == Audience::Public {
            return Ok(None);
        }
        let (sharing, said) = (&current.sharing, &current.assessment);
        if !sight.may_deliver_content(
            view,
            VersionMeta { author, version, sharing, assessment: said },
            self.clock.now(),
        )? {
            return Ok(None);
        }
        let part = sharing.view_for(reader, author, version);
        sight.redact(view, author, &mut current.assessment)?;
        Ok(Some(FeedItem {
            place: FeedPosition::after_item(at),
            author: author.clone(),
            record: current,
            view: part,
        }))
    }

    /// Whether a liaison is given an item of a batch where that stands in the feed: it is public, or its
    /// release began with the batch and is still the one in force.
    pub(in crate::exchange) fn is_released_with_batch(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        author: &PartnerId,
        batch: &Batch,
        at: usize,
        version: Position,
    ) -> Result<bool> {
        let (item, now) = (&batch.items[at], self.clock.now());
        let (sharing, said) = (&batch.sharing, &item.assessment);
        if sharing.audience == Audience::Public {
            return sight.may_deliver_content(
                view,
                VersionMeta { author, version, sharing, assessment: said },
                now,
            );
        }
        let liaison = &sight.reader().id;
        if !sharing.releases.iter().any(|release| release.liaison == *liaison) {
            return Ok(false);
        }
        let audience = AudienceDigest::of(&sharing.audience);
        let current = view.current(item.id, author, audience)?;
        let Some(current) = current.filter(|current| current.version == version) else {
            return Ok(false);
        };
        let sharing = &current.sharing;
        Ok(current.release_to(liaison).is_some_and(|(_, since)| since == version.sequence)
            && sight.may_deliver_content(
                view,
                VersionMeta { author, version, sharing, assessment: said },
                now,
            )?)
    }
}

/// A version that a liaison held by a release up to a place, and no longer may.
pub(in crate::exchange) fn retracted_assessment(
    view: &View<'_>,
    sight: &Visibility,
    author: &PartnerId,
    target: &Target,
    version: Position,
    at: Position,
) -> Result<Option<Removal>> {
    let current = view.current(target.id, author, target.audience)?;
    let current = current.filter(|current| current.version == version);
    let (sharing, said) = match current {
        Some(current) => (current.sharing, current.assessment),
        None => match view.closed_version(version)? {
            Some(closed) => (closed.sharing, closed.metadata),
            None => return Ok(None),
        },
    };
    let outline = VersionMeta { author, version, sharing: &sharing, assessment: &said };
    if sharing.audience == Audience::Public
        || !sight.matches_filter(view, sight.reader(), AsOf::Now, outline)?
    {
        return Ok(None);
    }
    let (what, author) = (RemovedObject::Assessment(target.id), author.clone());
    let reason = RemovalReason::NoLongerShared;
    Ok(Some(Removal { place: FeedPosition::after_item(at), version, what, author, reason }))
}
