//! What a liaison is told of releases: the version where its release begins, and to drop it where that
//! ends.

mod assessments;

use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{
    Body, CampaignPut, Enforcements, Entry, ItemOutcome, Outcome, Releasable, ReleaseAction,
};
use crate::domain::sharing::Audience;
use crate::domain::{PartnerId, Position, Sharing};
use crate::error::Result;
use crate::exchange::core::Core;
use crate::exchange::feeds::changes::builder::{Change, EventBuilder, ReplacementBuilder};
use crate::exchange::feeds::changes::campaigns::follows;
use crate::exchange::feeds::changes::releases::assessments::retracted_assessment;
use crate::exchange::feeds::event::{
    CampaignEvent, EnforcementEvent, FeedEvent, Removal, RemovalReason, RemovedObject,
};
use crate::exchange::visibility::{ReaderView, Visibility};
use crate::index::View;
use crate::index::record::{ContributionRecord, EnforcementRecord, ReleaseState};

/// The pairs of an object and a liaison of an entry.
struct Pairs<'a> {
    author: &'a PartnerId,
    objects: &'a [Releasable],
    liaisons: &'a [PartnerId],
    begins: bool,
}

impl Core {
    /// What there is for a liaison in an entry that may begin or end a release, behind a place, and the
    /// place behind that: within the entry where there may be more.
    pub(in crate::exchange) fn by_lane(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        behind: FeedPosition,
        may_hold_versions: bool,
    ) -> Result<(Option<FeedEvent>, FeedPosition)> {
        match &entry.body {
            Body::CampaignPut(put) => {
                self.contribution_changes(view, sight, entry, put, behind, may_hold_versions)
            }
            Body::Enforcements(report) => {
                self.enforcement_changes(view, sight, entry, report, behind, may_hold_versions)
            }
            _ => self.release_changes(view, sight, entry, behind, may_hold_versions),
        }
    }

    /// What there is for a liaison in an entry about releases, behind a place, and the place behind that:
    /// within the entry where there may be more.
    pub(in crate::exchange) fn release_changes(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        behind: FeedPosition,
        may_hold_versions: bool,
    ) -> Result<(Option<FeedEvent>, FeedPosition)> {
        let done = FeedPosition::after_entry(entry.sequence);
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
            _ => return Ok((None, done)),
        };
        let own = pairs.liaisons.iter().position(|liaison| *liaison == sight.reader().id);
        let Some(own) = own.filter(|_| pairs.begins || may_hold_versions) else {
            return Ok((None, done));
        };
        let outcome = self.index.applied_outcome(entry.sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else { return Ok((None, done)) };
        let mut told = EventBuilder::behind(behind);
        for (number, object) in pairs.objects.iter().enumerate() {
            let at = number * pairs.liaisons.len() + own;
            let place = Position::new(entry.sequence, u32::try_from(at).unwrap_or(u32::MAX));
            let Some(outcome) = outcomes.get(at).filter(|_| place > behind.after) else { continue };
            let one = match outcome {
                ItemOutcome::Released(_) => {
                    self.released_object(view, sight, pairs.author, object, place)?
                }
                ItemOutcome::Retracted(version) => {
                    let ended =
                        retracted_object(view, sight, pairs.author, object, *version, place)?;
                    ended.map(Change::Removed)
                }
                _ => None,
            };
            if let Some(one) = one
                && !told.add(one, FeedPosition::after_item(place))
            {
                return Ok((told.delivery, told.place));
            }
        }
        Ok((told.delivery, done))
    }

