//! The policy for liaisons: a release begins or ends, instead of an audience that the reader is part of.
//!
//! A liaison receives a version with the entry that releases it, and its removal with the entry that ends the
//! release. A new version replaces a released one: the removal comes first, then the version if it is released too.

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
use crate::exchange::feeds::changes::{Changes, Input};
use crate::exchange::feeds::event::{
    CampaignEvent, EnforcementEvent, FeedEvent, Removal, RemovalReason, RemovedObject,
};

/// An entry has one outcome for each pair of an object and a liaison.
struct Pairs<'a> {
    author: &'a PartnerId,
    objects: &'a [Releasable],
    liaisons: &'a [PartnerId],
    begins: bool,
}

/// The changes of an entry that may begin or end releases. The position is inside the entry where there may be
/// more.
pub fn changes(input: &Input<'_>) -> Result<Changes> {
    let entry = input.entry();
    match &entry.body {
        Body::CampaignPut(put) => contribution_changes(input, put),
        Body::Enforcements(report) => enforcement_changes(input, report),
        _ => release_changes(input),
    }
}

/// The changes of a release, a retraction, or an expiry of releases.
pub fn release_changes(input: &Input<'_>) -> Result<Changes> {
    let entry = input.entry();
    let nothing = Changes { event: None, position: FeedPosition::after_entry(entry.sequence) };
    let pairs = match (&entry.body, &entry.author) {
        (Body::Release(release), Some(author)) => Pairs {
            author,
            objects: &release.objects,
            liaisons: &release.liaisons,
            begins: matches!(release.action, ReleaseAction::Release { .. }),
        },
        (Body::ReleaseEnd(end), _) => Pairs {
            author: &end.partner,
            objects: &end.objects,
            liaisons: &end.liaisons,
            begins: false,
        },
        _ => return Ok(nothing),
    };
    let own = pairs.liaisons.iter().position(|liaison| *liaison == input.visibility.reader().id);
    let Some(own) = own.filter(|_| pairs.begins || input.may_hold_versions()) else {
        return Ok(nothing);
    };
    let outcome = input.view.outcome(entry.sequence)?;
    let Outcome::Applied(outcomes) = &*outcome else { return Ok(nothing) };
    let mut builder = EventBuilder::after(input.after);
    for (number, object) in pairs.objects.iter().enumerate() {
        let at = number * pairs.liaisons.len() + own;
        let place = Position::new(entry.sequence, u32::try_from(at).unwrap_or(u32::MAX));
        let Some(outcome) = outcomes.get(at).filter(|_| !input.was_delivered(place)) else {
            continue;
        };
        let one = match outcome {
            ItemOutcome::Released(_) => released_object(input, pairs.author, object, place)?,
            ItemOutcome::Retracted(version) => {
                let ended = retracted_object(input, pairs.author, object, *version, place)?;
                ended.map(Change::Removal)
            }
            _ => None,
        };
        if let Some(one) = one
            && !builder.add(one, FeedPosition::after_item(place))
        {
            return Ok(builder.partial());
        }
    }
    Ok(builder.last(entry.sequence))
}

/// The changes of a contribution: the removal of the version that it replaces, if that was released to the
/// reader, and the contribution, if it is released too.
pub fn contribution_changes(input: &Input<'_>, put: &CampaignPut) -> Result<Changes> {
    let entry = input.entry();
    let nothing = Changes { event: None, position: FeedPosition::after_entry(entry.sequence) };
    let Some(author) = &entry.author else { return Ok(nothing) };
    let version = Position::new(entry.sequence, 0);
    let mut steps = ReplacementBuilder::after(input.after);
    let audience = AudienceDigest::of(&put.sharing.audience);
    let kept = input.view.contribution(put.campaign, author, audience)?;
    let given = kept.filter(|kept| kept.position == version).filter(|kept| {
        is_released_with(input, author, (&kept.sharing, &kept.release_state), version)
    });
    let given = given.and_then(|kept| {
        contribution_change(input, kept, ReplacementBuilder::content_position(version))
    });
    let what = RemovedObject::Contribution(put.campaign);
    let lost =
        replaced_release(input, author, what, version)?.filter(|_| input.may_hold_versions());
    if !steps.add(version, lost, given) {
        return Ok(steps.partial());
    }
    Ok(steps.last(entry.sequence))
}

/// Like [`contribution_changes`], for a report of enforcements.
pub fn enforcement_changes(input: &Input<'_>, report: &Enforcements) -> Result<Changes> {
    let entry = input.entry();
    let nothing = Changes { event: None, position: FeedPosition::after_entry(entry.sequence) };
    let Some(author) = &entry.author else { return Ok(nothing) };
    let audience = AudienceDigest::of(&report.sharing.audience);
    let mut steps = ReplacementBuilder::after(input.after);
    for (index, enforcement) in &report.items {
        let version = Position::new(entry.sequence, *index);
        let kept = input.view.enforcement(author, &enforcement.id, audience)?;
        let given = kept.filter(|kept| kept.position == version).filter(|kept| {
            is_released_with(input, author, (&kept.sharing, &kept.release_state), version)
        });
        let given = match given {
            Some(kept) => {
                enforcement_change(input, kept, ReplacementBuilder::content_position(version))?
            }
            None => None,
        };
        let what = RemovedObject::Enforcement(enforcement.id.clone());
        let lost =
            replaced_release(input, author, what, version)?.filter(|_| input.may_hold_versions());
        if !steps.add(version, lost, given) {
            return Ok(steps.partial());
        }
    }
    Ok(steps.last(entry.sequence))
}

