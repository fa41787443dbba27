//! The policy for liaisons: their access to a version begins and ends with its release. They are in no audience.
//!
//! A liaison receives a version with the entry that releases it, and its removal with the entry that ends the
//! release. If a new version replaces a released one, the removal comes first, then the new version if it is released
//! too.

mod assessments;

pub use self::assessments::is_released_with_batch;
use self::assessments::{released_assessment, retracted_assessment};

use crate::domain::accepted::{ContributionRecord, EnforcementRecord, ReleaseState};
use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{
    Body, CampaignPut, Enforcements, ItemOutcome, Outcome, Releasable, ReleaseAction,
};
use crate::domain::sharing::Audience;
use crate::domain::{PartnerId, Position, Sharing};
use crate::error::Result;
use crate::exchange::feeds::changes::builder::{Change, EventBuilder, ReplacementBuilder};
use crate::exchange::feeds::changes::{Input, NextEvent};
use crate::exchange::feeds::event::{
    CampaignEvent, EnforcementEvent, FeedEvent, Removal, RemovalReason, RemovedObject,
};

/// The objects and liaisons of an entry. Its outcomes are one for each pair, in the order of objects.
struct Pairs<'a> {
    author: &'a PartnerId,
    objects: &'a [Releasable],
    liaisons: &'a [PartnerId],
    /// Whether the entry releases. Otherwise it ends releases.
    is_release: bool,
}

/// The next changes of an entry that may begin or end releases. The position is inside the entry if the entry may have
/// more changes.
pub fn changes(input: &Input<'_>) -> Result<NextEvent> {
    let entry = input.entry();
    match &entry.body {
        Body::CampaignPut(put) => contribution_changes(input, put),
        Body::Enforcements(report) => enforcement_changes(input, report),
        _ => release_changes(input),
    }
}

/// The changes of a release, a retraction, or an expiry of releases.
pub fn release_changes(input: &Input<'_>) -> Result<NextEvent> {
    let entry = input.entry();
    let nothing = NextEvent { event: None, position: FeedPosition::after_entry(entry.sequence) };
    let pairs = match (&entry.body, &entry.author) {
        (Body::Release(release), Some(author)) => Pairs {
            author,
            objects: &release.objects,
            liaisons: &release.liaisons,
            is_release: matches!(release.action, ReleaseAction::Release { .. }),
        },
        (Body::ReleaseEnd(end), _) => Pairs {
            author: &end.partner,
            objects: &end.objects,
            liaisons: &end.liaisons,
            is_release: false,
        },
        _ => return Ok(nothing),
    };
    let own_index =
        pairs.liaisons.iter().position(|liaison| *liaison == input.visibility.reader().id);
    let Some(own_index) = own_index.filter(|_| pairs.is_release || input.may_hold_versions())
    else {
        return Ok(nothing);
    };
    let outcome = input.view.outcome(entry.sequence)?;
    let Outcome::Applied(outcomes) = &*outcome else { return Ok(nothing) };
    let mut builder = EventBuilder::after(input.after);
    for (object_index, object) in pairs.objects.iter().enumerate() {
        let index = object_index * pairs.liaisons.len() + own_index;
        let at = Position::new(entry.sequence, u32::try_from(index).unwrap_or(u32::MAX));
        let Some(outcome) = outcomes.get(index).filter(|_| !input.was_delivered(at)) else {
            continue;
        };
        let change = match outcome {
            ItemOutcome::Released(_) => released_object(input, pairs.author, object, at)?,
            ItemOutcome::Retracted(version) => {
                let removal = retracted_object(input, pairs.author, object, *version, at)?;
                removal.map(Change::Removal)
            }
            _ => None,
        };
        if let Some(change) = change
            && !builder.add(change, FeedPosition::after_item(at))
        {
            return Ok(builder.partial());
        }
    }
    Ok(builder.last(entry.sequence))
}