    /// What there is for a liaison in what is said of a campaign: to drop what it takes the place of, where
    /// that was released to it, and what is said, where this is or was released with it.
    pub(in crate::exchange) fn contribution_changes(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        put: &CampaignPut,
        behind: FeedPosition,
        may_hold_versions: bool,
    ) -> Result<(Option<FeedEvent>, FeedPosition)> {
        let done = FeedPosition::after_entry(entry.sequence);
        let Some(author) = &entry.author else { return Ok((None, done)) };
        let version = Position::new(entry.sequence, 0);
        let mut steps = ReplacementBuilder::behind(behind);
        let audience = AudienceDigest::of(&put.sharing.audience);
        let kept = view.contribution(put.campaign, author, audience)?;
        let given = kept.filter(|kept| kept.position == version).filter(|kept| {
            self.is_released_with(sight, author, (&kept.sharing, &kept.release_state), version)
        });
        let given = given.and_then(|kept| {
            self.contribution_change(view, sight, kept, ReplacementBuilder::content(version))
        });
        let what = RemovedObject::Contribution(put.campaign);
        let lost = lost(view, sight, author, what, version)?.filter(|_| may_hold_versions);
        if !steps.add(version, lost, given) {
            return Ok(steps.so_far());
        }
        Ok((steps.so_far().0, done))
    }

    /// The same of a report of enforcements.
    pub(in crate::exchange) fn enforcement_changes(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        entry: &Entry,
        report: &Enforcements,
        behind: FeedPosition,
        may_hold_versions: bool,
    ) -> Result<(Option<FeedEvent>, FeedPosition)> {
        let done = FeedPosition::after_entry(entry.sequence);
        let Some(author) = &entry.author else { return Ok((None, done)) };
        let audience = AudienceDigest::of(&report.sharing.audience);
        let mut steps = ReplacementBuilder::behind(behind);
        for (index, enforcement) in &report.items {
            let version = Position::new(entry.sequence, *index);
            let kept = view.enforcement(author, &enforcement.id, audience)?;
            let given = kept.filter(|kept| kept.position == version).filter(|kept| {
                self.is_released_with(sight, author, (&kept.sharing, &kept.release_state), version)
            });
            let given = match given {
                Some(kept) => self.enforcement_change(
                    view,
                    sight,
                    kept,
                    ReplacementBuilder::content(version),
                )?,
                None => None,
            };
            let what = RemovedObject::Enforcement(enforcement.id.clone());
            let lost = lost(view, sight, author, what, version)?.filter(|_| may_hold_versions);
            if !steps.add(version, lost, given) {
                return Ok(steps.so_far());
            }
        }
        Ok((steps.so_far().0, done))
    }

    /// Whether a liaison is given a version where it stands in the feed: it is public, or its release
    /// began with it and is still the one in force.
    pub(in crate::exchange) fn is_released_with(
        &self,
        sight: &Visibility,
        author: &PartnerId,
        (sharing, lane): (&Sharing, &ReleaseState),
        version: Position,
    ) -> bool {
        let released = lane.release_to(sharing, &sight.reader().id);
        let comes = sharing.audience == Audience::Public
            || released.is_some_and(|(_, since)| since == version.sequence);
        comes && sight.may_deliver(author, sharing, version, self.clock.now())
    }

    /// What is said of a campaign, if the liaison asks for it.
    pub(in crate::exchange) fn contribution_change(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        kept: ContributionRecord,
        place: FeedPosition,
    ) -> Option<Change> {
        let asks = sight.filter().matches_campaign(Some(kept.campaign));
        asks.then(|| {
            let contributed =
                ReaderView::new(view, sight.reader(), self.clock.now()).contribution(kept);
            Change::Said(Box::new(CampaignEvent { place, contribution: contributed }))
        })
    }

    /// What was done, if the liaison asks for it.
    pub(in crate::exchange) fn enforcement_change(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        kept: EnforcementRecord,
        place: FeedPosition,
    ) -> Result<Option<Change>> {
        if !follows(view, sight, &kept.enforcement)? {
            return Ok(None);
        }
        let deed = ReaderView::new(view, sight.reader(), self.clock.now()).enforcement(kept)?;
        Ok(Some(Change::Done(EnforcementEvent { place, enforcement: deed })))
    }