/// Whether the reader receives a version with its own entry: it is public, or that entry released it and the
/// release is still in force.
pub fn is_released_with(
    input: &Input<'_>,
    author: &PartnerId,
    (sharing, state): (&Sharing, &ReleaseState),
    version: Position,
) -> bool {
    let released = state.release_to(sharing, &input.visibility.reader().id);
    let comes = sharing.audience == Audience::Public
        || released.is_some_and(|(_, since)| since == version.sequence);
    comes && input.visibility.may_deliver(author, sharing, version, input.now)
}

/// A contribution, if the filter matches its campaign.
pub fn contribution_change(
    input: &Input<'_>,
    kept: ContributionRecord,
    place: FeedPosition,
) -> Option<Change> {
    let asks = input.visibility.filter().matches_campaign(Some(kept.campaign));
    asks.then(|| {
        let contributed = input.seen().contribution(kept);
        Change::Campaign(Box::new(CampaignEvent { place, contribution: contributed }))
    })
}

/// An enforcement, if the filter matches it.
pub fn enforcement_change(
    input: &Input<'_>,
    kept: EnforcementRecord,
    place: FeedPosition,
) -> Result<Option<Change>> {
    if !input.visibility.matches_enforcement(input.view, &kept.enforcement, input.now)? {
        return Ok(None);
    }
    let deed = input.seen().enforcement(kept)?;
    Ok(Some(Change::Enforcement(EnforcementEvent { place, enforcement: deed })))
}

/// An object whose release began at a position, if it is current and that release still in force.
pub fn released_object(
    input: &Input<'_>,
    author: &PartnerId,
    object: &Releasable,
    at: Position,
) -> Result<Option<Change>> {
    let place = FeedPosition::after_item(at);
    match object {
        Releasable::Assessment(target) => {
            Ok(released_assessment(input, author, target, at)?.map(Change::Item))
        }
        Releasable::Contribution { campaign, audience, version } => {
            let kept = input.view.contribution(*campaign, author, *audience)?;
            let kept = kept.filter(|kept| kept.position == *version).filter(|kept| {
                release_begins(input, author, (&kept.sharing, &kept.release_state), *version, at)
            });
            Ok(kept.and_then(|kept| contribution_change(input, kept, place)))
        }
        Releasable::Enforcement { id, audience, version } => {
            let kept = input.view.enforcement(author, id, *audience)?;
            let kept = kept.filter(|kept| kept.position == *version).filter(|kept| {
                release_begins(input, author, (&kept.sharing, &kept.release_state), *version, at)
            });
            kept.map_or(Ok(None), |kept| enforcement_change(input, kept, place))
        }
    }
}

/// Whether the release of a version to the reader begins with an entry. Public versions are delivered with their
/// own entry instead.
pub fn release_begins(
    input: &Input<'_>,
    author: &PartnerId,
    (sharing, state): (&Sharing, &ReleaseState),
    version: Position,
    at: Position,
) -> bool {
    let began = state.release_to(sharing, &input.visibility.reader().id).map(|(_, since)| since);
    began == Some(at.sequence)
        && sharing.audience != Audience::Public
        && input.visibility.may_deliver(author, sharing, version, input.now)
}

/// The removal of a released enforcement that the counts of a tip response replace.
pub fn replaced_by_response(input: &Input<'_>) -> Result<Option<FeedEvent>> {
    let entry = input.entry();
    let (Body::TipResponded(response), Some(author)) = (&entry.body, &entry.author) else {
        return Ok(None);
    };
    let Some((done, _)) = response.enforcement.as_ref().filter(|_| input.may_hold_versions())
    else {
        return Ok(None);
    };
    let what = RemovedObject::Enforcement(done.id.clone());
    let version = Position::new(entry.sequence, 0);
    let lost = replaced_release(input, author, what, version)?;
    let place = FeedPosition::after_entry(entry.sequence);
    Ok(lost.map(|lost| FeedEvent::Removals(vec![Removal { place, ..lost }])))
}

/// The removal of the version that was released to the reader and that the version at `at` replaces. The caller
/// sets its position.
fn replaced_release(
    input: &Input<'_>,
    author: &PartnerId,
    what: RemovedObject,
    at: Position,
) -> Result<Option<Removal>> {
    if !input.visibility.filter().is_empty() {
        return Ok(None);
    }
    let lost = input
        .view
        .replaced_version(at)?
        .filter(|one| one.liaisons.contains(&input.visibility.reader().id));
    Ok(lost.map(|lost| Removal {
        place: FeedPosition::after_item(at),
        version: lost.version,
        what,
        author: author.clone(),
        reason: RemovalReason::Replaced,
    }))
}

/// The removal of an object whose release to the reader ended at a position.
fn retracted_object(
    input: &Input<'_>,
    author: &PartnerId,
    object: &Releasable,
    version: Position,
    at: Position,
) -> Result<Option<Removal>> {
    let (what, sharing) = match object {
        Releasable::Assessment(target) => {
            return retracted_assessment(input, author, target, version, at);
        }
        Releasable::Contribution { campaign, audience, .. } => {
            let kept = input.view.contribution(*campaign, author, *audience)?;
            (RemovedObject::Contribution(*campaign), kept.map(|kept| kept.sharing))
        }
        Releasable::Enforcement { id, audience, .. } => {
            let kept = input.view.enforcement(author, id, *audience)?;
            (RemovedObject::Enforcement(id.clone()), kept.map(|kept| kept.sharing))
        }
    };
    // Public objects stay, and a filter matches assessments only.
    if !input.visibility.filter().is_empty()
        || sharing.is_some_and(|sharing| sharing.audience == Audience::Public)
    {
        return Ok(None);
    }
    let (place, author) = (FeedPosition::after_item(at), author.clone());
    let reason = RemovalReason::NoLongerShared;
    Ok(Some(Removal { place, version, what, author, reason }))
}
