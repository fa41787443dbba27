//! Who was told that versions ended: the evidence, for their author.

use super::feeds::{Outline, Sight, When, ending};
use super::partners::{Page, page};
use super::{Caller, Exchange};
use crate::domain::cursor::Place;
use crate::domain::entry::{Body, ItemOutcome, Outcome};
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::index::record::ClosedVersion;
use crate::journal::StoredSubscription;

/// The most ended versions that an answer names.
const MOST_NAMED: usize = 1_000;

/// A subscription whose reader was to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// Whose subscription.
    pub partner: PartnerId,
    /// Its name.
    pub subscription: String,
    /// How many of the versions its reader could see, and asked for.
    pub removals: usize,
    /// Whether it has acknowledged past all of them.
    pub acknowledged: bool,
    /// When it last acknowledged anything.
    pub acknowledged_at: Option<Timestamp>,
}

/// A caller's versions that an entry ended.
struct Ending {
    author: PartnerId,
    sequence: u64,
    at: Timestamp,
    /// Each version, with the item of the entry by which it ended.
    versions: Vec<(Position, ClosedVersion)>,
}

impl Exchange {
    /// Which subscriptions were to be told of the end of a caller's versions by an entry, a page of
    /// them by partner and name, and the versions. An error where it ended none of the caller's.
    pub fn list_deliveries(
        &self,
        caller: &Caller,
        sequence: u64,
        after: &str,
        size: usize,
    ) -> Result<(Page<Delivered>, Vec<Position>)> {
        let ending = self.ended_by(caller, sequence)?;
        let mut told = Vec::new();
        for subscription in self.every_subscription() {
            // One that was made later begins behind it, or passes over what it never gave.
            if subscription.partner != ending.author && subscription.created <= ending.at {
                told.extend(self.told_of(&subscription, &ending)?);
            }
        }
        let keys: Vec<String> =
            told.iter().map(|one| format!("{} {}", one.partner, one.subscription)).collect();
        let page = page(keys.iter().map(String::as_str).zip(&told), after, size);
        let named = ending.versions.iter().map(|(version, _)| *version).take(MOST_NAMED);
        Ok((page, named.collect()))
    }

    fn ended_by(&self, caller: &Caller, sequence: u64) -> Result<Ending> {
        let nothing = || {
            let message = "this entry ended nothing of yours";
            Error::new(Kind::NotFound, "nothing_ended", message)
        };
        if sequence == 0 || sequence > self.index.checkpoint() {
            return Err(nothing());
        }
        let logged = self.entry(sequence)?;
        let author = match &logged.entry.body {
            Body::SubmissionBatch(_) => logged.entry.author.as_ref(),
            body => ending(body).map(|(author, _)| author),
        };
        let author = author.filter(|author| *author == caller.partner()).ok_or_else(nothing)?;
        let outcome = self.index.applied_outcome(sequence)?;
        let Outcome::Taken(outcomes) = &*outcome else { return Err(nothing()) };
        let mut versions = Vec::new();
        for version in outcomes.iter().copied().flat_map(ItemOutcome::ended) {
            if let Some(closed) = self.index.closed_version(version)? {
                versions.push((version, closed));
            }
        }
        if versions.is_empty() {
            return Err(nothing());
        }
        Ok(Ending { author: author.clone(), sequence, at: logged.entry.time, versions })
    }

    /// What a subscription's reader was to be told; `None` where that was nothing.
    fn told_of(
        &self,
        subscription: &StoredSubscription,
        ending: &Ending,
    ) -> Result<Option<Delivered>> {
        // One of a partner that a restored journal does not know has no reader.
        if self.registry().partner(&subscription.partner).is_none() {
            return Ok(None);
        }
        let sight = Sight::new(self, &subscription.partner, subscription.filter.clone())?;
        let Some(then) = sight.reader_at(ending.sequence.saturating_sub(1)) else {
            return Ok(None);
        };
        let before = When::At(ending.sequence.saturating_sub(1));
        let mut removals = 0;
        let mut last = Place::default();
        for (version, closed) in &ending.versions {
            let (author, sharing, said) = (&ending.author, &closed.sharing, &closed.outline);
            let outline = Outline { author, version: *version, sharing, said };
            if sight.wants(&then, before, outline)? {
                removals += 1;
                last = last.max(Place::behind(closed.by));
            }
        }
        if removals == 0 {
            return Ok(None);
        }
        let is_here = subscription.cursor.journal == self.index.journal();
        Ok(Some(Delivered {
            partner: subscription.partner.clone(),
            subscription: subscription.name.to_string(),
            removals,
            acknowledged: is_here && subscription.cursor.place >= last,
            acknowledged_at: subscription.acknowledged,
        }))
    }
}
