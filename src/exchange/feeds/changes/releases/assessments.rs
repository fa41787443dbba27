//! Releases of assessments.

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Batch, Target};
use crate::domain::sharing::Audience;
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::feeds::changes::Input;
use crate::exchange::feeds::event::{FeedItem, Removal, RemovalReason, RemovedObject};
use crate::exchange::visibility::{AsOf, VersionMeta};

/// An assessment whose release began at a position, if the assessment is current and the release is still in force.
pub fn released_assessment(
    input: &Input<'_>,
    author: &PartnerId,
    target: &Target,
    at: Position,
) -> Result<Option<FeedItem>> {
    let current = input.view.current(target.id, author, target.audience)?;
    let current = current.filter(|current| Some(current.version) == target.version);
    let Some(mut current) = current else { return Ok(None) };
    let (reader, version) = (input.visibility.reader(), current.version);
    // A public assessment was delivered with its batch.
    let released_since = current.release_to(&reader.id).map(|(_, since)| since);
    if released_since != Some(at.sequence) || current.sharing.audience == Audience::Public {
        return Ok(None);
    }
    let (sharing, assessment) = (&current.sharing, &current.assessment);
    if !input.visibility.may_deliver_content(
        input.view,
        VersionMeta { author, version, sharing, assessment },
        input.now,
    )? {
        return Ok(None);
    }
    let sharing_view = sharing.view_for(reader, author, version);
    input.visibility.redact(input.view, author, &mut current.assessment, input.now)?;
    Ok(Some(FeedItem {
        position: FeedPosition::after_item(at),
        author: author.clone(),
        record: current,
        sharing: sharing_view,
    }))
}

/// Whether the reader receives an item with its batch: it is public, or the batch released it and the release is
/// still in force.
pub fn is_released_with_batch(
    input: &Input<'_>,
    author: &PartnerId,
    batch: &Batch,
    item_index: usize,
    version: Position,
) -> Result<bool> {
    let (item, now) = (&batch.items[item_index], input.now);
    let (sharing, assessment) = (&batch.sharing, &item.assessment);
    if sharing.audience == Audience::Public {
        return input.visibility.may_deliver_content(
            input.view,
            VersionMeta { author, version, sharing, assessment },
            now,
        );
    }
    let liaison = &input.visibility.reader().id;
    if !sharing.releases.iter().any(|release| release.liaison == *liaison) {
        return Ok(false);
    }
    let audience = AudienceDigest::of(&sharing.audience);
    let current = input.view.current(item.id, author, audience)?;
    let Some(current) = current.filter(|current| current.version == version) else {
        return Ok(false);
    };
    let sharing = &current.sharing;
    Ok(current.release_to(liaison).is_some_and(|(_, since)| since == version.sequence)
        && input.visibility.may_deliver_content(
            input.view,
            VersionMeta { author, version, sharing, assessment },
            now,
        )?)
}

/// The removal of an assessment whose release to the reader ended at a position.
pub fn retracted_assessment(
    input: &Input<'_>,
    author: &PartnerId,
    target: &Target,
    version: Position,
    at: Position,
) -> Result<Option<Removal>> {
    let current = input.view.current(target.id, author, target.audience)?;
    let current = current.filter(|current| current.version == version);
    let (sharing, assessment) = match current {
        Some(current) => (current.sharing, current.assessment),
        None => match input.view.closed_version(version)? {
            Some(closed) => (closed.sharing, closed.metadata),
            None => return Ok(None),
        },
    };
    let meta = VersionMeta { author, version, sharing: &sharing, assessment: &assessment };
    if sharing.audience == Audience::Public
        || !input.visibility.matches_filter(
            input.view,
            input.visibility.reader(),
            AsOf::Now(input.now),
            meta,
        )?
    {
        return Ok(None);
    }
    let (object, author) = (RemovedObject::Assessment(target.id), author.clone());
    let reason = RemovalReason::NoLongerShared;
    Ok(Some(Removal { position: FeedPosition::after_item(at), version, object, author, reason }))
}