    /// An object whose release began at a place, where it is still current and that release still the
    /// one in force.
    pub(in crate::exchange) fn released_object(
        &self,
        view: &View<'_>,
        sight: &Visibility,
        author: &PartnerId,
        object: &Releasable,
        at: Position,
    ) -> Result<Option<Change>> {
        let place = FeedPosition::after_item(at);
        match object {
            Releasable::Assessment(target) => {
                Ok(self.released_assessment(view, sight, author, target, at)?.map(Change::Shown))
            }
            Releasable::Contribution { campaign, audience, version } => {
                let kept = view.contribution(*campaign, author, *audience)?;
                let kept = kept.filter(|kept| kept.position == *version).filter(|kept| {
                    self.begins(sight, author, (&kept.sharing, &kept.release_state), *version, at)
                });
                Ok(kept.and_then(|kept| self.contribution_change(view, sight, kept, place)))
            }
            Releasable::Enforcement { id, audience, version } => {
                let kept = view.enforcement(author, id, *audience)?;
                let kept = kept.filter(|kept| kept.position == *version).filter(|kept| {
                    self.begins(sight, author, (&kept.sharing, &kept.release_state), *version, at)
                });
                kept.map_or(Ok(None), |kept| self.enforcement_change(view, sight, kept, place))
            }
        }
    }

    /// Whether a liaison's release of a version begins with an entry. What is public was given where it
    /// came.
    pub(in crate::exchange) fn begins(
        &self,
        sight: &Visibility,
        author: &PartnerId,
        (sharing, lane): (&Sharing, &ReleaseState),
        version: Position,
        at: Position,
    ) -> bool {
        let began = lane.release_to(sharing, &sight.reader().id).map(|(_, since)| since);
        began == Some(at.sequence)
            && sharing.audience != Audience::Public
            && sight.may_deliver(author, sharing, version, self.clock.now())
    }
}

/// What a liaison is to drop since what was done with an answer to a tip took its place.
pub(in crate::exchange) fn replaced_by_response(
    view: &View<'_>,
    sight: &Visibility,
    entry: &Entry,
    may_hold_versions: bool,
) -> Result<Option<FeedEvent>> {
    let (Body::TipResponded(response), Some(author)) = (&entry.body, &entry.author) else {
        return Ok(None);
    };
    let Some((done, _)) = response.enforcement.as_ref().filter(|_| may_hold_versions) else {
        return Ok(None);
    };
    let what = RemovedObject::Enforcement(done.id.clone());
    let version = Position::new(entry.sequence, 0);
    let lost = lost(view, sight, author, what, version)?;
    let place = FeedPosition::after_entry(entry.sequence);
    Ok(lost.map(|lost| FeedEvent::Removals(vec![Removal { place, ..lost }])))
}

/// What was released to a liaison and lost its place to a version; its place is set by who asks.
fn lost(
    view: &View<'_>,
    sight: &Visibility,
    author: &PartnerId,
    what: RemovedObject,
    at: Position,
) -> Result<Option<Removal>> {
    if !sight.filter().is_empty() {
        return Ok(None);
    }
    let lost = view.replaced_version(at)?.filter(|one| one.liaisons.contains(&sight.reader().id));
    Ok(lost.map(|lost| Removal {
        place: FeedPosition::after_item(at),
        version: lost.version,
        what,
        author: author.clone(),
        reason: RemovalReason::Replaced,
    }))
}

/// A version that a liaison held by a release up to a place, and no longer may.
fn retracted_object(
    view: &View<'_>,
    sight: &Visibility,
    author: &PartnerId,
    object: &Releasable,
    version: Position,
    at: Position,
) -> Result<Option<Removal>> {
    let (what, sharing) = match object {
        Releasable::Assessment(target) => {
            return retracted_assessment(view, sight, author, target, version, at);
        }
        Releasable::Contribution { campaign, audience, .. } => {
            let kept = view.contribution(*campaign, author, *audience)?;
            (RemovedObject::Contribution(*campaign), kept.map(|kept| kept.sharing))
        }
        Releasable::Enforcement { id, audience, .. } => {
            let kept = view.enforcement(author, id, *audience)?;
            (RemovedObject::Enforcement(id.clone()), kept.map(|kept| kept.sharing))
        }
    };
    // What is public stays, and a filter asks for assessments.
    if !sight.filter().is_empty()
        || sharing.is_some_and(|sharing| sharing.audience == Audience::Public)
    {
        return Ok(None);
    }
    let (place, author) = (FeedPosition::after_item(at), author.clone());
    let reason = RemovalReason::NoLongerShared;
    Ok(Some(Removal { place, version, what, author, reason }))
}
