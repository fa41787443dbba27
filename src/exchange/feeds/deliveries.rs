//! Deliveries of removals: which subscriptions received the removals of an author's versions. Evidence for the author.

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
use crate::exchange::feeds::changes::{Input, NextEvent, next_event};
use crate::exchange::feeds::event::FeedEvent;
use crate::exchange::visibility::{AsOf, VersionMeta, Visibility};
use crate::index::View;
use crate::index::record::ClosedVersion;
use crate::journal::LoggedEntry;

/// Versions that one response names. Bounds its size.
const MAX_VERSIONS: usize = 1_000;

/// A subscription that removals were delivered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovalDelivery {
    /// The partner of the subscription.
    pub partner: PartnerId,
    /// The name of the subscription.
    pub subscription: String,
    /// The number of removals.
    pub removals: usize,
    /// Whether the subscription acknowledged a position after all these removals.
    pub acknowledged: bool,
    /// The time of the subscription's last acknowledgement.
    pub acknowledged_at: Option<Timestamp>,
}

/// The versions of an author that an entry ended.
struct EndedVersions {
    author: PartnerId,
    sequence: u64,
    ended_at: Timestamp,
    /// The versions, each with its record in the index.
    versions: Vec<(Position, ClosedVersion)>,
    /// The versions whose releases ended, and the entry. Only liaisons receive these removals.
    released: Option<(Vec<Position>, Arc<LoggedEntry>)>,
}

impl Feeds {
    /// Lists the subscriptions that received removals because an entry ended versions of the caller. Returns a page of
    /// them, by partner and name, and these versions. Fails if the entry ended no version of the caller.
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
        let ended = self.ended_versions(&view, caller, sequence)?;
        let mut deliveries = Vec::new();
        for subscription in self.every_subscription() {
            // A subscription that was created later starts after the entry, or never received the versions.
            if subscription.partner != ended.author && subscription.created <= ended.ended_at {
                deliveries.extend(self.delivery_to(&view, &subscription, &ended)?);
            }
        }
        let keys: Vec<String> = deliveries
            .iter()
            .map(|delivery| format!("{} {}", delivery.partner, delivery.subscription))
            .collect();
        let page = page(keys.iter().map(String::as_str).zip(&deliveries), after, size);
        let closed = ended.versions.iter().map(|(version, _)| *version);
        let released = ended.released.iter().flat_map(|(versions, _)| versions.iter().copied());
        Ok((page, closed.chain(released).take(MAX_VERSIONS).collect()))
    }

    fn ended_versions(
        &self,
        view: &View<'_>,
        caller: &Caller,
        sequence: u64,
    ) -> Result<EndedVersions> {
        let logged = self.core.entry_blocking(sequence)?;
        if let Some(author) = release_author(&logged) {
            if author != caller.partner() {
                return Err(nothing_ended());
            }
            let versions = self.ended_releases(view, &logged)?;
            if versions.is_empty() {
                return Err(nothing_ended());
            }
            return Ok(EndedVersions {
                author: author.clone(),
                sequence,
                ended_at: logged.entry.time,
                versions: Vec::new(),
                released: Some((versions, logged)),
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
        let (author, ended_at) = (author.clone(), logged.entry.time);
        Ok(EndedVersions { author, sequence, ended_at, versions, released: None })
    }

    /// The versions whose releases an entry ended, without duplicates.
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
            let replaced = view.replaced_version(Position::new(sequence, index))?;
            versions.extend(replaced.map(|replaced| replaced.version));
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

    /// Counts the removals of an entry in the feed of a liaison. Returns the number, and the position after the last
    /// removal.
    fn liaison_removals(
        &self,
        view: &View<'_>,
        visibility: &Visibility,
        logged: &Arc<LoggedEntry>,
    ) -> Result<(usize, FeedPosition)> {
        let sequence = logged.entry.sequence;
        let entry_end = FeedPosition::after_entry(sequence);
        let mut after = FeedPosition::after_entry(sequence.saturating_sub(1));
        let (mut removals, mut last) = (0, FeedPosition::default());
        while after < entry_end {
            let (started_empty_at, now) = (0, self.core.clock.now());
            let input = Input { logged, view, visibility, after, started_empty_at, now };
            let NextEvent { event, position } = match &logged.entry.body {
                // The events of the tip itself are not removals.
                Body::TipResponded(_) => {
                    NextEvent { event: replaced_by_response(&input)?, position: entry_end }
                }
                _ => next_event(&input)?,
            };
            if let Some(FeedEvent::Removals(batch)) = &event {
                removals += batch.len();
                last = batch.iter().map(|removal| removal.position).fold(last, FeedPosition::max);
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
        ended: &EndedVersions,
    ) -> Result<Option<RemovalDelivery>> {
        // A restored journal may not know the partner.
        if view.registry().partner(&subscription.partner).is_none() {
            return Ok(None);
        }
        let visibility =
            Visibility::new(view.registry(), &subscription.partner, subscription.filter.clone())?;
        let Some(reader_before) = visibility.reader_at(ended.sequence.saturating_sub(1)) else {
            return Ok(None);
        };
        let before = AsOf::Sequence(ended.sequence.saturating_sub(1));
        let (mut removals, mut last) = match &ended.released {
            Some((_, logged)) if visibility.is_liaison() => {
                self.liaison_removals(view, &visibility, logged)?
            }
            _ => (0, FeedPosition::default()),
        };
        for (version, closed) in &ended.versions {
            let (author, sharing) = (&ended.author, &closed.sharing);
            let assessment = &closed.metadata;
            let meta = VersionMeta { author, version: *version, sharing, assessment };
            if visibility.should_deliver(view, &reader_before, before, meta)? {
                removals += 1;
                last = last.max(FeedPosition::after_item(closed.ended_by));
            }
        }
        if removals == 0 {
            return Ok(None);
        }
        let is_in_journal = self.core.is_in_journal(subscription.cursor);
        Ok(Some(RemovalDelivery {
            partner: subscription.partner.clone(),
            subscription: subscription.name.to_string(),
            removals,
            acknowledged: is_in_journal && subscription.cursor.position >= last,
            acknowledged_at: subscription.acknowledged,
        }))
    }
}

fn nothing_ended() -> Error {
    Error::new(Kind::NotFound, "nothing_ended", "this entry ended no version or release of yours")
}

/// The author whose releases an entry may end. `None` for an entry that ends no releases.
fn release_author(logged: &LoggedEntry) -> Option<&PartnerId> {
    match &logged.entry.body {
        Body::ReleaseEnd(end) => Some(&end.partner),
        Body::Release(_) | Body::CampaignPut(_) | Body::Enforcements(_) | Body::TipResponded(_) => {
            logged.entry.author.as_ref()
        }
        _ => None,
    }
}