/// The changes of a contribution: the removal of the version that it replaces, if that was released to the
/// reader, and the contribution, if it is released too.
pub fn contribution_changes(input: &Input<'_>, put: &CampaignPut) -> Result<NextEvent> {
    let entry = input.entry();
    let nothing = NextEvent { event: None, position: FeedPosition::after_entry(entry.sequence) };
    let Some(author) = &entry.author else { return Ok(nothing) };
    let version = Position::new(entry.sequence, 0);
    let mut builder = ReplacementBuilder::after(input.after);
    let audience = AudienceDigest::of(&put.sharing.audience);
    let record = input.view.contribution(put.campaign, author, audience)?;
    let released = record.filter(|record| record.position == version).filter(|record| {
        is_released_with(input, author, (&record.sharing, &record.release_state), version)
    });
    let change = released.and_then(|record| {
        contribution_change(input, record, ReplacementBuilder::content_position(version))
    });
    let object = RemovedObject::Contribution(put.campaign);
    let removal =
        replaced_release(input, author, object, version)?.filter(|_| input.may_hold_versions());
    if !builder.add(version, removal, change) {
        return Ok(builder.partial());
    }
    Ok(builder.last(entry.sequence))
}

/// Like [`contribution_changes`], for a report of enforcements.
pub fn enforcement_changes(input: &Input<'_>, report: &Enforcements) -> Result<NextEvent> {
    let entry = input.entry();
    let nothing = NextEvent { event: None, position: FeedPosition::after_entry(entry.sequence) };
    let Some(author) = &entry.author else { return Ok(nothing) };
    let audience = AudienceDigest::of(&report.sharing.audience);
    let mut builder = ReplacementBuilder::after(input.after);
    for (index, enforcement) in &report.items {
        let version = Position::new(entry.sequence, *index);
        let record = input.view.enforcement(author, &enforcement.id, audience)?;
        let released = record.filter(|record| record.position == version).filter(|record| {
            is_released_with(input, author, (&record.sharing, &record.release_state), version)
        });
        let change = match released {
            Some(record) => {
                enforcement_change(input, record, ReplacementBuilder::content_position(version))?
            }
            None => None,
        };
        let object = RemovedObject::Enforcement(enforcement.id.clone());
        let removal =
            replaced_release(input, author, object, version)?.filter(|_| input.may_hold_versions());
        if !builder.add(version, removal, change) {
            return Ok(builder.partial());
        }
    }
    Ok(builder.last(entry.sequence))
}

/// Whether the reader receives a version with its own entry: the version is public, or that entry released it and the
/// release is still in force.
pub fn is_released_with(
    input: &Input<'_>,
    author: &PartnerId,
    (sharing, state): (&Sharing, &ReleaseState),
    version: Position,
) -> bool {
    let release = state.release_to(sharing, &input.visibility.reader().id);
    let is_released = sharing.audience == Audience::Public
        || release.is_some_and(|(_, since)| since == version.sequence);
    is_released && input.visibility.may_deliver(author, sharing, version, input.now)
}

/// A contribution, if the filter matches its campaign.
pub fn contribution_change(
    input: &Input<'_>,
    record: ContributionRecord,
    position: FeedPosition,
) -> Option<Change> {
    let matches = input.visibility.filter().matches_campaign(Some(record.campaign));
    matches.then(|| {
        let contribution = input.reader_view().contribution(record);
        Change::Campaign(Box::new(CampaignEvent { position, contribution }))
    })
}

/// An enforcement, if the filter matches it.
pub fn enforcement_change(
    input: &Input<'_>,
    record: EnforcementRecord,
    position: FeedPosition,
) -> Result<Option<Change>> {
    if !input.visibility.matches_enforcement(input.view, record.enforcement.campaign, input.now)? {
        return Ok(None);
    }
    let enforcement = input.reader_view().enforcement(record)?;
    Ok(Some(Change::Enforcement(EnforcementEvent { position, enforcement })))
}

