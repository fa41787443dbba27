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

/// An assessment whose release began at a position, if it is current and that release still in force.
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
    let began = current.release_to(&reader.id).map(|(_, since)| since);
    if began != Some(at.sequence) || current.sharing.audience == Audience::Public {
        return Ok(None);
    }
    let (sharing, said) = (&current.sharing, &current.assessment);
    if !input.visibility.may_deliver_content(
        input.view,
        VersionMeta { author, version, sharing, assessment: said },
        input.now,
    )? {
        return Ok(None);
    }
    let part = sharing.view_for(reader, author, version);
    input.visibility.redact(input.view, author, &mut current.assessment, input.now)?;
    Ok(Some(FeedItem {
        place: FeedPosition::after_item(at),
        author: author.clone(),
        record: current,
        view: part,
    }))
}

/// Whether the reader receives an item with its batch: it is public, or the batch released it and the release is
/// still in force.
pub fn is_released_with_batch(
    input: &Input<'_>,
    author: &PartnerId,
    batch: &Batch,
    at: usize,
    version: Position,
) -> Result<bool> {
    let (item, now) = (&batch.items[at], input.now);
    let (sharing, said) = (&batch.sharing, &item.assessment);
    if sharing.audience == Audience::Public {
        return input.visibility.may_deliver_content(
            input.view,
            VersionMeta { author, version, sharing, assessment: said },
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
            VersionMeta { author, version, sharing, assessment: said },
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
    let (sharing, said) = match current {
        Some(current) => (current.sharing, current.assessment),
        None => match input.view.closed_version(version)? {
            Some(closed) => (closed.sharing, closed.metadata),
            None => return Ok(None),
        },
    };
    let outline = VersionMeta { author, version, sharing: &sharing, assessment: &said };
    if sharing.audience == Audience::Public
        || !input.visibility.matches_filter(
            input.view,
            input.visibility.reader(),
            AsOf::Now(input.now),
            outline,
        )?
    {
        return Ok(None);
    }
    let (what, author) = (RemovedObject::Assessment(target.id), author.clone());
    let reason = RemovalReason::NoLongerShared;
    Ok(Some(Removal { place: FeedPosition::after_item(at), version, what, author, reason }))
}
