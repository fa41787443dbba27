//! What a liaison is told of releases: the version where its release begins, and to drop it where that
//! ends.

use super::delivery::{Delivery, RemovalReason, Removed, Shown};
use super::sight::{Outline, Sight, When};
use crate::domain::audience::AudienceDigest;
use crate::domain::cursor::Place;
use crate::domain::entry::{
    Batch, Body, Entry, ItemOutcome, Outcome, Releasable, ReleaseAct, Target,
};
use crate::domain::sharing::Audience;
use crate::domain::{PartnerId, Position};
use crate::error::Result;
use crate::exchange::Exchange;

/// The pairs of an object and a liaison of an entry.
struct Pairs<'a> {
    author: &'a PartnerId,
    objects: &'a [Releasable],
    liaisons: &'a [PartnerId],
    begins: bool,
}

impl Exchange {
    /// What there is for a liaison in an entry about releases, behind a place.
    pub(super) fn told_of_release(
        &self,
        sight: &Sight,
        entry: &Entry,
        behind: Place,
        holds_something: bool,
    ) -> Result<Option<Delivery>> {
        let pairs = match (&entry.body, &entry.author) {
            (Body::Release(release), Some(author)) => Pairs {
                author,
                objects: &release.objects,
                liaisons: &release.liaisons,
                begins: matches!(release.act, ReleaseAct::Release { .. }),
            },
            (Body::ReleaseEnd(end), _) => Pairs {
                author: &end.partner,
                objects: &end.objects,
                liaisons: &end.liaisons,
                begins: false,
            },
            _ => return Ok(None),
        };
        let own = pairs.liaisons.iter().position(|liaison| *liaison == sight.reader().id);
        let Some(own) = own.filter(|_| pairs.begins || holds_something) else { return Ok(None) };
        let outcome = self.index.applied_outcome(entry.sequence)?;
        let Outcome::Taken(outcomes) = &*outcome else { return Ok(None) };
        let (mut shown, mut removed) = (Vec::new(), Vec::new());
        for (number, object) in pairs.objects.iter().enumerate() {
            let at = number * pairs.liaisons.len() + own;
            let place = Position::new(entry.sequence, u32::try_from(at).unwrap_or(u32::MAX));
            let (Releasable::Assessment(target), Some(outcome)) = (object, outcomes.get(at)) else {
                continue;
            };
            if place <= behind.after {
                continue;
            }
            match outcome {
                ItemOutcome::Released(_) => {
                    shown.extend(self.release_begun(sight, pairs.author, target, place)?);
                }
                ItemOutcome::Retracted(version) => {
                    removed.extend(self.release_ended(
                        sight,
                        pairs.author,
                        target,
                        *version,
                        place,
                    )?);
                }
                _ => {}
            }
        }
        if !removed.is_empty() {
            return Ok(Some(Delivery::Removals(removed)));
        }
        Ok((!shown.is_empty()).then_some(Delivery::Shown(shown)))
    }

    /// A version whose release began at a place, where it is still current and that release still the
    /// one in force.
    fn release_begun(
        &self,
        sight: &Sight,
        author: &PartnerId,
        target: &Target,
        at: Position,
    ) -> Result<Option<Shown>> {
        let current = self.index.current(target.id, author, target.audience)?;
        let current = current.filter(|current| Some(current.version) == target.version);
        let Some(mut current) = current else { return Ok(None) };
        let (reader, version) = (sight.reader(), current.version);
        // What is public was given where it came.
        let began = current.release_to(&reader.id).map(|(_, since)| since);
        if began != Some(at.sequence) || current.sharing.audience == Audience::Public {
            return Ok(None);
        }
        let (sharing, said) = (&current.sharing, &current.assessment);
        if !sight.gives(Outline { author, version, sharing, said }, self.clock.now())? {
            return Ok(None);
        }
        let view = sharing.seen_by(reader, author, version);
        sight.blank(author, &mut current.assessment)?;
        Ok(Some(Shown { place: Place::behind(at), author: author.clone(), current, view }))
    }

    /// A version that a liaison held by a release up to a place, and no longer may.
    fn release_ended(
        &self,
        sight: &Sight,
        author: &PartnerId,
        target: &Target,
        version: Position,
        at: Position,
    ) -> Result<Option<Removed>> {
        // In this order: a version that ends in between is found among the closed ones.
        let current = self.index.current(target.id, author, target.audience)?;
        let current = current.filter(|current| current.version == version);
        let (sharing, said) = match current {
            Some(current) => (current.sharing, current.assessment),
            None => match self.index.closed_version(version)? {
                Some(closed) => (closed.sharing, closed.outline),
                None => return Ok(None),
            },
        };
        let outline = Outline { author, version, sharing: &sharing, said: &said };
        if sharing.audience == Audience::Public
            || !sight.asks_for(sight.reader(), When::Now, outline)?
        {
            return Ok(None);
        }
        let (id, author) = (target.id, author.clone());
        let reason = RemovalReason::NoLongerShared;
        Ok(Some(Removed { place: Place::behind(at), version, id, author, reason }))
    }

    /// Whether a liaison is given an item of a batch where that stands in the feed: it is public, or its
    /// release began with the batch and is still the one in force.
    pub(super) fn gives_with_batch(
        &self,
        sight: &Sight,
        author: &PartnerId,
        batch: &Batch,
        at: usize,
        version: Position,
    ) -> Result<bool> {
        let (item, now) = (&batch.items[at], self.clock.now());
        let (sharing, said) = (&batch.sharing, &item.assessment);
        if sharing.audience == Audience::Public {
            return sight.gives(Outline { author, version, sharing, said }, now);
        }
        let liaison = &sight.reader().id;
        if !sharing.releases.iter().any(|release| release.liaison == *liaison) {
            return Ok(false);
        }
        let audience = AudienceDigest::of(&sharing.audience);
        let current = self.index.current(item.id, author, audience)?;
        let Some(current) = current.filter(|current| current.version == version) else {
            return Ok(false);
        };
        let sharing = &current.sharing;
        Ok(current.release_to(liaison).is_some_and(|(_, since)| since == version.sequence)
            && sight.gives(Outline { author, version, sharing, said }, now)?)
    }
}
