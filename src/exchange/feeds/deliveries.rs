//! Deliveries of removals: which subscriptions received the end of an author's versions. Evidence for the author.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::cursor::FeedPosition;
use crate::domain::entry::{Body, ItemOutcome, Outcome};
use crate::domain::subscription::Subscription;
use crate::domain::{PartnerId, Position, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::exchange::core::{Caller, Page, page};
use crate::exchange::feeds::Feeds;
use crate::exchange::feeds::changes::releases::replaced_by_response;
use crate::exchange::feeds::changes::removals::removal_cause;
use crate::exchange::feeds::changes::{Changes, Input, changes};
use crate::exchange::feeds::event::FeedEvent;
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};
use crate::index::View;
use crate::index::record::ClosedVersion;
use crate::journal::LoggedEntry;

/// The most versions that an answer names.
const MOST_NAMED: usize = 1_000;

/// A subscription that removals were delivered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalDelivery {
    /// The partner of the subscription.
    pub partner: PartnerId,
    /// Its name.
    pub subscription: String,
    /// The number of removals.
    pub removals: usize,
    /// Whether it acknowledged a position after all of them.
    pub acknowledged: bool,
    /// The time of its last acknowledgement.
    pub acknowledged_at: Option<Timestamp>,
}

/// The versions of an author that an entry ended.
struct Ending {
    author: PartnerId,
    sequence: u64,
    at: Timestamp,
    /// The versions, with what is kept of them.
    versions: Vec<(Position, ClosedVersion)>,
    /// The versions whose releases ended, and the entry. Only liaisons receive these removals.
    by_lane: Option<(Vec<Position>, Arc<LoggedEntry>)>,
}

impl Feeds {
    /// A page of the subscriptions with removals of the caller's versions that an entry ended, by partner and name, and
    /// these versions. Fails if the entry ended none.
    pub fn list_deliveries(
        &self,
        caller: &Caller,
        sequence: u64,
        after: &str,
        size: usize,
    ) -> Result<(Page<RemovalDelivery>, Vec<Position>)> {
        if sequence == 0 || sequence > self.core.index.checkpoint() {
            return Err(nothing_ended());
        }
        let view = self.core.index.read()?;
        let ending = self.ended_versions(&view, caller, sequence)?;
        let mut deliveries = Vec::new();
        for subscription in self.every_subscription() {
            // A later subscription starts after the entry, or never had the versions.
            if subscription.partner != ending.author && subscription.created <= ending.at {
                deliveries.extend(self.delivery_to(&view, &subscription, &ending)?);
            }
        }
        let keys: Vec<String> =
            deliveries.iter().map(|one| format!("{} {}", one.partner, one.subscription)).collect();
        let page = page(keys.iter().map(String::as_str).zip(&deliveries), after, size);
        let ended = ending.versions.iter().map(|(version, _)| *version);
        let released = ending.by_lane.iter().flat_map(|(versions, _)| versions.iter().copied());
        Ok((page, ended.chain(released).take(MOST_NAMED).collect()))
    }

    fn ended_versions(&self, view: &View<'_>, caller: &Caller, sequence: u64) -> Result<Ending> {
        let logged = self.core.entry_blocking(sequence)?;
        if let Some(author) = whose_release(&logged) {
            if author != caller.partner() {
                return Err(nothing_ended());
            }
            let versions = self.ended_releases(view, &logged)?;
            if versions.is_empty() {
                return Err(nothing_ended());
            }
            return Ok(Ending {
                author: author.clone(),
                sequence,
                at: logged.entry.time,
                versions: Vec::new(),
                by_lane: Some((versions, logged)),
            });
        }
        let author = match &logged.entry.body {
            Body::SubmissionBatch(_) => logged.entry.author.as_ref(),
            body => removal_cause(body).map(|(author, _)| author),
        };
        let author =
            author.filter(|author| *author == caller.partner()).ok_or_else(nothing_ended)?;
        let outcome = self.core.index.applied_outcome(sequence)?;
        let Outcome::Applied(outcomes) = &*outcome else { return Err(nothing_ended()) };
        let mut versions = Vec::new();
        for version in outcomes.iter().copied().flat_map(ItemOutcome::ended_versions) {
            if let Some(closed) = view.closed_version(version)? {
                versions.push((version, closed));
            }
        }
        if versions.is_empty() {
            return Err(nothing_ended());
        }
        let (author, at) = (author.clone(), logged.entry.time);
        Ok(Ending { author, sequence, at, versions, by_lane: None })
    }