/// An object whose release began at a position, if the object is current and the release is still in force.
pub fn released_object(
    input: &Input<'_>,
    author: &PartnerId,
    object: &Releasable,
    at: Position,
) -> Result<Option<Change>> {
    let position = FeedPosition::after_item(at);
    match object {
        Releasable::Assessment(target) => {
            Ok(released_assessment(input, author, target, at)?.map(Change::Item))
        }
        Releasable::Contribution { campaign, audience, version } => {
            let record = input.view.contribution(*campaign, author, *audience)?;
            let released = record.filter(|record| record.position == *version).filter(|record| {
                let release = (&record.sharing, &record.release_state);
                release_begins(input, author, release, *version, at)
            });
            Ok(released.and_then(|record| contribution_change(input, record, position)))
        }
        Releasable::Enforcement { id, audience, version } => {
            let record = input.view.enforcement(author, id, *audience)?;
            let released = record.filter(|record| record.position == *version).filter(|record| {
                let release = (&record.sharing, &record.release_state);
                release_begins(input, author, release, *version, at)
            });
            released.map_or(Ok(None), |record| enforcement_change(input, record, position))
        }
    }
}

/// Whether the release of a version to the reader begins at a position, and the reader may see it. False for a public
/// version: that is delivered with its own entry.
pub fn release_begins(
    input: &Input<'_>,
    author: &PartnerId,
    (sharing, state): (&Sharing, &ReleaseState),
    version: Position,
    at: Position,
) -> bool {
    let released_since =
        state.release_to(sharing, &input.visibility.reader().id).map(|(_, since)| since);
    released_since == Some(at.sequence)
        && sharing.audience != Audience::Public
        && input.visibility.may_deliver(author, sharing, version, input.now)
}

/// The removal of a released enforcement that a tip response replaces with its own counts.
pub fn replaced_by_response(input: &Input<'_>) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let (Body::TipResponded(response), Some(author)) = (&entry.body, &entry.author) else {
        return Ok(None);
    };
    let Some((enforcement, _)) =
        response.enforcement.as_ref().filter(|_| input.may_hold_versions())
    else {
        return Ok(None);
    };
    let object = RemovedObject::Enforcement(enforcement.id.clone());
    let version = Position::new(entry.sequence, 0);
    let removal = replaced_release(input, author, object, version)?;
    let position = FeedPosition::after_entry(entry.sequence);
    Ok(removal.map(|removal| FeedEvent::Removals(vec![Removal { position, ..removal }])))
}

/// The removal of the version that was released to the reader and that the version at `at` replaces. The caller
/// sets its position.
fn replaced_release(
    input: &Input<'_>,
    author: &PartnerId,
    object: RemovedObject,
    at: Position,
) -> Result<Option<Removal>> {
    if !input.visibility.filter().is_empty() {
        return Ok(None);
    }
    let replaced = input
        .view
        .replaced_version(at)?
        .filter(|replaced| replaced.liaisons.contains(&input.visibility.reader().id));
    Ok(replaced.map(|replaced| Removal {
        position: FeedPosition::after_item(at),
        version: replaced.version,
        object,
        author: author.clone(),
        reason: RemovalReason::Replaced,
    }))
}

/// The removal of an object whose release to the reader ended at a position.
fn retracted_object(
    input: &Input<'_>,
    author: &PartnerId,
    released: &Releasable,
    version: Position,
    at: Position,
) -> Result<Option<Removal>> {
    let (object, sharing) = match released {
        Releasable::Assessment(target) => {
            return retracted_assessment(input, author, target, version, at);
        }
        Releasable::Contribution { campaign, audience, .. } => {
            let record = input.view.contribution(*campaign, author, *audience)?;
            (RemovedObject::Contribution(*campaign), record.map(|record| record.sharing))
        }
        Releasable::Enforcement { id, audience, .. } => {
            let record = input.view.enforcement(author, id, *audience)?;
            (RemovedObject::Enforcement(id.clone()), record.map(|record| record.sharing))
        }
    };
    // The reader may still see a public object. A filter matches assessments only.
    if !input.visibility.filter().is_empty()
        || sharing.is_some_and(|sharing| sharing.audience == Audience::Public)
    {
        return Ok(None);
    }
    let (position, author) = (FeedPosition::after_item(at), author.clone());
    let reason = RemovalReason::NoLongerShared;
    Ok(Some(Removal { position, version, object, author, reason }))
}