    /// The versions whose releases an entry ended, each once.
    fn ended_releases(&self, view: &View<'_>, logged: &LoggedEntry) -> Result<Vec<Position>> {
        let (sequence, body) = (logged.entry.sequence, &logged.entry.body);
        let indexes: Vec<u32> = match body {
            Body::CampaignPut(_) => vec![0],
            Body::Enforcements(report) => report.items.iter().map(|(index, _)| *index).collect(),
            Body::TipResponded(response) if response.enforcement.is_some() => vec![0],
            _ => Vec::new(),
        };
        let mut versions = BTreeSet::new();
        for index in indexes {
            let lost = view.replaced_version(Position::new(sequence, index))?;
            versions.extend(lost.map(|lost| lost.version));
        }
        if matches!(body, Body::Release(_) | Body::ReleaseEnd(_))
            && let Outcome::Applied(outcomes) = &*self.core.index.applied_outcome(sequence)?
        {
            versions.extend(outcomes.iter().filter_map(|outcome| match outcome {
                ItemOutcome::Retracted(version) => Some(*version),
                _ => None,
            }));
        }
        Ok(versions.into_iter().collect())
    }

    /// The number of removals of an entry for a liaison, as in its feed, and the position after the last.
    fn liaison_removals(
        &self,
        view: &View<'_>,
        visibility: &Visibility,
        logged: &Arc<LoggedEntry>,
    ) -> Result<(usize, FeedPosition)> {
        let sequence = logged.entry.sequence;
        let done = FeedPosition::after_entry(sequence);
        let mut after = FeedPosition::after_entry(sequence.saturating_sub(1));
        let (mut removals, mut last) = (0, FeedPosition::default());
        while after < done {
            let (holds_nothing_until, now) = (0, self.core.clock.now());
            let input = Input { logged, view, visibility, after, holds_nothing_until, now };
            let Changes { event, position } = match &logged.entry.body {
                // Its events of tips are no removals.
                Body::TipResponded(_) => {
                    Changes { event: replaced_by_response(&input)?, position: done }
                }
                _ => changes(&input)?,
            };
            if let Some(FeedEvent::Removals(all)) = &event {
                removals += all.len();
                last = all.iter().map(|one| one.place).fold(last, FeedPosition::max);
            }
            after = position;
        }
        Ok((removals, last))
    }

    /// The removals that a subscription received; `None` if there were none.
    fn delivery_to(
        &self,
        view: &View<'_>,
        subscription: &Subscription,
        ending: &Ending,
    ) -> Result<Option<RemovalDelivery>> {
        // The partner may be unknown to a restored journal.
        if view.registry().partner(&subscription.partner).is_none() {
            return Ok(None);
        }
        let visibility =
            Visibility::new(view.registry(), &subscription.partner, subscription.filter.clone())?;
        let Some(then) = visibility.reader_at(ending.sequence.saturating_sub(1)) else {
            return Ok(None);
        };
        let before = AsOf::Sequence(ending.sequence.saturating_sub(1));
        let (mut removals, mut last) = match &ending.by_lane {
            Some((_, logged)) if visibility.is_liaison() => {
                self.liaison_removals(view, &visibility, logged)?
            }
            _ => (0, FeedPosition::default()),
        };
        for (version, closed) in &ending.versions {
            let (author, sharing, said) = (&ending.author, &closed.sharing, &closed.metadata);
            let outline = VersionMeta { author, version: *version, sharing, assessment: said };
            if visibility.should_deliver(view, &then, before, outline)? {
                removals += 1;
                last = last.max(FeedPosition::after_item(closed.by));
            }
        }
        if removals == 0 {
            return Ok(None);
        }
        let is_here = self.core.stands_here(subscription.cursor);
        Ok(Some(RemovalDelivery {
            partner: subscription.partner.clone(),
            subscription: subscription.name.to_string(),
            removals,
            acknowledged: is_here && subscription.cursor.position >= last,
            acknowledged_at: subscription.acknowledged,
        }))
    }
}

fn nothing_ended() -> Error {
    Error::new(Kind::NotFound, "nothing_ended", "this entry ended nothing of yours")
}

/// The author of the objects, if an entry may end releases.
fn whose_release(logged: &LoggedEntry) -> Option<&PartnerId> {
    match &logged.entry.body {
        Body::ReleaseEnd(end) => Some(&end.partner),
        Body::Release(_) | Body::CampaignPut(_) | Body::Enforcements(_) | Body::TipResponded(_) => {
            logged.entry.author.as_ref()
        }
        _ => None,
    }
}
